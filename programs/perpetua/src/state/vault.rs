use anchor_lang::prelude::*;
use perpetua_model::MARKETS;

/// A stock token's vault, which also holds its tokens' authority. Seeds: `"vault"`, stock mint.
#[account(zero_copy)]
#[derive(Debug)]
#[repr(C)]
pub struct Vault {
    /// The exchange it belongs to.
    pub exchange: Pubkey,
    /// The stock token.
    pub stock_mint: Pubkey,
    /// The token program that owns the stock token.
    pub token_program: Pubkey,
    /// The token account that holds every token of every ledger.
    pub tokens: Pubkey,
    /// The mints of the main and the insurance pool's shares.
    pub share_mints: [Pubkey; 2],
    /// The markets by their number; zero where there is none.
    pub markets: [Pubkey; MARKETS],
    /// Digest of the mint's extensions and authorities, as they were listed or acknowledged last.
    pub mint_snapshot: [u8; 32],
    /// Layout of this account; 1.
    pub version: u8,
    /// Bump of this account's address.
    pub bump: u8,
    /// How many markets there are.
    pub market_count: u8,
    /// Decimals of the stock token.
    pub decimals: u8,
    /// Zero.
    pub padding: [u8; 4],
    /// The ledgers.
    pub state: perpetua_model::Vault,
    /// Zero; room for later versions.
    pub reserved: [u8; 256],
}

impl Vault {
    /// First seed of the address.
    pub const SEED: &'static [u8] = b"vault";
    /// First seed of the token account's address; the second is the vault.
    pub const TOKENS_SEED: &'static [u8] = b"tokens";
    /// First seed of a share mint's address; then come the vault and the pool.
    pub const SHARES_SEED: &'static [u8] = b"shares";
}
