//! A stock at its desk: its feeds, its mint and its readings, without a market.

use super::*;
use num_bigint::BigInt;
use num_rational::BigRational;

/// Friday 09:30 and 16:00 in New York.
pub const OPENS: i64 = IN_SESSION - 9_000;
pub const CLOSES: i64 = IN_SESSION + 14_400;
pub const DAY: i64 = 86_400;
/// The Monday after.
pub const MONDAY: i64 = OPENS + 3 * DAY;

/// A stock, and the mint that it follows.
#[derive(Clone)]
pub struct Desk {
    pub stock: Stock,
    pub mint: ScaledUi,
}

impl Desk {
    pub fn new(config: StockConfig, multiplier: f64) -> Self {
        let bits = multiplier.to_bits();
        let mint = ScaledUi { current: bits, next: bits, next_from: 0 };
        Self { stock: Stock::new(config, &mint, START).unwrap(), mint }
    }

    /// One with a price of 400 dollars, a second old, at `now`.
    pub fn priced(config: StockConfig, now: i64) -> Self {
        let mut desk = Self::new(config, 1.0);
        desk.share(SHARE_CENTS, now, now - 1);
        desk
    }

    pub fn crank(&mut self, share: Option<PriceUpdate>, token: Option<PriceUpdate>, now: i64) -> Result<()> {
        let moment = Moment { now, slot: now.unsigned_abs() };
        self.stock.crank(&self.mint, share.as_ref(), token.as_ref(), moment)
    }

    /// The exchange's feed publishes, after an update at `previous`, and is cranked at once.
    pub fn share(&mut self, cents: u64, now: i64, previous: i64) {
        self.crank(Some(update(cents, 2, now, previous)), None, now).unwrap();
    }

    pub fn token(&mut self, cents: u64, now: i64) {
        self.crank(None, Some(update(cents, 2, now, now - 1)), now).unwrap();
    }

    /// What the stock says when it is looked at without an update.
    pub fn at(&self, now: i64) -> StockReading {
        let mut desk = self.clone();
        desk.crank(None, None, now).unwrap();
        desk.stock.read(Moment { now, slot: now.unsigned_abs() }).unwrap()
    }

    pub fn states(&self, now: i64) -> Vec<Condition> {
        let conditions = self.at(now).conditions;
        Condition::ALL.into_iter().filter(|condition| conditions.has(*condition)).collect()
    }

    pub fn announce(&mut self, multiplier: f64, from: i64) {
        self.mint = ScaledUi { next: multiplier.to_bits(), next_from: from, ..self.mint };
    }
}

pub fn with_token_feed() -> StockConfig {
    StockConfig { has_token_feed: 1, ..stock_config() }
}

/// `10^decimals / price`, exact, in the last place of a [`UnitsPerUsd`].
pub fn exact(decimals: u8, price: Usd) -> BigRational {
    let one = BigInt::from(10u128.pow(decimals.into())) << (64 + UNITS_PER_USD_FRACTION_BITS);
    BigRational::new(one, price.bits().into())
}

pub fn integer(units: UnitsPerUsd) -> BigRational {
    BigInt::from(units.0).into()
}

pub fn units_of(cents: u64) -> BigRational {
    exact(8, Usd::from_cents(cents))
}

pub fn bps_of(value: &BigRational, bps: u64) -> BigRational {
    value * BigRational::new(bps.into(), 10_000.into())
}

pub fn relative_difference(a: UnitsPerUsd, b: UnitsPerUsd) -> BigRational {
    BigRational::new(a.0.abs_diff(b.0).into(), a.0.max(b.0).max(1).into())
}

pub fn billionth() -> BigRational {
    BigRational::new(1.into(), 1_000_000_000.into())
}
