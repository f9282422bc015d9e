use anchor_lang::prelude::*;

use crate::{
    error::{OrProgramError, PerpetuaError},
    events::{MarketMarked, emit},
    instructions::common::{moment, names},
    state::{Index, Market},
};

/// Accounts of `mark_market`.
#[event_cpi]
#[derive(Accounts)]
pub struct MarkMarket<'info> {
    /// The market's index.
    pub index: AccountLoader<'info, Index>,
    /// The market.
    #[account(mut, constraint = names!(market: Market => index) @ PerpetuaError::WrongAccount)]
    pub market: AccountLoader<'info, Market>,
}

pub(crate) fn mark_market(ctx: Context<MarkMarket>) -> Result<()> {
    let moment = moment()?;
    let index = ctx.accounts.index.load()?;
    let mut market = ctx.accounts.market.load_mut()?;

    let mark = market.state.mark(&index.state, moment).or_program_error()?;

    let event = MarketMarked {
        market: ctx.accounts.market.key(),
        slot: mark.slot,
        liability_low: mark.liability_low.0,
        liability_high: mark.liability_high.0,
        receivable: mark.receivable.0,
        at_bounds: mark.at_bounds == 1,
    };
    emit(&ctx.accounts.event_authority, &event)
}
