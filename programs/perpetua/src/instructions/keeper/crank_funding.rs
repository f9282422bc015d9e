use anchor_lang::prelude::*;

use crate::{
    error::{OrProgramError, PerpetuaError},
    events::{FundingCranked, emit},
    instructions::common::{moment, names, same_key},
    oracle,
    state::{Index, Market, Stock},
};

/// Accounts of `crank_funding`.
#[event_cpi]
#[derive(Accounts)]
pub struct CrankFunding<'info> {
    /// The market's index, which takes in the price.
    #[account(mut)]
    pub index: AccountLoader<'info, Index>,
    /// The market, which accrues.
    #[account(mut, constraint = names!(market: Market => index) @ PerpetuaError::WrongAccount)]
    pub market: AccountLoader<'info, Market>,
    /// CHECK: a Pyth price update, if there is a new one; owner, type, verification and feed are checked where it is read.
    pub price_update: Option<UncheckedAccount<'info>>,
    /// The stock, which a dollar market's `X` comes from; cranked in the same slot.
    pub stock: Option<AccountLoader<'info, Stock>>,
}

pub(crate) fn crank_funding(ctx: Context<CrankFunding>) -> Result<()> {
    let moment = moment()?;
    let mut index = ctx.accounts.index.load_mut()?;
    let mut market = ctx.accounts.market.load_mut()?;

    if let Some(update) = &ctx.accounts.price_update {
        let update = oracle::read_price(update, &index.feed_id)?;
        index.state.accept(&update, moment.now).or_program_error()?;
    }
    let stock = ctx.accounts.stock.as_ref().map(|stock| stock.load()).transpose()?;
    if let Some(stock) = &stock {
        require!(same_key(&stock.vault, &market.vault), PerpetuaError::WrongAccount);
    }
    let stock = stock.as_ref().map(|stock| &stock.state);
    let accrual = market.state.accrue(&index.state, stock, moment).or_program_error()?;

    let event = FundingCranked {
        index: ctx.accounts.index.key(),
        market: ctx.accounts.market.key(),
        price: index.state.feed.price.get(),
        publish_time: index.state.feed.publish_time,
        seconds: accrual.seconds,
        barred: accrual.barred,
        conditions: market.state.conditions.bits(),
        middle: market.state.middle.map(|volatility| volatility.0),
    };
    emit(&ctx.accounts.event_authority, &event)
}
