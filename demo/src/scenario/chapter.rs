//! Weeks of a stock and bitcoin, and their clock: every hour, and more often where states change.

use anyhow::{Context, Result};
use perpetua_client::perpetua::ShortDay;
use perpetua_tests::stock::set_multiplier;

use super::{stage::Stage, states::State};
use crate::history::{HOUR, Path, Quote};

const DAY: i64 = 24 * HOUR;
const MINUTE: i64 = 60;
/// Seconds after a price's publication at which everybody acts, as on the stage.
const REACTION: i64 = 2;
/// How long a missing price is waited for, how long before and after a change of the multiplier nothing happens, and how
/// long a halt has an effect after it, in seconds: docs/mechanism.md section 8.
const OUTAGE: i64 = 10 * MINUTE;
const HALF_AN_HOUR: i64 = 30 * MINUTE;
/// Half-widths of the confidence interval in a calm hour, in bps of the price.
const CONFIDENCE_BPS: [i64; 2] = [4, 5];
/// Furthest from its average that a price is normal, in bps.
const AVERAGE_BAND_BPS: i64 = 500;
/// How long before its close the last trade of a session is.
pub const LAST_SECONDS: i64 = 4;

/// A split, which reaches the token as a change of its multiplier from one.
#[derive(Clone, Copy, Debug)]
pub struct Split {
    /// When the issuer announces it in the mint, Unix seconds.
    pub announced: i64,
    /// When the administrator acknowledges it.
    pub acknowledged: i64,
    /// From when it counts.
    pub at: i64,
    /// Shares for each one before.
    pub factor: i64,
}

/// A few weeks.
pub struct Chapter {
    /// What happens in it.
    pub title: &'static str,
    /// Prices of bitcoin, in units of `10^EXPONENT` US dollars.
    pub bitcoin: fn() -> Result<Vec<(i64, i64)>>,
    /// Prices of a share while the exchange trades.
    pub share: fn() -> Result<Vec<(i64, i64)>>,
    /// Strike of tick 0, US dollars.
    pub reference_strike: i64,
    /// The stock's price when the quanto market was listed, US cents.
    pub stock_price_cents: u64,
    /// The first hour, Unix seconds.
    pub start: i64,
    /// From when nobody buys, at a close.
    pub last_call: i64,
    /// From when everybody sells, in a session.
    pub farewell: i64,
    /// The last moment.
    pub end: i64,
    /// New York date of the exchange's holiday, days since 1970-01-01.
    pub holiday: u16,
    /// Between which times the stock's feed is silent, which the prices do not say.
    pub halt: Option<(i64, i64)>,
    /// A split.
    pub split: Option<Split>,
}

/// A moment at which everybody acts.
#[derive(Clone, Copy, Debug)]
pub struct Step {
    /// Unix seconds.
    pub time: i64,
    /// What bitcoin's feed publishes.
    pub bitcoin: Quote,
    /// What the stock's feed publishes, unless it is silent.
    pub share: Option<Quote>,
    /// Whether these are a session's last seconds.
    pub closes: bool,
}

impl Chapter {
    /// The days on which the exchange is closed though it is no weekend.
    pub fn holidays(&self) -> Vec<ShortDay> {
        vec![ShortDay { day: self.holiday, close_minute: 0 }]
    }

    fn share_path(&self) -> Result<Path> {
        let split = self.split.map(|split| (split.at, split.factor));
        Ok(Path::new((self.share)()?, CONFIDENCE_BPS[1], split))
    }

    /// The exchange's sessions in the slice: its first trade and its close.
    ///
    /// Errors: for a slice that is not what `data/PROVENANCE.md` describes.
    pub fn sessions(&self) -> Result<Vec<(i64, i64)>> {
        let all = self.share_path()?.sessions();
        Ok(all.into_iter().filter(|(_, closes)| (self.start..=self.end + DAY).contains(closes)).collect())
    }

    /// All moments.
    ///
    /// Errors: for slices that are not what `data/PROVENANCE.md` describes.
    pub fn steps(&self) -> Result<Vec<Step>> {
        let bitcoin = Path::new((self.bitcoin)()?, CONFIDENCE_BPS[0], None);
        let share = self.share_path()?;
        let sessions = self.sessions()?;
        let step = |time: i64| {
            let bitcoin = bitcoin.at(time).with_context(|| format!("no price of bitcoin at {time}"))?;
            let halted = self.halt.is_some_and(|(from, to)| from < time && time < to);
            let resumes = self.halt.filter(|(_, to)| *to == time);
            let share = share.at(time).filter(|_| !halted);
            let share = share.map(|quote| resumes.map_or(quote, |(from, _)| Quote { previous: from, ..quote }));
            let closes = sessions.iter().any(|session| session.1 == time + LAST_SECONDS);
            Ok(Step { time, bitcoin, share, closes })
        };
        self.times(&sessions).into_iter().map(step).collect()
    }

