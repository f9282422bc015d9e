//! The committed table of compute units.

use std::{collections::BTreeMap, env, fs, path::PathBuf};

use serde_json::{Value, json};

/// Typical and worst compute units by instruction.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Table(BTreeMap<String, (u64, u64)>);

impl Table {
    /// Notes a measurement: the first of an instruction is the typical one, and the highest of all the worst.
    pub fn note(&mut self, instruction: &str, units: u64) {
        let entry = self.0.entry(instruction.to_owned()).or_insert((units, units));
        entry.1 = entry.1.max(units);
    }

    /// The instructions with their typical and worst units.
    pub fn iter(&self) -> impl Iterator<Item = (&str, u64, u64)> {
        self.0.iter().map(|(name, (typical, worst))| (name.as_str(), *typical, *worst))
    }

    fn json(&self) -> String {
        let rows: BTreeMap<&str, Value> =
            self.iter().map(|(name, typical, worst)| (name, json!({ "typical": typical, "worst": worst }))).collect();
        serde_json::to_string_pretty(&rows).expect("numbers and names are JSON") + "\n"
    }

    /// Writes the table to `target/compute_units.json` and compares it with the committed `compute_units.json`, which
    /// `BLESS=1` overwrites.
    pub fn compare_with_committed(&self) {
        let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..");
        let (measured, committed) = (root.join("target/compute_units.json"), root.join("compute_units.json"));
        let table = self.json();
        fs::create_dir_all(root.join("target")).expect("the workspace is writable");
        fs::write(&measured, &table).expect("the workspace is writable");
        if env::var_os("BLESS").is_some() {
            fs::write(&committed, &table).expect("the workspace is writable");
            return;
        }
        let known = fs::read_to_string(&committed).unwrap_or_default();
        assert_eq!(
            table, known,
            "compute units changed: look at the difference, then run the test with BLESS=1 to commit the new table"
        );
    }
}
