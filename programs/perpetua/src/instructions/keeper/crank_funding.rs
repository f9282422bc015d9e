use anchor_lang::prelude::*;

use crate::{
    error::{OrProgramError, PerpetuaError},
    events::{FundingCranked, emit},
    instructions::common::moment,
    oracle,
    state::{Index, Market},
};

/// Accounts of `crank_funding`.
#[event_cpi]
#[derive(Accounts)]
pub struct CrankFunding<'info> {
    /// The market's index, which takes in the price.
    #[account(mut)]
    pub index: AccountLoader<'info, Index>,
    /// The market, which accrues.
    #[account(mut, has_one = index @ PerpetuaError::WrongAccount)]
    pub market: AccountLoader<'info, Market>,
    /// CHECK: a Pyth price update; owner, type, verification and feed are checked where it is read.
    pub price_update: UncheckedAccount<'info>,
}

pub(crate) fn crank_funding(ctx: Context<CrankFunding>) -> Result<()> {
    let moment = moment()?;
    let mut index = ctx.accounts.index.load_mut()?;
    let mut market = ctx.accounts.market.load_mut()?;

    let update = oracle::read_price(&ctx.accounts.price_update, &index.feed_id)?;
    index.state.accept(&update, moment.now).or_program_error()?;
    let accrual = market.state.accrue(&index.state, moment.now, moment.slot).or_program_error()?;

    let event = FundingCranked {
        index: ctx.accounts.index.key(),
        market: ctx.accounts.market.key(),
        price: index.state.price.get(),
        publish_time: index.state.publish_time,
        seconds: accrual.seconds,
        barred: accrual.barred,
        middle: market.state.middle.map(|volatility| volatility.0),
    };
    emit(&ctx.accounts.event_authority, &event)
}
