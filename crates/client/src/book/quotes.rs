//! What trades would cost and how accounts stand, once the markets were cranked with the book's prices.

use perpetua::state::MarginAccount;
use perpetua_model::{
    CloseQuote, FundingRate, Health, MARKETS, MarketRefs, ModelError, Moment, OPEN_TICKS, OpenQuote, Position, Result,
    Size, Tokens,
    pricing::{Rounding, Side, Usd},
    token_value,
};

use super::{Book, Listed};
use crate::{
    instruction::Series,
    quote::{self, Cranked, Trade},
};

/// Days in the year that rates are for.
const DAYS: u128 = 365;

/// An option as it can be traded now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LadderSide {
    /// What the smallest size costs, or why nobody can buy it.
    pub ask: Result<OpenQuote>,
    /// What the smallest size pays, or why nobody can sell it.
    pub bid: Result<CloseQuote>,
    /// What it pays for being held, US dollars per index unit and year, Q32.32.
    pub funding: Result<FundingRate>,
    /// Sum of all positions.
    pub open_interest: Size,
}

/// A strike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LadderRow {
    /// Its place on the grid.
    pub tick: i16,
    /// The strike.
    pub strike: Usd,
    /// The call.
    pub call: LadderSide,
    /// The put.
    pub put: LadderSide,
}

/// A position and what it is worth to its owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PositionStatus {
    /// Number of its market.
    pub market: u8,
    /// The option.
    pub series: Series,
    /// The strike.
    pub strike: Usd,
    /// Its size.
    pub size: Size,
    /// What selling all of it pays, or why it cannot be sold.
    pub close: Result<CloseQuote>,
    /// Funding that it owes, raw units, rounded up.
    pub owed: Tokens,
    /// What it pays for a day, raw units, rounded up.
    pub funding_per_day: Tokens,
}

/// Dollars per index unit and day, rounded up.
pub fn per_day(rate: FundingRate) -> Usd {
    // From 32 fraction bits to 64; a rate is below 2^61, so it fits.
    Usd::from_bits((u128::from(rate.0) << 32).div_ceil(DAYS))
}

