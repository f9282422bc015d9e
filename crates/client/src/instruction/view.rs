use anchor_lang::{prelude::Pubkey, solana_program::instruction::Instruction};

use super::{MarketKeys, Series, VaultKeys, build, read_only};
use crate::address;

/// Returns what opening and closing `size` millionths of an option would cost and pay.
pub fn view_quote(vault: &VaultKeys, market: &MarketKeys, series: Series, size: u64) -> Instruction {
    let accounts = perpetua::accounts::ViewQuote {
        exchange: address::exchange(),
        vault: vault.vault,
        index: market.index,
        market: market.market,
        tokens: vault.tokens(),
    };
    let Series { side, tick } = series;
    build(accounts, perpetua::instruction::ViewQuote { side, tick, size })
}

/// Returns how an account stands. `markets` are those that it has positions in.
pub fn view_health<'a>(
    vault: &VaultKeys,
    account: &Pubkey,
    markets: impl IntoIterator<Item = &'a MarketKeys>,
) -> Instruction {
    let accounts = perpetua::accounts::ViewHealth { vault: vault.vault, account: *account };
    let mut instruction = build(accounts, perpetua::instruction::ViewHealth {});
    instruction.accounts.extend(markets.into_iter().map(|market| read_only(&market.market)));
    instruction
}
