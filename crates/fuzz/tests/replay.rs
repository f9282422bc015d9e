//! Replays what the fuzzers kept: the corpus, the real accounts that it grew from, and whatever ever failed.

use std::{fs, path::Path};

use anchor_lang::Discriminator;
use bytemuck::Zeroable;
use perpetua::state::{Exchange, Market, Vault};
use perpetua_fuzz_targets::{TARGETS, accounts};

/// Calls a target with every file of a folder; says how many there were.
fn replay(folder: &Path, target: fn(&[u8])) -> usize {
    let files = fs::read_dir(folder).into_iter().flatten().map(|entry| entry.expect("a folder can be listed").path());
    let inputs = files.map(|file| fs::read(file).expect("a file can be read"));
    inputs.inspect(|input| target(input)).count()
}

#[test]
fn nothing_that_a_fuzzer_kept_breaks_a_promise() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz");
    for (name, target) in TARGETS {
        let real = replay(&root.join("seeds").join(name), target);
        assert!(name == "accounts" || real >= 5, "{name} starts from real bytes");
        replay(&root.join("corpus").join(name), target);
        replay(&root.join("regressions").join(name), target);
    }
}

#[test]
fn short_and_even_bytes_break_no_promise() {
    for (_, target) in TARGETS {
        for length in 0..=512 {
            for byte in [0, 1, 0x7f, 0x80, 0xff] {
                target(&vec![byte; length]);
            }
        }
    }
}

#[test]
fn accounts_of_each_version_are_read_alike_by_program_and_client() {
    for version in [0, 1, 2] {
        let exchange = Exchange { version, ..Exchange::zeroed() };
        accounts(&[Exchange::DISCRIMINATOR, bytemuck::bytes_of(&exchange)].concat());
        let vault = Vault { version, ..Vault::zeroed() };
        accounts(&[Vault::DISCRIMINATOR, bytemuck::bytes_of(&vault)].concat());
        let market = Market { version, ..Market::zeroed() };
        accounts(&[Market::DISCRIMINATOR, bytemuck::bytes_of(&market)].concat());
    }
}
