//! Builds the programs, with Solana's own `cargo build-sbf` where it is installed and with `tools/sbf` elsewhere.

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context, Result, ensure};
use sbf_build::Build;

use crate::shell::{Shell, describe, run};

/// Builds `target/deploy/perpetua.so`.
pub fn program(shell: &Shell) -> Result<PathBuf> {
    build(shell, "perpetua", "programs/perpetua", &shell.target().join("deploy"))
}

/// Builds the program that the toolchain's conformance tests run.
pub fn conformance(shell: &Shell) -> Result<PathBuf> {
    build(shell, "sbf-conformance", "tools/sbf/conformance", &shell.target().join("sbf-conformance"))
}

fn build(shell: &Shell, package: &str, folder: &str, out: &Path) -> Result<PathBuf> {
    let manifest = shell.root.join(folder).join("Cargo.toml");
    let elf = match sbf_build::official_command() {
        Some(official) => {
            run(Command::new(official)
                .arg("--manifest-path")
                .arg(&manifest)
                .arg("--sbf-out-dir")
                .arg(out)
                .args(["--", "--locked"]))?;
            out.join(package.replace('-', "_")).with_extension("so")
        }
        None => sbf_build::build_program(&own_build(shell, package, manifest, out))?,
    };
    ensure!(elf.is_file(), "the build wrote no {}", elf.display());
    let shown = elf.strip_prefix(&shell.root).unwrap_or(&elf);
    eprintln!("built {} ({} bytes)", shown.display(), elf.metadata()?.len());
    Ok(elf)
}

fn own_build(shell: &Shell, package: &str, manifest: PathBuf, out: &Path) -> Build {
    Build {
        manifest,
        package: package.to_owned(),
        out: Some(out.to_owned()),
        features: vec![],
        default_features: true,
        arguments: vec!["--locked".to_owned()],
        install: shell.install,
        lines: false,
    }
}

/// Builds the program by `tools/sbf` with source lines: the ELF, and the object file that has the lines.
pub fn program_with_lines(shell: &Shell) -> Result<(PathBuf, PathBuf)> {
    let manifest = shell.root.join("programs/perpetua/Cargo.toml");
    let out = shell.target().join("assurance");
    let build = Build { lines: true, ..own_build(shell, "perpetua", manifest, &out) };
    Ok((sbf_build::build_program(&build)?, sbf_build::object_file(&build)?))
}

/// Puts the drop-in `cargo-build-sbf` into cargo's folder of commands.
pub fn install_build_sbf(shell: &Shell) -> Result<()> {
    if let Some(official) = sbf_build::official_command() {
        eprintln!("Solana's own cargo-build-sbf is installed ({}); nothing to do", official.display());
        return Ok(());
    }
    run(&mut shell.cargo(&["install", "--locked", "--force", "--path", "tools/sbf", "--features", "command"]))
}

/// Builds the local network, a workspace of its own, and says where its executable is.
pub fn surfnet(shell: &Shell) -> Result<PathBuf> {
    let folder = shell.target().join("surfnet");
    let mut command = shell.cargo(&["build", "--locked", "--manifest-path", "tools/surfnet/Cargo.toml"]);
    eprintln!("building the network; the first time this takes a quarter of an hour");
    run(command.arg("--target-dir").arg(&folder))?;
    Ok(folder.join("debug/perpetua-surfnet"))
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
