//! Builds the programs, with Solana's own `cargo build-sbf` where it is installed and with `tools/sbf` elsewhere.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Result, ensure};
use sbf_build::Build;

use crate::shell::{Shell, run};

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
