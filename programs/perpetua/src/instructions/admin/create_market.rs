//! Lists a market.

use anchor_lang::prelude::*;
use perpetua_model::MarketConfig;

use super::MarketParameters;
use crate::{
    PerpetuaError,
    constants::VERSION,
    error::OrProgramError,
    events::{MarketCreated, emit},
    instructions::{
        common::{moment, names},
        create::create,
    },
    state::{Exchange, Index, Market, Vault},
};

/// Accounts of `create_market`.
#[event_cpi]
#[derive(Accounts)]
#[instruction(parameters: MarketParameters)]
pub struct CreateMarket<'info> {
    /// The administrator, who pays the rent.
    #[account(mut)]
    pub admin: Signer<'info>,
    /// Names the administrator.
    #[account(constraint = names!(exchange: Exchange => admin) @ PerpetuaError::Unauthorized)]
    pub exchange: AccountLoader<'info, Exchange>,
    /// Will pay and be paid.
    #[account(mut, constraint = names!(vault: Vault => exchange) @ PerpetuaError::WrongAccount)]
    pub vault: AccountLoader<'info, Vault>,
    /// The underlying.
    #[account(constraint = names!(index: Index => exchange) @ PerpetuaError::WrongAccount)]
    pub index: AccountLoader<'info, Index>,
    /// Receives the parameters and the strike ladder.
    /// CHECK: created here, at the address of its seeds.
    #[account(
        mut,
        seeds = [
            Market::SEED,
            vault.key().as_ref(),
            index.key().as_ref(),
            &[parameters.settlement.number()],
        ],
        bump,
    )]
    pub market: UncheckedAccount<'info>,
    /// Creates accounts.
    pub system_program: Program<'info, System>,
}

pub(crate) fn create_market(ctx: Context<CreateMarket>, parameters: MarketParameters) -> Result<()> {
    let (now, config) = (moment()?.now, MarketConfig::from(parameters));
    let (number, opens_at) = {
        let mut vault = ctx.accounts.vault.load_mut()?;
        let number = vault.market_count;
        let place = vault.markets.get_mut(usize::from(number)).ok_or(PerpetuaError::TooManyMarkets)?;
        *place = ctx.accounts.market.key();
        // At most the number of places.
        vault.market_count = number.saturating_add(1);
        (number, vault.state.new_market_opens_at(&config, now))
    };
    {
        let index = ctx.accounts.index.load()?;
        let (vault, on) = (ctx.accounts.vault.key(), ctx.accounts.index.key());
        let seeds: [&[u8]; 5] =
            [Market::SEED, vault.as_ref(), on.as_ref(), &[parameters.settlement.number()], &[ctx.bumps.market]];
        let mut market = create::<Market>(&ctx.accounts.admin, &ctx.accounts.market, &seeds)?;
        market.vault = vault;
        market.index = ctx.accounts.index.key();
        market.version = VERSION;
        market.bump = ctx.bumps.market;
        market.number = number;
        market.state.initialize(config, &index.state, now, opens_at).or_program_error()?;
    }
    emit(
        &ctx.accounts.event_authority,
        &MarketCreated {
            market: ctx.accounts.market.key(),
            vault: ctx.accounts.vault.key(),
            index: ctx.accounts.index.key(),
            number,
        },
    )
}
