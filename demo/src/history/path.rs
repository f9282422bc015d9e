//! A recorded price between its records: a straight line from one to the next, and silence where they are far apart.

use anyhow::{Result, ensure};

use super::{CONFIDENCE_PER_MOVE, HOUR, Quote, Row, parse_price};

/// Seconds between two steps of a moving average.
const SECONDS: usize = 60;
/// Of the way to the price, what a moving average goes in a minute: an hour-old one keeps `e^-1` of its weight.
const AVERAGE_STEP: i64 = 60;

/// A feed that published a recorded price every second while there was one.
#[derive(Clone, Debug)]
pub struct Path {
    rows: Vec<(i64, i64)>,
    /// The moving average at every minute of trading.
    averages: Vec<(i64, i64)>,
    calm_confidence_bps: i64,
}

/// Records of `unix_seconds,price`, prices in units of `10^EXPONENT` US dollars.
///
/// Errors: for what is not such a file, or not in the order of time.
pub fn rows(csv: &str) -> Result<Vec<(i64, i64)>> {
    let mut rows: Vec<(i64, i64)> = Vec::new();
    for row in csv::Reader::from_reader(csv.as_bytes()).deserialize() {
        let Row { unix_seconds, price } = row?;
        ensure!(rows.last().is_none_or(|last| last.0 < unix_seconds), "not in order at {unix_seconds}");
        rows.push((unix_seconds, parse_price(&price)?));
    }
    ensure!(!rows.is_empty(), "no prices");
    Ok(rows)
}

impl Path {
    /// A feed of these records. After `split.0` the price counts a share of which `split.1` replaced one before, and the
    /// average with it.
    pub fn new(rows: Vec<(i64, i64)>, calm_confidence_bps: i64, split: Option<(i64, i64)>) -> Self {
        let mut averages: Vec<(i64, i64)> = Vec::new();
        for pair in rows.windows(2) {
            let ((from, start), (to, end)) = (pair[0], pair[1]);
            if to - from > HOUR {
                continue;
            }
            for time in (from..=to).step_by(SECONDS) {
                let price = start + (end - start) * (time - from) / (to - from);
                let (before, mut average) = averages.last().copied().unwrap_or((time, price));
                if let Some((_, factor)) = split.filter(|(at, _)| before < *at && *at <= time) {
                    average /= factor;
                }
                if before < time || averages.is_empty() {
                    averages.push((time, average + (price - average) / AVERAGE_STEP));
                }
            }
        }
        Self { rows, averages, calm_confidence_bps }
    }

    /// What the feed publishes at a time; nothing while it is silent.
    pub fn at(&self, time: i64) -> Option<Quote> {
        let next = self.rows.partition_point(|row| row.0 <= time);
        let ((from, start), (to, end)) = (*self.rows.get(next.checked_sub(1)?)?, *self.rows.get(next)?);
        if to - from > HOUR {
            return None;
        }
        let price = start + (end - start) * (time - from) / (to - from);
        let before = self.rows.get(next.wrapping_sub(2)).copied().filter(|_| time == from);
        let reopens = before.filter(|before| from - before.0 > HOUR);
        let (previous, moved) = match (reopens, before) {
            // What happened while nobody traded says nothing of how sure the first trade is.
            (Some((closed, _)), _) => (closed - 1, 0),
            (None, Some((_, last))) => (time - 1, price - last),
            (None, None) => (time - 1, price - start),
        };
        let average = self.averages.partition_point(|average| average.0 <= time);
        let (_, average) = *self.averages.get(average.checked_sub(1)?)?;
        let half_width = price * self.calm_confidence_bps / 10_000 + moved.abs() / CONFIDENCE_PER_MOVE;
        Some(Quote { time, previous, price, confidence: half_width.unsigned_abs(), average })
    }

    /// The times between which it publishes without a break, the first and the one after the last.
    pub fn sessions(&self) -> Vec<(i64, i64)> {
        let mut sessions: Vec<(i64, i64)> = Vec::new();
        for (time, _) in &self.rows {
            match sessions.last_mut() {
                Some((_, last)) if time - *last <= HOUR => *last = *time,
                _ => sessions.push((*time, *time)),
            }
        }
        sessions
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OPEN: i64 = 1_645_626_600;

    /// Half an hour, a night, and half an hour.
    fn two_sessions(split: Option<(i64, i64)>) -> Path {
        let later = OPEN + 86_400;
        let rows = [(OPEN, 90_000), (OPEN + 1_800, 96_000), (later, 30_000), (later + 1_800, 30_000)];
        Path::new(rows.to_vec(), 10, split)
    }

    #[test]
    fn between_two_records_the_price_follows_a_straight_line() {
        let quote = two_sessions(None).at(OPEN + 600).unwrap();
        assert_eq!((quote.price, quote.previous), (92_000, OPEN + 599));
    }

    #[test]
    fn a_feed_is_silent_from_the_close_to_the_open() {
        let path = two_sessions(None);
        assert!(path.at(OPEN + 1_799).is_some());
        assert!(path.at(OPEN + 1_800).is_none());
        assert!(path.at(OPEN + 86_399).is_none());
        assert_eq!(path.at(OPEN + 86_400).unwrap().previous, OPEN + 1_799);
        assert_eq!(path.sessions(), [(OPEN, OPEN + 1_800), (OPEN + 86_400, OPEN + 88_200)]);
    }

    #[test]
    fn the_average_lags_and_is_divided_by_a_split() {
        let plain = two_sessions(None).at(OPEN + 86_400).unwrap();
        assert!(plain.average > 2 * plain.price);
        let split = two_sessions(Some((OPEN + 43_200, 3))).at(OPEN + 86_400).unwrap();
        assert!((split.average - split.price).abs() < split.price / 10);
        assert_eq!(split.confidence, plain.confidence);
    }

    #[test]
    fn records_out_of_order_are_refused() {
        assert!(rows("unix_seconds,price\n2,1\n1,1\n").is_err());
        assert_eq!(rows("unix_seconds,price\n1,1.5\n").unwrap(), [(1, 150_000_000)]);
    }
}
