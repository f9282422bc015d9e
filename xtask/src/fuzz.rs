//! Plays long random sequences to the model and to the compiled program. They alone write to standard output, so that
//! `--json` stays readable by machines.

use anyhow::{Result, ensure};

use crate::{build, shell::Shell};

pub fn run(shell: &Shell, arguments: &[String]) -> Result<()> {
    build::program(shell)?;
    let mut command = shell.cargo(&["run", "--locked", "--package", "perpetua-tests", "--bin", "sequences", "--"]);
    let status = command.args(arguments).status()?;
    ensure!(status.success(), "a sequence failed; what remains of it was written to tests/data/sequences");
    Ok(())
}
