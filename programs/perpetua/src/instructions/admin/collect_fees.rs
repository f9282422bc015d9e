//! Pays the protocol's fees.

use anchor_lang::prelude::*;

use crate::{
    PerpetuaError,
    error::OrProgramError,
    events::{FeesCollected, emit},
    instructions::common::{check_tokens, names},
    state::{Exchange, Vault},
    token::{VaultTokens, owner, policy},
};

/// Accounts of `collect_fees`.
#[event_cpi]
#[derive(Accounts)]
pub struct CollectFees<'info> {
    /// Names who owns the fees.
    pub exchange: AccountLoader<'info, Exchange>,
    /// Owes the fees.
    #[account(
        mut,
        constraint = names!(vault: Vault => exchange, tokens, stock_mint, token_program) @ PerpetuaError::WrongAccount,
    )]
    pub vault: AccountLoader<'info, Vault>,
    /// The vault's tokens.
    /// CHECK: the vault names it.
    #[account(mut)]
    pub tokens: UncheckedAccount<'info>,
    /// The stock token.
    /// CHECK: the vault names it, and the policy reads it.
    pub stock_mint: UncheckedAccount<'info>,
    /// CHECK: a token account of the fees' owner.
    #[account(mut, constraint = owner(&destination)? == exchange.load()?.fee_recipient @ PerpetuaError::Unauthorized)]
    pub destination: UncheckedAccount<'info>,
    /// CHECK: the vault's token program.
    pub token_program: UncheckedAccount<'info>,
}

pub(crate) fn collect_fees(ctx: Context<CollectFees>) -> Result<()> {
    let accounts = &ctx.accounts;
    let (amount, decimals) = {
        let mut vault = accounts.vault.load_mut()?;
        policy::require_unchanged(&accounts.stock_mint, &vault.mint_snapshot)?;
        (vault.state.collect_fees().or_program_error()?, vault.decimals)
    };
    let tokens = VaultTokens {
        tokens: &accounts.tokens,
        mint: &accounts.stock_mint,
        program: accounts.token_program.key,
        decimals,
    };
    tokens.transfer_out(&accounts.vault, &accounts.destination, amount)?;
    check_tokens(&*accounts.vault.load()?, &accounts.tokens)?;
    emit(
        &ctx.accounts.event_authority,
        &FeesCollected { vault: accounts.vault.key(), destination: accounts.destination.key(), amount: amount.0 },
    )
}
