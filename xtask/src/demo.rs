//! Shows what Perpetua does. The demo alone writes to standard output, so that `--json` stays readable by machines.

use anyhow::{Result, ensure};

use crate::{
    build,
    shell::{self, Shell},
};

pub fn run(shell: &Shell, arguments: &[String]) -> Result<()> {
    build::program(shell)?;
    // Built by itself first: `cargo run --quiet` would say nothing for the minutes that this takes at first.
    shell::run(&mut shell.cargo(&["build", "--locked", "--package", "perpetua-demo"]))?;
    let mut demo = shell.cargo(&["run", "--quiet", "--locked", "--package", "perpetua-demo", "--"]);
    let status = demo.args(arguments).status()?;
    ensure!(status.success(), "the demo failed");
    Ok(())
}
