//! The brake: stops new risk, never closing, liquidation or paying out.

use anchor_lang::prelude::*;

use crate::{
    PerpetuaError,
    events::{OpeningPausedSet, emit},
    state::Exchange,
};

/// Accounts of `set_opening_paused`.
#[event_cpi]
#[derive(Accounts)]
pub struct SetOpeningPaused<'info> {
    /// The guardian or the administrator to pause, the administrator to resume.
    pub authority: Signer<'info>,
    /// Holds the switch.
    #[account(mut)]
    pub exchange: AccountLoader<'info, Exchange>,
}

pub(crate) fn set_opening_paused(ctx: Context<SetOpeningPaused>, paused: bool) -> Result<()> {
    let authority = ctx.accounts.authority.key();
    {
        let mut exchange = ctx.accounts.exchange.load_mut()?;
        let allowed = authority == exchange.admin || paused && authority == exchange.guardian;
        require!(allowed, PerpetuaError::Unauthorized);
        exchange.opening_paused = paused.into();
    }
    emit(&ctx.accounts.event_authority, &OpeningPausedSet { authority, paused })
}
