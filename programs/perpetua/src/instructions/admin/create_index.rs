//! Lists an underlying.

use anchor_lang::prelude::*;
use perpetua_model::Variance;

use super::GuardParameters;
use crate::{
    PerpetuaError,
    constants::VERSION,
    error::OrProgramError,
    events::{IndexCreated, emit},
    instructions::{
        common::{moment, names},
        create::create,
    },
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
    #[account(constraint = names!(exchange: Exchange => admin) @ PerpetuaError::Unauthorized)]
    pub exchange: AccountLoader<'info, Exchange>,
    /// Receives the underlying.
    /// CHECK: created here, at the address of its seeds.
    #[account(mut, seeds = [Index::SEED, &feed_id], bump)]
    pub index: UncheckedAccount<'info>,
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
        let seeds: [&[u8]; 3] = [Index::SEED, &feed_id, &[ctx.bumps.index]];
        let mut index = create::<Index>(&ctx.accounts.admin, &ctx.accounts.index, &seeds)?;
        index.exchange = ctx.accounts.exchange.key();
        index.feed_id = feed_id;
        index.version = VERSION;
        index.bump = ctx.bumps.index;
        let declared = declared_variance.map(Variance);
        index.state = perpetua_model::Index::new(guards.into(), declared, now).or_program_error()?;
    }
    emit(&ctx.accounts.event_authority, &IndexCreated { index: ctx.accounts.index.key(), feed_id })
}
