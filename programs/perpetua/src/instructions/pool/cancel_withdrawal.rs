//! Stays in a pool after all.

use anchor_lang::prelude::*;
use anchor_spl::token::Token;

use super::shares::mint_shares;
use crate::{
    PerpetuaError,
    error::OrProgramError,
    events::{WithdrawalCancelled, emit},
    instructions::common::{moment, names},
    state::{Vault, WithdrawalTicket},
};

/// Accounts of `cancel_withdrawal`.
#[event_cpi]
#[derive(Accounts)]
pub struct CancelWithdrawal<'info> {
    /// Who stays.
    pub owner: Signer<'info>,
    /// The pool's vault.
    #[account(mut)]
    pub vault: AccountLoader<'info, Vault>,
    /// The place in the queue.
    #[account(
        mut,
        constraint = names!(ticket: WithdrawalTicket => vault) @ PerpetuaError::WrongAccount,
        constraint = names!(ticket: WithdrawalTicket => owner) @ PerpetuaError::Unauthorized,
    )]
    pub ticket: AccountLoader<'info, WithdrawalTicket>,
    /// The pool's shares.
    /// CHECK: the vault names it.
    #[account(mut, address = vault.load()?.share_mint(ticket.load()?.kind()) @ PerpetuaError::WrongAccount)]
    pub share_mint: UncheckedAccount<'info>,
    /// Where the shares go.
    /// CHECK: the token program checks it.
    #[account(mut)]
    pub shares_destination: UncheckedAccount<'info>,
    /// SPL Token, which pool shares are made of.
    pub share_token_program: Program<'info, Token>,
}

pub(crate) fn cancel_withdrawal(ctx: Context<CancelWithdrawal>) -> Result<()> {
    let accounts = &ctx.accounts;
    let shares = {
        let now = moment()?.now;
        let mut ticket = accounts.ticket.load_mut()?;
        let kind = ticket.kind();
        accounts.vault.load_mut()?.state.cancel_withdrawal(kind, &mut ticket.state, now).or_program_error()?
    };
    let mint = &accounts.share_mint;
    mint_shares(&accounts.share_token_program, &accounts.vault, mint, &accounts.shares_destination, shares)?;
    emit(
        &ctx.accounts.event_authority,
        &WithdrawalCancelled {
            vault: accounts.vault.key(),
            owner: accounts.owner.key(),
            ticket: accounts.ticket.key(),
            shares: shares.0,
        },
    )
}
