//! Replays what the fuzzers kept: the corpus, the real accounts that it grew from, and whatever ever failed.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anchor_lang::Discriminator;
use bytemuck::Zeroable;
use perpetua::state::{Exchange, Index, MarginAccount, Market, Proposal, Stock, Vault, WithdrawalTicket};
use perpetua_client::account::{Stored, read_copy};
use perpetua_fuzz_targets::{TARGETS, accounts};

/// A folder of what the fuzzers use, for one target.
fn folder(kind: &str, target: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz").join(kind).join(target)
}

/// Every file of a folder, none if there is no such folder.
fn inputs(folder: &Path) -> Vec<Vec<u8>> {
    let files = fs::read_dir(folder).into_iter().flatten().map(|entry| entry.expect("a folder can be listed").path());
    files.map(|file| fs::read(file).expect("a file can be read")).collect()
}

#[test]
fn nothing_that_a_fuzzer_kept_breaks_a_promise() {
    for (name, target) in TARGETS {
        let [real, kept, failed] = ["seeds", "corpus", "regressions"].map(|kind| inputs(&folder(kind, name)));
        assert!(real.len() >= 5, "{name} starts from real bytes");
        assert!(kept.len() >= 5, "{name} has a corpus");
        real.iter().chain(&kept).chain(&failed).for_each(|input| target(input));
    }
}

#[test]
fn the_seeds_hold_an_account_of_every_kind_as_it_is_now() {
    fn held<T: Stored>(seeds: &[Vec<u8>]) -> bool {
        seeds.iter().any(|seed| read_copy::<T>(&perpetua::ID, seed).is_ok())
    }
    let seeds = inputs(&folder("seeds", "accounts"));
    let kinds = [
        held::<Exchange>(&seeds),
        held::<Index>(&seeds),
        held::<Vault>(&seeds),
        held::<Market>(&seeds),
        held::<MarginAccount>(&seeds),
        held::<WithdrawalTicket>(&seeds),
        held::<Stock>(&seeds),
        held::<Proposal>(&seeds),
    ];
    assert_eq!(kinds, [true; 8], "`fuzz/README.md` says how seeds are written anew");
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
