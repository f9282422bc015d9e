//! Names the feeds that price a vault's stock, for its dollar markets.

use anchor_lang::prelude::*;

use super::StockParameters;
use crate::{
    PerpetuaError,
    constants::VERSION,
    error::OrProgramError,
    events::{StockCreated, emit},
    instructions::{
        common::{moment, names},
        create::create,
    },
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
    #[account(constraint = names!(exchange: Exchange => admin) @ PerpetuaError::Unauthorized)]
    pub exchange: AccountLoader<'info, Exchange>,
    /// The vault whose token is priced.
    #[account(constraint = names!(vault: Vault => exchange, stock_mint) @ PerpetuaError::WrongAccount)]
    pub vault: AccountLoader<'info, Vault>,
    /// CHECK: the vault's mint, which carries the multiplier.
    pub stock_mint: UncheckedAccount<'info>,
    /// Receives feeds, guards and calendar.
    /// CHECK: created here, at the address of its seeds.
    #[account(mut, seeds = [Stock::SEED, vault.key().as_ref()], bump)]
    pub stock: UncheckedAccount<'info>,
    /// Creates accounts.
    pub system_program: Program<'info, System>,
}

pub(crate) fn create_stock(ctx: Context<CreateStock>, parameters: StockParameters) -> Result<()> {
    let vault = ctx.accounts.vault.key();
    let config = parameters.config(ctx.accounts.vault.load()?.decimals);
    let multiplier = policy::scaled_ui(&ctx.accounts.stock_mint)?;
    {
        let seeds: [&[u8]; 3] = [Stock::SEED, vault.as_ref(), &[ctx.bumps.stock]];
        let mut stock = create::<Stock>(&ctx.accounts.admin, &ctx.accounts.stock, &seeds)?;
        stock.vault = vault;
        stock.stock_mint = ctx.accounts.stock_mint.key();
        stock.share_feed = parameters.share_feed;
        stock.token_feed = parameters.token_feed.unwrap_or_default();
        stock.version = VERSION;
        stock.bump = ctx.bumps.stock;
        stock.state = perpetua_model::Stock::new(config, &multiplier, moment()?.now).or_program_error()?;
    }
    let event = StockCreated { stock: ctx.accounts.stock.key(), vault };
    emit(&ctx.accounts.event_authority, &event)
}
