use anchor_lang::prelude::*;

/// A change of a configuration that waits. Seeds: `"proposal"`, the account that is changed.
#[account(zero_copy)]
#[derive(Debug)]
#[repr(C)]
pub struct Proposal {
    /// The account that is changed.
    pub target: Pubkey,
    /// When it was proposed, Unix seconds.
    pub proposed_at: i64,
    /// Layout of this account; 1.
    pub version: u8,
    /// Bump of this account's address.
    pub bump: u8,
    /// Zero.
    pub padding: [u8; 6],
    /// The configuration as it was then: whatever changed since makes the proposal void.
    pub before: [u8; 128],
    /// The configuration as it will be; the rest of the bytes is zero.
    pub after: [u8; 128],
    /// Zero; room for later versions.
    pub reserved: [u8; 32],
}

impl Proposal {
    /// First seed of the address.
    pub const SEED: &'static [u8] = b"proposal";
}
