use anchor_lang::{prelude::Pubkey, solana_program::instruction::Instruction};

use super::{MarketKeys, Series, VaultKeys, build, read_only, writable};
use crate::address;

/// Looks at the multiplier of a vault's stock token, and takes in Pyth prices of the stock as far as there are new ones: of
/// the feed of the exchange's hours, and of the one that runs day and night.
pub fn crank_stock(vault: &VaultKeys, share_update: Option<&Pubkey>, token_update: Option<&Pubkey>) -> Instruction {
    let accounts = perpetua::accounts::CrankStock {
        stock: vault.stock(),
        stock_mint: vault.stock_mint,
        share_update: share_update.copied(),
        token_update: token_update.copied(),
        event_authority: address::event_authority(),
        program: address::PROGRAM,
    };
    build(accounts, perpetua::instruction::CrankStock {})
}

/// Takes in a Pyth price, if there is a new one, and accrues the funding of every series of a market.
pub fn crank_funding(market: &MarketKeys, price_update: Option<&Pubkey>) -> Instruction {
    let accounts = perpetua::accounts::CrankFunding {
        index: market.index,
        market: market.market,
        price_update: price_update.copied(),
        stock: market.stock,
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
    let Series { side, tick } = series;
    build(settle_position(vault, account, market), perpetua::instruction::SettleCapped { side, tick })
}

/// Closes a position far out of the money at its value, to its owner, so that its ladder slot returns.
pub fn retire_far(vault: &VaultKeys, account: &Pubkey, market: &MarketKeys, series: Series) -> Instruction {
    let Series { side, tick } = series;
    build(settle_position(vault, account, market), perpetua::instruction::RetireFar { side, tick })
}

/// Closes a position whose index had no price for seven days at its last value, to its owner.
pub fn settle_abandoned(vault: &VaultKeys, account: &Pubkey, market: &MarketKeys, series: Series) -> Instruction {
    let Series { side, tick } = series;
    build(settle_position(vault, account, market), perpetua::instruction::SettleAbandoned { side, tick })
}

fn settle_position(vault: &VaultKeys, account: &Pubkey, market: &MarketKeys) -> perpetua::accounts::SettlePosition {
    perpetua::accounts::SettlePosition {
        vault: vault.vault,
        account: *account,
        index: market.index,
        market: market.market,
        event_authority: address::event_authority(),
        program: address::PROGRAM,
    }
}

/// Notes since when a vault holds fewer tokens than its ledgers say, or that it does not.
pub fn note_shortage(vault: &VaultKeys) -> Instruction {
    build(cover_losses(vault), perpetua::instruction::NoteShortage {})
}

/// Takes what a vault has been short of for 48 hours from its ledgers, in their order.
pub fn recognise_loss(vault: &VaultKeys) -> Instruction {
    build(cover_losses(vault), perpetua::instruction::RecogniseLoss {})
}

/// Repays recognised losses from tokens that the vault holds beyond its ledgers.
pub fn repay_losses(vault: &VaultKeys) -> Instruction {
    build(cover_losses(vault), perpetua::instruction::RepayLosses {})
}

fn cover_losses(vault: &VaultKeys) -> perpetua::accounts::CoverLosses {
    perpetua::accounts::CoverLosses {
        vault: vault.vault,
        tokens: vault.tokens(),
        event_authority: address::event_authority(),
        program: address::PROGRAM,
    }
}

/// Serves claims on the insurance pool from its assets, as far as the day's limit goes.
pub fn serve_claims(vault: &VaultKeys) -> Instruction {
    let accounts = perpetua::accounts::ServeClaims {
        vault: vault.vault,
        event_authority: address::event_authority(),
        program: address::PROGRAM,
    };
    build(accounts, perpetua::instruction::ServeClaims {})
}

/// Brings an account up to date with losses, their repayment and what its claim was served.
pub fn sync_account(vault: &VaultKeys, account: &Pubkey) -> Instruction {
    let accounts = perpetua::accounts::SyncAccount {
        vault: vault.vault,
        account: *account,
        event_authority: address::event_authority(),
        program: address::PROGRAM,
    };
    build(accounts, perpetua::instruction::SyncAccount {})
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
