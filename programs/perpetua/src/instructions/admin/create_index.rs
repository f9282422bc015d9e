//! Lists an underlying.

use anchor_lang::prelude::*;
use perpetua_model::Variance;

use super::GuardParameters;
use crate::{
    PerpetuaError,
    constants::VERSION,
    error::OrProgramError,
    events::{IndexCreated, emit},
    instructions::common::{DISCRIMINATOR, moment},
    state::{Exchange, Index},
};

/// Accounts of `create_index`.
#[event_cpi]
#[derive(Accounts)]
#[instruction(feed_id: [u8; 32])]
pub struct CreateIndex<'info> {
    /// The administrator, who pays the rent.
    #[account(mut)]
    pub admin: Signer<'info>,
    /// Names the administrator.
    #[account(has_one = admin @ PerpetuaError::Unauthorized)]
    pub exchange: AccountLoader<'info, Exchange>,
    /// Receives the underlying.
    #[account(init, payer = admin, space = DISCRIMINATOR + size_of::<Index>(), seeds = [Index::SEED, &feed_id], bump)]
    pub index: AccountLoader<'info, Index>,
    /// Creates accounts.
    pub system_program: Program<'info, System>,
}

pub(crate) fn create_index(
    ctx: Context<CreateIndex>,
    feed_id: [u8; 32],
    guards: GuardParameters,
    declared_variance: Option<u64>,
) -> Result<()> {
    let now = moment()?.now;
    {
        let mut index = ctx.accounts.index.load_init()?;
        index.exchange = ctx.accounts.exchange.key();
        index.feed_id = feed_id;
        index.version = VERSION;
        index.bump = ctx.bumps.index;
        let declared = declared_variance.map(Variance);
        index.state = perpetua_model::Index::new(guards.into(), declared, now).or_program_error()?;
    }
    emit(&ctx.accounts.event_authority, &IndexCreated { index: ctx.accounts.index.key(), feed_id })
}
