use anchor_lang::prelude::*;

/// An underlying. Seeds: `"index"`, feed id.
#[account(zero_copy)]
#[derive(Debug)]
#[repr(C)]
pub struct Index {
    /// The exchange it belongs to.
    pub exchange: Pubkey,
    /// The Pyth feed that prices it.
    pub feed_id: [u8; 32],
    /// Layout of this account; 1.
    pub version: u8,
    /// Bump of this account's address.
    pub bump: u8,
    /// Zero.
    pub padding: [u8; 6],
    /// Price window and variance.
    pub state: perpetua_model::Index,
    /// Zero; room for later versions.
    pub reserved: [u8; 120],
}

impl Index {
    /// First seed of the address.
    pub const SEED: &'static [u8] = b"index";
}