impl Book {
    /// The accounts that a quote in a market is made from.
    ///
    /// Errors: [`ModelError::MarketMissing`].
    pub fn trade(&self, number: u8) -> Result<Trade<'_>> {
        let Listed { market, index, .. } = self.market(number)?;
        Ok(Trade {
            exchange: &self.exchange,
            vault: &self.vault,
            balance: self.balance,
            index,
            market,
            stock: self.stock.as_deref(),
        })
    }

    /// A market as the cranks of [`Self::cranks`] leave it at `moment`.
    ///
    /// Errors: those of [`Trade::crank`].
    pub fn cranked(&self, number: u8, moment: Moment) -> Result<Cranked> {
        let mut trade = self.trade(number)?;
        let price = self.index_price(self.market(number)?).map(|(_, update)| update);
        let Some(stock) = &self.stock else { return trade.crank(price.as_ref(), moment) };
        let [share, token] = self.stock_prices().map(|price| price.map(|(_, update)| update));
        let mut stock = stock.clone();
        stock.state.crank(&self.mint.scaled_ui, share.as_ref(), token.as_ref(), moment)?;
        trade.stock = Some(&stock);
        trade.crank(price.as_ref(), moment)
    }

    /// What opening costs now.
    ///
    /// Errors: those of [`Trade::crank`] and [`Trade::open`].
    pub fn quote_open(&self, number: u8, series: Series, size: Size) -> Result<OpenQuote> {
        let cranked = self.cranked(number, self.moment)?;
        self.trade(number)?.open(&cranked, series, size, self.moment)
    }

    /// What closing pays now.
    ///
    /// Errors: those of [`Trade::crank`] and [`Trade::close`].
    pub fn quote_close(&self, number: u8, series: Series, size: Size) -> Result<CloseQuote> {
        let cranked = self.cranked(number, self.moment)?;
        self.trade(number)?.close(&cranked, series, size, self.moment)
    }

    /// Every strike that positions may be opened at, from the lowest.
    ///
    /// Errors: those of [`Trade::crank`].
    pub fn ladder(&self, number: u8) -> Result<Vec<LadderRow>> {
        let trade = self.trade(number)?;
        let mut cranked = self.cranked(number, self.moment)?;
        let grid = cranked.market().config.grid()?;
        let spot = Usd::from(cranked.index().feed.price);
        let (middle, reach) = (grid.nearest_tick(spot), i16::try_from(OPEN_TICKS).unwrap_or(i16::MAX));
        let mut rows = Vec::new();
        for tick in middle.saturating_sub(reach)..=middle.saturating_add(reach) {
            let Some(strike) = grid.strike(tick) else { continue };
            let call = self.ladder_side(&trade, &mut cranked, Series { side: perpetua::Side::Call, tick }, strike);
            let put = self.ladder_side(&trade, &mut cranked, Series { side: perpetua::Side::Put, tick }, strike);
            rows.push(LadderRow { tick, strike, call, put });
        }
        Ok(rows)
    }

    fn ladder_side(&self, trade: &Trade<'_>, cranked: &mut Cranked, series: Series, strike: Usd) -> LadderSide {
        let size = cranked.market().config.min_size.max(Size(1));
        let side = Side::from(series.side);
        let known = cranked.market().series(side, series.tick).map(|(_, found)| *found).ok();
        let traded = known.filter(|found| !found.open_interest.is_zero());
        let spot = Usd::from(cranked.index().feed.price);
        let funding = match traded {
            Some(found) => Ok(found.rate),
            None => cranked.market().current_rate(side, strike, spot),
        };
        // Selling needs the strike on the ladder, as buying puts it there.
        let bid = cranked.claim_slot(series.tick).and_then(|_| trade.close(cranked, series, size, self.moment));
        let ask = trade.open(cranked, series, size, self.moment);
        let occupied = matches!(bid, Err(ModelError::SlotOccupied));
        LadderSide {
            ask: if occupied { Err(ModelError::SlotOccupied) } else { ask },
            bid,
            funding,
            open_interest: traded.map_or(Size::ZERO, |found| found.open_interest),
        }
    }

    /// How an account stands once its markets were cranked; a market that cannot be counts as it is.
    ///
    /// Errors: [`ModelError::MarketMissing`], [`ModelError::MathOverflow`].
    pub fn health(&self, account: &MarginAccount) -> Result<Health> {
        let mut markets = Vec::new();
        for number in self.markets_of(account) {
            let mut market = self.market(number)?.market.clone();
            if let Ok(cranked) = self.cranked(number, self.moment) {
                market.state = *cranked.market();
            }
            markets.push(market);
        }
        quote::health(&self.vault, account, markets.iter().map(AsRef::as_ref), self.moment.now)
    }

    /// The positions of an account, once its markets were cranked.
    ///
    /// Errors: [`ModelError::MarketMissing`], [`ModelError::PositionNotFound`], [`ModelError::MathOverflow`].
    pub fn positions(&self, account: &MarginAccount) -> Result<Vec<PositionStatus>> {
        let positions = account.state.open_positions();
        positions.map(|(_, position)| self.position(position)).collect()
    }

    fn position(&self, position: &Position) -> Result<PositionStatus> {
        let key = position.key();
        let side = if key.side == Side::Call { perpetua::Side::Call } else { perpetua::Side::Put };
        let series = Series { side, tick: key.tick };
        let cranked = self.cranked(key.market, self.moment);
        let market = match &cranked {
            Ok(cranked) => cranked.market(),
            Err(_) => &self.market(key.market)?.market.state,
        };
        let (slot, found) = market.series(key.side, key.tick)?;
        let trade = self.trade(key.market)?;
        let close = cranked.as_ref().map_err(|error| *error);
        let close = close.and_then(|cranked| trade.close(cranked, series, position.size, self.moment));
        Ok(PositionStatus {
            market: key.market,
            series,
            strike: slot.strike.into(),
            size: position.size,
            close,
            owed: self.owed(position, market)?,
            funding_per_day: token_value(position.size, market.units.last, per_day(found.rate), Rounding::Up)?,
        })
    }

    /// What an account with this position alone would owe.
    fn owed(&self, position: &Position, market: &perpetua_model::Market) -> Result<Tokens> {
        let mut account = perpetua_model::MarginAccount::default();
        account.positions[0] = *position;
        let mut markets: MarketRefs<'_> = [None; MARKETS];
        *markets.get_mut(usize::from(position.market)).ok_or(ModelError::MarketMissing)? = Some(market);
        Ok(perpetua_model::health(&account, &markets, self.moment.now)?.owed)
    }
}
