use anchor_lang::prelude::*;

/// A trader's account. Seeds: `"margin"`, vault, owner, sub-account number (little-endian).
#[account(zero_copy)]
#[derive(Debug)]
#[repr(C)]
pub struct MarginAccount {
    /// The vault whose token is its collateral.
    pub vault: Pubkey,
    /// Who may trade with it and withdraw from it.
    pub owner: Pubkey,
    /// Which of the owner's accounts in this vault it is.
    pub sub_account: u16,
    /// Layout of this account; 1.
    pub version: u8,
    /// Bump of this account's address.
    pub bump: u8,
    /// Zero.
    pub padding: [u8; 4],
    /// Collateral and positions.
    pub state: perpetua_model::MarginAccount,
    /// Zero; room for later versions.
    pub reserved: [u8; 64],
}

impl MarginAccount {
    /// First seed of the address.
    pub const SEED: &'static [u8] = b"margin";
}
