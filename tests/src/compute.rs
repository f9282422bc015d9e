//! The committed table of compute units.

use std::{collections::BTreeMap, env, fs, path::PathBuf};

use serde::Serialize;

/// What one instruction costs, in compute units.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Cost {
    /// As its scene shows it.
    pub typical: u64,
    /// The most that was measured.
    pub worst: u64,
    /// The most that it may ever cost.
    pub ceiling: u64,
}

/// What instructions cost, how their cost grows, and how large the program is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Table {
    /// Bytes of the program.
    program_bytes: u64,
    instructions: BTreeMap<String, Cost>,
    /// By instruction, by what grows: pairs of its number and compute units.
    growth: BTreeMap<String, BTreeMap<String, Vec<(u64, u64)>>>,
}

impl Table {
    /// An empty table for the program of this size.
    pub fn new(program_bytes: u64) -> Self {
        Self { program_bytes, ..Self::default() }
    }

    /// Notes a measurement: the first of an instruction is the typical one, and the highest of all the worst.
    pub fn note(&mut self, instruction: &str, units: u64) {
        let cost = Cost { typical: units, worst: units, ceiling: u64::MAX };
        let cost = self.instructions.entry(instruction.to_owned()).or_insert(cost);
        cost.worst = cost.worst.max(units);
    }

    /// Notes what an instruction costs when there are `count` of something.
    pub fn grow(&mut self, instruction: &str, what: &str, count: u64, units: u64) {
        let growth = self.growth.entry(instruction.to_owned()).or_default();
        growth.entry(what.to_owned()).or_default().push((count, units));
        self.note(instruction, units);
    }

    /// Sets every instruction's ceiling.
    pub fn limit(&mut self, ceiling: impl Fn(&str) -> u64) {
        for (name, cost) in &mut self.instructions {
            cost.ceiling = ceiling(name);
        }
    }

    /// The instructions with what they cost.
    pub fn iter(&self) -> impl Iterator<Item = (&str, Cost)> {
        self.instructions.iter().map(|(name, cost)| (name.as_str(), *cost))
    }

    fn json(&self) -> String {
        serde_json::to_string_pretty(self).expect("numbers and names are JSON") + "\n"
    }

    /// Writes the table to `target/compute_units.json` and compares it with the committed `compute_units.json`, which
    /// `BLESS=1` overwrites. `BENCH=1` only measures.
    pub fn compare_with_committed(&self) {
        let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..");
        let (measured, committed) = (root.join("target/compute_units.json"), root.join("compute_units.json"));
        let table = self.json();
        fs::create_dir_all(root.join("target")).expect("the workspace is writable");
        fs::write(&measured, &table).expect("the workspace is writable");
        if env::var_os("BENCH").is_some() {
            return;
        }
        if env::var_os("BLESS").is_some() {
            fs::write(&committed, &table).expect("the workspace is writable");
            return;
        }
        let known = fs::read_to_string(&committed).unwrap_or_default();
        assert!(
            table == known,
            "compute units changed: `cargo bench-cu` shows how; run the test with BLESS=1 to commit the new table"
        );
    }
}
