use anchor_lang::prelude::*;
use perpetua_model::{Conditions, Size};

use crate::{
    error::PerpetuaError,
    instructions::{
        arguments::Side,
        common::{conditions, moment, names},
    },
    state::{Exchange, Index, Market, Vault},
};

/// Accounts of `view_quote`.
#[derive(Accounts)]
pub struct ViewQuote<'info> {
    /// The vault.
    #[account(constraint = names!(vault: Vault => exchange, tokens) @ PerpetuaError::WrongAccount)]
    pub vault: AccountLoader<'info, Vault>,
    /// The market's index.
    pub index: AccountLoader<'info, Index>,
    /// The market.
    #[account(constraint = names!(market: Market => vault, index) @ PerpetuaError::WrongAccount)]
    pub market: AccountLoader<'info, Market>,
    /// The exchange.
    pub exchange: AccountLoader<'info, Exchange>,
    /// CHECK: the vault's token account.
    pub tokens: UncheckedAccount<'info>,
}

/// What a size of an option costs and pays now; nothing where the trade would be refused.
#[derive(AnchorSerialize, AnchorDeserialize, Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quote {
    /// What opening costs, before the limits on reserves and the account's margin are looked at.
    pub open: Option<OpenCost>,
    /// What closing pays, before what the position owes is taken off.
    pub close: Option<CloseProceeds>,
}

/// What opening costs.
#[derive(AnchorSerialize, AnchorDeserialize, Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpenCost {
    /// The option's value per index unit, US dollars Q64.64.
    pub value: u128,
    /// What the main pool receives, raw stock-token units.
    pub premium: u64,
    /// The trading fee, raw stock-token units.
    pub fee: u64,
    /// What the main pool reserves, raw stock-token units.
    pub reserve: u64,
}

/// What closing pays.
#[derive(AnchorSerialize, AnchorDeserialize, Clone, Copy, Debug, PartialEq, Eq)]
pub struct CloseProceeds {
    /// The option's value per index unit, US dollars Q64.64.
    pub value: u128,
    /// What the main pool pays, raw stock-token units.
    pub payout: u64,
    /// The trading fee that is taken from it, raw stock-token units.
    pub fee: u64,
}

pub(crate) fn view_quote(ctx: Context<ViewQuote>, side: Side, tick: i16, size: u64) -> Result<Quote> {
    let vault = ctx.accounts.vault.load()?;
    let index = &ctx.accounts.index.load()?.state;
    let market = ctx.accounts.market.load()?;
    let conditions = conditions(&*ctx.accounts.exchange.load()?, &vault, &ctx.accounts.tokens)?;
    let (key, size, moment) = (side.of(market.number, tick), Size(size), moment()?);

    let open = market.state.quote_open(index, &vault.state, key, size, conditions, moment).ok();
    let close = market.state.quote_close(index, key, size, Conditions::NORMAL, moment).ok();
    Ok(Quote {
        open: open.map(|quote| OpenCost {
            value: quote.value.get(),
            premium: quote.premium.0,
            fee: quote.fee.0,
            reserve: quote.reserve.0,
        }),
        close: close.map(|quote| CloseProceeds { value: quote.value.get(), payout: quote.payout.0, fee: quote.fee.0 }),
    })
}
