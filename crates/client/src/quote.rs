//! Quotes off the chain, by the code that the program runs. What is quoted for a moment is what the program charges
//! then, if the accounts and the price are the same.

use perpetua::state::{Exchange, Index, MarginAccount, Market, Stock, Vault};
use perpetua_model::{
    CloseQuote, Condition, Conditions, Health, MARKETS, MarketRefs, ModelError, Moment, NetAssetValue, OpenQuote,
    PoolKind, PriceUpdate, Result, SeriesKey, Shares, Size, Tokens,
};

use crate::instruction::Series;

/// The accounts that a quote is made from.
#[derive(Clone, Copy)]
pub struct Trade<'a> {
    /// The configuration.
    pub exchange: &'a Exchange,
    /// The vault.
    pub vault: &'a Vault,
    /// Tokens in the vault's token account, raw units.
    pub balance: Tokens,
    /// The index.
    pub index: &'a Index,
    /// The market.
    pub market: &'a Market,
    /// The stock, which a dollar market needs, as it is after `crank_stock` in the slot of the quote.
    pub stock: Option<&'a Stock>,
}

/// A market and its index as they will be once funding was cranked.
pub struct Cranked {
    index: perpetua_model::Index,
    // Ten kilobytes: not for the stack.
    market: Box<perpetua_model::Market>,
}

impl Cranked {
    /// The index as it will be.
    pub fn index(&self) -> &perpetua_model::Index {
        &self.index
    }

    /// The market as it will be.
    pub fn market(&self) -> &perpetua_model::Market {
        &self.market
    }

    /// Puts a strike on the ladder, as an opening does, to see what selling there would pay.
    ///
    /// Errors: [`ModelError::SlotOccupied`], [`ModelError::TickTooFar`].
    pub fn claim_slot(&mut self, tick: i16) -> Result<()> {
        self.market.claim_slot(tick).map(|_| ())
    }
}

impl Trade<'_> {
    /// What cranking with `price` at `moment` will leave; without a price the stored one is used.
    ///
    /// Errors: those of [`perpetua_model::Index::accept`] and [`perpetua_model::Market::accrue`].
    pub fn crank(&self, price: Option<&PriceUpdate>, moment: Moment) -> Result<Cranked> {
        let mut cranked = Cranked { index: self.index.state, market: Box::new(self.market.state) };
        if let Some(price) = price {
            cranked.index.accept(price, moment.now)?;
        }
        cranked.market.accrue(&cranked.index, self.stock.map(|stock| &stock.state), moment)?;
        Ok(cranked)
    }

    /// What opening `size` will cost.
    ///
    /// Errors: those of [`perpetua_model::Market::quote_open`].
    pub fn open(&self, cranked: &Cranked, series: Series, size: Size, moment: Moment) -> Result<OpenQuote> {
        let conditions = self.conditions()?;
        cranked.market.quote_open(&cranked.index, &self.vault.state, self.key(series), size, conditions, moment)
    }

    /// What closing `size` will pay.
    ///
    /// Errors: those of [`perpetua_model::Market::quote_close`].
    pub fn close(&self, cranked: &Cranked, series: Series, size: Size, moment: Moment) -> Result<CloseQuote> {
        cranked.market.quote_close(&cranked.index, self.key(series), size, Conditions::NORMAL, moment)
    }

    fn key(&self, series: Series) -> SeriesKey {
        SeriesKey { market: self.market.number, side: series.side.into(), tick: series.tick }
    }

    fn conditions(&self) -> Result<Conditions> {
        Ok(Conditions::NORMAL
            .with(Condition::Paused, self.exchange.opening_paused != 0)
            .with(Condition::VaultShort, self.vault.state.total()? > self.balance))
    }
}

/// How an account of the vault stands at `now`. `markets` are those that it has positions in, in any order.
///
/// Errors: [`ModelError::MarketMissing`], [`ModelError::MathOverflow`].
pub fn health<'a>(
    vault: &Vault,
    account: &MarginAccount,
    markets: impl IntoIterator<Item = &'a Market>,
    now: i64,
) -> Result<Health> {
    let (mut vault, mut account) = (vault.state, account.state);
    vault.sync(&mut account)?;
    let mut given: MarketRefs<'_> = [None; MARKETS];
    for market in markets {
        *given.get_mut(usize::from(market.number)).ok_or(ModelError::MarketMissing)? = Some(&market.state);
    }
    perpetua_model::health(&account, &given, now)
}

/// What a pool is worth in `slot`. `markets` are all of the vault's, each marked.
///
/// Errors: [`ModelError::MarkStale`], [`ModelError::MathOverflow`].
pub fn pool_value<'a>(
    vault: &Vault,
    pool: PoolKind,
    markets: impl IntoIterator<Item = &'a Market>,
    slot: u64,
) -> Result<NetAssetValue> {
    vault.state.net_asset_value(pool, markets.into_iter().map(|market| &market.state), slot)
}

/// The shares that `amount` raw stock tokens buy at `value`.
///
/// Errors: [`ModelError::SharePriceTooLow`], [`ModelError::MathOverflow`].
pub fn shares_for(vault: &Vault, pool: PoolKind, value: NetAssetValue, amount: Tokens) -> Result<Shares> {
    vault.state.shares_for(pool, value, amount)
}

/// What `shares` are worth at `value` before the exit fee, raw stock tokens.
///
/// Errors: [`ModelError::MathOverflow`].
pub fn tokens_for(vault: &Vault, pool: PoolKind, value: NetAssetValue, shares: Shares) -> Result<Tokens> {
    vault.state.tokens_for(pool, value, shares)
}
