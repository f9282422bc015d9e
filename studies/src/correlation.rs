//! How the stock and the index move together.

use std::collections::BTreeMap;

use time::OffsetDateTime;

use crate::history::Hour;

/// A calendar month in which the index fell by more than this counts as a crash.
const CRASH: f64 = -0.2;

/// Correlations of log returns.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Correlation {
    pub all: f64,
    /// In months of a crash.
    pub crashes: f64,
    /// How many such months there were.
    pub months: usize,
}

/// Correlation of the returns over `hours` hours of the exchange's sessions.
pub fn of_returns(history: &[Hour], hours: usize) -> Correlation {
    let traded: Vec<&Hour> = history.iter().filter(|hour| hour.in_session).collect();
    let (mut all, mut crashes) = (Vec::new(), Vec::new());
    let crash_months = crash_months(history);
    for (from, to) in traded.iter().step_by(hours).zip(traded.iter().skip(hours).step_by(hours)) {
        let pair = ((to.stock / from.stock).ln(), (to.index / from.index).ln());
        all.push(pair);
        if crash_months.contains(&month(to.time)) {
            crashes.push(pair);
        }
    }
    Correlation { all: pearson(&all), crashes: pearson(&crashes), months: crash_months.len() }
}

fn month(time: i64) -> Option<(i32, u8)> {
    let moment = OffsetDateTime::from_unix_timestamp(time).ok()?;
    Some((moment.year(), moment.month().into()))
}

fn crash_months(history: &[Hour]) -> Vec<Option<(i32, u8)>> {
    let mut months: BTreeMap<_, (f64, f64)> = BTreeMap::new();
    for hour in history {
        months.entry(month(hour.time)).or_insert((hour.index, hour.index)).1 = hour.index;
    }
    months.into_iter().filter(|(_, (first, last))| last / first - 1.0 < CRASH).map(|(month, _)| month).collect()
}

/// Pearson's coefficient; not a number for fewer than two different pairs.
fn pearson(pairs: &[(f64, f64)]) -> f64 {
    let number = pairs.len() as f64;
    let mean = |part: fn(&(f64, f64)) -> f64| pairs.iter().map(part).sum::<f64>() / number;
    let (x, y) = (mean(|pair| pair.0), mean(|pair| pair.1));
    let (mut xx, mut yy, mut xy) = (0.0, 0.0, 0.0);
    for pair in pairs {
        let (dx, dy) = (pair.0 - x, pair.1 - y);
        (xx, yy, xy) = (xx + dx * dx, yy + dy * dy, xy + dx * dy);
    }
    xy / (xx * yy).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::tests::hours;

    #[test]
    fn a_few_pairs_have_the_coefficient_of_the_textbook() {
        // Deviations (-1, 0, 1) and (-1, 1, 0): 1 / 2.
        assert!((pearson(&[(1.0, 1.0), (2.0, 3.0), (3.0, 2.0)]) - 0.5).abs() < 1e-12);
        assert!((pearson(&[(1.0, 5.0), (2.0, 3.0)]) + 1.0).abs() < 1e-12);
    }

    #[test]
    fn a_stock_that_moves_against_the_index_correlates_negatively_in_a_crash() {
        // The month of calm ends on the 31st of January, so all falls into one month.
        let path = hours(&[(100.0, 10.0), (90.0, 10.5), (86.0, 10.6), (70.0, 12.0)]);
        let found = of_returns(&path, 1);
        assert_eq!(found.months, 1);
        assert!(found.all < -0.9 && found.crashes == found.all);
    }
}
