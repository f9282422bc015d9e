//! `perpetua completions`: scripts that complete the command line.

use clap::Args;
use clap_complete::{Shell, generate};
use serde_json::json;

use crate::{command_line, output::Output};

const EXAMPLES: &str = "\
Examples:
  perpetua completions bash > ~/.local/share/bash-completion/completions/perpetua
  perpetua completions zsh > ~/.zfunc/_perpetua
  perpetua completions fish > ~/.config/fish/completions/perpetua.fish";

/// Print a completion script for your shell.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    /// The shell.
    shell: Shell,
}

impl Arguments {
    /// The script.
    pub fn run(&self) -> Output {
        let mut script = Vec::new();
        generate(self.shell, &mut command_line(), "perpetua", &mut script);
        let text = String::from_utf8_lossy(&script).into_owned();
        Output { json: json!({ "shell": self.shell.to_string(), "script": text }), text }
    }
}
