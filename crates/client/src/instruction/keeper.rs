use anchor_lang::{prelude::Pubkey, solana_program::instruction::Instruction};

use super::{MarketKeys, Series, VaultKeys, build, read_only, writable};
use crate::address;

/// Takes in a Pyth price and accrues the funding of every series of a market.
pub fn crank_funding(market: &MarketKeys, price_update: &Pubkey) -> Instruction {
    let accounts = perpetua::accounts::CrankFunding {
        index: market.index,
        market: market.market,
        price_update: *price_update,
        event_authority: address::event_authority(),
        program: address::PROGRAM,
    };
    build(accounts, perpetua::instruction::CrankFunding {})
}

/// Collects what the positions of an account owe. `markets` are those that it has positions in.
pub fn settle_funding<'a>(
    vault: &VaultKeys,
    account: &Pubkey,
    markets: impl IntoIterator<Item = &'a MarketKeys>,
) -> Instruction {
    let accounts = perpetua::accounts::SettleFunding {
        vault: vault.vault,
        account: *account,
        event_authority: address::event_authority(),
        program: address::PROGRAM,
    };
    let mut instruction = build(accounts, perpetua::instruction::SettleFunding {});
    instruction.accounts.extend(markets.into_iter().map(|market| writable(&market.market)));
    instruction
}

/// Closes what brings an account below its maintenance margin back to its initial margin, and rewards the keeper in his
/// own margin account of the same vault. `markets` are those that the account has positions in, all cranked in this
/// slot.
pub fn liquidate<'a>(
    keeper: &Pubkey,
    vault: &VaultKeys,
    account: &Pubkey,
    keeper_account: &Pubkey,
    markets: impl IntoIterator<Item = &'a MarketKeys>,
) -> Instruction {
    let accounts = perpetua::accounts::Liquidate {
        keeper: *keeper,
        vault: vault.vault,
        account: *account,
        keeper_account: *keeper_account,
        event_authority: address::event_authority(),
        program: address::PROGRAM,
    };
    let mut instruction = build(accounts, perpetua::instruction::Liquidate {});
    let pairs = markets.into_iter().flat_map(|market| [writable(&market.market), read_only(&market.index)]);
    instruction.accounts.extend(pairs);
    instruction
}

/// Pays a position that is certain to be at its cap to its owner.
pub fn settle_capped(vault: &VaultKeys, account: &Pubkey, market: &MarketKeys, series: Series) -> Instruction {
    let accounts = perpetua::accounts::SettlePosition {
        vault: vault.vault,
        account: *account,
        index: market.index,
        market: market.market,
        event_authority: address::event_authority(),
        program: address::PROGRAM,
    };
    let Series { side, tick } = series;
    build(accounts, perpetua::instruction::SettleCapped { side, tick })
}

/// Closes a position far out of the money at its value, to its owner, so that its ladder slot returns.
pub fn retire_far(vault: &VaultKeys, account: &Pubkey, market: &MarketKeys, series: Series) -> Instruction {
    let accounts = perpetua::accounts::SettlePosition {
        vault: vault.vault,
        account: *account,
        index: market.index,
        market: market.market,
        event_authority: address::event_authority(),
        program: address::PROGRAM,
    };
    let Series { side, tick } = series;
    build(accounts, perpetua::instruction::RetireFar { side, tick })
}

/// Values a market's open interest, for pool shares to be minted and burned at.
pub fn mark_market(market: &MarketKeys) -> Instruction {
    let accounts = perpetua::accounts::MarkMarket {
        index: market.index,
        market: market.market,
        event_authority: address::event_authority(),
        program: address::PROGRAM,
    };
    build(accounts, perpetua::instruction::MarkMarket {})
}
