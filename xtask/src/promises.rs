//! The documents name tests and files for what they promise: each must exist, so that no promise outlives its test.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use crate::sources::rust_files;

/// Documents with such tables, and the heading from which on they count.
const DOCUMENTS: [(&str, &str); 2] =
    [("docs/threat-model.md", "# Threat model"), ("docs/mechanism.md", "## 10. Which test holds which promise")];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// What stands between backticks.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

/// Whether a path of the document exists; `*` stands for anything within a file's name.
fn exists(root: &Path, path: &str) -> bool {
    let path = root.join(path);
    let (Some(folder), Some(name)) = (path.parent(), path.file_name().and_then(|name| name.to_str())) else {
        return false;
    };
    let Some((start, end)) = name.split_once('*') else { return path.exists() };
    let Ok(entries) = fs::read_dir(folder) else { return false };
    let mut names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    names.any(|name| name.starts_with(start) && name.ends_with(end))
}

/// The names of all functions below a folder or in a file.
fn functions(root: &Path, path: &str) -> BTreeSet<String> {
    let path = root.join(path);
    let files = if path.is_dir() { rust_files(&path).unwrap_or_default() } else { vec![path] };
    let texts: Vec<String> = files.iter().filter_map(|file| fs::read_to_string(file).ok()).collect();
    texts.iter().flat_map(|text| text.split("fn ").skip(1)).filter_map(name).collect()
}

/// The name at the start of a text.
fn name(text: &str) -> Option<String> {
    let end = text.find(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_')?;
    (end > 0).then(|| text[..end].to_owned())
}

/// Where the tests are looked for if a table does not say.
const EVERYWHERE: [&str; 4] = ["crates", "programs", "tests", "migrations"];

/// What one line of a table promises in vain.
fn broken(root: &Path, cells: &[&str], test: usize, place: Option<usize>) -> Vec<String> {
    let named: Vec<&str> = cells.get(test).map(|cell| quoted(cell).collect()).unwrap_or_default();
    let (paths, tests): (Vec<&str>, Vec<&str>) = named.iter().partition(|name| name.contains('/'));
    let places: Vec<&str> =
        place.and_then(|place| cells.get(place)).map(|cell| quoted(cell).collect()).unwrap_or_default();
    let mut broken: Vec<String> =
        paths.iter().chain(&places).filter(|path| !exists(root, path)).map(|path| format!("no file {path}")).collect();
    let searched = if places.is_empty() { EVERYWHERE.to_vec() } else { places };
    let known: BTreeSet<String> = searched.iter().flat_map(|place| functions(root, place)).collect();
    for test in tests {
        let function = test.rsplit("::").next().unwrap_or(test);
        if !known.contains(function) {
            broken.push(format!("no test {test} in {}", searched.join(", ")));
        }
    }
    if named.is_empty() {
        broken.push(format!("no test is named for: {}", cells.first().unwrap_or(&"").trim()));
    }
    broken
}

/// Goes through the tables that have a column `test`, and perhaps one `in`.
fn check(root: &Path, document: &str) -> (usize, Vec<String>) {
    let (mut columns, mut rows, mut wrong) = (None, 0, Vec::new());
    for line in document.lines() {
        if line.starts_with("## ") && rows > 0 && document.starts_with("## 10") {
            break;
        }
        let Some(inner) = line.strip_prefix('|').and_then(|line| line.strip_suffix('|')) else {
            columns = None;
            continue;
        };
        let cells: Vec<&str> = inner.split('|').collect();
        if cells.iter().all(|cell| cell.trim() == "---") {
            continue;
        }
        let column = |name: &str| cells.iter().position(|cell| cell.trim() == name);
        match columns {
            None => columns = Some((column("test"), column("in"))),
            Some((Some(test), place)) => {
                rows += 1;
                wrong.extend(broken(root, &cells, test, place));
            }
            Some((None, _)) => {}
        }
    }
    (rows, wrong)
}

#[test]
fn every_test_and_file_that_the_documents_promise_by_exists() {
    for (path, heading) in DOCUMENTS {
        let text = fs::read_to_string(root().join(path)).unwrap();
        let start = text.find(heading).unwrap_or_else(|| panic!("{path} has no heading `{heading}`"));
        let (rows, wrong) = check(&root(), &text[start..]);
        assert!(rows > 20, "{path}: {rows} promises");
        assert_eq!(wrong, Vec::<String>::new(), "{path}");
    }
}

#[test]
fn a_test_that_was_renamed_and_a_file_that_went_are_found() {
    let table = "| promise | test | in |\n| --- | --- | --- |\n\
        | kept | `every_test_and_file_that_the_documents_promise_by_exists` | `xtask/src/promises.rs` |\n\
        | renamed | `a_name_that_no_test_has` | `crates/model/tests/governance.rs` |\n\
        | gone | `crates/model/tests/gone*.rs` | |\n\
        | unproven | | |\n";
    let (rows, wrong) = check(&root(), table);
    assert_eq!(rows, 4);
    assert_eq!(
        wrong,
        [
            "no test a_name_that_no_test_has in crates/model/tests/governance.rs",
            "no file crates/model/tests/gone*.rs",
            "no test is named for: unproven"
        ]
    );
}
