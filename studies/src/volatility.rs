//! The volatility at which a close pays: the mechanism's estimate on hourly instead of five-minute returns, without
//! its slew.

use perpetua_pricing::Side;

use crate::series::Price;

const YEAR_SECONDS: f64 = 365.0 * 86_400.0;
/// Half-lives of the two averages, seconds.
const HALF_LIVES: [f64; 2] = [24.0 * 3_600.0, 72.0 * 3_600.0];
/// What both averages start from; `history` opens nothing before they have forgotten it.
const START: f64 = 0.36;
const LOWEST: f64 = 0.2;
const HIGHEST: f64 = 2.5;
const SPREAD: f64 = 0.02;

/// Two exponentially weighted averages of squared returns, annualised.
pub struct Variance {
    averages: [f64; 2],
    last: Option<Price>,
}

impl Variance {
    pub fn new() -> Self {
        Self { averages: [START; 2], last: None }
    }

    /// Counts the return since the last price.
    pub fn update(&mut self, price: Price) {
        if let Some(last) = self.last.replace(price) {
            let seconds = (price.time - last.time) as f64;
            let sample = (price.usd / last.usd).ln().powi(2) * YEAR_SECONDS / seconds;
            for (average, half_life) in self.averages.iter_mut().zip(HALF_LIVES) {
                *average += (1.0 - (-seconds / half_life).exp2()) * (sample - *average);
            }
        }
    }

    /// The volatility of the bid, a fraction per square root of a year.
    pub fn bid(&self, side: Side) -> f64 {
        let markup = match side {
            Side::Call => 1.15,
            Side::Put => 1.05,
        };
        let larger = self.averages.into_iter().fold(0.0, f64::max);
        (markup * larger.sqrt()).clamp(LOWEST, HIGHEST) * (1.0 - SPREAD)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_a_half_life_later_counts_for_half() {
        let mut variance = Variance::new();
        variance.update(Price { time: 0, usd: 100.0 });
        variance.update(Price { time: 86_400, usd: 100.0 });
        assert!((variance.averages[0] - 0.18).abs() < 1e-12);
        // A third of a half-life of the slower average: 0.36 / 2^(1/3), the larger of the two.
        assert!((variance.bid(Side::Put) - 1.05 * 0.285_732_19_f64.sqrt() * 0.98).abs() < 1e-8);
    }

    #[test]
    fn an_hour_of_one_percent_is_ninety_four_percent_a_year() {
        let mut variance = Variance { averages: [0.0; 2], last: None };
        let mut usd = 100.0;
        for hour in 0..2_000 {
            variance.update(Price { time: hour * 3_600, usd });
            usd *= 0.01_f64.exp();
        }
        // 0.01 * sqrt(8760)
        assert!((variance.averages[1].sqrt() - 0.935_949).abs() < 1e-5);
    }

    #[test]
    fn the_bid_stays_within_the_markets_bounds() {
        let quiet = Variance { averages: [0.0; 2], last: None };
        let wild = Variance { averages: [100.0; 2], last: None };
        assert!((quiet.bid(Side::Call) - 0.196).abs() < 1e-12);
        assert!((wild.bid(Side::Call) - 2.45).abs() < 1e-12);
    }
}
