//! Takes what an executed withdrawal pays.

use anchor_lang::prelude::*;

use crate::{
    PerpetuaError,
    error::OrProgramError,
    events::{WithdrawalClaimed, emit},
    instructions::common::{check_tokens, conditions, names},
    state::{Exchange, Vault, WithdrawalTicket},
    token::{VaultTokens, policy},
};

/// Accounts of `claim_withdrawal`.
#[event_cpi]
#[derive(Accounts)]
pub struct ClaimWithdrawal<'info> {
    /// Who left.
    pub owner: Signer<'info>,
    /// The vault's exchange.
    pub exchange: AccountLoader<'info, Exchange>,
    /// The pool's vault.
    #[account(
        mut,
        constraint = names!(vault: Vault => exchange, tokens, stock_mint, token_program) @ PerpetuaError::WrongAccount,
    )]
    pub vault: AccountLoader<'info, Vault>,
    /// The executed ticket.
    #[account(
        mut,
        constraint = names!(ticket: WithdrawalTicket => vault) @ PerpetuaError::WrongAccount,
        constraint = names!(ticket: WithdrawalTicket => owner) @ PerpetuaError::Unauthorized,
    )]
    pub ticket: AccountLoader<'info, WithdrawalTicket>,
    /// The stock token.
    /// CHECK: the vault names it, and the policy reads it.
    pub stock_mint: UncheckedAccount<'info>,
    /// Where the tokens go.
    /// CHECK: the token program checks it.
    #[account(mut)]
    pub destination: UncheckedAccount<'info>,
    /// The vault's tokens.
    /// CHECK: the vault names it.
    #[account(mut)]
    pub tokens: UncheckedAccount<'info>,
    /// CHECK: the vault's token program.
    pub token_program: UncheckedAccount<'info>,
}

pub(crate) fn claim_withdrawal(ctx: Context<ClaimWithdrawal>) -> Result<()> {
    let accounts = &ctx.accounts;
    let (amount, decimals) = {
        let mut vault = accounts.vault.load_mut()?;
        let state = conditions(&*accounts.exchange.load()?, &vault, &accounts.tokens)?
            .and(policy::conditions(&accounts.stock_mint, &vault.mint_snapshot)?);
        let mut ticket = accounts.ticket.load_mut()?;
        (vault.state.claim_withdrawal(&mut ticket.state, state).or_program_error()?, vault.decimals)
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
        &WithdrawalClaimed {
            vault: accounts.vault.key(),
            owner: accounts.owner.key(),
            ticket: accounts.ticket.key(),
            amount: amount.0,
        },
    )
}
