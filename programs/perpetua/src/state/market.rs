use anchor_lang::prelude::*;

/// A vault's market on an index. Seeds: `"market"`, vault, index, settlement.
#[account(zero_copy)]
#[derive(Debug)]
#[repr(C)]
pub struct Market {
    /// The vault that pays and is paid.
    pub vault: Pubkey,
    /// The underlying.
    pub index: Pubkey,
    /// Layout of this account; 1.
    pub version: u8,
    /// Bump of this account's address.
    pub bump: u8,
    /// Its number within the vault.
    pub number: u8,
    /// Zero.
    pub padding: [u8; 5],
    /// Parameters and strike ladder.
    pub state: perpetua_model::Market,
    /// Zero; room for later versions.
    pub reserved: [u8; 128],
}

impl Market {
    /// First seed of the address.
    pub const SEED: &'static [u8] = b"market";
}

// An account created by cross-program invocation cannot be larger.
const _: () = assert!(8 + size_of::<Market>() <= 10_240);
