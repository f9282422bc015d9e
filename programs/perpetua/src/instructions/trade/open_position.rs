use anchor_lang::prelude::*;
use perpetua_model::{Size, Tokens, TradeMarkets};

use crate::{
    error::{OrProgramError, PerpetuaError},
    events::{PositionOpened, emit},
    instructions::{
        arguments::Side,
        common::{ReadMarkets, check_tokens, conditions, moment, names},
    },
    state::{Exchange, Index, MarginAccount, Market, Vault},
    token::policy,
};

/// Accounts of `open_position`; behind them every other market that the account has positions in.
#[event_cpi]
#[derive(Accounts)]
pub struct OpenPosition<'info> {
    /// The account's owner.
    pub owner: Signer<'info>,
    /// The exchange.
    pub exchange: AccountLoader<'info, Exchange>,
    /// The vault.
    #[account(mut, constraint = names!(vault: Vault => exchange, stock_mint, tokens) @ PerpetuaError::WrongAccount)]
    pub vault: AccountLoader<'info, Vault>,
    /// The account that pays and holds the position.
    #[account(
        mut,
        constraint = names!(account: MarginAccount => vault) @ PerpetuaError::WrongAccount,
        constraint = names!(account: MarginAccount => owner) @ PerpetuaError::Unauthorized,
    )]
    pub account: AccountLoader<'info, MarginAccount>,
    /// The market's index.
    pub index: AccountLoader<'info, Index>,
    /// The market.
    #[account(mut, constraint = names!(market: Market => vault, index) @ PerpetuaError::WrongAccount)]
    pub market: AccountLoader<'info, Market>,
    /// CHECK: the stock token's mint, which must be as it was listed and not paused: no new risk in tokens that are stuck.
    pub stock_mint: UncheckedAccount<'info>,
    /// CHECK: the vault's token account, which must cover the ledgers.
    pub tokens: UncheckedAccount<'info>,
}

pub(crate) fn open_position(ctx: Context<OpenPosition>, side: Side, tick: i16, size: u64, max_cost: u64) -> Result<()> {
    let accounts = &ctx.accounts;
    let vault_key = accounts.vault.key();
    let mut vault = accounts.vault.load_mut()?;
    let mut account = accounts.account.load_mut()?;
    let index = accounts.index.load()?;
    let mut market = accounts.market.load_mut()?;
    let number = market.number;
    let others = ReadMarkets::load_others(&vault_key, ctx.remaining_accounts, number)?;
    let conditions = conditions(&*accounts.exchange.load()?, &vault, &accounts.tokens)?
        .and(policy::conditions(&accounts.stock_mint, &vault.mint_snapshot)?);

    let report = perpetua_model::open_position(
        &mut vault.state,
        &mut account.state,
        TradeMarkets { number, traded: &mut market.state, others: others.refs() },
        &index.state,
        (side.of(number, tick), Size(size)),
        Tokens(max_cost),
        conditions,
        moment()?,
    )
    .or_program_error()?;

    check_tokens(&vault, &accounts.tokens)?;
    let event = PositionOpened {
        vault: vault_key,
        market: accounts.market.key(),
        account: accounts.account.key(),
        side,
        tick,
        strike: report.quote.strike.get(),
        price: index.state.feed.price.get(),
        value: report.quote.value.get(),
        size,
        premium: report.quote.premium.0,
        fee: report.quote.fee.0,
        reserve: report.quote.reserve.0,
        funding: report.funding.0,
        position_size: report.size.0,
        collateral: account.state.collateral.0,
    };
    emit(&accounts.event_authority, &event)
}
