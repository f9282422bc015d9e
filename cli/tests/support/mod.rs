//! The command, run as people and programs run it.

use std::path::Path;

use assert_cmd::Command;
use serde_json::Value;
use tempfile::TempDir;

/// How a run of the command ended.
pub struct Run {
    /// What it exited with.
    pub code: i32,
    /// What it printed.
    pub stdout: String,
    /// What it printed to standard error.
    pub stderr: String,
}

impl Run {
    /// The one document on standard output.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {}\n{}", self.stdout, self.stderr))
    }
}

/// Runs the command with a home of its own.
pub fn run_in(home: &TempDir, arguments: &[&str]) -> Run {
    let mut command = Command::new(assert_cmd::cargo::cargo_bin!("perpetua"));
    command.env("HOME", Path::new(home.path())).env("NO_PROXY", "127.0.0.1").args(arguments);
    let output = command.output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Run { code: output.status.code().unwrap(), stdout: text(output.stdout), stderr: text(output.stderr) }
}
