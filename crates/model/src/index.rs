//! The index: an underlying's prices, the outages of its feed and the realised variance.

use bytemuck::Zeroable;
use perpetua_pricing::{Real, Usd, exp2_negative, ln};

use crate::{
    conditions::{Condition, Conditions},
    error::{ModelError, Result},
    feed::{Feed, Guards, PriceUpdate, Standing},
    quantities::{BPS, SECONDS_PER_YEAR, Variance, Wide},
};

/// Seconds between two variance marks.
pub const SAMPLE_SECONDS: i64 = 300;
/// Seconds without a sample after which variance is stale.
pub const VARIANCE_MAX_AGE: i64 = 3_600;
/// Seconds of samples that opening needs, unless the index was listed with a declared variance.
pub const VARIANCE_MIN_HISTORY: i64 = 86_400;
/// Half-lives of the two averages, in seconds.
pub const HALF_LIVES: [u64; 2] = [24 * 3_600, 72 * 3_600];
/// The largest absolute log return that a sample counts, in bps.
pub const MAX_RETURN_BPS: u16 = 1_000;
const MAX_RETURN: Real = match Real::from_ratio(MAX_RETURN_BPS as u64, BPS) {
    Some(fraction) => fraction,
    None => Real::ZERO,
};
const YEAR: Real = Real::from_u64(SECONDS_PER_YEAR);
/// One over three days, per second; times a number of seconds it is cheaper than their quotient.
const PER_THREE_DAYS: Real = match Real::from_ratio(1, HALF_LIVES[1]) {
    Some(part) => part,
    None => Real::ZERO,
};
const _: () = assert!(HALF_LIVES[1] == 3 * HALF_LIVES[0], "one decay is the other's cube");
/// Seconds between two publish times from which the feed counts as having been out.
pub const OUTAGE_SECONDS: i64 = 120;
/// Seconds of outage from which liquidation and funding wait for [`GRACE_SECONDS`].
pub const LONG_OUTAGE_SECONDS: i64 = 600;
/// Seconds that liquidation and funding wait after a long outage.
pub const GRACE_SECONDS: i64 = 1_800;
/// Seconds without an accepted price after which positions may be closed at the last one.
pub const ABANDONED_SECONDS: i64 = 7 * 86_400;

/// The lowest and the highest price that the market may trade at now, and the last one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reading {
    /// The lower end.
    pub low: Usd,
    /// The last accepted price.
    pub last: Usd,
    /// The upper end.
    pub high: Usd,
    /// What is not normal about the price and the variance.
    pub conditions: Conditions,
}

/// An underlying's price and variance.
#[cfg_attr(feature = "idl-build", derive(anchor_lang::AnchorSerialize))]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, bytemuck::Pod, bytemuck::Zeroable)]
#[repr(C)]
pub struct Index {
    /// The guards.
    pub guards: Guards,
    /// Its prices.
    pub feed: Feed,
    /// The annualised variances with half-lives of 24 h and 72 h.
    pub variances: [Variance; 2],
    /// Number of the last sampled mark: Unix seconds / 300; zero before the first.
    pub sample_mark: i64,
    /// The price sampled there, US dollars Q64.64.
    pub sample_price: Wide,
    /// When sampling began, Unix seconds: listing, then the first mark; zero if the variance was declared at listing.
    pub sampling_since: i64,
    /// Seconds, since listing, for which the feed was out by its own publish times.
    pub outage_seconds: u64,
    /// Until when liquidation and funding wait after a long outage, Unix seconds.
    pub grace_until: i64,
    /// Publish time of the update that proved the last outage, Unix seconds.
    pub outage_until: i64,
}

