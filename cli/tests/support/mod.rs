//! The command, run as people and programs run it.

use std::{
    fs,
    io::{Read, Write},
    path::Path,
    process::Stdio,
};

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

/// Runs the command at a terminal. Once `prompt` is shown `meanwhile` happens and `answer` is typed. Returns the exit code
/// and what the terminal showed.
pub fn run_at_terminal(
    home: &TempDir,
    arguments: &[&str],
    prompt: &str,
    meanwhile: impl FnOnce(),
    answer: &str,
) -> (i32, String) {
    let words = [&[assert_cmd::cargo::cargo_bin!("perpetua").to_str().unwrap()], arguments].concat();
    let quoted: Vec<String> = words.iter().map(|word| format!("'{word}'")).collect();
    // Of util-linux: runs the command at a pseudo-terminal and copies to and from it.
    let mut command = std::process::Command::new("script");
    command.args(["--quiet", "--return", "--command", &quoted.join(" "), "/dev/null"]);
    command.env("HOME", home.path()).env("NO_PROXY", "127.0.0.1").env("TERM", "xterm");
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("script, of util-linux");
    let (mut output, mut shown) = (child.stdout.take().unwrap(), Vec::new());
    let mut chunk = [0; 4_096];
    let is_asked = |shown: &[u8]| String::from_utf8_lossy(shown).contains(prompt);
    while !is_asked(&shown) {
        let read = output.read(&mut chunk).unwrap();
        assert!(read > 0, "{prompt:?} was not asked: {}", String::from_utf8_lossy(&shown));
        shown.extend_from_slice(&chunk[..read]);
    }
    meanwhile();
    child.stdin.as_mut().unwrap().write_all(answer.as_bytes()).unwrap();
    output.read_to_end(&mut shown).unwrap();
    let code = child.wait().unwrap().code().unwrap();
    (code, String::from_utf8_lossy(&shown).replace('\r', ""))
}

/// Writes a file and returns its path.
pub fn write(folder: &TempDir, name: &str, text: &str) -> String {
    let path = folder.path().join(name);
    fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}
