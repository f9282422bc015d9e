//! The recorded prices, and what a Pyth feed would say of them at a moment.

use anyhow::{Context, Result, ensure};
use perpetua_client::price::PriceAccount;
use serde::Deserialize;
use solana_pubkey::Pubkey;

/// Power of ten of every price here.
const EXPONENT: i32 = -8;
/// Half-width of the confidence interval, one part in this many of the price.
const CONFIDENCE: i64 = 2_500;
/// Seconds that Pyth's moving average looks back, about.
const AVERAGE_SECONDS: i64 = 3_600;
/// The longest pause between two updates, in seconds, that is told as one.
const LONGEST_PAUSE: i64 = 300;
/// The longest time between two records of one session.
const SESSION_STEP: i64 = 3_600;

#[derive(Deserialize)]
struct Row {
    unix_seconds: i64,
    price: String,
}

/// A feed whose prices were recorded.
pub struct Feed {
    name: &'static str,
    id: [u8; 32],
    rows: Vec<(i64, i64)>,
    /// Whether it goes on with the last price while its exchange is closed, as a token's does.
    day_and_night: bool,
    /// What it is held at instead of what was recorded.
    held: Option<i64>,
    said: Option<PriceAccount>,
}

impl Feed {
    fn new(name: &'static str, id: &str, csv: &str, day_and_night: bool) -> Result<Self> {
        let read = csv::Reader::from_reader(csv.as_bytes()).into_deserialize();
        let row = |row: Result<Row, csv::Error>| {
            row.map_err(Into::into).and_then(|row| Ok((row.unix_seconds, parse(&row.price)?)))
        };
        let rows = read.map(row).collect::<Result<Vec<_>>>()?;
        let id = hex::decode(id)?.try_into().ok().context("a feed's name has 32 bytes")?;
        Ok(Self { name, id, rows, day_and_night, held: None, said: None })
    }

    /// As people name it, such as "BTC/USD".
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// As Pyth names it.
    pub fn id(&self) -> &[u8; 32] {
        &self.id
    }

    /// Holds it at a price, an integer of `10^-8` dollars; without one it follows its records again.
    pub fn hold(&mut self, price: Option<i64>) {
        self.held = price;
    }

    /// What the feed says at `recorded` of the records, told as if it were `now`; nothing new while its exchange is
    /// closed.
    pub fn at(&mut self, recorded: i64, now: i64) -> Option<PriceAccount> {
        let price = self.price(recorded)?;
        let before = self.said;
        let (average, previous) = before.map_or((price, now - 1), |before| {
            let passed = (now - before.publish_time).clamp(0, AVERAGE_SECONDS * 24);
            let step = i128::from(price - before.average) * i128::from(passed) / i128::from(passed + AVERAGE_SECONDS);
            // A clock that was set far ahead leaves out what the feed said meanwhile, not that it did.
            let went_on = now - before.publish_time > LONGEST_PAUSE && self.price(recorded - 1).is_some();
            let previous = if went_on { now - 1 } else { before.publish_time };
            (before.average + i64::try_from(step).unwrap_or_default(), previous)
        });
        let confidence = (price / CONFIDENCE).unsigned_abs();
        let said = PriceAccount {
            write_authority: Pubkey::default(),
            feed_id: self.id,
            price,
            confidence,
            exponent: EXPONENT,
            publish_time: now,
            previous_publish_time: previous.min(now - 1),
            average,
            average_confidence: confidence,
            posted_slot: 1,
        };
        self.said = Some(said);
        Some(said)
    }

    /// The straight line between two records; nothing between two sessions, unless it goes on day and night.
    fn price(&self, time: i64) -> Option<i64> {
        self.recorded(time).map(|recorded| self.held.unwrap_or(recorded))
    }

    fn recorded(&self, time: i64) -> Option<i64> {
        let next = self.rows.partition_point(|(at, _)| *at <= time);
        let (from, price) = *self.rows.get(next.checked_sub(1)?)?;
        let Some((to, after)) = self.rows.get(next).copied() else { return self.day_and_night.then_some(price) };
        if to - from > SESSION_STEP {
            return (self.day_and_night || from == time).then_some(price);
        }
        let step = i128::from(after - price) * i128::from(time - from) / i128::from(to - from);
        Some(price + i64::try_from(step).ok()?)
    }
}

