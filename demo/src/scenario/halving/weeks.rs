//! The invented weeks: a stock at 400 US dollars that opens at 200 one morning, and bitcoin at 60,000 that falls to 26,000
//! in the night before it.

use anyhow::Result;

use super::super::chapter::{Chapter, LAST_SECONDS};
use crate::history::{HOUR, SCALE};

const DAY: i64 = 24 * HOUR;
/// Monday 2026-01-05, midnight UTC.
const MONDAY: i64 = 1_767_571_200;
/// Exchange hours in winter: 14:30 to 21:00 UTC.
const OPENS: i64 = 14 * HOUR + HOUR / 2;
const CLOSES: i64 = 21 * HOUR;
/// The day on which the stock opens at half: Wednesday 2026-01-21.
pub const HALVED: i64 = MONDAY + 16 * DAY;
/// The holiday: Monday 2026-01-19.
const HOLIDAY: i64 = MONDAY + 14 * DAY;

/// The last trade before the night.
pub const BEFORE_THE_NIGHT: i64 = HALVED - DAY + CLOSES - LAST_SECONDS;
/// When what is owed has been served for days: Monday 2026-01-26, in the session.
pub const FAREWELL: i64 = MONDAY + 21 * DAY + 15 * HOUR;

/// The weeks.
pub const HALVING: Chapter = Chapter {
    title: "The stock halves while puts pay their cap",
    bitcoin,
    share,
    reference_strike: 60_000,
    stock_price_cents: 40_000,
    start: MONDAY + 15 * HOUR,
    last_call: MONDAY + 18 * DAY + CLOSES,
    farewell: FAREWELL,
    end: MONDAY + 23 * DAY + 20 * HOUR,
    holiday: 20_472,
    halt: None,
    split: None,
};

/// A day on which the exchange trades.
fn trades(day: i64) -> bool {
    (day - MONDAY).div_euclid(DAY).rem_euclid(7) < 5 && day != HOLIDAY
}

/// Hour by hour: a small wave around 60,000, then ten hours of 8% down each, then a small wave around 26,000.
fn bitcoin() -> Result<Vec<(i64, i64)>> {
    let fall = HALVED + HOUR;
    let price = |time: i64| {
        let wave = [0, 120, 200, 120, 0, -120, -200, -120][usize::try_from(time / HOUR % 8).unwrap_or(0)];
        let hours = (time - fall).div_euclid(HOUR).clamp(0, 10);
        60_000 - 3_400 * hours + wave
    };
    let hours = (MONDAY..=HALVING.end + HOUR).step_by(3_600);
    Ok(hours.map(|time| (time, price(time) * SCALE)).collect())
}

/// Sessions at 400 and, from the morning on, at 200, with a small wave.
fn share() -> Result<Vec<(i64, i64)>> {
    let mut rows = Vec::new();
    for day in (MONDAY..HALVING.end + DAY).step_by(86_400).filter(|day| trades(*day)) {
        let price = if day >= HALVED { 200 } else { 400 };
        let times = [day + OPENS].into_iter().chain((day + 15 * HOUR..=day + CLOSES).step_by(3_600));
        rows.extend(times.enumerate().map(|(place, time)| {
            let wave = if place % 2 == 0 { price * SCALE / 800 } else { 0 };
            (time, price * SCALE + wave)
        }));
    }
    Ok(rows)
}
