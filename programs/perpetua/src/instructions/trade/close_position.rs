use anchor_lang::prelude::*;
use perpetua_model::{Conditions, Size, Tokens};

use crate::{
    error::{OrProgramError, PerpetuaError},
    events::{CloseReason, PositionClosed, emit},
    instructions::{
        arguments::Side,
        common::{check_ledgers, moment, names},
    },
    state::{Index, MarginAccount, Market, Vault},
};

/// Accounts of `close_position`.
#[event_cpi]
#[derive(Accounts)]
pub struct ClosePosition<'info> {
    /// The account's owner.
    pub owner: Signer<'info>,
    /// The vault.
    #[account(mut)]
    pub vault: AccountLoader<'info, Vault>,
    /// The account that holds the position and is paid.
    #[account(
        mut,
        constraint = names!(account: MarginAccount => vault) @ PerpetuaError::WrongAccount,
        constraint = names!(account: MarginAccount => owner) @ PerpetuaError::Unauthorized,
    )]
    pub account: AccountLoader<'info, MarginAccount>,
    /// The market's index.
    pub index: AccountLoader<'info, Index>,
    /// The market.
    #[account(mut, constraint = names!(market: Market => vault, index) @ PerpetuaError::WrongAccount)]
    pub market: AccountLoader<'info, Market>,
}

pub(crate) fn close_position(
    ctx: Context<ClosePosition>,
    side: Side,
    tick: i16,
    size: u64,
    min_proceeds: u64,
) -> Result<()> {
    let accounts = &ctx.accounts;
    let mut vault = accounts.vault.load_mut()?;
    let mut account = accounts.account.load_mut()?;
    let index = accounts.index.load()?;
    let mut market = accounts.market.load_mut()?;
    let before = vault.state.total().or_program_error()?;

    let key = side.of(market.number, tick);
    let report = perpetua_model::close_position(
        &mut vault.state,
        &mut account.state,
        &mut market.state,
        &index.state,
        (key, Size(size)),
        Tokens(min_proceeds),
        // Nothing forbids closing: neither a pause nor a short vault.
        Conditions::NORMAL,
        moment()?,
    )
    .or_program_error()?;

    check_ledgers(&vault, before)?;
    let event = PositionClosed {
        vault: accounts.vault.key(),
        market: accounts.market.key(),
        account: accounts.account.key(),
        side,
        tick,
        reason: CloseReason::Sold,
        price: index.state.feed.price.get(),
        value: report.quote.value.get(),
        size,
        payout: report.paid.main.0,
        from_insurance: report.paid.insurance.0,
        claimed: report.paid.claimed.0,
        fee: report.quote.fee.0,
        funding: report.funding.0,
        position_size: report.left.0,
        collateral: account.state.collateral.0,
    };
    emit(&accounts.event_authority, &event)
}
