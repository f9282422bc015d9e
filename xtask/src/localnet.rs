//! Starts a local network with everything set up.

use std::{
    path::PathBuf,
    process::{Command, Stdio},
};

use anyhow::{Result, ensure};

use crate::{
    build, demo,
    shell::{Shell, run as run_command},
};

pub fn run(shell: &Shell, arguments: &[String]) -> Result<()> {
    build::program(shell)?;
    let surfnet = surfnet(shell)?;
    let localnet = demo::executable(shell, "perpetua-localnet", &["--package", "perpetua-localnet"])?;
    let mut command = Command::new(localnet);
    command.arg("--program").arg(shell.target().join("deploy/perpetua.so")).arg("--surfnet").arg(surfnet);
    command.arg("--config").arg(shell.root.join("migrations/localnet.toml"));
    command.arg("--wallets").arg(shell.target().join("localnet"));
    let status = command.args(arguments).current_dir(&shell.root).stdin(Stdio::null()).status()?;
    ensure!(status.success(), "the local network failed");
    Ok(())
}

/// Builds the network, a workspace of its own, and says where it is.
fn surfnet(shell: &Shell) -> Result<PathBuf> {
    let folder = shell.target().join("surfnet");
    let mut command = shell.cargo(&["build", "--locked", "--manifest-path", "tools/surfnet/Cargo.toml"]);
    eprintln!("building the network; the first time this takes a quarter of an hour");
    run_command(command.arg("--target-dir").arg(&folder))?;
    Ok(folder.join("debug/perpetua-surfnet"))
}
