//! Files that are generated and committed, so that a change shows in its diff.

use std::fs;

use anyhow::{Context, Result, bail};

use crate::shell::Shell;

/// A committed file and what it should hold.
pub struct Generated {
    /// Its path in the repository.
    pub path: String,
    /// Its content as generated now.
    pub content: String,
}

impl Generated {
    /// Fails unless the committed file is as generated now.
    pub fn check(&self, shell: &Shell) -> Result<()> {
        let committed = fs::read_to_string(shell.root.join(&self.path)).unwrap_or_default();
        if committed == self.content {
            return Ok(());
        }
        let (line, old, new) = first_difference(&committed, &self.content);
        bail!(
            "{} is out of date, from line {line}:\n  committed: {old}\n  generated: {new}\n\
             If the change is meant, run `cargo xtask test --bless` and commit the file.",
            self.path
        )
    }

    /// Updates the committed file.
    pub fn write(&self, shell: &Shell) -> Result<()> {
        let path = shell.root.join(&self.path);
        fs::write(&path, &self.content).with_context(|| format!("writing {}", path.display()))
    }
}

/// The number of the first line that differs, from one, and both lines.
fn first_difference<'a>(old: &'a str, new: &'a str) -> (usize, &'a str, &'a str) {
    const END: &str = "(end of file)";
    let same = old.lines().zip(new.lines()).take_while(|(old, new)| old == new).count();
    (same + 1, old.lines().nth(same).unwrap_or(END), new.lines().nth(same).unwrap_or(END))
}

#[cfg(test)]
mod tests {
    use super::first_difference;

    #[test]
    fn the_first_line_that_differs_is_named() {
        assert_eq!(first_difference("a\nb\nc\n", "a\nB\nc\n"), (2, "b", "B"));
    }

    #[test]
    fn a_file_that_ends_early_differs_at_its_end() {
        assert_eq!(first_difference("a\n", "a\nb\n"), (2, "(end of file)", "b"));
    }
}
