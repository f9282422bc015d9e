//! Names the feeds that price a vault's stock, for its dollar markets.

use anchor_lang::prelude::*;

use super::StockParameters;
use crate::{
    PerpetuaError,
    constants::VERSION,
    error::OrProgramError,
    events::{StockCreated, emit},
    instructions::common::{DISCRIMINATOR, moment},
    state::{Exchange, Stock, Vault},
    token::policy,
};

/// Accounts of `create_stock`.
#[event_cpi]
#[derive(Accounts)]
pub struct CreateStock<'info> {
    /// The administrator, who pays the rent.
    #[account(mut)]
    pub admin: Signer<'info>,
    /// Names the administrator.
    #[account(has_one = admin @ PerpetuaError::Unauthorized)]
    pub exchange: AccountLoader<'info, Exchange>,
    /// The vault whose token is priced.
    #[account(
        has_one = exchange @ PerpetuaError::WrongAccount,
        has_one = stock_mint @ PerpetuaError::WrongAccount,
    )]
    pub vault: AccountLoader<'info, Vault>,
    /// CHECK: the vault's mint, which carries the multiplier.
    pub stock_mint: UncheckedAccount<'info>,
    /// Receives feeds, guards and calendar.
    #[account(
        init,
        payer = admin,
        space = DISCRIMINATOR + size_of::<Stock>(),
        seeds = [Stock::SEED, vault.key().as_ref()],
        bump,
    )]
    pub stock: AccountLoader<'info, Stock>,
    /// Creates accounts.
    pub system_program: Program<'info, System>,
}

pub(crate) fn create_stock(ctx: Context<CreateStock>, parameters: StockParameters) -> Result<()> {
    let config = parameters.config(ctx.accounts.vault.load()?.decimals);
    let multiplier = policy::scaled_ui(&ctx.accounts.stock_mint)?;
    {
        let mut stock = ctx.accounts.stock.load_init()?;
        stock.vault = ctx.accounts.vault.key();
        stock.stock_mint = ctx.accounts.stock_mint.key();
        stock.share_feed = parameters.share_feed;
        stock.token_feed = parameters.token_feed.unwrap_or_default();
        stock.version = VERSION;
        stock.bump = ctx.bumps.stock;
        stock.state = perpetua_model::Stock::new(config, &multiplier, moment()?.now).or_program_error()?;
    }
    let event = StockCreated { stock: ctx.accounts.stock.key(), vault: ctx.accounts.vault.key() };
    emit(&ctx.accounts.event_authority, &event)
}
