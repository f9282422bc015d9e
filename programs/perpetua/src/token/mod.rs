//! The stock tokens: which mints a vault accepts, and how tokens come in and go out.

pub mod policy;
pub(crate) mod program;
mod transfer;

use anchor_lang::prelude::*;
use anchor_spl::{token, token_2022};

pub use self::transfer::{VaultTokens, balance, is_frozen, owner};
use crate::instructions::common::same_key;

/// Whether an account belongs to one of the token programs.
fn is_of_tokens(account: &AccountInfo) -> bool {
    same_key(account.owner, &token_2022::ID) || same_key(account.owner, &token::ID)
}
