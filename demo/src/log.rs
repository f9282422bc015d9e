//! Notes what the run did: compute units, refusals, happenings, books.

use std::collections::BTreeMap;

use perpetua_client::error;
use perpetua_tests::{Done, Failure};

use crate::{
    book::Book,
    record::{Compute, Happening, Refusal},
};

/// What somebody was paid for an option.
#[derive(Clone, Copy, Debug)]
pub struct Sale {
    /// Whose it was, by number.
    pub who: usize,
    /// Number of the market.
    pub market: usize,
    /// The value that was paid, US dollars per bitcoin.
    pub value: f64,
    /// Millionths of a bitcoin.
    pub size: u64,
    /// Raw units before the fee, whoever pays them, now or later.
    pub paid: u64,
    /// What of them insurance paid.
    pub from_insurance: u64,
    /// What of them insurance owes.
    pub claimed: u64,
}

/// What was noted so far.
#[derive(Default)]
pub struct Log {
    /// The books.
    pub book: Book,
    /// What happened to positions and pools.
    pub happenings: Vec<Happening>,
    /// What leavers of the pools left to those who stayed, raw units.
    pub exit_fees: u64,
    /// What was paid for options, in order.
    pub sales: Vec<Sale>,
    /// What each actor collected of what insurance owed him, by number.
    pub collected: BTreeMap<usize, u64>,
    /// What payouts left to insurance to pay later, raw units.
    pub claimed: u64,
    /// Transactions that succeeded.
    pub transactions: usize,
    compute: BTreeMap<&'static str, Vec<u64>>,
    refusals: BTreeMap<String, Refusal>,
}

impl Log {
    /// Notes a transaction whose instructions have these names.
    pub fn done(&mut self, names: &[&'static str], done: &Done) {
        self.transactions += 1;
        for (name, units) in names.iter().zip(&done.compute) {
            self.compute.entry(name).or_default().push(*units);
        }
    }

    /// Notes a refusal of what `who` wanted.
    pub fn refused(&mut self, time: i64, who: &str, wanted: &str, failure: &Failure) {
        let explained = error::explain(&failure.error);
        let refusal = self.refusals.entry(explained.name.clone()).or_insert_with(|| Refusal {
            error: explained.name,
            message: explained.message,
            count: 0,
            first: time,
            last: time,
            wanted: Vec::new(),
        });
        refusal.count += 1;
        refusal.last = time;
        let wanted = format!("{who}: {wanted}");
        if !refusal.wanted.contains(&wanted) {
            refusal.wanted.push(wanted);
        }
    }

    /// Refusals, the most frequent first.
    pub fn refusals(&self) -> Vec<Refusal> {
        let mut all: Vec<_> = self.refusals.values().cloned().collect();
        all.sort_by_key(|refusal| core::cmp::Reverse(refusal.count));
        all
    }

    /// Compute units by instruction.
    pub fn compute(&self) -> Vec<Compute> {
        let row = |(name, units): (&&'static str, &Vec<u64>)| {
            let mut units = units.clone();
            units.sort_unstable();
            Compute {
                instruction: (*name).to_owned(),
                calls: units.len(),
                lowest: units.first().copied().unwrap_or(0),
                median: units.get(units.len() / 2).copied().unwrap_or(0),
                highest: units.last().copied().unwrap_or(0),
            }
        };
        self.compute.iter().map(row).collect()
    }
}
