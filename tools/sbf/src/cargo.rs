//! How Debian's cargo is called.

use std::{env, path::Path, process::Command};

use anyhow::{Context, Result, ensure};

use crate::packages::{self, Install};

pub(crate) const CARGO: &str = "/usr/bin/cargo";
pub(crate) const RUSTC: &str = "/usr/bin/rustc";
pub(crate) const STD_SOURCE: &str = "/usr/lib/rustlib/src/rust/library/std/Cargo.toml";

/// Debian's cargo with Debian's compiler, whatever toolchain the caller runs under.
pub(crate) fn cargo() -> Command {
    let mut command = Command::new(CARGO);
    for (name, _) in env::vars_os() {
        let text = name.to_string_lossy();
        let foreign = text == "CARGO"
            || text.starts_with("RUST")
            || text.starts_with("CARGO_BUILD_")
            || text.starts_with("CARGO_PROFILE_")
            || text.starts_with("CARGO_TARGET_")
            || text == "CARGO_ENCODED_RUSTFLAGS"
            || text == "CARGO_UNSTABLE_BUILD_STD";
        if foreign {
            command.env_remove(name);
        }
    }
    command.env("RUSTC", RUSTC);
    command
}

/// Debian's cargo, made to compile std from source with `-Z build-std`: for targets that no package has a compiled std for.
///
/// Errors: says which Debian packages are missing.
pub fn cargo_for_bare_target(install: Install) -> Result<Command> {
    packages::require_compiler(install)?;
    let mut command = cargo();
    // A released compiler builds std from source only when told that this is meant.
    command.env("RUSTC_BOOTSTRAP", "1");
    Ok(command)
}

/// std and the program are compiled for `target` with these settings.
pub(crate) fn cargo_for_sbf(target: &Path) -> Command {
    let mut command = cargo();
    command
        // A released compiler builds std from source only when told that this is meant.
        .env("RUSTC_BOOTSTRAP", "1")
        .env("RUSTC_BOOTSTRAP_SYNTHETIC_TARGET", "1")
        .env("RUSTFLAGS", RUSTFLAGS.join(" "))
        .args(["build", "--release", "-Z", "json-target-spec", "--target"])
        .arg(target);
    command
}

const RUSTFLAGS: &[&str] = &[
    // A program has one thread and the machine no atomic instructions.
    "-C passes=lower-atomic",
    // A panic stops the machine and says nothing: its messages and places are 40 KB. Built with lines, a trace tells where.
    "-Z unstable-options -C panic=immediate-abort",
    // Dependencies choose their on-chain code by this name.
    "--cfg target_os=\"solana\"",
    // std's allocator knows the alignment of a fixed list of architectures; this one's is eight bytes.
    "--cfg target_arch=\"csky\"",
    "-A explicit_builtin_cfgs_in_flags",
    "-A unexpected_cfgs",
];

/// Runs a command whose output, if any, is for the person who waits.
pub(crate) fn run(command: &mut Command, what: &str) -> Result<()> {
    let status = command.status().with_context(|| format!("{what}: {command:?}"))?;
    ensure!(status.success(), "{what} failed");
    Ok(())
}
