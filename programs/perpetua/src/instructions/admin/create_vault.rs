//! Lists a stock token.

use anchor_lang::prelude::*;
use anchor_spl::{
    token::Token,
    token_interface::{Mint, TokenAccount, TokenInterface},
};
use perpetua_model::PoolKind;

use super::VaultParameters;
use crate::{
    PerpetuaError,
    constants::VERSION,
    error::OrProgramError,
    events::{VaultCreated, emit},
    instructions::common::DISCRIMINATOR,
    state::{Exchange, Vault},
    token::policy,
};

/// Accounts of `create_vault`.
#[event_cpi]
#[derive(Accounts)]
#[instruction(parameters: VaultParameters)]
pub struct CreateVault<'info> {
    /// The administrator, who pays the rent.
    #[account(mut)]
    pub admin: Signer<'info>,
    /// Names the administrator.
    #[account(has_one = admin @ PerpetuaError::Unauthorized)]
    pub exchange: AccountLoader<'info, Exchange>,
    /// The stock token.
    #[account(mint::token_program = stock_token_program)]
    pub stock_mint: Box<InterfaceAccount<'info, Mint>>,
    /// Receives the ledgers.
    #[account(
        init,
        payer = admin,
        space = DISCRIMINATOR + size_of::<Vault>(),
        seeds = [Vault::SEED, stock_mint.key().as_ref()],
        bump,
    )]
    pub vault: AccountLoader<'info, Vault>,
    /// Will hold every token of every ledger.
    #[account(
        init,
        payer = admin,
        seeds = [Vault::TOKENS_SEED, vault.key().as_ref()],
        bump,
        token::mint = stock_mint,
        token::authority = vault,
        token::token_program = stock_token_program,
    )]
    pub tokens: Box<InterfaceAccount<'info, TokenAccount>>,
    /// Shares of the main pool.
    #[account(
        init,
        payer = admin,
        seeds = [Vault::SHARES_SEED, vault.key().as_ref(), &[PoolKind::Main as u8]],
        bump,
        mint::decimals = parameters.main.share_decimals(stock_mint.decimals),
        mint::authority = vault,
        mint::token_program = share_token_program,
    )]
    pub main_shares: Box<InterfaceAccount<'info, Mint>>,
    /// Shares of the insurance pool.
    #[account(
        init,
        payer = admin,
        seeds = [Vault::SHARES_SEED, vault.key().as_ref(), &[PoolKind::Insurance as u8]],
        bump,
        mint::decimals = parameters.insurance.share_decimals(stock_mint.decimals),
        mint::authority = vault,
        mint::token_program = share_token_program,
    )]
    pub insurance_shares: Box<InterfaceAccount<'info, Mint>>,
    /// The token program of the stock token.
    pub stock_token_program: Interface<'info, TokenInterface>,
    /// SPL Token, which pool shares are made of.
    pub share_token_program: Program<'info, Token>,
    /// Creates accounts.
    pub system_program: Program<'info, System>,
}

pub(crate) fn create_vault(ctx: Context<CreateVault>, parameters: VaultParameters) -> Result<()> {
    let accounts = &ctx.accounts;
    let mint = policy::check(&accounts.stock_mint.to_account_info())?;
    {
        let mut vault = accounts.vault.load_init()?;
        vault.exchange = accounts.exchange.key();
        vault.stock_mint = accounts.stock_mint.key();
        vault.token_program = accounts.stock_token_program.key();
        vault.tokens = accounts.tokens.key();
        vault.share_mints = [accounts.main_shares.key(), accounts.insurance_shares.key()];
        vault.mint_snapshot = mint.snapshot;
        vault.version = VERSION;
        vault.bump = ctx.bumps.vault;
        vault.decimals = mint.decimals;
        vault.state = perpetua_model::Vault::new(parameters.into()).or_program_error()?;
    }
    emit(
        &ctx.accounts.event_authority,
        &VaultCreated { vault: ctx.accounts.vault.key(), stock_mint: ctx.accounts.stock_mint.key() },
    )
}