    fn times(&self, sessions: &[(i64, i64)]) -> Vec<i64> {
        let mut times: Vec<i64> = (self.start..=self.end).step_by(3_600).collect();
        for (opens, closes) in sessions {
            times.extend([opens - MINUTE, *opens, opens + 5 * MINUTE, opens + 15 * MINUTE, closes - LAST_SECONDS]);
        }
        if let Some((from, to)) = self.halt {
            times.extend([from + 5 * MINUTE, from + 20 * MINUTE, to, to + HALF_AN_HOUR + MINUTE]);
        }
        if let Some(Split { at, .. }) = self.split {
            let near = [HALF_AN_HOUR + MINUTE, HALF_AN_HOUR - MINUTE, MINUTE];
            times.extend(near.iter().flat_map(|seconds| [at - seconds, at + seconds]).chain([at]));
        }
        times.retain(|time| (self.start..=self.end).contains(time));
        times.sort_unstable();
        times.dedup();
        times
    }

    /// What the issuer and the administrator do when their time has come; returns whether the administrator acknowledges.
    pub fn issuer_acts(&self, stage: &mut Stage, step: &Step, before: i64) -> bool {
        let Some(split) = self.split else { return false };
        let due = |at: i64| before < at && at <= step.time;
        if due(split.announced) {
            let mint = stage.keys().stock_mint;
            set_multiplier(&mut stage.world.chain, &mint, 1.0, f64::from(self.factor()), split.at);
        }
        due(split.acknowledged)
    }

    /// Shares for each one before the split.
    pub fn factor(&self) -> u8 {
        self.split.and_then(|split| u8::try_from(split.factor).ok()).unwrap_or(1)
    }

    /// The multiplier in force at a time.
    pub fn multiplier(&self, time: i64) -> i64 {
        self.split.filter(|split| time >= split.at).map_or(1, |split| split.factor)
    }
}

/// Knows by the slices alone what is not normal.
pub struct Watch<'a> {
    chapter: &'a Chapter,
    sessions: Vec<(i64, i64)>,
    /// The last price of a share.
    pub share: Quote,
    /// Since when a price is known to be missing in a session.
    missing: Option<i64>,
}

impl<'a> Watch<'a> {
    /// From the first moment on.
    pub fn new(chapter: &'a Chapter, sessions: Vec<(i64, i64)>, share: Quote) -> Self {
        Self { chapter, sessions, share, missing: None }
    }

    /// What is not normal at a moment, in the order of the states.
    pub fn states(&mut self, step: &Step) -> Vec<State> {
        let now = step.time + REACTION;
        let chapter = self.chapter;
        if let Some(share) = step.share {
            self.share = share;
        }
        let session = self.sessions.iter().find(|(opens, closes)| (*opens..*closes).contains(&now));
        let live = session.is_some() && step.share.is_some();
        // The keeper's crank puts it on record, at every moment.
        let missing = session.filter(|_| !live).map(|(opens, _)| self.missing.filter(|at| at >= opens).unwrap_or(now));
        self.missing = missing;
        let due = missing.is_some_and(|since| now - since <= OUTAGE);
        let in_grace = chapter.halt.is_some_and(|(_, to)| (to..to + HALF_AN_HOUR).contains(&now) && now >= to);
        let quiet = chapter.split.is_some_and(|split| {
            let known = now >= split.announced && split.announced < split.at;
            known && (now - split.at).abs() <= HALF_AN_HOUR
        });
        let all = [
            (State::IndexFar, is_far(&step.bitcoin)),
            (State::Grace, in_grace),
            (State::Quiet, quiet),
            (State::Due, !live && due),
            (State::StockFar, live && is_far(&self.share)),
            (State::Closed, !live && !due),
        ];
        all.into_iter().filter(|(_, applies)| *applies).map(|(state, _)| state).collect()
    }

    /// What a whole token is worth by the last price of a share, US dollars.
    pub fn token(&self) -> f64 {
        let multiplier = i32::try_from(self.chapter.multiplier(self.share.time)).unwrap_or(1);
        self.share.usd() * f64::from(multiplier)
    }
}

fn is_far(quote: &Quote) -> bool {
    (quote.price - quote.average).abs() * 10_000 > quote.average * AVERAGE_BAND_BPS
}
