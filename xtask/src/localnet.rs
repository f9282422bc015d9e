//! Starts a local network with everything set up.

use std::process::{Command, Stdio};

use anyhow::{Result, ensure};

use crate::{build, shell::Shell};

pub fn run(shell: &Shell, arguments: &[String]) -> Result<()> {
    build::program(shell)?;
    let surfnet = build::surfnet(shell)?;
    let localnet = build::executable(shell, "perpetua-localnet", &["--package", "perpetua-localnet"])?;
    let mut command = Command::new(localnet);
    command.arg("--program").arg(shell.target().join("deploy/perpetua.so")).arg("--surfnet").arg(surfnet);
    command.arg("--config").arg(shell.root.join("migrations/localnet.toml"));
    command.arg("--wallets").arg(shell.target().join("localnet"));
    let status = command.args(arguments).current_dir(&shell.root).stdin(Stdio::null()).status()?;
    ensure!(status.success(), "the local network failed");
    Ok(())
}
