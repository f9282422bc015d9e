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
    let mut demo = Command::new(executable(shell, "perpetua-demo", &["--package", "perpetua-demo"])?);
    let status = demo.args(arguments).current_dir(&shell.root).status()?;
    ensure!(status.success(), "the demo failed");
    Ok(())
}

/// Builds an executable from a selection of packages and says where it is.
pub fn executable(shell: &Shell, name: &str, selection: &[&str]) -> Result<PathBuf> {
    let mut command = shell.cargo(&["build", "--locked", "--bin", name]);
    command.args(selection);
    command.arg("--message-format=json-render-diagnostics").stdout(Stdio::piped());
    let child = command.spawn().with_context(|| describe(&command))?;
    let output = child.wait_with_output()?;
    ensure!(output.status.success(), "`{}` failed", describe(&command));
    let messages = String::from_utf8(output.stdout)?;
    messages
        .lines()
        .rev()
        .find_map(|line| executable_in(line, name))
        .with_context(|| format!("cargo named no executable of {name}"))
}

/// An executable's file in one of cargo's messages.
fn executable_in(message: &str, name: &str) -> Option<PathBuf> {
    let message: serde_json::Value = serde_json::from_str(message).ok()?;
    let wanted = message.pointer("/target/name")?.as_str()? == name;
    let its_tests = message.pointer("/profile/test")?.as_bool()?;
    let file = message.get("executable")?.as_str()?;
    (wanted && !its_tests).then(|| PathBuf::from(file))
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEMO: &str = "perpetua-demo";

    #[test]
    fn the_demos_file_is_found_among_cargos_messages() {
        let message = r#"{"target":{"name":"perpetua-demo"},"profile":{"test":false},"executable":"/t/perpetua-demo"}"#;
        assert_eq!(executable_in(message, DEMO), Some(PathBuf::from("/t/perpetua-demo")));
        assert_eq!(executable_in(&message.replace("\"perpetua-demo\"", "\"xtask\""), DEMO), None);
        assert_eq!(executable_in(&message.replace("false", "true"), DEMO), None, "its tests");
        assert_eq!(executable_in(r#"{"reason":"build-finished","success":true}"#, DEMO), None);
    }
}
