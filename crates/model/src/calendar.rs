//! When the New York stock exchanges trade: regular hours, less the days on which they close early or do not open.

use crate::error::{ModelError, Result};

/// Exceptions that a calendar holds: about two years of them.
pub const SHORT_DAYS: usize = 32;
/// Days before `to` that [`Calendar::open_seconds`] looks at, and for which past exceptions are kept.
pub const LOOK_BACK_DAYS: u16 = 10;
/// How far ahead an exception may be, in days: two years.
pub const MAX_DAYS_AHEAD: u16 = 730;
/// Minutes after New York midnight at which trading begins: 09:30.
pub const OPEN_MINUTE: u16 = 570;
/// Minutes after New York midnight at which trading ends on a regular day: 16:00.
pub const CLOSE_MINUTE: u16 = 960;

const MINUTE: i64 = 60;
const HOUR: i64 = 3_600;
const DAY: i64 = 86_400;

/// One exception: a holiday, or a day on which the exchange closes early.
#[cfg_attr(feature = "idl-build", derive(anchor_lang::AnchorSerialize))]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, bytemuck::Pod, bytemuck::Zeroable)]
#[repr(C)]
pub struct ShortDay {
    /// New York date, days since 1970-01-01; zero: unused.
    pub day: u16,
    /// Minutes after New York midnight at which trading ends; zero: closed all day.
    pub close_minute: u16,
}

/// The exceptions to the exchanges' regular hours, in no order.
#[cfg_attr(feature = "idl-build", derive(anchor_lang::AnchorSerialize))]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, bytemuck::Pod, bytemuck::Zeroable)]
#[repr(C)]
pub struct Calendar {
    /// The exceptions, and unused entries.
    pub days: [ShortDay; SHORT_DAYS],
}

/// One day's trading.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Session {
    /// Its first second, Unix seconds.
    pub opens: i64,
    /// The first second after it, Unix seconds.
    pub closes: i64,
}

impl Calendar {
    /// The session that is on at `now`, Unix seconds.
    pub fn session_at(&self, now: i64) -> Option<Session> {
        // Sessions lie within 13:30 and 21:00 UTC, so the date in New York is that of UTC.
        self.session_of(day_of(now)?).filter(|session| (session.opens..session.closes).contains(&now))
    }

    /// Seconds within sessions between two Unix times. What lies over [`LOOK_BACK_DAYS`] before `to` does not count.
    pub fn open_seconds(&self, from: i64, to: i64) -> u64 {
        let from = from.max(to.saturating_sub(i64::from(LOOK_BACK_DAYS) * DAY));
        let (Some(first), Some(last)) = (day_of(from), day_of(to)) else {
            return 0;
        };
        let sessions = (first..=last).filter_map(|day| self.session_of(day));
        let seconds = sessions.map(|session| session.closes.min(to).saturating_sub(session.opens.max(from)));
        seconds.filter_map(|seconds| u64::try_from(seconds).ok()).sum()
    }

    /// Adds an exception. A day that has one keeps the earlier of the two closes, so that sessions only get shorter. A
    /// past exception gives way once [`Self::open_seconds`] up to now does not need it.
    ///
    /// Errors: [`ModelError::CalendarInvalid`] for a weekend, a day that is past in New York or more than
    /// [`MAX_DAYS_AHEAD`] ahead, and a close that is not zero nor between the regular opening and close;
    /// [`ModelError::CalendarFull`].
    pub fn add(&mut self, day: ShortDay, now: i64) -> Result<()> {
        let today = new_york_day(now).ok_or(ModelError::CalendarInvalid)?;
        let ahead = day.day.checked_sub(today).ok_or(ModelError::CalendarInvalid)?;
        let shortens = day.close_minute == 0 || (OPEN_MINUTE + 1..CLOSE_MINUTE).contains(&day.close_minute);
        if day.day == 0 || ahead > MAX_DAYS_AHEAD || is_weekend(day.day) || !shortens {
            return Err(ModelError::CalendarInvalid);
        }
        if let Some(known) = self.days.iter_mut().find(|known| known.day == day.day) {
            known.close_minute = known.close_minute.min(day.close_minute);
            return Ok(());
        }
        // Unused entries have day zero, which is past as well.
        let oldest_needed = today.saturating_sub(LOOK_BACK_DAYS);
        let free = self.days.iter_mut().find(|known| known.day < oldest_needed).ok_or(ModelError::CalendarFull)?;
        *free = day;
        Ok(())
    }

    /// A date's session.
    fn session_of(&self, day: u16) -> Option<Session> {
        if is_weekend(day) {
            return None;
        }
        let short = self.days.iter().find(|short| short.day == day);
        let close_minute = short.map_or(CLOSE_MINUTE, |short| short.close_minute.min(CLOSE_MINUTE));
        let midnight = i64::from(day) * DAY + behind_utc(day);
        let opens = midnight + i64::from(OPEN_MINUTE) * MINUTE;
        let closes = midnight + i64::from(close_minute) * MINUTE;
        (opens < closes).then_some(Session { opens, closes })
    }
}

/// The date in New York at `now`, as days since 1970-01-01; None before that day and from 2149-06-07 on.
pub fn new_york_day(now: i64) -> Option<u16> {
    // The clocks change after midnight, when an hour more or less does not change the date.
    let standard = day_of(now.checked_sub(5 * HOUR)?)?;
    day_of(now.checked_sub(behind_utc(standard))?)
}

/// The UTC date of a Unix time.
fn day_of(time: i64) -> Option<u16> {
    // Unsigned, since the VM has no signed division.
    let day = u64::try_from(time).ok()? / DAY.unsigned_abs();
    u16::try_from(day).ok()
}

/// Days since Sunday: 1970-01-01 was a Thursday.
fn days_since_sunday(day: u16) -> u64 {
    (u64::from(day) + 4) % 7
}

fn is_weekend(day: u16) -> bool {
    matches!(days_since_sunday(day), 0 | 6)
}

/// Seconds that New York is behind UTC on a date, once the clocks have changed where they do on it. Daylight saving lasts
/// from the second Sunday of March to the first of November: 15 U.S.C. 260a, the rule since 2007. Right until 2104.
fn behind_utc(day: u16) -> i64 {
    // Years begin in March, so that the leap day, which ends every fourth from 1 March 1968 on, counts as any winter day.
    const FROM_MARCH_1968: u64 = 671;
    const FOUR_YEARS: u64 = 1_461;
    const EIGHTH_OF_MARCH: u64 = 7;
    const FIRST_OF_NOVEMBER: u64 = 245;
    let day_of_year = (u64::from(day) + FROM_MARCH_1968) % FOUR_YEARS % 365;
    // Whether the last Sunday, today's included, is one from the second of March to the last of October. A week is added
    // to both sides since that Sunday may be in February.
    let sunday = day_of_year + 7 - days_since_sunday(day);
    if (EIGHTH_OF_MARCH + 7..FIRST_OF_NOVEMBER + 7).contains(&sunday) { 4 * HOUR } else { 5 * HOUR }
}
