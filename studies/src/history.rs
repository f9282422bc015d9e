//! The joint history of a stock and an index, hour by hour of the index.

use anyhow::{Context, Result};
use perpetua_pricing::{Curve, Real, Rounding, Side, Usd};

use crate::{series::Price, volatility::Variance};

/// Days at the start of the index's history that only feed the volatility.
const WARM_UP: i64 = 30 * 86_400;
const HOUR: i64 = 3_600;
/// What a close gets of `X` while the exchange is closed.
const CLOSED_HAIRCUT: f64 = 0.95;
/// A funding period of seven days and a cap of half the strike, as fractions.
const PERIOD: (u64, u64) = (7, 365);
const CAP: (u64, u64) = (1, 2);
/// The cap as a number.
pub const CAP_FRACTION: f64 = 0.5;

/// What is known at an hour.
pub struct Hour {
    /// Unix seconds.
    pub time: i64,
    /// The index's last price, dollars.
    pub index: f64,
    /// The same for the pricing.
    pub spot: Usd,
    /// The stock's last price, dollars a share.
    pub stock: f64,
    /// Whether the stock exchange trades.
    pub in_session: bool,
    curves: [Curve; 2],
}

impl Hour {
    /// The curve of a side at the volatility of the bid.
    pub fn curve(&self, side: Side) -> &Curve {
        let [call, put] = &self.curves;
        match side {
            Side::Call => call,
            Side::Put => put,
        }
    }

    /// Stock per dollar that a close pays, in shares.
    pub fn shares_per_dollar(&self) -> f64 {
        if self.in_session { 1.0 / self.stock } else { CLOSED_HAIRCUT / self.stock }
    }
}

/// Joins both histories at the index's hours, once the stock is known and the volatility has warmed up.
///
/// Errors: when the histories do not overlap.
pub fn join(stock: &[Price], index: &[Price]) -> Result<Vec<Hour>> {
    let mut variance = Variance::new();
    let mut hours = Vec::new();
    let start = index.first().context("no index prices")?.time + WARM_UP;
    let end = stock.last().context("no stock prices")?.time;
    for price in index {
        variance.update(*price);
        let known = stock.partition_point(|bar| bar.time <= price.time);
        let Some(bar) = known.checked_sub(1).and_then(|last| stock.get(last)) else { continue };
        if price.time < start || price.time > end {
            continue;
        }
        let spot = to_real(price.usd).to_usd(Rounding::Down);
        let curves = [curve(Side::Call, &variance)?, curve(Side::Put, &variance)?];
        // Within a session bars are at most an hour apart.
        let in_session = stock.get(known).is_some_and(|next| next.time - bar.time <= HOUR);
        hours.push(Hour { time: price.time, index: price.usd, spot, stock: bar.usd, in_session, curves });
    }
    hours.last().context("the histories do not overlap")?;
    Ok(hours)
}

fn curve(side: Side, variance: &Variance) -> Result<Curve> {
    let ratio = |(above, below)| Real::from_ratio(above, below).context("a ratio");
    let volatility = to_real(variance.bid(side));
    Curve::new(side, volatility, ratio(PERIOD)?, ratio(CAP)?).context("a volatility out of bounds")
}

/// The exact value of a positive normal number.
pub fn to_real(value: f64) -> Real {
    const FRACTION_BITS: u32 = 52;
    const EXPONENT_BIAS: i32 = 1_023 + 52;
    let bits = value.to_bits();
    let mantissa = (bits & ((1 << FRACTION_BITS) - 1)) | (1 << FRACTION_BITS);
    // Eleven bits always fit.
    let exponent = i32::try_from((bits >> FRACTION_BITS) & 0x7ff).unwrap_or(0) - EXPONENT_BIAS;
    Real::from_u64(mantissa).scale_by_power_of_two(exponent)
}

/// Dollars to the nearest representable number.
pub fn to_f64(value: Usd) -> f64 {
    value.bits() as f64 * (-64f64).exp2()
}

#[cfg(test)]
pub mod tests {
    use super::*;

    /// Hourly index prices after a month of calm at the first one, each with a stock price; the exchange trades in
    /// every hour, and the volatility is at its floor at the start.
    pub fn hours(prices: &[(f64, f64)]) -> Vec<Hour> {
        let calm = WARM_UP / HOUR;
        let first = prices[0];
        let all = std::iter::repeat_n(first, usize::try_from(calm).unwrap()).chain(prices.iter().copied());
        let (mut stock, mut index) = (Vec::new(), Vec::new());
        for (hour, (index_usd, stock_usd)) in (0..).zip(all) {
            index.push(Price { time: hour * HOUR, usd: index_usd });
            stock.push(Price { time: hour * HOUR, usd: stock_usd });
        }
        // One more bar, so that the last hour too lies within a session.
        let last = stock[stock.len() - 1];
        stock.push(Price { time: last.time + HOUR, ..last });
        join(&stock, &index).unwrap()
    }

    #[test]
    fn numbers_become_exact_reals() {
        assert_eq!(to_real(0.75), Real::from_ratio(3, 4).unwrap());
        assert_eq!(to_real(4_308.83).to_usd(Rounding::Down).bits() >> 64, 4_308);
        assert!((to_f64(to_real(4_308.83).to_usd(Rounding::Down)) - 4_308.83).abs() < 1e-9);
    }

    #[test]
    fn the_exchange_trades_only_between_bars_of_one_session() {
        let day = 31 * 86_400;
        let bars = [14 * 2 + 1, 30, 32, 34, 36, 38, 40, 42]
            .map(|half_hours| Price { time: day + half_hours * 1_800, usd: 10.0 });
        let next_day = Price { time: day + 86_400 + 29 * 1_800, usd: 9.0 };
        let stock: Vec<_> = bars.into_iter().chain([next_day]).collect();
        let index: Vec<_> = (0..32 * 24 + 20).map(|hour| Price { time: hour * HOUR, usd: 100.0 }).collect();
        let joined = join(&stock, &index).unwrap();
        let open: Vec<_> = joined.iter().filter(|hour| hour.in_session).map(|hour| (hour.time - day) / HOUR).collect();
        assert_eq!(open, [15, 16, 17, 18, 19, 20]);
        // The close is known all night, and pays 5% less stock.
        let night = joined.iter().find(|hour| hour.time == day + 30 * HOUR).unwrap();
        assert_eq!((night.stock, night.shares_per_dollar()), (10.0, 0.095));
    }

    #[test]
    fn histories_that_do_not_overlap_are_refused() {
        let old = [Price { time: 0, usd: 1.0 }];
        let new = [Price { time: 90 * 86_400, usd: 1.0 }];
        assert!(join(&new, &old).is_err());
        assert!(join(&old, &new).is_err());
    }
}
