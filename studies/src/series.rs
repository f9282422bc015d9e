//! Prices as they were recorded.

use std::{fs::File, io::Read, path::Path};

use anyhow::{Context, Result, ensure};
use flate2::read::GzDecoder;
use serde::Deserialize;

/// The last price of a bar, in dollars, at the bar's end in Unix seconds.
#[derive(Clone, Copy, PartialEq, Debug, Deserialize)]
pub struct Price {
    #[serde(rename = "unix_seconds")]
    pub time: i64,
    #[serde(rename = "price")]
    pub usd: f64,
}

/// Reads a gzip CSV of `unix_seconds,price`.
///
/// Errors: for a file that cannot be read, is empty, holds a price that is not positive, or is not in order of time.
pub fn load(path: &Path) -> Result<Vec<Price>> {
    let file = File::open(path).with_context(|| format!("opening {}", path.display()))?;
    read(GzDecoder::new(file)).with_context(|| format!("reading {}", path.display()))
}

fn read(source: impl Read) -> Result<Vec<Price>> {
    let prices = csv::Reader::from_reader(source).deserialize().collect::<Result<Vec<Price>, _>>()?;
    ensure!(!prices.is_empty(), "no prices");
    let positive = |price: &Price| price.usd.is_finite() && price.usd > 0.0;
    ensure!(prices.iter().all(positive), "a price that is not a positive number");
    ensure!(prices.is_sorted_by(|a, b| a.time < b.time), "times that do not rise");
    Ok(prices)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prices_are_read_in_order() {
        let prices = read("unix_seconds,price\n3600,1.5\n7200,2\n".as_bytes()).unwrap();
        assert_eq!(prices, [Price { time: 3_600, usd: 1.5 }, Price { time: 7_200, usd: 2.0 }]);
    }

    #[test]
    fn what_cannot_be_a_price_history_is_refused() {
        for rows in ["", "3600,0\n", "3600,NaN\n", "7200,1\n3600,1\n", "3600,1\n3600,1\n", "3600\n"] {
            assert!(read(format!("unix_seconds,price\n{rows}").as_bytes()).is_err(), "{rows}");
        }
    }
}
