use anchor_lang::{prelude::Pubkey, solana_program::instruction::Instruction, system_program};
use perpetua::Pool;

use super::{MarketKeys, VaultKeys, build, read_only};
use crate::address;

/// Puts `amount` raw stock tokens into a pool for at least `min_shares`. `markets` are all of the vault's.
#[allow(clippy::too_many_arguments)] // each is a different thing that joining needs
pub fn join_pool<'a>(
    owner: &Pubkey,
    vault: &VaultKeys,
    pool: Pool,
    source: &Pubkey,
    shares_destination: &Pubkey,
    markets: impl IntoIterator<Item = &'a MarketKeys>,
    amount: u64,
    min_shares: u64,
) -> Instruction {
    let accounts = perpetua::accounts::JoinPool {
        owner: *owner,
        exchange: address::exchange(),
        vault: vault.vault,
        stock_mint: vault.stock_mint,
        source: *source,
        tokens: vault.tokens(),
        share_mint: vault.share_mint(pool.into()),
        shares_destination: *shares_destination,
        token_program: vault.token_program,
        share_token_program: anchor_spl::token::ID,
        event_authority: address::event_authority(),
        program: address::PROGRAM,
    };
    let mut instruction = build(accounts, perpetua::instruction::JoinPool { pool, amount, min_shares });
    instruction.accounts.extend(markets.into_iter().map(|market| read_only(&market.market)));
    instruction
}

/// Gives up shares to leave a pool. `number` is the pool's next ticket number.
pub fn request_withdrawal(
    owner: &Pubkey,
    payer: &Pubkey,
    vault: &VaultKeys,
    pool: Pool,
    number: u64,
    shares_source: &Pubkey,
    shares: u64,
) -> Instruction {
    let accounts = perpetua::accounts::RequestWithdrawal {
        owner: *owner,
        payer: *payer,
        vault: vault.vault,
        ticket: vault.ticket(pool.into(), number),
        share_mint: vault.share_mint(pool.into()),
        shares_source: *shares_source,
        share_token_program: anchor_spl::token::ID,
        system_program: system_program::ID,
        event_authority: address::event_authority(),
        program: address::PROGRAM,
    };
    build(accounts, perpetua::instruction::RequestWithdrawal { pool, shares })
}

/// Takes the shares of a ticket that waits, or was returned, back.
pub fn cancel_withdrawal(
    owner: &Pubkey,
    vault: &VaultKeys,
    pool: Pool,
    ticket: &Pubkey,
    shares_destination: &Pubkey,
) -> Instruction {
    let accounts = perpetua::accounts::CancelWithdrawal {
        owner: *owner,
        vault: vault.vault,
        ticket: *ticket,
        share_mint: vault.share_mint(pool.into()),
        shares_destination: *shares_destination,
        share_token_program: anchor_spl::token::ID,
        event_authority: address::event_authority(),
        program: address::PROGRAM,
    };
    build(accounts, perpetua::instruction::CancelWithdrawal {})
}

/// Executes the withdrawal at the front of its pool's queue. `markets` are all of the vault's, each
/// marked.
pub fn execute_withdrawal<'a>(
    caller: &Pubkey,
    vault: &VaultKeys,
    ticket: &Pubkey,
    markets: impl IntoIterator<Item = &'a MarketKeys>,
) -> Instruction {
    let accounts = perpetua::accounts::ExecuteWithdrawal {
        caller: *caller,
        exchange: address::exchange(),
        vault: vault.vault,
        ticket: *ticket,
        tokens: vault.tokens(),
        event_authority: address::event_authority(),
        program: address::PROGRAM,
    };
    let mut instruction = build(accounts, perpetua::instruction::ExecuteWithdrawal {});
    instruction.accounts.extend(markets.into_iter().map(|market| read_only(&market.market)));
    instruction
}

/// Pays out what an executed withdrawal is worth.
pub fn claim_withdrawal(owner: &Pubkey, vault: &VaultKeys, ticket: &Pubkey, destination: &Pubkey) -> Instruction {
    let accounts = perpetua::accounts::ClaimWithdrawal {
        owner: *owner,
        exchange: address::exchange(),
        vault: vault.vault,
        ticket: *ticket,
        stock_mint: vault.stock_mint,
        destination: *destination,
        tokens: vault.tokens(),
        token_program: vault.token_program,
        event_authority: address::event_authority(),
        program: address::PROGRAM,
    };
    build(accounts, perpetua::instruction::ClaimWithdrawal {})
}

/// Closes a finished ticket and returns its rent to the owner. Anyone may ask for it.
pub fn close_ticket(owner: &Pubkey, vault: &VaultKeys, ticket: &Pubkey) -> Instruction {
    let accounts = perpetua::accounts::CloseTicket { owner: *owner, vault: vault.vault, ticket: *ticket };
    build(accounts, perpetua::instruction::CloseTicket {})
}