impl Index {
    /// A new index. A declared variance (annualised, not zero) lets positions open at once; without one the index must
    /// sample for 24 hours first.
    ///
    /// Errors: [`ModelError::ParameterOutOfRange`].
    pub fn new(guards: Guards, declared: Option<Variance>, now: i64) -> Result<Self> {
        guards.validate()?;
        // 1% to 1,000% of volatility.
        let sane = |v: &Variance| (Variance(1 << 48).0 / 10_000..=100 << 48).contains(&v.0);
        if !declared.as_ref().is_none_or(sane) {
            return Err(ModelError::ParameterOutOfRange);
        }
        let start = declared.unwrap_or_default();
        let sampling_since = if declared.is_some() { 0 } else { now };
        Ok(Self { guards, variances: [start; 2], sampling_since, ..Self::zeroed() })
    }

    /// Takes in an update. The price of one that is not newer than the last accepted is ignored; `Ok(false)` says so. What
    /// such an update alone proves still counts while it is young: an outage before it, or the sample of a mark.
    ///
    /// Errors, which change nothing: [`ModelError::PriceFromFuture`], [`ModelError::PriceStale`],
    /// [`ModelError::PriceUncertain`], [`ModelError::MathOverflow`].
    pub fn accept(&mut self, update: &PriceUpdate, now: i64) -> Result<bool> {
        let standing = self.feed.judge(update, &self.guards, now)?;
        if standing == Standing::Spent {
            return Ok(false);
        }
        let newer = standing == Standing::Newer;
        let mut next = *self;
        next.note_outage(update, newer, now);
        if newer {
            next.feed.set(update);
        }
        next.sample(update)?;
        if newer {
            let variance = next.largest_variance();
            next.feed.widen_window(variance, now)?;
        }
        *self = next;
        Ok(newer)
    }

    /// The price range to trade at, which is out of date if the last accepted price is older than `max_age` seconds.
    ///
    /// Errors: [`ModelError::MathOverflow`].
    pub fn read(&self, now: i64, max_age: u32) -> Result<Reading> {
        let diverged = self.is_diverged();
        let (low, high) = self.feed.range(self.largest_variance(), diverged, now)?;
        let young = self.sampling_since != 0 && now.saturating_sub(self.sampling_since) < VARIANCE_MIN_HISTORY;
        let conditions = Conditions::NORMAL
            .with(Condition::PriceStale, !self.feed.is_fresh(now, max_age))
            .with(Condition::PriceDiverged, diverged)
            .with(Condition::VarianceStale, self.variance_stale(now))
            .with(Condition::VarianceYoung, young)
            .with(Condition::Grace, self.is_in_grace(now));
        Ok(Reading { low, last: self.feed.price.into(), high, conditions })
    }

    /// Whether spot is too far from its moving average.
    pub(crate) fn is_diverged(&self) -> bool {
        self.feed.is_diverged(&self.guards)
    }

    /// Whether a long outage ended a short while ago.
    pub(crate) fn is_in_grace(&self, now: i64) -> bool {
        now < self.grace_until
    }

    /// The larger of the two variances, counting the return since the last sample provisionally.
    ///
    /// Errors: [`ModelError::MathOverflow`].
    pub fn provisional_variance(&self) -> Result<Real> {
        let elapsed = self.feed.publish_time.saturating_sub(time_of(self.sample_mark));
        let Some((square, seconds)) = self.return_since_sample(self.feed.price.into(), elapsed) else {
            return Ok(self.largest_variance());
        };
        let [day, three_days] = self.blends(square, seconds, self.sampled_seconds(self.feed.publish_time))?;
        Ok(day.max(three_days))
    }

    /// The larger of the two variances, as sampled.
    fn largest_variance(&self) -> Real {
        self.variances[0].max(self.variances[1]).real()
    }

    /// Whether the last sample is older than an hour.
    pub fn variance_stale(&self, now: i64) -> bool {
        now.saturating_sub(time_of(self.sample_mark)) > VARIANCE_MAX_AGE
    }

    /// Whether no price was accepted for so long that nobody need wait for the next one; never before the first.
    pub fn is_abandoned(&self, now: i64) -> bool {
        self.feed.price != Wide::ZERO && now.saturating_sub(self.feed.publish_time) > ABANDONED_SECONDS
    }

