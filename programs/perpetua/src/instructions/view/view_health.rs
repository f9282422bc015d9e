use anchor_lang::prelude::*;

use crate::{
    error::{OrProgramError, PerpetuaError},
    instructions::common::{ReadMarkets, moment, names},
    state::{MarginAccount, Vault},
};

/// Accounts of `view_health`; behind them every market that the account has positions in.
#[derive(Accounts)]
pub struct ViewHealth<'info> {
    /// The vault.
    pub vault: AccountLoader<'info, Vault>,
    /// The account.
    #[account(constraint = names!(account: MarginAccount => vault) @ PerpetuaError::WrongAccount)]
    pub account: AccountLoader<'info, MarginAccount>,
}

/// How an account stands, in raw stock-token units. Its equity is collateral less owed; it may be liquidated while that is
/// below maintenance.
#[derive(AnchorSerialize, AnchorDeserialize, Clone, Copy, Debug, PartialEq, Eq)]
pub struct AccountHealth {
    /// Collateral before owed funding.
    pub collateral: u64,
    /// Funding owed up to each market's last accrual, rounded up.
    pub owed: u64,
    /// The most that can have come due since then, rounded up.
    pub unaccrued: u64,
    /// Maintenance margin, rounded up.
    pub maintenance: u64,
    /// Initial margin: what equity less unaccrued must reach to open and to withdraw.
    pub initial: u64,
}

pub(crate) fn view_health(ctx: Context<ViewHealth>) -> Result<AccountHealth> {
    let mut vault = ctx.accounts.vault.load()?.state;
    let mut account = ctx.accounts.account.load()?.state;
    let markets = ReadMarkets::load(ctx.accounts.vault.as_ref().key, ctx.remaining_accounts)?;
    vault.sync(&mut account).or_program_error()?;
    let health = perpetua_model::health(&account, &markets.refs(), moment()?.now).or_program_error()?;
    Ok(AccountHealth {
        collateral: health.collateral.0,
        owed: health.owed.0,
        unaccrued: health.unaccrued.0,
        maintenance: health.maintenance.0,
        initial: health.initial().0,
    })
}
