use anchor_lang::prelude::*;

use crate::{
    error::PerpetuaError,
    events::{AccountClosed, emit},
    instructions::common::names,
    state::MarginAccount,
};

/// Accounts of `close_account`.
#[event_cpi]
#[derive(Accounts)]
pub struct CloseAccount<'info> {
    /// The account's owner, who gets the rent back.
    #[account(mut)]
    pub owner: Signer<'info>,
    /// The account.
    #[account(
        mut,
        close = owner,
        constraint = names!(account: MarginAccount => owner) @ PerpetuaError::Unauthorized,
        constraint = account.load()?.state.is_empty() @ PerpetuaError::AccountNotEmpty,
    )]
    pub account: AccountLoader<'info, MarginAccount>,
}

pub(crate) fn close_account(ctx: Context<CloseAccount>) -> Result<()> {
    let event = AccountClosed {
        vault: ctx.accounts.account.load()?.vault,
        account: ctx.accounts.account.key(),
        owner: ctx.accounts.owner.key(),
    };
    emit(&ctx.accounts.event_authority, &event)
}
