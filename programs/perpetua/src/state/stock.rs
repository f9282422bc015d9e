use anchor_lang::prelude::*;

/// The stock behind a vault's token. Seeds: `"stock"`, vault.
#[account(zero_copy)]
#[derive(Debug)]
#[repr(C)]
pub struct Stock {
    /// The vault whose token it prices.
    pub vault: Pubkey,
    /// The vault's stock token, which carries the multiplier.
    pub stock_mint: Pubkey,
    /// The Pyth feed that publishes while the stock exchange trades.
    pub share_feed: [u8; 32],
    /// The Pyth feed of the token, which publishes day and night; zero where there is none.
    pub token_feed: [u8; 32],
    /// Layout of this account; 1.
    pub version: u8,
    /// Bump of this account's address.
    pub bump: u8,
    /// Zero.
    pub padding: [u8; 6],
    /// Prices, sessions and multiplier.
    pub state: perpetua_model::Stock,
    /// Zero; room for later versions.
    pub reserved: [u8; 104],
}

impl Stock {
    /// First seed of the address.
    pub const SEED: &'static [u8] = b"stock";
}
