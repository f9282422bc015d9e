//! Shows what Perpetua does. The demo alone writes to standard output, so that `--json` stays readable by machines.

use std::{
    path::PathBuf,
    process::{Command, Stdio},
};

use anyhow::{Context, Result, ensure};

use crate::{
    build,
    shell::{Shell, describe},
};

pub fn run(shell: &Shell, arguments: &[String]) -> Result<()> {
    build::program(shell)?;
    let mut demo = Command::new(executable(shell, &["--package", "perpetua-demo"])?);
    let status = demo.args(arguments).current_dir(&shell.root).status()?;
    ensure!(status.success(), "the demo failed");
    Ok(())
}

/// Builds the demo from a selection of packages and says where it is.
pub fn executable(shell: &Shell, selection: &[&str]) -> Result<PathBuf> {
    let mut command = shell.cargo(&["build", "--locked", "--bin", "perpetua-demo"]);
    command.args(selection);
    command.arg("--message-format=json-render-diagnostics").stdout(Stdio::piped());
    let child = command.spawn().with_context(|| describe(&command))?;
    let output = child.wait_with_output()?;
    ensure!(output.status.success(), "`{}` failed", describe(&command));
    let messages = String::from_utf8(output.stdout)?;
    messages.lines().rev().find_map(executable_in).context("cargo named no executable of the demo")
}

/// The demo's file in one of cargo's messages.
fn executable_in(message: &str) -> Option<PathBuf> {
    let message: serde_json::Value = serde_json::from_str(message).ok()?;
    let demo = message.pointer("/target/name")?.as_str()? == "perpetua-demo";
    let its_tests = message.pointer("/profile/test")?.as_bool()?;
    let file = message.get("executable")?.as_str()?;
    (demo && !its_tests).then(|| PathBuf::from(file))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_demos_file_is_found_among_cargos_messages() {
        let message = r#"{"target":{"name":"perpetua-demo"},"profile":{"test":false},"executable":"/t/perpetua-demo"}"#;
        assert_eq!(executable_in(message), Some(PathBuf::from("/t/perpetua-demo")));
        assert_eq!(executable_in(&message.replace("\"perpetua-demo\"", "\"xtask\"")), None);
        assert_eq!(executable_in(&message.replace("false", "true")), None, "its tests");
        assert_eq!(executable_in(r#"{"reason":"build-finished","success":true}"#), None);
    }
}
