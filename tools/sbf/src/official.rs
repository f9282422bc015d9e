//! Solana's own `cargo build-sbf`, which is preferred wherever it is installed.

use std::{env, process::Command};

use crate::VERSION_PREFIX;

/// The path of Solana's own `cargo-build-sbf`, if one is installed.
pub fn official_command() -> Option<std::path::PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path).map(|folder| folder.join("cargo-build-sbf")).filter(|command| command.is_file()).find(
        |command| {
            Command::new(command)
                .arg("--version")
                .output()
                .is_ok_and(|output| output.status.success() && !output.stdout.starts_with(VERSION_PREFIX.as_bytes()))
        },
    )
}
