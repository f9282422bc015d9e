//! What is paid for being carried out soon.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};

use anchor_lang::{prelude::Pubkey, solana_program::instruction::Instruction};
use perpetua_client::budget;
use tracing::debug;

use crate::{config, endpoints::Endpoints};

/// Micro-lamports in a lamport.
const MICRO: u128 = 1_000_000;
/// What each signature costs, lamports.
pub const BASE_FEE: u64 = 5_000;
/// The network answers for at most so many accounts.
const MOST_ACCOUNTS: usize = 128;

/// Priority fees as the network's recent ones suggest.
pub struct Fees {
    config: config::Fees,
    endpoints: Arc<Endpoints>,
    recent: Mutex<Option<(Instant, u64)>>,
}

impl Fees {
    /// Fees by the configuration.
    pub fn new(config: config::Fees, endpoints: Arc<Endpoints>) -> Self {
        Self { config, endpoints, recent: Mutex::new(None) }
    }

    /// Asks what was paid lately for writing `accounts`, unless that was asked a short while ago.
    pub async fn refresh(&self, accounts: &[Pubkey]) {
        let known = *self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        if known.is_some_and(|(at, _)| at.elapsed() < self.config.refresh) {
            return;
        }
        let accounts = &accounts[..accounts.len().min(MOST_ACCOUNTS)];
        let asked = self.endpoints.current();
        let price = match asked.rpc().get_recent_prioritization_fees(accounts).await {
            Ok(fees) => percentile(fees.iter().map(|fee| fee.prioritization_fee).collect(), self.config.percentile),
            Err(error) => {
                debug!(%error, "recent fees are not known");
                known.map_or(0, |(_, price)| price)
            }
        };
        *self.recent.lock().unwrap_or_else(PoisonError::into_inner) = Some((Instant::now(), price));
    }

    /// The price for a transaction, micro-lamports per compute unit, within all caps.
    pub fn price(&self, instructions: &[Instruction]) -> u64 {
        let recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner).map_or(0, |(_, price)| price);
        let most = u128::from(self.config.cap_lamports) * MICRO / u128::from(budget::limit(instructions).max(1));
        let most = u64::try_from(most).unwrap_or(u64::MAX).min(self.config.cap_micro_lamports);
        recent.max(self.config.floor_micro_lamports).min(most)
    }
}

/// What a transaction with one signature costs at a price, lamports, rounded up as the network does.
pub fn cost(instructions: &[Instruction], price: u64) -> u64 {
    let priority = (u128::from(budget::limit(instructions)) * u128::from(price)).div_ceil(MICRO);
    BASE_FEE.saturating_add(u64::try_from(priority).unwrap_or(u64::MAX))
}

/// The number that `percent` of all are at most.
fn percentile(mut numbers: Vec<u64>, percent: u8) -> u64 {
    numbers.sort_unstable();
    let place = (numbers.len() * usize::from(percent)).div_ceil(100).max(1) - 1;
    numbers.get(place).copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_the_number_that_so_many_are_at_most() {
        let numbers: Vec<u64> = (1..=100).rev().collect();
        assert_eq!([1, 75, 100].map(|percent| percentile(numbers.clone(), percent)), [1, 75, 100]);
        assert_eq!(percentile(numbers, 0), 1);
        assert_eq!(percentile(vec![7], 75), 7);
        assert_eq!(percentile(Vec::new(), 75), 0);
    }
}
