use anchor_lang::prelude::*;
use perpetua_model::SettleReason;

use crate::{
    error::{OrProgramError, PerpetuaError},
    events::{PositionClosed, emit},
    instructions::{
        arguments::Side,
        common::{check_ledgers, moment, names},
    },
    state::{Index, MarginAccount, Market, Vault},
};

/// Accounts of `settle_capped`, `retire_far` and `settle_abandoned`.
#[event_cpi]
#[derive(Accounts)]
pub struct SettlePosition<'info> {
    /// The vault.
    #[account(mut)]
    pub vault: AccountLoader<'info, Vault>,
    /// The account with the position, which is paid.
    #[account(mut, constraint = names!(account: MarginAccount => vault) @ PerpetuaError::WrongAccount)]
    pub account: AccountLoader<'info, MarginAccount>,
    /// The market's index.
    pub index: AccountLoader<'info, Index>,
    /// The market.
    #[account(mut, constraint = names!(market: Market => vault, index) @ PerpetuaError::WrongAccount)]
    pub market: AccountLoader<'info, Market>,
}

pub(crate) fn settle_capped(ctx: Context<SettlePosition>, side: Side, tick: i16) -> Result<()> {
    settle(ctx, side, tick, SettleReason::Capped)
}

pub(crate) fn retire_far(ctx: Context<SettlePosition>, side: Side, tick: i16) -> Result<()> {
    settle(ctx, side, tick, SettleReason::Far)
}

pub(crate) fn settle_abandoned(ctx: Context<SettlePosition>, side: Side, tick: i16) -> Result<()> {
    settle(ctx, side, tick, SettleReason::Abandoned)
}

fn settle(ctx: Context<SettlePosition>, side: Side, tick: i16, reason: SettleReason) -> Result<()> {
    let mut vault = ctx.accounts.vault.load_mut()?;
    let mut account = ctx.accounts.account.load_mut()?;
    let index = ctx.accounts.index.load()?;
    let mut market = ctx.accounts.market.load_mut()?;
    let before = vault.state.total().or_program_error()?;

    let key = side.of(market.number, tick);
    let report = perpetua_model::settle_position(
        &mut vault.state,
        &mut account.state,
        &mut market.state,
        &index.state,
        key,
        reason,
        moment()?,
    )
    .or_program_error()?;

    check_ledgers(&vault, before)?;
    let event = PositionClosed {
        vault: ctx.accounts.vault.key(),
        market: ctx.accounts.market.key(),
        account: ctx.accounts.account.key(),
        side,
        tick,
        reason: reason.into(),
        price: index.state.feed.price.get(),
        value: report.quote.value.get(),
        size: report.size.0,
        payout: report.paid.main.0,
        from_insurance: report.paid.insurance.0,
        claimed: report.paid.claimed.0,
        fee: report.quote.fee.0,
        funding: report.funding.0,
        position_size: report.left.0,
        collateral: account.state.collateral.0,
    };
    emit(&ctx.accounts.event_authority, &event)
}
