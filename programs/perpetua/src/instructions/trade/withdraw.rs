use anchor_lang::prelude::*;
use perpetua_model::Tokens;

use crate::{
    error::{OrProgramError, PerpetuaError},
    events::{Withdrawn, emit},
    instructions::common::{ReadMarkets, check_tokens, conditions, moment, names},
    state::{Exchange, MarginAccount, Vault},
    token::{VaultTokens, policy},
};

/// Accounts of `withdraw`; behind them every market that the account has positions in.
#[event_cpi]
#[derive(Accounts)]
pub struct Withdraw<'info> {
    /// The account's owner.
    pub owner: Signer<'info>,
    /// The exchange.
    pub exchange: AccountLoader<'info, Exchange>,
    /// The vault.
    #[account(
        mut,
        constraint = names!(vault: Vault => exchange, stock_mint, tokens, token_program) @ PerpetuaError::WrongAccount,
    )]
    pub vault: AccountLoader<'info, Vault>,
    /// The account that is charged.
    #[account(
        mut,
        constraint = names!(account: MarginAccount => vault) @ PerpetuaError::WrongAccount,
        constraint = names!(account: MarginAccount => owner) @ PerpetuaError::Unauthorized,
    )]
    pub account: AccountLoader<'info, MarginAccount>,
    /// CHECK: the vault's mint.
    pub stock_mint: UncheckedAccount<'info>,
    /// CHECK: where the tokens go, anybody's; the token program checks it.
    #[account(mut)]
    pub destination: UncheckedAccount<'info>,
    /// CHECK: the vault's token account.
    #[account(mut)]
    pub tokens: UncheckedAccount<'info>,
    /// CHECK: the vault's token program.
    pub token_program: UncheckedAccount<'info>,
}

impl<'info> Withdraw<'info> {
    /// Moves the tokens, which the ledgers no longer count.
    fn transfer(&self, amount: u64) -> Result<()> {
        let tokens = VaultTokens {
            tokens: &self.tokens,
            mint: &self.stock_mint,
            program: self.token_program.key,
            decimals: self.vault.load()?.decimals,
        };
        tokens.transfer_out(&self.vault, &self.destination, Tokens(amount))
    }
}

pub(crate) fn withdraw(ctx: Context<Withdraw>, amount: u64) -> Result<()> {
    let vault_key = ctx.accounts.vault.key();
    let collateral = {
        let mut vault = ctx.accounts.vault.load_mut()?;
        let mut account = ctx.accounts.account.load_mut()?;
        let markets = ReadMarkets::load(&vault_key, ctx.remaining_accounts)?;
        let conditions = conditions(&*ctx.accounts.exchange.load()?, &vault, &ctx.accounts.tokens)?
            .and(policy::conditions(&ctx.accounts.stock_mint, &vault.mint_snapshot)?);
        let (state, now) = (&mut account.state, moment()?.now);
        perpetua_model::withdraw(&mut vault.state, state, &markets.refs(), Tokens(amount), conditions, now)
            .or_program_error()?;
        account.state.collateral.0
    };
    ctx.accounts.transfer(amount)?;

    check_tokens(&*ctx.accounts.vault.load()?, &ctx.accounts.tokens)?;
    let event = Withdrawn { vault: vault_key, account: ctx.accounts.account.key(), amount, collateral };
    emit(&ctx.accounts.event_authority, &event)
}
