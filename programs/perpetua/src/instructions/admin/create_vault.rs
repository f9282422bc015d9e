//! Lists a stock token.

use anchor_lang::prelude::*;
use anchor_spl::{token::Token, token_interface::TokenInterface};
use perpetua_model::PoolKind;

use super::VaultParameters;
use crate::{
    PerpetuaError,
    constants::VERSION,
    error::OrProgramError,
    events::{VaultCreated, emit},
    instructions::{
        common::names,
        create::{create, create_for},
    },
    state::{Exchange, Vault},
    token::{
        policy,
        program::{MINT_LENGTH, account_size, initialize_account, initialize_mint},
    },
};

/// Accounts of `create_vault`.
#[event_cpi]
#[derive(Accounts)]
pub struct CreateVault<'info> {
    /// The administrator, who pays the rent.
    #[account(mut)]
    pub admin: Signer<'info>,
    /// Names the administrator.
    #[account(constraint = names!(exchange: Exchange => admin) @ PerpetuaError::Unauthorized)]
    pub exchange: AccountLoader<'info, Exchange>,
    /// The stock token.
    /// CHECK: the policy reads it.
    #[account(owner = stock_token_program.key() @ PerpetuaError::WrongAccount)]
    pub stock_mint: UncheckedAccount<'info>,
    /// Receives the ledgers.
    /// CHECK: created here, at the address of its seeds.
    #[account(mut, seeds = [Vault::SEED, stock_mint.key().as_ref()], bump)]
    pub vault: UncheckedAccount<'info>,
    /// Will hold every token of every ledger.
    /// CHECK: created here, at the address of its seeds.
    #[account(mut, seeds = [Vault::TOKENS_SEED, vault.key().as_ref()], bump)]
    pub tokens: UncheckedAccount<'info>,
    /// Shares of the main pool.
    /// CHECK: created here, at the address of its seeds.
    #[account(mut, seeds = [Vault::SHARES_SEED, vault.key().as_ref(), &[PoolKind::Main as u8]], bump)]
    pub main_shares: UncheckedAccount<'info>,
    /// Shares of the insurance pool.
    /// CHECK: created here, at the address of its seeds.
    #[account(mut, seeds = [Vault::SHARES_SEED, vault.key().as_ref(), &[PoolKind::Insurance as u8]], bump)]
    pub insurance_shares: UncheckedAccount<'info>,
    /// The token program of the stock token.
    pub stock_token_program: Interface<'info, TokenInterface>,
    /// SPL Token, which pool shares are made of.
    pub share_token_program: Program<'info, Token>,
    /// Creates accounts.
    pub system_program: Program<'info, System>,
}

impl<'info> CreateVault<'info> {
    /// Creates the token account that the vault owns.
    fn create_tokens(&self, bump: u8) -> Result<()> {
        let (vault, mint, program) = (self.vault.key, &self.stock_mint, self.stock_token_program.as_ref().key);
        let size = account_size(program, mint)?;
        create_for(program, &self.admin, &self.tokens, size, &[Vault::TOKENS_SEED, vault.as_ref(), &[bump]])?;
        initialize_account(program, [&self.tokens, mint], vault)
    }

    /// Creates the mint of a pool's shares, with the vault as its authority.
    fn create_shares(&self, (pool, mint): (PoolKind, &AccountInfo<'info>), bump: u8, decimals: u8) -> Result<()> {
        let (vault, program) = (self.vault.key, self.share_token_program.as_ref().key);
        let seeds: [&[u8]; 4] = [Vault::SHARES_SEED, vault.as_ref(), &[pool as u8], &[bump]];
        create_for(program, &self.admin, mint, MINT_LENGTH, &seeds)?;
        initialize_mint(program, mint, decimals, vault)
    }
}

pub(crate) fn create_vault(ctx: Context<CreateVault>, parameters: VaultParameters) -> Result<()> {
    let accounts = &ctx.accounts;
    let bumps = &ctx.bumps;
    let mint = policy::check(&accounts.stock_mint)?;
    {
        let seeds: [&[u8]; 3] = [Vault::SEED, accounts.stock_mint.key.as_ref(), &[bumps.vault]];
        let mut vault = create::<Vault>(&accounts.admin, &accounts.vault, &seeds)?;
        vault.exchange = accounts.exchange.key();
        vault.stock_mint = accounts.stock_mint.key();
        vault.token_program = accounts.stock_token_program.key();
        vault.tokens = accounts.tokens.key();
        vault.share_mints = [accounts.main_shares.key(), accounts.insurance_shares.key()];
        vault.mint_snapshot = mint.snapshot;
        vault.version = VERSION;
        vault.bump = bumps.vault;
        vault.decimals = mint.decimals;
        vault.state = perpetua_model::Vault::new(parameters.into()).or_program_error()?;
    }
    let [main, insurance] = [parameters.main, parameters.insurance].map(|pool| pool.share_decimals(mint.decimals));
    accounts.create_tokens(bumps.tokens)?;
    accounts.create_shares((PoolKind::Main, &accounts.main_shares), bumps.main_shares, main)?;
    accounts.create_shares((PoolKind::Insurance, &accounts.insurance_shares), bumps.insurance_shares, insurance)?;
    emit(
        &ctx.accounts.event_authority,
        &VaultCreated { vault: ctx.accounts.vault.key(), stock_mint: ctx.accounts.stock_mint.key() },
    )
}