    fn note_outage(&mut self, update: &PriceUpdate, newer: bool, now: i64) {
        // Time before the last accepted update was accrued, or counted as an outage, when that update came; time before
        // the last outage's end was counted then.
        let known = if newer { self.feed.publish_time.max(self.outage_until) } else { self.outage_until };
        let since = update.previous_publish_time.max(known);
        let gap = update.publish_time.saturating_sub(since);
        if self.feed.price == Wide::ZERO || gap <= OUTAGE_SECONDS {
            return;
        }
        self.outage_seconds = self.outage_seconds.saturating_add(gap.unsigned_abs());
        self.outage_until = update.publish_time;
        if gap > LONG_OUTAGE_SECONDS {
            self.grace_until = now.saturating_add(GRACE_SECONDS);
        }
    }

    /// One sample per mark: the first update published at or after it, which the update's own previous time proves.
    fn sample(&mut self, update: &PriceUpdate) -> Result<()> {
        let mark = update.publish_time.div_euclid(SAMPLE_SECONDS);
        let at = time_of(mark);
        if mark <= self.sample_mark || update.previous_publish_time >= at {
            return Ok(());
        }
        let elapsed = at.saturating_sub(time_of(self.sample_mark));
        if let Some((square, seconds)) = self.return_since_sample(update.price, elapsed) {
            let [day, three_days] = self.blends(square, seconds, self.sampled_seconds(at))?;
            self.variances = [Variance::from_real(day)?, Variance::from_real(three_days)?];
        } else if self.sampling_since != 0 {
            self.sampling_since = at;
        }
        self.sample_mark = mark;
        self.sample_price = update.price.into();
        Ok(())
    }

    /// The squared, capped log return since the last sample and the seconds it took; nothing before the first sample.
    fn return_since_sample(&self, price: Usd, elapsed: i64) -> Option<(Real, u64)> {
        let seconds = u64::try_from(elapsed).ok().filter(|s| *s > 0)?;
        let ratio = Real::from(price).div(Real::from(Usd::from(self.sample_price)))?;
        let size = ln(ratio).magnitude;
        let capped = if size > MAX_RETURN { MAX_RETURN } else { size };
        Some((capped.mul(capped), seconds))
    }

    /// Seconds from the first mark to `until`; None where the variance was declared, which counts as known for ever.
    fn sampled_seconds(&self, until: i64) -> Option<u64> {
        let since = Some(self.sampling_since).filter(|since| *since != 0)?;
        u64::try_from(until.saturating_sub(since)).ok()
    }

    /// The exponentially weighted averages moved by a squared return over `seconds`:
    /// `variance * d + (1 - d) * square / years` with `d = 2^(-seconds / half_life)`. While an index is young, that is after
    /// `age` seconds of samples, `d` is at most `1 - seconds / age`: the plain average so far, since the zero that an
    /// undeclared variance starts from is not an observation.
    fn blends(&self, square: Real, seconds: u64, age: Option<u64>) -> Result<[Real; 2]> {
        let elapsed = Real::from_u64(seconds);
        let annualised = square.mul(YEAR).div(elapsed).ok_or(ModelError::MathOverflow)?;
        let averaged = age.and_then(|age| Real::from_ratio(age.saturating_sub(seconds), age)).unwrap_or(Real::ONE);
        let by_three_days = exp2_negative(elapsed.mul(PER_THREE_DAYS));
        // A third of the half-life leaves the cube.
        let by_day = by_three_days.mul(by_three_days).mul(by_three_days);
        let blend = |variance: Variance, decayed: Real| {
            let kept = averaged.min(decayed);
            variance.real().mul(kept).add(annualised.mul(Real::ONE.saturating_sub(kept)))
        };
        let [day, three_days] = self.variances;
        Ok([blend(day, by_day), blend(three_days, by_three_days)])
    }
}

/// When a mark is, Unix seconds. It is one of a time near now, so the product does not wrap; a checked one would take a
/// multiplication of 128 bits on the VM.
fn time_of(mark: i64) -> i64 {
    mark.wrapping_mul(SAMPLE_SECONDS)
}
