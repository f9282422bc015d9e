use anchor_lang::prelude::*;
use perpetua_model::Tokens;

use crate::{
    error::{OrProgramError, PerpetuaError},
    events::{Deposited, emit},
    instructions::common::{check_tokens, names},
    state::{MarginAccount, Vault},
    token::{VaultTokens, policy},
};

/// Accounts of `deposit`.
#[event_cpi]
#[derive(Accounts)]
pub struct Deposit<'info> {
    /// The account's owner, whose tokens come in.
    pub owner: Signer<'info>,
    /// The vault.
    #[account(mut, constraint = names!(vault: Vault => stock_mint, tokens, token_program) @ PerpetuaError::WrongAccount)]
    pub vault: AccountLoader<'info, Vault>,
    /// The account that is credited.
    #[account(
        mut,
        constraint = names!(account: MarginAccount => vault) @ PerpetuaError::WrongAccount,
        constraint = names!(account: MarginAccount => owner) @ PerpetuaError::Unauthorized,
    )]
    pub account: AccountLoader<'info, MarginAccount>,
    /// CHECK: the vault's mint.
    pub stock_mint: UncheckedAccount<'info>,
    /// CHECK: where the tokens come from; the token program checks it.
    #[account(mut)]
    pub source: UncheckedAccount<'info>,
    /// CHECK: the vault's token account.
    #[account(mut)]
    pub tokens: UncheckedAccount<'info>,
    /// CHECK: the vault's token program.
    pub token_program: UncheckedAccount<'info>,
}

impl<'info> Deposit<'info> {
    /// Moves the tokens and returns what the vault received.
    fn transfer(&self, amount: u64) -> Result<Tokens> {
        let decimals = {
            let vault = self.vault.load()?;
            policy::require_unchanged(&self.stock_mint, &vault.mint_snapshot)?;
            vault.decimals
        };
        let tokens =
            VaultTokens { tokens: &self.tokens, mint: &self.stock_mint, program: self.token_program.key, decimals };
        tokens.transfer_in(&self.source, &self.owner, amount)
    }
}

pub(crate) fn deposit(ctx: Context<Deposit>, amount: u64) -> Result<()> {
    require!(amount > 0, PerpetuaError::AmountZero);
    let received = ctx.accounts.transfer(amount)?;
    let mut vault = ctx.accounts.vault.load_mut()?;
    let mut account = ctx.accounts.account.load_mut()?;

    vault.state.sync(&mut account.state).or_program_error()?;
    vault.state.deposit(&mut account.state, received).or_program_error()?;

    check_tokens(&vault, &ctx.accounts.tokens)?;
    let event = Deposited {
        vault: ctx.accounts.vault.key(),
        account: ctx.accounts.account.key(),
        amount: received.0,
        collateral: account.state.collateral.0,
    };
    emit(&ctx.accounts.event_authority, &event)
}
