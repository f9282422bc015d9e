//! The stock tokens: which mints a vault accepts, and how tokens come in and go out.

pub mod policy;
pub(crate) mod program;
mod transfer;

pub use transfer::{VaultTokens, balance, is_frozen, owner};
