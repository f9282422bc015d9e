//! Which option of which market a command means, and what is said of it.

use std::str::FromStr;

use anyhow::Result;
use clap::{Args, ValueEnum};
use perpetua_client::{
    book::{Book, per_day},
    instruction::Series,
    model::{
        Size, Tokens,
        pricing::{Rounding, Usd},
        token_value,
    },
    perpetua,
};
use serde_json::{Value, json};

use crate::{
    amounts::{self, parse_usd},
    fault::{model, refusal},
    names::{self, MarketName},
    session::{Listing, Session},
};

/// Call or put.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Side {
    /// Pays when the index rises.
    Call,
    /// Pays when the index falls.
    Put,
}

impl From<Side> for perpetua::Side {
    fn from(side: Side) -> Self {
        match side {
            Side::Call => Self::Call,
            Side::Put => Self::Put,
        }
    }
}

/// A strike as it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Strike {
    /// The nearest to the price of the index.
    AtTheMoney,
    /// A place on the grid.
    Tick(i16),
    /// The nearest to dollars.
    Near(String),
}

impl FromStr for Strike {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.eq_ignore_ascii_case("atm") {
            return Ok(Self::AtTheMoney);
        }
        match text.strip_prefix("tick:") {
            None => Ok(Self::Near(text.to_owned())),
            Some(tick) => tick.parse().map(Self::Tick).map_err(|_| format!("\"{tick}\" is no tick; write tick:-3")),
        }
    }
}

/// An option of a market.
#[derive(Args, Clone, Debug)]
pub struct SeriesArguments {
    /// The market, such as TSLAx:BTC, or TSLAx:BTC:dollar where there are two on that index.
    pub market: MarketName,
    /// call or put.
    pub side: Side,
    /// Strike in dollars (the nearest of the ladder is taken and shown), atm, or tick:NUMBER.
    #[arg(allow_hyphen_values = true)]
    pub strike: Strike,
}

/// An option that was found.
pub struct Target {
    /// Its vault.
    pub listing: Listing,
    /// All around it.
    pub book: Book,
    /// The number of its market.
    pub number: u8,
    /// Side and tick.
    pub series: Series,
    /// Its strike.
    pub strike: Usd,
}

impl SeriesArguments {
    /// Finds the option.
    ///
    /// Errors: there is no such market or strike; the network does not answer.
    pub fn find(&self, session: &Session) -> Result<Target> {
        let listing = session.listing(&self.market.vault)?;
        let book = session.book(&listing)?;
        let number = self.market.find(&listing.token.symbol, &book)?;
        let market = &book.market(number).map_err(model)?.market.state;
        let grid = market.config.grid().map_err(model)?;
        let tick = match &self.strike {
            Strike::AtTheMoney => grid.nearest_tick(spot(&book, number)?),
            Strike::Tick(tick) => *tick,
            Strike::Near(text) => grid.nearest_tick(parse_usd("the strike", text)?),
        };
        let strike = grid.strike(tick).ok_or_else(|| {
            refusal(format!("there is no strike at tick {tick}"), "look at perpetua ladder for those there are")
        })?;
        Ok(Target { listing, book, number, series: Series { side: self.side.into(), tick }, strike })
    }
}

/// The newest price of the index that a crank would take in, or the last one.
///
/// Errors: there is none yet.
pub fn spot(book: &Book, number: u8) -> Result<Usd> {
    let listed = book.market(number).map_err(model)?;
    let newest = book.index_price(listed).map(|(_, update)| update.price);
    let price = newest.unwrap_or_else(|| listed.index.state.feed.price.into());
    if price.is_price() {
        return Ok(price);
    }
    Err(refusal("the index has no price yet", "crank the market once its Pyth price account is fed"))
}

impl Target {
    /// What the option is called.
    pub fn name(&self) -> String {
        let symbol = &self.listing.token.symbol;
        let market = self.book.markets.get(usize::from(self.number));
        let market = market.map(|listed| names::of_market(symbol, listed)).unwrap_or_default();
        let (side, strike) = (names::of_side(self.series.side), amounts::usd(self.strike, Rounding::Down));
        format!("{market} {side} {strike} (tick {})", self.series.tick)
    }

    /// The same for programs.
    pub fn json(&self) -> Value {
        let symbol = &self.listing.token.symbol;
        let market = self.book.markets.get(usize::from(self.number));
        json!({
            "market": market.map(|listed| names::of_market(symbol, listed)),
            "token": symbol,
            "multiplier": self.listing.token.multiplier(),
            "side": names::of_side(self.series.side),
            "tick": self.series.tick,
            "strike": amounts::json_usd(self.strike),
        })
    }

    /// What a size pays for a day at the rates of now, rounded up.
    ///
    /// Errors: the market cannot be cranked now.
    pub fn funding_per_day(&self, size: Size) -> Result<Tokens> {
        let cranked = self.book.cranked(self.number, self.book.moment).map_err(model)?;
        let market = cranked.market();
        let spot = Usd::from(cranked.index().feed.price);
        let rate = market.current_rate(self.series.side.into(), self.strike, spot).map_err(model)?;
        token_value(size, market.units.last, per_day(rate), Rounding::Up).map_err(model)
    }
}

/// Takes the fields of one document into another.
pub fn merge(mut into: Value, from: Value) -> Value {
    if let (Value::Object(into), Value::Object(from)) = (&mut into, from) {
        into.extend(from);
    }
    into
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_strike_is_dollars_the_money_or_a_tick() {
        assert_eq!("ATM".parse(), Ok(Strike::AtTheMoney));
        assert_eq!("tick:-12".parse(), Ok(Strike::Tick(-12)));
        assert_eq!("60000.5".parse(), Ok(Strike::Near("60000.5".into())));
        assert!("tick:x".parse::<Strike>().is_err());
    }
}
