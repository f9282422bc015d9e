//! Deposits stock tokens into a pool.

use anchor_lang::prelude::*;
use anchor_spl::token::Token;
use perpetua_model::{Action, PoolKind, Shares};

use super::shares::mint_shares;
use crate::{
    PerpetuaError,
    error::OrProgramError,
    events::{PoolJoined, emit},
    instructions::{
        Pool,
        common::{ReadMarkets, check_tokens, conditions, moment, names},
    },
    state::{Exchange, Vault},
    token::{VaultTokens, policy},
};

/// Accounts of `join_pool`; behind them all markets of the vault.
#[event_cpi]
#[derive(Accounts)]
#[instruction(pool: Pool)]
pub struct JoinPool<'info> {
    /// Who deposits.
    pub owner: Signer<'info>,
    /// Says whether joining is paused.
    pub exchange: AccountLoader<'info, Exchange>,
    /// The pool's vault.
    #[account(
        mut,
        constraint = names!(vault: Vault => exchange, tokens, stock_mint, token_program) @ PerpetuaError::WrongAccount,
    )]
    pub vault: AccountLoader<'info, Vault>,
    /// The stock token.
    /// CHECK: the vault names it, and the policy reads it.
    pub stock_mint: UncheckedAccount<'info>,
    /// Where the tokens come from.
    /// CHECK: the token program checks it.
    #[account(mut)]
    pub source: UncheckedAccount<'info>,
    /// The vault's tokens.
    /// CHECK: the vault names it.
    #[account(mut)]
    pub tokens: UncheckedAccount<'info>,
    /// The pool's shares.
    /// CHECK: the vault names it.
    #[account(mut, address = vault.load()?.share_mint(pool.into()) @ PerpetuaError::WrongAccount)]
    pub share_mint: UncheckedAccount<'info>,
    /// Where the shares go.
    /// CHECK: the token program checks it.
    #[account(mut)]
    pub shares_destination: UncheckedAccount<'info>,
    /// CHECK: the vault's token program.
    pub token_program: UncheckedAccount<'info>,
    /// SPL Token, which pool shares are made of.
    pub share_token_program: Program<'info, Token>,
}

pub(crate) fn join_pool(ctx: Context<JoinPool>, pool: Pool, amount: u64, min_shares: u64) -> Result<()> {
    let accounts = &ctx.accounts;
    let kind = PoolKind::from(pool);
    let (value, state, tokens) = {
        let vault = accounts.vault.load()?;
        let markets = ReadMarkets::load(accounts.vault.as_ref().key, ctx.remaining_accounts)?;
        let value = vault.state.net_asset_value(kind, markets.all(&vault)?, moment()?.slot).or_program_error()?;
        let state = conditions(&*accounts.exchange.load()?, &vault, &accounts.tokens)?
            .and(policy::conditions(&accounts.stock_mint, &vault.mint_snapshot)?);
        // Before the tokens move: the token program's own refusal would not say what to do.
        state.allow(Action::PoolIn).or_program_error()?;
        (value, state, accounts.vault_tokens(vault.decimals))
    };
    let received = tokens.transfer_in(&accounts.source, &accounts.owner, amount)?;
    let shares = {
        let mut vault = accounts.vault.load_mut()?;
        let shares = vault.state.join_pool(kind, value, received, Shares(min_shares), state).or_program_error()?;
        check_tokens(&vault, &accounts.tokens)?;
        shares
    };
    let mint = &accounts.share_mint;
    mint_shares(&accounts.share_token_program, &accounts.vault, mint, &accounts.shares_destination, shares)?;
    emit(
        &ctx.accounts.event_authority,
        &PoolJoined {
            vault: accounts.vault.key(),
            owner: accounts.owner.key(),
            pool,
            amount: received.0,
            shares: shares.0,
        },
    )
}

impl<'info> JoinPool<'info> {
    fn vault_tokens(&self, decimals: u8) -> VaultTokens<'_, 'info> {
        VaultTokens { tokens: &self.tokens, mint: &self.stock_mint, program: self.token_program.key, decimals }
    }
}
