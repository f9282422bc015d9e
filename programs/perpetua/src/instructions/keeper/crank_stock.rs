use anchor_lang::prelude::*;

use crate::{
    error::{OrProgramError, PerpetuaError},
    events::{StockCranked, emit},
    instructions::common::{moment, names},
    oracle,
    state::Stock,
    token::policy,
};

/// Accounts of `crank_stock`.
#[event_cpi]
#[derive(Accounts)]
pub struct CrankStock<'info> {
    /// The stock.
    #[account(mut, constraint = names!(stock: Stock => stock_mint) @ PerpetuaError::WrongAccount)]
    pub stock: AccountLoader<'info, Stock>,
    /// CHECK: the stock token's mint, which carries the multiplier.
    pub stock_mint: UncheckedAccount<'info>,
    /// CHECK: a Pyth price update of the exchange's hours, if there is a new one; checked where it is read.
    pub share_update: Option<UncheckedAccount<'info>>,
    /// CHECK: a Pyth price update of the feed that runs day and night, if there is one; checked where it is read.
    pub token_update: Option<UncheckedAccount<'info>>,
}

pub(crate) fn crank_stock(ctx: Context<CrankStock>) -> Result<()> {
    let moment = moment()?;
    let mut stock = ctx.accounts.stock.load_mut()?;
    let multiplier = policy::scaled_ui(&ctx.accounts.stock_mint)?;
    let read = |update: &Option<UncheckedAccount>, feed: &[u8; 32]| {
        update.as_ref().map(|update| oracle::read_price(update, feed)).transpose()
    };
    let share = read(&ctx.accounts.share_update, &stock.share_feed)?;
    let token = read(&ctx.accounts.token_update, &stock.token_feed)?;

    stock.state.crank(&multiplier, share.as_ref(), token.as_ref(), moment).or_program_error()?;

    let reading = stock.state.read(moment).or_program_error()?;
    let event = StockCranked {
        stock: ctx.accounts.stock.key(),
        price: stock.state.share.price.get(),
        publish_time: stock.state.share.publish_time,
        multiplier: stock.state.multiplier.0,
        conditions: reading.conditions.bits(),
        units_per_usd: [reading.units.low.0, reading.units.last.0, reading.units.high.0],
    };
    emit(&ctx.accounts.event_authority, &event)
}
