use anchor_lang::{prelude::Pubkey, solana_program::instruction::Instruction, system_program};

use super::{MarketKeys, Series, VaultKeys, build, read_only};
use crate::address;

/// Opens a margin account.
pub fn open_account(owner: &Pubkey, payer: &Pubkey, vault: &VaultKeys, sub_account: u16) -> Instruction {
    let accounts = perpetua::accounts::OpenAccount {
        owner: *owner,
        payer: *payer,
        vault: vault.vault,
        account: vault.margin_account(owner, sub_account),
        system_program: system_program::ID,
        event_authority: address::event_authority(),
        program: address::PROGRAM,
    };
    build(accounts, perpetua::instruction::OpenAccount { sub_account })
}

/// Closes an empty margin account and returns its rent to the owner.
pub fn close_account(owner: &Pubkey, account: &Pubkey) -> Instruction {
    let accounts = perpetua::accounts::CloseAccount {
        owner: *owner,
        account: *account,
        event_authority: address::event_authority(),
        program: address::PROGRAM,
    };
    build(accounts, perpetua::instruction::CloseAccount {})
}

/// Posts `amount` raw stock tokens as collateral.
pub fn deposit(owner: &Pubkey, vault: &VaultKeys, account: &Pubkey, source: &Pubkey, amount: u64) -> Instruction {
    let accounts = perpetua::accounts::Deposit {
        owner: *owner,
        vault: vault.vault,
        account: *account,
        stock_mint: vault.stock_mint,
        source: *source,
        tokens: vault.tokens(),
        token_program: vault.token_program,
        event_authority: address::event_authority(),
        program: address::PROGRAM,
    };
    build(accounts, perpetua::instruction::Deposit { amount })
}

/// Takes `amount` raw stock tokens of collateral out. `markets` are those that the account has positions in.
pub fn withdraw<'a>(
    owner: &Pubkey,
    vault: &VaultKeys,
    account: &Pubkey,
    destination: &Pubkey,
    markets: impl IntoIterator<Item = &'a MarketKeys>,
    amount: u64,
) -> Instruction {
    let accounts = perpetua::accounts::Withdraw {
        owner: *owner,
        exchange: address::exchange(),
        vault: vault.vault,
        account: *account,
        stock_mint: vault.stock_mint,
        destination: *destination,
        tokens: vault.tokens(),
        token_program: vault.token_program,
        event_authority: address::event_authority(),
        program: address::PROGRAM,
    };
    let mut instruction = build(accounts, perpetua::instruction::Withdraw { amount });
    instruction.accounts.extend(markets.into_iter().map(|market| read_only(&market.market)));
    instruction
}

/// Buys `size` millionths of an option for at most `max_cost` raw stock tokens, premium and fee. `others` are the
/// account's other markets.
#[allow(clippy::too_many_arguments)] // each is a different thing that a trade needs
pub fn open_position<'a>(
    owner: &Pubkey,
    vault: &VaultKeys,
    account: &Pubkey,
    market: &MarketKeys,
    others: impl IntoIterator<Item = &'a MarketKeys>,
    series: Series,
    size: u64,
    max_cost: u64,
) -> Instruction {
    let accounts = perpetua::accounts::OpenPosition {
        owner: *owner,
        exchange: address::exchange(),
        vault: vault.vault,
        account: *account,
        index: market.index,
        market: market.market,
        stock_mint: vault.stock_mint,
        tokens: vault.tokens(),
        event_authority: address::event_authority(),
        program: address::PROGRAM,
    };
    let Series { side, tick } = series;
    let mut instruction = build(accounts, perpetua::instruction::OpenPosition { side, tick, size, max_cost });
    instruction.accounts.extend(others.into_iter().map(|market| read_only(&market.market)));
    instruction
}

/// Sells `size` millionths of an option back for at least `min_proceeds` raw stock tokens after the fee.
pub fn close_position(
    owner: &Pubkey,
    vault: &VaultKeys,
    account: &Pubkey,
    market: &MarketKeys,
    series: Series,
    size: u64,
    min_proceeds: u64,
) -> Instruction {
    let accounts = perpetua::accounts::ClosePosition {
        owner: *owner,
        vault: vault.vault,
        account: *account,
        index: market.index,
        market: market.market,
        event_authority: address::event_authority(),
        program: address::PROGRAM,
    };
    let Series { side, tick } = series;
    build(accounts, perpetua::instruction::ClosePosition { side, tick, size, min_proceeds })
}