/// Every feed of migrations/localnet.toml.
///
/// Errors: for files that are not what data/PROVENANCE.md describes.
pub fn feeds() -> Result<Vec<Feed>> {
    let btc = include_str!("../data/btc_usd_1h_2024.csv");
    let eth = include_str!("../data/eth_usd_1h_2024.csv");
    let tsla = include_str!("../data/tsla_usd_1h_2024.csv");
    let nvda = include_str!("../data/nvda_usd_1h_2024.csv");
    Ok(vec![
        Feed::new("BTC/USD", "e62df6c8b4a85fe1a67db44dc12de5db330f7ac66b72dc658afedf0f4a415b43", btc, true)?,
        Feed::new("ETH/USD", "ff61491a931112ddf1bd8147cd1b641375f79f5825126d665480874634fd0ace", eth, true)?,
        Feed::new("TSLA/USD", "16dad506d7db8da01c87581c87ca897a012a153557d4d578c3b9c9e1bc0632f1", tsla, false)?,
        Feed::new("TSLAx/USD", "47a156470288850a440df3a6ce85a55917b813a19bb5b31128a33a986566a362", tsla, true)?,
        Feed::new("NVDA/USD", "b1073854ed24cbc755dc527418f52b7d271f6cc967bbf8d8129112b18860a593", nvda, false)?,
    ])
}

/// Decimal dollars as an integer of `10^EXPONENT` dollars; further decimals are dropped.
///
/// Errors: the text is no number.
pub fn parse(text: &str) -> Result<i64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let fraction = fraction.get(..8).unwrap_or(fraction);
    ensure!(!whole.is_empty(), "no price: {text}");
    format!("{whole}{fraction:0<8}").parse().with_context(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2024-08-05 00:00 UTC, a Monday.
    const MONDAY: i64 = 1_722_816_000;

    fn feed(number: usize) -> Feed {
        feeds().unwrap().remove(number)
    }

    #[test]
    fn bitcoin_follows_a_straight_line_between_two_hours() {
        let feed = feed(0);
        let [before, half, after] = [0, 1_800, 3_600].map(|seconds| feed.price(MONDAY + seconds).unwrap());
        assert!((before + after - 2 * half).abs() <= 2, "{before} {half} {after}");
        assert_ne!(before, after);
    }

    #[test]
    fn a_share_has_no_price_before_its_exchange_opens_and_its_token_keeps_the_last_one() {
        let opening = MONDAY + 13 * 3_600 + 1_800;
        assert_eq!(feed(2).price(opening - 60), None);
        assert!(feed(2).price(opening + 60).is_some());
        let friday = feed(3).price(opening - 2 * 86_400);
        assert!(friday.is_some());
        assert_eq!(feed(3).price(opening - 60), friday);
    }

    #[test]
    fn the_average_follows_the_price_and_an_update_names_the_one_before() {
        let mut feed = feed(0);
        let first = feed.at(MONDAY, 1_000_000).unwrap();
        assert_eq!(first.average, first.price);
        let second = feed.at(MONDAY + 3_600, 1_003_600).unwrap();
        let [gap, moved] = [second.price - second.average, second.price - first.price];
        assert!((2 * gap - moved).abs() <= 2, "half of an hour's move: {gap} of {moved}");
        let third = feed.at(MONDAY + 3_900, 1_003_900).unwrap();
        assert_eq!(third.previous_publish_time, 1_003_600);
    }

    #[test]
    fn a_clock_set_ahead_is_no_outage_while_the_exchange_is_open_and_one_while_it_is_closed() {
        let (mut bitcoin, mut share) = (feed(0), feed(2));
        let opening = MONDAY + 13 * 3_600 + 1_800;
        for feed in [&mut bitcoin, &mut share] {
            feed.at(opening + 60, 1_000_000).unwrap();
            let later = feed.at(opening + 7_260, 1_007_200).unwrap();
            assert_eq!(later.previous_publish_time, 1_007_199);
        }
        let next_day = share.at(opening + 86_400, 1_086_340).unwrap();
        assert_eq!(next_day.previous_publish_time, 1_007_200, "it says nothing over night");
    }

    #[test]
    fn a_feed_that_is_held_says_so_only_while_it_has_a_price() {
        let mut share = feed(2);
        share.hold(Some(7));
        let opening = MONDAY + 13 * 3_600 + 1_800;
        assert_eq!(share.at(opening - 60, 1_000_000), None);
        assert_eq!(share.at(opening + 60, 1_000_120).map(|said| said.price), Some(7));
        share.hold(None);
        assert_ne!(share.at(opening + 61, 1_000_121).map(|said| said.price), Some(7));
    }

    #[test]
    fn prices_are_read_to_the_eighth_decimal() {
        assert_eq!(parse("9400").unwrap(), 940_000_000_000);
        assert_eq!(parse("120.3499985").unwrap(), 12_034_999_850);
        assert!(parse("").is_err());
    }
}
