//! Shows what Perpetua does. The demo alone writes to standard output, so that `--json` stays readable by machines.

use std::process::Command;

use anyhow::{Result, ensure};

use crate::{build, shell::Shell};

pub fn run(shell: &Shell, arguments: &[String]) -> Result<()> {
    build::program(shell)?;
    let mut demo = Command::new(build::executable(shell, "perpetua-demo", &["--package", "perpetua-demo"])?);
    let status = demo.args(arguments).current_dir(&shell.root).status()?;
    ensure!(status.success(), "the demo failed");
    Ok(())
}
