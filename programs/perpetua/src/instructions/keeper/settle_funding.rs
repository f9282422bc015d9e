use anchor_lang::prelude::*;

use crate::{
    error::{OrProgramError, PerpetuaError},
    events::{FundingSettled, emit},
    instructions::common::{WriteMarkets, check_ledgers, names},
    state::{MarginAccount, Vault},
};

/// Accounts of `settle_funding`; behind them every market that the account has positions in, writable.
#[event_cpi]
#[derive(Accounts)]
pub struct SettleFunding<'info> {
    /// The vault.
    #[account(mut)]
    pub vault: AccountLoader<'info, Vault>,
    /// The account that pays.
    #[account(mut, constraint = names!(account: MarginAccount => vault) @ PerpetuaError::WrongAccount)]
    pub account: AccountLoader<'info, MarginAccount>,
}

pub(crate) fn settle_funding(ctx: Context<SettleFunding>) -> Result<()> {
    let vault_key = ctx.accounts.vault.key();
    let mut vault = ctx.accounts.vault.load_mut()?;
    let mut account = ctx.accounts.account.load_mut()?;
    let mut markets = WriteMarkets::load(&vault_key, ctx.remaining_accounts)?;
    let before = vault.state.total().or_program_error()?;

    let paid = perpetua_model::settle_funding(&mut vault.state, &mut account.state, &mut markets.muts());
    let amount = paid.or_program_error()?.0;

    check_ledgers(&vault, before)?;
    let event = FundingSettled {
        vault: vault_key,
        account: ctx.accounts.account.key(),
        amount,
        collateral: account.state.collateral.0,
    };
    emit(&ctx.accounts.event_authority, &event)
}
