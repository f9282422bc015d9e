//! Asks to leave a pool.

use anchor_lang::prelude::*;
use anchor_spl::token::Token;
use perpetua_model::{PoolKind, Shares};

use super::shares::burn_shares;
use crate::{
    PerpetuaError,
    constants::VERSION,
    error::OrProgramError,
    events::{WithdrawalRequested, emit},
    instructions::{Pool, common::moment, create::create},
    state::{Vault, WithdrawalTicket},
};

/// Accounts of `request_withdrawal`.
#[event_cpi]
#[derive(Accounts)]
#[instruction(pool: Pool)]
pub struct RequestWithdrawal<'info> {
    /// Who leaves.
    pub owner: Signer<'info>,
    /// Pays the ticket's rent, which goes to the owner in the end.
    #[account(mut)]
    pub payer: Signer<'info>,
    /// The pool's vault.
    #[account(mut)]
    pub vault: AccountLoader<'info, Vault>,
    /// Receives the place in the queue.
    /// CHECK: created here, at the address of its seeds.
    #[account(
        mut,
        seeds = [
            WithdrawalTicket::SEED,
            vault.key().as_ref(),
            &[PoolKind::from(pool) as u8],
            &vault.load()?.state.pool(pool.into()).next_ticket.to_le_bytes(),
        ],
        bump,
    )]
    pub ticket: UncheckedAccount<'info>,
    /// The pool's shares.
    /// CHECK: the vault names it.
    #[account(mut, address = vault.load()?.share_mint(pool.into()) @ PerpetuaError::WrongAccount)]
    pub share_mint: UncheckedAccount<'info>,
    /// Where the shares come from.
    /// CHECK: the token program checks it.
    #[account(mut)]
    pub shares_source: UncheckedAccount<'info>,
    /// SPL Token, which pool shares are made of.
    pub share_token_program: Program<'info, Token>,
    /// Creates accounts.
    pub system_program: Program<'info, System>,
}

pub(crate) fn request_withdrawal(ctx: Context<RequestWithdrawal>, pool: Pool, shares: u64) -> Result<()> {
    let accounts = &ctx.accounts;
    let kind = PoolKind::from(pool);
    let (owner, mint) = (&accounts.owner, &accounts.share_mint);
    burn_shares(&accounts.share_token_program, owner, mint, &accounts.shares_source, Shares(shares))?;
    let state = {
        let mut vault = accounts.vault.load_mut()?;
        vault.state.request_withdrawal(kind, Shares(shares), moment()?.now).or_program_error()?
    };
    {
        let (vault, number) = (accounts.vault.key(), state.number.to_le_bytes());
        let seeds: [&[u8]; 5] = [WithdrawalTicket::SEED, vault.as_ref(), &[kind as u8], &number, &[ctx.bumps.ticket]];
        let mut ticket = create::<WithdrawalTicket>(&accounts.payer, &accounts.ticket, &seeds)?;
        ticket.vault = vault;
        ticket.owner = accounts.owner.key();
        ticket.pool = kind as u8;
        ticket.version = VERSION;
        ticket.bump = ctx.bumps.ticket;
        ticket.state = state;
    }
    emit(
        &ctx.accounts.event_authority,
        &WithdrawalRequested {
            vault: accounts.vault.key(),
            owner: accounts.owner.key(),
            pool,
            number: state.number,
            shares,
            ready: state.ready,
        },
    )
}
