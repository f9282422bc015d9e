//! A book that opens an option of every strike again and again: how much its closes take above their reserves in a
//! day and in a month.

use crate::position::{Hold, Outcome};

const DAY: i64 = 86_400;
/// The part of an insurance pool that a day may take.
const DAILY_LIMIT: f64 = 0.25;
pub const MONTH: usize = 30;

/// A book day by day, in shares per dollar of index opened.
pub struct Book {
    first_day: i64,
    /// Reserves open as the day starts.
    reserves: Vec<f64>,
    /// What that day's closes took above theirs.
    shortfalls: Vec<f64>,
    /// Days until the book is as large as it gets.
    warm_up: usize,
}

/// The window in which a book fell shortest.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Shortfall {
    /// Part of the reserves open at its start.
    pub of_reserves: f64,
    /// Its first day, Unix seconds.
    pub start: i64,
}

impl Book {
    /// The book of options held in one way, each with its reserve factor; None without options.
    pub fn new(options: &[(&Outcome, f64)], hold: Hold) -> Option<Self> {
        let days = |time: i64| time.div_euclid(DAY);
        let first_day = options.iter().map(|(outcome, _)| days(outcome.opened)).min()?;
        let last_day = options.iter().map(|(outcome, _)| days(outcome.closed.unwrap_or(outcome.opened))).max()?;
        let number = usize::try_from(last_day - first_day + 1).ok()?;
        let offset = |time| usize::try_from(days(time) - first_day).unwrap_or(number);
        let (mut changes, mut shortfalls) = (vec![0.0; number + 2], vec![0.0; number]);
        for (outcome, factor) in options {
            let mut add = |day: usize, amount: f64| changes.get_mut(day).into_iter().for_each(|sum| *sum += amount);
            let reserve = outcome.reserve * (1.0 + factor);
            // A reserve counts from the day after its opening.
            add(offset(outcome.opened) + 1, reserve);
            let Some(closed) = outcome.closed else { continue };
            add(offset(closed) + 1, -reserve);
            let excess = outcome.reserve * outcome.excess(*factor);
            shortfalls.get_mut(offset(closed)).into_iter().for_each(|sum| *sum += excess);
        }
        let mut open = 0.0;
        let reserves = changes.iter().take(number).map(|change| {
            open += change;
            open
        });
        let warm_up = usize::try_from(hold.seconds() / DAY).ok()?;
        Some(Self { first_day, reserves: reserves.collect(), shortfalls, warm_up })
    }

    /// The worst of all windows of so many days that start once the book is full; None when it never falls short.
    pub fn worst(&self, days: usize) -> Option<Shortfall> {
        let windows = self.shortfalls.windows(days).zip(&self.reserves).zip(self.first_day..).skip(self.warm_up);
        let ratios = windows.filter(|((_, reserves), _)| **reserves > 0.0).map(|((window, reserves), day)| Shortfall {
            of_reserves: window.iter().sum::<f64>() / reserves,
            start: day * DAY,
        });
        ratios.filter(|window| window.of_reserves > 0.0).max_by(|a, b| a.of_reserves.total_cmp(&b.of_reserves))
    }

    /// The insurance pool, as a part of the reserves at the start of any month, that pays the month's shortfalls each
    /// on its day, without income.
    pub fn pool(&self) -> f64 {
        let months = self.shortfalls.windows(MONTH).zip(&self.reserves).skip(self.warm_up);
        let pools = months.filter(|(_, reserves)| **reserves > 0.0).map(|(month, reserves)| {
            let (mut paid, mut pool) = (0.0_f64, 0.0_f64);
            for shortfall in month {
                // What earlier days left must be large enough for this one.
                pool = pool.max(paid + shortfall / DAILY_LIMIT);
                paid += shortfall;
            }
            pool / reserves
        });
        pools.fold(0.0, f64::max)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(opened: i64, closed: Option<i64>, reserve: f64, taken: f64) -> Outcome {
        Outcome { opened: opened * DAY, closed: closed.map(|day| day * DAY), complete: true, reserve, taken }
    }

    #[test]
    fn a_shortfall_is_measured_against_the_reserves_at_the_windows_start() {
        let one = outcome(0, Some(2), 1.0, 1.6);
        let two = outcome(1, Some(3), 3.0, 1.4);
        let open = outcome(1, None, 4.0, 0.0);
        let options = [(&one, 0.1), (&two, 0.1), (&open, 0.1)];
        let book = Book::new(&options, Hold::Days(1)).unwrap();
        let near = |found: Shortfall, part: f64, day: i64| {
            assert!((found.of_reserves - part).abs() < 1e-12);
            assert_eq!(found.start, day * DAY);
        };
        // Day 3: 3 (1.4 - 1.1) = 0.9 of (3 + 4) * 1.1; day 2: 0.5 of (1 + 3 + 4) * 1.1.
        near(book.worst(1).unwrap(), 0.9 / 7.7, 3);
        // Days 1 and 2: 0.5 of 1 * 1.1, the reserve that was open on day 1.
        near(book.worst(2).unwrap(), 0.5 / 1.1, 1);
        // Days 1 to 3.
        near(book.worst(3).unwrap(), 1.4 / 1.1, 1);
        assert_eq!(book.worst(4), None);
        let enough = Book::new(&options.map(|(option, _)| (option, 0.7)), Hold::Days(1)).unwrap();
        assert_eq!(enough.worst(1), None);
    }

    #[test]
    fn different_reserve_factors_share_a_book() {
        let call = outcome(0, Some(1), 1.0, 1.3);
        let put = outcome(0, Some(1), 1.0, 1.6);
        let book = Book::new(&[(&call, 0.25), (&put, 0.5)], Hold::Days(1)).unwrap();
        assert!((book.worst(1).unwrap().of_reserves - 0.15 / 2.75).abs() < 1e-12);
    }

    #[test]
    fn a_pool_pays_a_day_from_a_quarter_of_what_earlier_days_left() {
        let first = outcome(0, Some(2), 1.0, 1.3);
        let second = outcome(0, Some(4), 1.0, 1.5);
        let open = outcome(0, None, 8.0, 0.0);
        let last = outcome(40, Some(40), 0.0, 0.0);
        let book = Book::new(&[(&first, 0.0), (&second, 0.0), (&open, 0.0), (&last, 0.0)], Hold::Days(1)).unwrap();
        // 0.3 on the third day, and two days later 0.5, which is a quarter of 2, of reserves of 10.
        assert!((book.pool() - 0.23).abs() < 1e-12);
    }
}
