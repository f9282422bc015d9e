//! Lines of source, and which of them ran.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use anyhow::{Context, Result};
use serde_json::{Value, json};

/// A file of the repository and a line in it.
pub type Line = (String, u64);

/// Lines that have code, and whether it ran.
#[derive(Default)]
pub struct Lines(BTreeMap<Line, bool>);

impl Lines {
    /// Notes code of a line.
    pub fn note(&mut self, line: Line, ran: bool) {
        *self.0.entry(line).or_default() |= ran;
    }

    /// Whether the line's code ran.
    fn ran(&self, line: &Line) -> bool {
        self.0.get(line).copied().unwrap_or_default()
    }

    fn len(&self) -> usize {
        self.0.len()
    }
}

/// A file of one of the crates whose lines count: not tests, which live in files of their own.
pub fn counted(root: &Path, file: &str) -> Option<String> {
    let file = Path::new(file);
    let file = file.strip_prefix(root).unwrap_or(file).to_str()?;
    let ours = ["programs/perpetua/src/", "crates/model/src/", "crates/pricing/src/"];
    let test = file.ends_with("/tests.rs");
    (ours.iter().any(|folder| file.starts_with(folder)) && !test).then(|| file.to_owned())
}

/// Reads what `llvm-cov export --format=lcov` writes.
pub fn read_lcov(root: &Path, text: &str) -> Result<Lines> {
    let mut lines = Lines::default();
    let mut file = None;
    for record in text.lines() {
        if let Some(path) = record.strip_prefix("SF:") {
            file = counted(root, path);
        } else if let (Some(file), Some(entry)) = (&file, record.strip_prefix("DA:")) {
            let mut numbers = entry.split(',').map(str::parse::<u64>);
            let mut number = || numbers.next().context("a record of a line has two numbers")?.context("a number");
            let (line, count) = (number()?, number()?);
            lines.note((file.clone(), line), count > 0);
        }
    }
    Ok(lines)
}

/// What a report of a file or crate counts.
#[derive(Default)]
struct Counts {
    lines: u64,
    elf: u64,
    native: u64,
    neither: Vec<u64>,
}

/// The numbers by crate, and by file with the lines that nothing ran. Only lines count that the compiled program has code of.
pub fn report(elf: &Lines, native: &Lines) -> Value {
    let mut files: BTreeMap<&str, Counts> = BTreeMap::new();
    for (line, ran) in &elf.0 {
        let counts = files.entry(&line.0).or_default();
        let natively = native.ran(line);
        counts.lines += 1;
        counts.elf += u64::from(*ran);
        counts.native += u64::from(natively);
        if !ran && !natively {
            counts.neither.push(line.1);
        }
    }
    let files: BTreeMap<_, _> = files.into_iter().map(|(file, counts)| (file, counts.json())).collect();
    let ran_natively: BTreeSet<_> = native.0.iter().filter(|(_, ran)| **ran).map(|(line, _)| line).collect();
    let of =
        |folder: &str, lines: &mut dyn Iterator<Item = &Line>| lines.filter(|line| line.0.starts_with(folder)).count();
    let own_tests: BTreeMap<_, _> = ["crates/model/src", "crates/pricing/src"]
        .into_iter()
        .map(|folder| {
            let all = of(folder, &mut native.0.keys());
            (folder, json!({ "lines": all, "ran": of(folder, &mut ran_natively.iter().copied()) }))
        })
        .collect();
    json!({ "files": files, "lines_on_chain": elf.len(), "own_tests": own_tests })
}

impl Counts {
    fn json(&self) -> Value {
        json!({ "lines": self.lines, "elf": self.elf, "native": self.native, "neither": self.neither })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_ran_if_any_of_its_code_did_and_tests_do_not_count() {
        let root = Path::new("/repo");
        let lcov = "SF:/repo/crates/model/src/pool.rs\nDA:3,0\nDA:3,2\nDA:4,0\nend_of_record\n\
            SF:/repo/programs/perpetua/src/token/policy/tests.rs\nDA:1,1\nend_of_record\n";
        let native = read_lcov(root, lcov).unwrap();
        let mut elf = Lines::default();
        for line in [3, 4, 5] {
            elf.note(("crates/model/src/pool.rs".to_owned(), line), line == 5);
        }
        let report = report(&elf, &native);
        let file = &report["files"]["crates/model/src/pool.rs"];
        assert_eq!(*file, json!({ "lines": 3, "elf": 1, "native": 1, "neither": [4] }));
        assert_eq!(report["files"].as_object().unwrap().len(), 1);
        assert_eq!(report["own_tests"]["crates/model/src"], json!({ "lines": 2, "ran": 1 }));
    }
}
