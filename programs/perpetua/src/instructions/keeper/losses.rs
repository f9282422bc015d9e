//! What anyone may do when tokens are missing, when they come back, and while the insurance pool owes claims.

use anchor_lang::prelude::*;
use perpetua_model::{Loss, Tokens};

use crate::{
    error::{OrProgramError, PerpetuaError},
    events::{AccountSynced, ClaimsServed, LossRecognised, LossesRepaid, ShortageNoted, emit},
    instructions::common::{check_ledgers, moment, names},
    state::{MarginAccount, Vault},
    token,
};

/// Accounts of `note_shortage`, `recognise_loss` and `repay_losses`.
#[event_cpi]
#[derive(Accounts)]
pub struct CoverLosses<'info> {
    /// The vault.
    #[account(mut, constraint = names!(vault: Vault => tokens) @ PerpetuaError::WrongAccount)]
    pub vault: AccountLoader<'info, Vault>,
    /// CHECK: the vault's token account, whose balance is compared with the ledgers.
    pub tokens: UncheckedAccount<'info>,
}

pub(crate) fn note_shortage(ctx: Context<CoverLosses>) -> Result<()> {
    let mut vault = ctx.accounts.vault.load_mut()?;
    let balance = token::balance(&ctx.accounts.tokens)?;
    vault.state.observe_balance(balance, moment()?.now).or_program_error()?;
    let event = ShortageNoted { vault: ctx.accounts.vault.key(), balance: balance.0, since: vault.state.short_since };
    emit(&ctx.accounts.event_authority, &event)
}

pub(crate) fn recognise_loss(ctx: Context<CoverLosses>) -> Result<()> {
    let mut vault = ctx.accounts.vault.load_mut()?;
    let (balance, before) = (token::balance(&ctx.accounts.tokens)?, vault.state.total().or_program_error()?);

    let loss = vault.state.recognise_loss(balance, moment()?.now).or_program_error()?;

    let change = loss.total().or_program_error()?;
    check_ledgers(&vault, before.minus(change).or_program_error()?)?;
    let Loss { protocol, insurance, main, margin } = loss;
    let parts = [protocol, insurance, main, margin].map(|part| part.0);
    emit(&ctx.accounts.event_authority, &LossRecognised { vault: ctx.accounts.vault.key(), parts })
}

pub(crate) fn repay_losses(ctx: Context<CoverLosses>) -> Result<()> {
    let mut vault = ctx.accounts.vault.load_mut()?;
    let (balance, before) = (token::balance(&ctx.accounts.tokens)?, vault.state.total().or_program_error()?);

    let repaid = vault.state.repay_losses(balance).or_program_error()?;

    let change = repaid.total().or_program_error()?;
    check_ledgers(&vault, before.plus(change).or_program_error()?)?;
    vault.state.check_conservation(balance).or_program_error()?;
    let Loss { protocol, insurance, main, margin } = repaid;
    let parts = [protocol, insurance, main, margin].map(|part| part.0);
    emit(&ctx.accounts.event_authority, &LossesRepaid { vault: ctx.accounts.vault.key(), parts })
}

/// Accounts of `serve_claims`.
#[event_cpi]
#[derive(Accounts)]
pub struct ServeClaims<'info> {
    /// The vault.
    #[account(mut)]
    pub vault: AccountLoader<'info, Vault>,
}

pub(crate) fn serve_claims(ctx: Context<ServeClaims>) -> Result<()> {
    let mut vault = ctx.accounts.vault.load_mut()?;
    let before = vault.state.total().or_program_error()?;

    let served = vault.state.serve_claims(moment()?.now).or_program_error()?;

    require!(served != Tokens::ZERO, PerpetuaError::NothingToCollect);
    check_ledgers(&vault, before)?;
    let outstanding = vault.state.claims.outstanding.0;
    emit(
        &ctx.accounts.event_authority,
        &ClaimsServed { vault: ctx.accounts.vault.key(), served: served.0, outstanding },
    )
}

/// Accounts of `sync_account`.
#[event_cpi]
#[derive(Accounts)]
pub struct SyncAccount<'info> {
    /// The vault.
    #[account(mut)]
    pub vault: AccountLoader<'info, Vault>,
    /// The account that is brought up to date.
    #[account(mut, constraint = names!(account: MarginAccount => vault) @ PerpetuaError::WrongAccount)]
    pub account: AccountLoader<'info, MarginAccount>,
}

pub(crate) fn sync_account(ctx: Context<SyncAccount>) -> Result<()> {
    let mut vault = ctx.accounts.vault.load_mut()?;
    let mut account = ctx.accounts.account.load_mut()?;
    let before = vault.state.total().or_program_error()?;

    vault.state.sync(&mut account.state).or_program_error()?;

    check_ledgers(&vault, before)?;
    let event = AccountSynced {
        vault: ctx.accounts.vault.key(),
        account: ctx.accounts.account.key(),
        claim: account.state.claim.left(vault.state.claims.scale).or_program_error()?.0,
        collateral: account.state.collateral.0,
    };
    emit(&ctx.accounts.event_authority, &event)
}
