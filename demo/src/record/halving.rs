//! What the scenario of the halved stock leaves behind. Tokens are raw units.

use serde::Serialize;

use super::Record;

/// The whole scenario.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Halving {
    /// The ledgers at four stages.
    pub ledgers: Vec<Ledgers>,
    /// The puts that were owed more than their reserves.
    pub puts: Vec<Put>,
    /// The state of the world at each moment.
    pub hours: Vec<Hour>,
    /// What every run leaves behind.
    pub record: Record,
}

/// The vault at one time.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Ledgers {
    /// When, in words.
    pub name: String,
    /// Unix seconds.
    pub time: i64,
    /// Traders' collateral.
    pub margin: u64,
    /// The main pool.
    pub main: u64,
    /// The insurance pool.
    pub insurance: u64,
    /// What insurance has set aside for those it owes.
    pub funded: u64,
    /// Executed withdrawals that wait to be claimed.
    pub payable: u64,
    /// Protocol fees.
    pub protocol: u64,
    /// What the vault's token account holds.
    pub tokens: u64,
    /// What insurance owes beyond that; no ledger.
    pub outstanding: u64,
    /// What of the main pool is reserved; no ledger.
    pub reserves: u64,
    /// What all wallets paid in less what they took out.
    pub wallets: i128,
}

/// A put that was owed more than its reserve.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Put {
    /// Whose it was.
    pub who: String,
    /// Millionths of a bitcoin.
    pub size: u64,
    /// What it was worth, US dollars per bitcoin.
    pub value: f64,
    /// Paid by the main pool: its reserve.
    pub main: u64,
    /// Paid by insurance at once.
    pub insurance: u64,
    /// Owed by insurance.
    pub claimed: u64,
    /// What its owner collected of that.
    pub collected: u64,
}

/// The state of the world at a moment.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Hour {
    /// Unix seconds.
    pub time: i64,
    /// US dollars.
    pub bitcoin: f64,
    /// The last price of a share, US dollars.
    pub share: f64,
    /// The insurance pool.
    pub insurance: u64,
    /// What it owes.
    pub outstanding: u64,
    /// What it has served so far.
    pub served: u64,
}
