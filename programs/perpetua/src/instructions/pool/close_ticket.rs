//! Returns a ticket's rent.

use anchor_lang::prelude::*;

use crate::{
    PerpetuaError,
    error::OrProgramError,
    instructions::common::names,
    state::{Vault, WithdrawalTicket},
};

/// Accounts of `close_ticket`.
#[derive(Accounts)]
pub struct CloseTicket<'info> {
    /// Who left, and receives the rent.
    /// CHECK: the ticket names it.
    #[account(mut)]
    pub owner: UncheckedAccount<'info>,
    /// The pool's vault.
    pub vault: AccountLoader<'info, Vault>,
    /// The ticket, with nothing left in it.
    #[account(
        mut,
        close = owner,
        constraint = names!(ticket: WithdrawalTicket => vault) @ PerpetuaError::WrongAccount,
        constraint = names!(ticket: WithdrawalTicket => owner) @ PerpetuaError::Unauthorized,
    )]
    pub ticket: AccountLoader<'info, WithdrawalTicket>,
}

pub(crate) fn close_ticket(ctx: Context<CloseTicket>) -> Result<()> {
    let ticket = ctx.accounts.ticket.load()?;
    let vault = ctx.accounts.vault.load()?;
    vault.state.require_finished(ticket.kind(), &ticket.state).or_program_error()
}
