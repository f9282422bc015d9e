//! The prices that runs replay, as the updates that live Pyth feeds would have published.

mod path;

pub use path::{Path, rows};

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

const CSV: &str = include_str!("../../data/btc_usd_1h_2020.csv");

/// Seconds between two prices.
pub const HOUR: i64 = 3_600;
/// Power of ten of every price here; Pyth's exponent for BTC/USD.
pub const EXPONENT: i32 = -8;
/// Units of every price here in a US dollar.
pub const SCALE: i64 = 100_000_000;

/// What an hour-old average loses to a new price, in thousandths: `1 - e^-1`, since Pyth's average looks back about an hour.
const AVERAGE_WEIGHT: i64 = 632;
/// Half-width of the confidence interval in a calm hour, in bps of the price.
const CALM_CONFIDENCE_BPS: i64 = 4;
/// What a move adds to it: one part in this many of the last hour's move.
const CONFIDENCE_PER_MOVE: i64 = 50;

/// One oracle update; prices in units of `10^EXPONENT` US dollars.
#[derive(Clone, Copy, Debug)]
pub struct Quote {
    /// When it was published, Unix seconds.
    pub time: i64,
    /// When the one before it was published.
    pub previous: i64,
    /// Spot.
    pub price: i64,
    /// Half-width of the confidence interval.
    pub confidence: u64,
    /// Moving average of spot.
    pub average: i64,
}

impl Quote {
    /// Spot in US dollars, for charts and for traders' rules of thumb.
    pub fn usd(&self) -> f64 {
        self.price as f64 / SCALE as f64
    }
}

#[derive(Deserialize)]
struct Row {
    unix_seconds: i64,
    price: String,
}

/// The slice of the crash, hour by hour.
///
/// Errors: for a file that is not what `data/PROVENANCE.md` describes.
pub fn crash() -> Result<Vec<Quote>> {
    let mut quotes: Vec<Quote> = Vec::new();
    for row in csv::Reader::from_reader(CSV.as_bytes()).deserialize() {
        let row: Row = row?;
        let price = parse_price(&row.price)?;
        let before = quotes.last();
        ensure!(
            before.is_none_or(|before| before.time + HOUR == row.unix_seconds),
            "a gap before {}",
            row.unix_seconds
        );
        let (last, average) = before.map_or((price, price), |before| (before.price, before.average));
        let half_width = price * CALM_CONFIDENCE_BPS / 10_000 + (price - last).abs() / CONFIDENCE_PER_MOVE;
        quotes.push(Quote {
            time: row.unix_seconds,
            previous: row.unix_seconds - 1,
            price,
            confidence: half_width.unsigned_abs(),
            average: average + (price - average) * AVERAGE_WEIGHT / 1_000,
        });
    }
    Ok(quotes)
}

/// Decimal dollars as an integer of `10^EXPONENT` dollars, without a detour over binary fractions.
fn parse_price(text: &str) -> Result<i64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    ensure!(fraction.len() <= 8, "more than eight decimals: {text}");
    let fraction: i64 = format!("{fraction:0<8}").parse().with_context(|| text.to_owned())?;
    let whole: i64 = whole.parse().with_context(|| text.to_owned())?;
    whole.checked_mul(SCALE).and_then(|whole| whole.checked_add(fraction)).context("price too large")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_slice_is_hourly_and_holds_the_crash() {
        let quotes = crash().unwrap();
        assert!(quotes.len() > 60 * 24);
        assert!(quotes.windows(2).all(|pair| pair[1].time - pair[0].time == HOUR));
        let lowest = quotes.iter().map(|quote| quote.price).min();
        assert_eq!(lowest, Some(411_178_000_000));
    }

    #[test]
    fn prices_are_read_to_the_last_digit() {
        assert_eq!(parse_price("9400").unwrap(), 940_000_000_000);
        assert_eq!(parse_price("4308.83").unwrap(), 430_883_000_000);
        assert!(parse_price("1.123456789").is_err());
    }

    #[test]
    fn the_average_follows_a_move_by_two_thirds_an_hour() {
        let quotes = crash().unwrap();
        for pair in quotes.windows(2) {
            let (before, now) = (pair[0], pair[1]);
            let left = (now.price - now.average).abs() as f64;
            let gap = (now.price - before.average).abs() as f64;
            assert!((left - gap * 0.368).abs() <= 1.0 + gap * 1e-3);
        }
    }
}
