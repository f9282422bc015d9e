use anchor_lang::prelude::*;

/// A withdrawal from a pool. Seeds: `"ticket"`, vault, pool, number (little-endian).
#[account(zero_copy)]
#[derive(Debug)]
#[repr(C)]
pub struct WithdrawalTicket {
    /// The vault of the pool.
    pub vault: Pubkey,
    /// Who leaves.
    pub owner: Pubkey,
    /// 0 for the main pool, 1 for the insurance pool.
    pub pool: u8,
    /// Layout of this account; 1.
    pub version: u8,
    /// Bump of this account's address.
    pub bump: u8,
    /// Zero.
    pub padding: [u8; 5],
    /// What is left of it.
    pub state: perpetua_model::Ticket,
    /// Zero; room for later versions.
    pub reserved: [u8; 24],
}

impl WithdrawalTicket {
    /// First seed of the address.
    pub const SEED: &'static [u8] = b"ticket";
}
