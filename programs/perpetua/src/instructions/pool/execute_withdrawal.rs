//! Burns the shares at the front of a pool's queue for tokens that can be claimed.

use anchor_lang::prelude::*;
use perpetua_model::Execution;

use crate::{
    PerpetuaError,
    error::OrProgramError,
    events::{WithdrawalExecuted, emit},
    instructions::common::{ReadMarkets, check_ledgers, conditions, moment, names},
    state::{Exchange, Vault, WithdrawalTicket},
};

/// Accounts of `execute_withdrawal`; behind them all markets of the vault.
#[event_cpi]
#[derive(Accounts)]
pub struct ExecuteWithdrawal<'info> {
    /// Anyone; only the ticket's owner may accept the bounds of a market that has no price.
    pub caller: Signer<'info>,
    /// The vault's exchange.
    pub exchange: AccountLoader<'info, Exchange>,
    /// The pool's vault.
    #[account(mut, constraint = names!(vault: Vault => exchange, tokens) @ PerpetuaError::WrongAccount)]
    pub vault: AccountLoader<'info, Vault>,
    /// The ticket at the front of the queue.
    #[account(mut, constraint = names!(ticket: WithdrawalTicket => vault) @ PerpetuaError::WrongAccount)]
    pub ticket: AccountLoader<'info, WithdrawalTicket>,
    /// The vault's tokens, to see that none are missing.
    /// CHECK: the vault names it.
    pub tokens: UncheckedAccount<'info>,
}

pub(crate) fn execute_withdrawal(ctx: Context<ExecuteWithdrawal>) -> Result<()> {
    let accounts = &ctx.accounts;
    let moment = moment()?;
    let (owner, execution) = {
        let mut vault = accounts.vault.load_mut()?;
        let mut ticket = accounts.ticket.load_mut()?;
        let kind = ticket.kind();
        let by_owner = accounts.caller.key() == ticket.owner;
        let markets = ReadMarkets::load(accounts.vault.as_ref().key, ctx.remaining_accounts)?;
        let value = vault.state.net_asset_value(kind, markets.all(&vault)?, moment.slot).or_program_error()?;
        let state = conditions(&*accounts.exchange.load()?, &vault, &accounts.tokens)?;
        let before = vault.state.total().or_program_error()?;
        let execution = vault
            .state
            .execute_withdrawal(kind, &mut ticket.state, value, by_owner, state, moment)
            .or_program_error()?;
        check_ledgers(&vault, before)?;
        (ticket.owner, execution)
    };
    let (shares, tokens) = match execution {
        Execution::Paid { shares, tokens, .. } => (shares.0, tokens.0),
        Execution::Returned => (0, 0),
    };
    emit(
        &ctx.accounts.event_authority,
        &WithdrawalExecuted {
            vault: accounts.vault.key(),
            owner,
            ticket: accounts.ticket.key(),
            returned: execution == Execution::Returned,
            shares,
            tokens,
        },
    )
}
