//! The version of our accounts and the addresses of others' programs.

use anchor_lang::prelude::*;

/// Layout version of every account that this program writes.
pub const VERSION: u8 = 1;

/// Owner of Pyth price accounts, posted and pushed ones alike.
pub const PYTH_RECEIVER: Pubkey = pubkey!("rec5EKMGg6MxZYaMdyBfgwp4d5rB9T1VQH5pJv5LtFJ");
