//! `docs/assurance.md`: what was tried, in numbers. It is made of committed data files and of the tests' own source alone, so
//! that a check within a second proves it fresh; what costs minutes or hours to measure is recorded with its commit.

mod coverage;
mod document;
mod facts;
mod lines;
mod places;

use std::{fs, path::Path};

use anyhow::{Context, Result, ensure};

use crate::{
    build,
    generated::Generated,
    shell::{Shell, run as run_command},
};

/// What tests of the program write below `target/assurance` whenever they run, and the tests that do.
const WRITTEN_BY_TESTS: [(&str, &str); 2] = [("substitution.json", "accounts"), ("faults.json", "faults")];

/// Runs the tests that count, keeps what they wrote, and writes the document.
pub fn run(shell: &Shell) -> Result<()> {
    build::program(shell)?;
    let mut tests = shell.cargo(&["test", "--locked", "--package", "perpetua-tests"]);
    tests.args(WRITTEN_BY_TESTS.iter().flat_map(|(_, test)| ["--test", test]));
    run_command(&mut tests)?;
    fs::create_dir_all(shell.root.join("docs/data"))?;
    for file in measured_by_tests(shell)? {
        file.write(shell)?;
    }
    document(shell)?.write(shell)
}

/// Measures the lines that tests run, all of the program's that say something or only those named, and writes the document.
pub fn coverage(shell: &Shell, only: Vec<String>) -> Result<()> {
    let content = serde_json::to_string_pretty(&coverage::measure(shell, only)?)? + "\n";
    Generated { path: "docs/data/coverage.json".to_owned(), content }.write(shell)?;
    document(shell)?.write(shell)
}

/// The data that the last run of the tests measured, for each file that they write.
pub fn measured_by_tests(shell: &Shell) -> Result<Vec<Generated>> {
    let mut found = Vec::new();
    for (name, test) in WRITTEN_BY_TESTS {
        let path = shell.target().join("assurance").join(name);
        let writes = fs::read_to_string(shell.root.join(format!("tests/tests/{test}.rs")))?.contains(name);
        ensure!(
            path.exists() || !writes,
            "no test wrote {}; run `cargo test -p perpetua-tests --test {test}`",
            path.display()
        );
        if path.exists() {
            found.push(Generated { path: format!("docs/data/{name}"), content: fs::read_to_string(&path)? });
        }
    }
    Ok(found)
}

/// `docs/assurance.md` as its data say.
pub fn document(shell: &Shell) -> Result<Generated> {
    Ok(Generated { path: "docs/assurance.md".to_owned(), content: document::write(&shell.root)? })
}

/// A data file, if it was measured yet.
fn data(root: &Path, name: &str) -> Result<Option<serde_json::Value>> {
    let path = root.join("docs/data").join(name);
    if !path.exists() {
        return Ok(None);
    }
    let text = fs::read_to_string(&path)?;
    serde_json::from_str(&text).map(Some).with_context(|| format!("{} is no JSON", path.display()))
}
