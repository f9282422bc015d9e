//! Compiles `crates/wasm` to the module that the TypeScript client loads.

use std::{
    env,
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, ensure};

use crate::shell::{Shell, describe, run};

const TARGET: &str = "wasm32-unknown-unknown";
/// What the module exports, besides its memory: the functions of `crates/wasm/src/memory.rs`.
const EXPORTS: [&str; 3] = ["perpetua_request", "perpetua_answer", "perpetua_length"];

/// Builds the module and returns its bytes.
pub fn build(shell: &Shell) -> Result<Vec<u8>> {
    let linker = linker(shell)?;
    let out = shell.target().join("wasm");
    // A static library, linked here: cargo would export every function that a dependency marks for wasm-bindgen, and with
    // them all that they need of JavaScript. Only what is named above is kept.
    let mut command = sbf_build::cargo_for_bare_target(shell.install)?;
    command
        .current_dir(&shell.root)
        .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", &linker)
        .env("CARGO_ENCODED_RUSTFLAGS", rustflags()?)
        .args(["rustc", "--locked", "--release", "--package", "perpetua-wasm", "--crate-type", "staticlib"])
        .args(["-Z", "build-std=std,panic_abort", "--target", TARGET, "--target-dir"])
        .arg(&out);
    run(&mut command)?;
    let library = out.join(TARGET).join("release/libperpetua_wasm.a");
    let linked = library.with_file_name("linked.wasm");
    let mut command = Command::new(&linker);
    command.args(["-flavor", "wasm", "--no-entry", "--gc-sections", "--strip-all"]);
    // As rustc links: the linker's own 64 KiB are too few, and below the stack there must be nothing to overwrite.
    command.args(["-z", "stack-size=1048576", "--stack-first"]);
    command.args(EXPORTS.map(|name| format!("--export={name}"))).arg(&library).arg("-o").arg(&linked);
    run(&mut command)?;
    without_custom_sections(&fs::read(&linked)?)
}

/// The module says nothing of where it was built, so that it is the same everywhere.
fn rustflags() -> Result<OsString> {
    let home = env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| Some(env::home_dir()?.join(".cargo"))).context("the folder of cargo's registry")?;
    let mut flags = OsString::from("-Zlocation-detail=none\x1f--remap-path-prefix=");
    flags.push(home.join("registry/src"));
    flags.push("=");
    Ok(flags)
}

/// The linker that comes with the compiler that this runs under.
fn linker(shell: &Shell) -> Result<PathBuf> {
    let mut command = Command::new("rustc");
    let output = command.args(["--print", "target-libdir"]).current_dir(&shell.root).output();
    let output = output.with_context(|| describe(&command))?;
    let libraries = String::from_utf8(output.stdout)?;
    let beside = Path::new(libraries.trim()).with_file_name("bin").join("rust-lld");
    ensure!(
        beside.is_file(),
        "no {}: it links the WebAssembly module and comes with every toolchain of rustup; install Rust with https://rustup.rs",
        beside.display()
    );
    Ok(beside)
}

/// A module without the sections that carry no code: names, and what dependencies wrote for other tools.
fn without_custom_sections(module: &[u8]) -> Result<Vec<u8>> {
    const HEADER: usize = 8;
    let (header, mut rest) = module.split_at_checked(HEADER).context("the linked module is cut short")?;
    let mut kept = header.to_vec();
    while let Some((kind, after)) = rest.split_first() {
        let (length, body) = leb128(after).context("a section's length")?;
        let (_, following) = body.split_at_checked(length).context("a section is cut short")?;
        if *kind != 0 {
            kept.extend(&rest[..rest.len() - following.len()]);
        }
        rest = following;
    }
    Ok(kept)
}

/// The unsigned number at the start of `bytes`, seven bits a byte, and what follows it.
fn leb128(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let mut value = 0;
    for (place, byte) in bytes.iter().enumerate().take(5) {
        value |= usize::from(byte & 0x7f) << (7 * place);
        if byte & 0x80 == 0 {
            return Some((value, &bytes[place + 1..]));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: [u8; 8] = [0, b'a', b's', b'm', 1, 0, 0, 0];

    #[test]
    fn only_sections_of_other_tools_are_left_out() {
        let long = [&[0, 0x80, 0x01][..], &[7; 128]].concat();
        let module = [&HEADER[..], &[1, 2, 8, 9], &long, &[3, 1, 4], &[0, 1, 0]].concat();
        assert_eq!(without_custom_sections(&module).unwrap(), [&HEADER[..], &[1, 2, 8, 9, 3, 1, 4]].concat());
    }

    #[test]
    fn a_module_that_is_cut_short_is_refused() {
        let module = [&HEADER[..], &[1, 2, 8]].concat();
        assert!(without_custom_sections(&module).is_err());
        assert!(without_custom_sections(&module[..7]).is_err());
        assert!(without_custom_sections(&[&HEADER[..], &[1, 0x80]].concat()).is_err());
    }
}
