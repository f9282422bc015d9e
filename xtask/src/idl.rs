//! The program's interface description, by Anchor's own generator: it compiles the program natively with the feature
//! `idl-build`, runs what that adds to its tests, and assembles what they print.

use std::{env, process::Command};

use anchor_lang_idl::build::IdlBuilder;
use anyhow::{Context, Result, ensure};

use crate::{generated::Generated, shell::Shell};

/// The generator compiles with flags of its own and so shares nothing with other builds; optimizing the dependencies,
/// as tests do, would only cost time.
const UNOPTIMIZED: &str = "profile.dev.package.'*'.opt-level=0";

/// `idl/perpetua.json` as the program is now.
pub fn generate(shell: &Shell) -> Result<Generated> {
    let mut command = Command::new(env::current_exe()?);
    command
        .arg("print-idl")
        .current_dir(&shell.root)
        // The generator of this version passes rustup's toolchain on to cargo in a way that cargo refuses; without the
        // variable, rust-toolchain.toml decides.
        .env_remove("RUSTUP_TOOLCHAIN");
    let output = command.stderr(std::process::Stdio::inherit()).output().context("running the IDL generator")?;
    ensure!(output.status.success(), "the IDL could not be generated; the cause stands above");
    Ok(Generated { path: "idl/perpetua.json".to_owned(), content: String::from_utf8(output.stdout)? })
}

/// Prints the IDL to standard output.
pub fn print(shell: &Shell) -> Result<()> {
    let idl = IdlBuilder::new()
        .program_path(shell.root.join("programs/perpetua"))
        .cargo_args(["--locked", "--lib", "--config", UNOPTIMIZED].map(String::from).to_vec())
        .build()?;
    println!("{}", serde_json::to_string_pretty(&idl)?);
    Ok(())
}
