//! One builder for each instruction of the program, from the addresses that cannot be derived.
//!
//! Trading, settling, liquidating and marking need funding accrued in the same slot of the chain: put
//! [`crank_funding`] in front with [`with_crank`], and [`crank_stock`] in front of that for a dollar market.

mod admin;
mod governance;
mod keeper;
mod pool;
mod trade;
mod view;

use anchor_lang::{
    InstructionData, ToAccountMetas,
    prelude::{AccountMeta, Pubkey},
    solana_program::instruction::Instruction,
};
use perpetua_model::PoolKind;

use crate::address;

pub use admin::*;
pub use governance::*;
pub use keeper::*;
pub use pool::*;
pub use trade::*;
pub use view::*;

/// The addresses around a vault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VaultKeys {
    /// The vault.
    pub vault: Pubkey,
    /// The stock token's mint.
    pub stock_mint: Pubkey,
    /// The token program that owns the mint.
    pub token_program: Pubkey,
}

impl VaultKeys {
    /// The vault of a stock token whose mint `token_program` owns.
    pub fn new(stock_mint: Pubkey, token_program: Pubkey) -> Self {
        Self { vault: address::vault(&stock_mint), stock_mint, token_program }
    }

    /// The token account that holds the vault's tokens.
    pub fn tokens(&self) -> Pubkey {
        address::vault_tokens(&self.vault)
    }

    /// The mint of a pool's shares.
    pub fn share_mint(&self, pool: PoolKind) -> Pubkey {
        address::share_mint(&self.vault, pool)
    }

    /// A margin account in this vault.
    pub fn margin_account(&self, owner: &Pubkey, sub_account: u16) -> Pubkey {
        address::margin_account(&self.vault, owner, sub_account)
    }

    /// A withdrawal from one of this vault's pools.
    pub fn ticket(&self, pool: PoolKind, number: u64) -> Pubkey {
        address::ticket(&self.vault, pool, number)
    }

    /// This vault's quanto market on an index.
    pub fn market(&self, index: Pubkey) -> MarketKeys {
        let market = address::market(&self.vault, &index, perpetua_model::SETTLEMENT_QUANTO);
        MarketKeys { index, market, stock: None }
    }

    /// This vault's dollar market on an index.
    pub fn dollar_market(&self, index: Pubkey) -> MarketKeys {
        let market = address::market(&self.vault, &index, perpetua_model::SETTLEMENT_DOLLAR);
        MarketKeys { index, market, stock: Some(self.stock()) }
    }

    /// The stock behind this vault's token.
    pub fn stock(&self) -> Pubkey {
        address::stock(&self.vault)
    }
}

/// A market and its index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MarketKeys {
    /// The index.
    pub index: Pubkey,
    /// The market.
    pub market: Pubkey,
    /// The stock that a dollar market's `X` comes from.
    pub stock: Option<Pubkey>,
}

/// An option of a market.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Series {
    /// Call or put.
    pub side: perpetua::Side,
    /// Place of the strike on the market's grid.
    pub tick: i16,
}

/// The instruction with [`crank_funding`] of each market in front, as one transaction needs them. `prices` are the
/// markets' Pyth price accounts.
pub fn with_crank<'a>(
    markets: impl IntoIterator<Item = (&'a MarketKeys, &'a Pubkey)>,
    instruction: Instruction,
) -> Vec<Instruction> {
    let cranks = markets.into_iter().map(|(market, price)| crank_funding(market, Some(price)));
    cranks.chain([instruction]).collect()
}

fn build(accounts: impl ToAccountMetas, data: impl InstructionData) -> Instruction {
    Instruction { program_id: address::PROGRAM, accounts: accounts.to_account_metas(None), data: data.data() }
}

fn read_only(address: &Pubkey) -> AccountMeta {
    AccountMeta::new_readonly(*address, false)
}

fn writable(address: &Pubkey) -> AccountMeta {
    AccountMeta::new(*address, false)
}
