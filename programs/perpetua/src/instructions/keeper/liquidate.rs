use anchor_lang::prelude::*;
use perpetua_model::Conditions;

use crate::{
    error::{OrProgramError, PerpetuaError},
    events::{AccountLiquidated, emit},
    instructions::common::{PricedMarkets, check_ledgers, moment, names, same_key},
    state::{MarginAccount, Vault},
};

/// Accounts of `liquidate`; behind them every market that the account has positions in, writable, each followed by its
/// index.
#[event_cpi]
#[derive(Accounts)]
pub struct Liquidate<'info> {
    /// Who liquidates.
    pub keeper: Signer<'info>,
    /// The vault.
    #[account(mut)]
    pub vault: AccountLoader<'info, Vault>,
    /// The account below its maintenance margin.
    #[account(mut, constraint = names!(account: MarginAccount => vault) @ PerpetuaError::WrongAccount)]
    pub account: AccountLoader<'info, MarginAccount>,
    /// The keeper's own account, which the reward goes to: in the ledger, so that no paused mint stops it.
    #[account(
        mut,
        constraint = names!(keeper_account: MarginAccount => vault) @ PerpetuaError::WrongAccount,
        constraint = same_key(&keeper_account.load()?.owner, keeper.key) @ PerpetuaError::Unauthorized,
        constraint = keeper_account.key() != account.key() @ PerpetuaError::SameAccount,
    )]
    pub keeper_account: AccountLoader<'info, MarginAccount>,
}

pub(crate) fn liquidate(ctx: Context<Liquidate>) -> Result<()> {
    let vault_key = ctx.accounts.vault.key();
    let mut vault = ctx.accounts.vault.load_mut()?;
    let mut account = ctx.accounts.account.load_mut()?;
    let mut keeper = ctx.accounts.keeper_account.load_mut()?;
    let mut priced = PricedMarkets::load(&vault_key, ctx.remaining_accounts)?;
    let before = vault.state.total().or_program_error()?;

    let (mut markets, indices) = priced.parts();
    let report = perpetua_model::liquidate(
        &mut vault.state,
        &mut account.state,
        &mut keeper.state,
        &mut markets,
        indices,
        // Neither a pause nor a short vault stops it; the indices add their own conditions.
        Conditions::NORMAL,
        moment()?,
    )
    .or_program_error()?;

    check_ledgers(&vault, before)?;
    let event = AccountLiquidated {
        vault: vault_key,
        account: ctx.accounts.account.key(),
        keeper_account: ctx.accounts.keeper_account.key(),
        closed: report.closed,
        proceeds: report.proceeds.0,
        from_insurance: report.from_insurance.0,
        claimed: report.claimed.0,
        funding: report.funding.0,
        keeper_reward: report.keeper_reward.0,
        insurance_reward: report.insurance_reward.0,
        written_off: report.written_off.0,
        collateral: account.state.collateral.0,
    };
    emit(&ctx.accounts.event_authority, &event)
}
