//! The command at a terminal.

use std::{
    io::{Read, Write},
    process::{Command, Stdio},
};

use assert_cmd::cargo::cargo_bin;
use tempfile::TempDir;

/// Runs the command at a terminal. Once `prompt` is shown `meanwhile` happens and `answer` is typed. Returns the exit code
/// and what the terminal showed.
pub fn run(home: &TempDir, arguments: &[&str], prompt: &str, meanwhile: impl FnOnce(), answer: &str) -> (i32, String) {
    let words = [&[cargo_bin!("perpetua").to_str().unwrap()], arguments].concat();
    let quoted: Vec<String> = words.iter().map(|word| format!("'{word}'")).collect();
    // Of util-linux: runs the command at a pseudo-terminal and copies to and from it.
    let mut command = Command::new("script");
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
