//! What the tests' source says of itself: properties with their cases, errors, attacks.

use std::{collections::BTreeSet, fs, path::Path};

use anyhow::{Context, Result};

use crate::sources::rust_files;

/// What proptest tries where nothing else is said.
const USUAL_CASES: u64 = 256;

/// Properties of one file.
pub struct Properties {
    /// The file in the repository.
    pub file: String,
    /// How many properties it has.
    pub count: u64,
    /// Cases of all of them.
    pub cases: u64,
}

/// The properties of every file below these folders.
pub fn properties(root: &Path, folders: &[&str]) -> Result<Vec<Properties>> {
    let mut found = Vec::new();
    for folder in folders {
        for path in rust_files(&root.join(folder))? {
            let (count, cases) = count_properties(&fs::read_to_string(&path)?);
            let file = path.strip_prefix(root)?.display().to_string();
            if count > 0 {
                found.push(Properties { file, count, cases });
            }
        }
    }
    Ok(found)
}

/// Properties of a file's `proptest!` blocks, and how many cases they try together.
fn count_properties(text: &str) -> (u64, u64) {
    let (mut count, mut sum) = (0, 0);
    for block in text.split("\nproptest! {\n").skip(1) {
        let block = block.split("\n}\n").next().unwrap_or(block);
        let properties: u64 =
            (0..).zip(block.matches("#[test]")).map(|(place, _): (u64, _)| place + 1).last().unwrap_or(0);
        let cases = block.lines().find(|line| line.contains("proptest_config(")).and_then(cases);
        count += properties;
        sum += properties * cases.unwrap_or(USUAL_CASES);
    }
    (count, sum)
}

/// The number in `#![proptest_config(cases(10_000))]` and its like.
fn cases(line: &str) -> Option<u64> {
    let digits = line.rsplit('(').next()?.split(')').next()?;
    digits.replace('_', "").parse().ok()
}

/// The program's errors, those that a test raises, and those excused from it.
pub fn errors(root: &Path) -> Result<[usize; 3]> {
    let defined = fs::read_to_string(root.join("programs/perpetua/src/error.rs"))?.matches("#[msg(").count();
    let mut raised = BTreeSet::new();
    let mut excused = 0;
    for path in rust_files(&root.join("tests/tests/errors"))? {
        let text = fs::read_to_string(&path)?;
        raised.extend(text.lines().filter_map(raised_error).map(str::to_owned));
        let list = text.split("const UNREACHABLE").nth(1).and_then(|rest| rest.split("];").next());
        excused += list.map_or(0, |list| list.matches("(\"").count());
    }
    Ok([defined, raised.len(), excused])
}

/// The error of `test_name: ErrorName = ...`.
fn raised_error(line: &str) -> Option<&str> {
    let (test, rest) = line.strip_prefix("    ")?.split_once(": ")?;
    let error = rest.split(" =").next()?;
    let is_test = test.chars().all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '_');
    let is_error =
        error.starts_with(|letter: char| letter.is_ascii_uppercase()) && error.chars().all(char::is_alphanumeric);
    (is_test && is_error && rest.contains(" =")).then_some(error)
}

/// An attack, where it comes from and what holds it.
pub struct Attack {
    /// Its file.
    pub file: String,
    /// The incident or report.
    pub incident: String,
    /// What holds it.
    pub held_by: String,
}

/// The attacks that a suite's table lists: the first three strings of each `attack(...)` or `Attack { ... }`.
pub fn attacks(root: &Path, suite: &str) -> Result<Vec<Attack>> {
    let folder = format!("tests/tests/{suite}");
    let path = root.join(&folder).join("main.rs");
    if !path.exists() {
        return Ok(Vec::new());
    }
    let text = fs::read_to_string(path)?;
    let table = text.split("ATTACKS").nth(1).and_then(|rest| rest.split("];").nth(1).map(|_| rest));
    let table = table.and_then(|rest| rest.split("\n];").next()).context("a suite has a table ATTACKS")?;
    let strings = strings(table);
    let rows = strings.as_chunks().0.iter().map(|[file, incident, held_by]: &[String; 3]| Attack {
        file: format!("{folder}/{file}.rs"),
        incident: incident.clone(),
        held_by: held_by.clone(),
    });
    Ok(rows.collect())
}

/// The string literals of a piece of Rust, a break after a backslash taken out.
fn strings(text: &str) -> Vec<String> {
    let literals = text.split('"').skip(1).step_by(2);
    literals.map(|literal| literal.split("\\\n").map(str::trim_start).collect()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn properties_and_their_cases_are_counted() {
        let text = "\nproptest! {\n    #![proptest_config(cases(10_000))]\n    #[test]\n    fn a() {}\n    #[test]\n    fn b() {}\n}\n\
            \nproptest! {\n    #[test]\n    fn c() {}\n}\n#[test]\nfn d() {}\n";
        assert_eq!(count_properties(text), (3, 20_256));
    }

    #[test]
    fn errors_that_tests_raise_are_read() {
        assert_eq!(raised_error("    a_wrong_thing: PriceStale = {"), Some("PriceStale"));
        assert_eq!(raised_error("    let a: Outcome = b;"), None);
    }

    #[test]
    fn strings_over_several_lines_are_one() {
        assert_eq!(strings("attack(\"a\", \"b \\\n      c\", \"d\")"), ["a", "b c", "d"]);
    }
}
