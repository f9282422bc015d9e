//! Hands the administrator's rights over, in two steps, so that they never go where nobody can sign.

use anchor_lang::prelude::*;

use crate::{
    PerpetuaError,
    events::{AdminAccepted, AdminNamed, emit},
    instructions::common::names,
    state::Exchange,
};

/// Accounts of `name_admin`.
#[event_cpi]
#[derive(Accounts)]
pub struct NameAdmin<'info> {
    /// The administrator.
    pub admin: Signer<'info>,
    /// Names the administrator.
    #[account(mut, constraint = names!(exchange: Exchange => admin) @ PerpetuaError::Unauthorized)]
    pub exchange: AccountLoader<'info, Exchange>,
}

/// Accounts of `accept_admin`.
#[event_cpi]
#[derive(Accounts)]
pub struct AcceptAdmin<'info> {
    /// Who was named.
    pub next_admin: Signer<'info>,
    /// Names the administrator.
    #[account(mut, constraint = names!(exchange: Exchange => next_admin) @ PerpetuaError::Unauthorized)]
    pub exchange: AccountLoader<'info, Exchange>,
}

pub(crate) fn name_admin(ctx: Context<NameAdmin>, next_admin: Pubkey) -> Result<()> {
    ctx.accounts.exchange.load_mut()?.next_admin = next_admin;
    emit(&ctx.accounts.event_authority, &AdminNamed { next_admin })
}

pub(crate) fn accept_admin(ctx: Context<AcceptAdmin>) -> Result<()> {
    let mut exchange = ctx.accounts.exchange.load_mut()?;
    exchange.admin = core::mem::take(&mut exchange.next_admin);
    let event = AdminAccepted { admin: exchange.admin };
    emit(&ctx.accounts.event_authority, &event)
}
