//! Returns a ticket's rent.

use anchor_lang::prelude::*;

use crate::{
    PerpetuaError,
    error::OrProgramError,
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
        has_one = vault @ PerpetuaError::WrongAccount,
        has_one = owner @ PerpetuaError::Unauthorized,
    )]
    pub ticket: AccountLoader<'info, WithdrawalTicket>,
}

pub(crate) fn close_ticket(ctx: Context<CloseTicket>) -> Result<()> {
    let ticket = ctx.accounts.ticket.load()?;
    let vault = ctx.accounts.vault.load()?;
    vault.state.require_finished(ticket.kind(), &ticket.state).or_program_error()
}
