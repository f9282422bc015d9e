//! Commands that run in the repository.

use std::{
    env,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context, Result, ensure};
use sbf_build::Install;

/// Where commands run, and what they may do.
pub struct Shell {
    /// The repository.
    pub root: PathBuf,
    /// Whether missing Debian packages may be installed.
    pub install: Install,
}

impl Shell {
    pub fn new(root: &Path, install: bool) -> Self {
        Self { root: root.to_owned(), install: Install::from_environment(install) }
    }

    /// The cargo that runs this, in the repository.
    pub fn cargo(&self, arguments: &[&str]) -> Command {
        let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut command = Command::new(cargo);
        command.args(arguments).current_dir(&self.root);
        command
    }

    /// What git answers in the repository.
    pub fn git(&self, arguments: &[&str]) -> Result<String> {
        let mut command = Command::new("git");
        let output = command.args(arguments).current_dir(&self.root).output().with_context(|| describe(&command))?;
        ensure!(output.status.success(), "`{}` failed", describe(&command));
        Ok(String::from_utf8(output.stdout)?)
    }

    /// The repository's target folder, for what cargo does not put there itself.
    pub fn target(&self) -> PathBuf {
        self.root.join("target")
    }
}

/// Runs a command whose output is progress: all of it goes to standard error.
pub fn run(command: &mut Command) -> Result<()> {
    let status = command.stdout(Stdio::from(std::io::stderr())).status().with_context(|| describe(command))?;
    ensure!(status.success(), "`{}` failed", describe(command));
    Ok(())
}

/// The command as one would type it.
pub fn describe(command: &Command) -> String {
    let program = Path::new(command.get_program());
    let program = program.file_name().unwrap_or(program.as_os_str());
    let words = std::iter::once(program).chain(command.get_args());
    words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}
