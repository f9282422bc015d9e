//! What the fuzzers in `fuzz/` call, each with any bytes at all, and what must hold for them. `cargo test` replays the
//! committed corpus through the same functions.
//!
//! Each compares the code with a second, plainer reading of the same bytes that is written here and shares nothing with it.

mod accounts;
mod mint;
mod multiplier;
mod price;

pub use accounts::accounts;
pub use mint::mint;
pub use multiplier::multiplier;
pub use price::price;

use anchor_lang::prelude::{AccountInfo, Pubkey};

/// A target by the name of its folder in `fuzz/corpus`.
pub type Target = (&'static str, fn(&[u8]));

/// Every target.
pub const TARGETS: [Target; 4] = [("accounts", accounts), ("price", price), ("mint", mint), ("multiplier", multiplier)];

/// Calls `read` with an account of these bytes.
fn with_account<T>(owner: &Pubkey, data: &[u8], read: impl for<'a> FnOnce(&'a AccountInfo<'a>) -> T) -> T {
    let (key, mut lamports, mut data) = (Pubkey::default(), 1, data.to_vec());
    let account = AccountInfo::new(&key, false, false, &mut lamports, &mut data, owner, false);
    read(&account)
}

/// Splits off the first `N` bytes, zeroes where there are fewer.
fn take<const N: usize>(data: &mut &[u8]) -> [u8; N] {
    let mut taken = [0; N];
    let (head, rest) = data.split_at(N.min(data.len()));
    taken[..head.len()].copy_from_slice(head);
    *data = rest;
    taken
}
