//! The index: the one guard that every price passes, the window of recent prices and the realised variance.

use bytemuck::Zeroable;
use perpetua_pricing::{Real, Rounding, Usd, exp2_negative, ln};

use crate::{
    error::{ModelError, Result},
    quantities::{BPS, SECONDS_PER_YEAR, Variance, Wide, bps},
};

/// Seconds in a price window: prices accepted within one window are never played against each other.
pub const WINDOW_SECONDS: i64 = 30;
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
/// Seconds between two publish times from which the feed counts as having been out.
pub const OUTAGE_SECONDS: i64 = 120;
/// Seconds of outage from which liquidation and funding wait for [`GRACE_SECONDS`].
pub const LONG_OUTAGE_SECONDS: i64 = 600;
/// Seconds that liquidation and funding wait after a long outage.
pub const GRACE_SECONDS: i64 = 1_800;
/// Seconds without an accepted price after which positions may be closed at the last one.
pub const ABANDONED_SECONDS: i64 = 7 * 86_400;
/// Seconds that a publish time may be ahead of the clock.
pub const MAX_FUTURE_SECONDS: i64 = 5;

/// The guards that an administrator chooses, within hard bounds.
#[cfg_attr(feature = "idl-build", derive(anchor_lang::AnchorSerialize))]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, bytemuck::Pod, bytemuck::Zeroable)]
#[repr(C)]
pub struct Guards {
    /// Oldest publish time that a trade accepts, in seconds before now.
    pub max_age_trade: u32,
    /// Oldest publish time that a crank accepts, in seconds before now.
    pub max_age_crank: u32,
    /// Widest confidence half-interval, in bps of the price.
    pub max_confidence_bps: u16,
    /// Widest distance between spot and its moving average, in bps of the average.
    pub average_band_bps: u16,
    /// Zero.
    pub padding: [u8; 4],
}

impl Guards {
    /// Checks the hard bounds of docs/mechanism.md section 9.
    ///
    /// Errors: [`ModelError::ParameterOutOfRange`].
    pub fn validate(&self) -> Result<()> {
        let sane = (10..=60).contains(&self.max_age_trade)
            && (self.max_age_trade..=300).contains(&self.max_age_crank)
            && (20..=500).contains(&self.max_confidence_bps)
            && (300..=2_000).contains(&self.average_band_bps)
            && self.padding == [0; 4];
        if sane { Ok(()) } else { Err(ModelError::ParameterOutOfRange) }
    }
}

/// One oracle update, in model units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PriceUpdate {
    /// Spot.
    pub price: Usd,
    /// Half-width of the oracle's confidence interval.
    pub confidence: Usd,
    /// The oracle's moving average.
    pub average: Usd,
    /// When the oracle published it, Unix seconds.
    pub publish_time: i64,
    /// When the oracle published the update before it, Unix seconds.
    pub previous_publish_time: i64,
}

impl PriceUpdate {
    /// Reads integers as an oracle gives them: each times `10^exponent`.
    ///
    /// Errors: [`ModelError::PriceNotPositive`]; [`ModelError::PriceOutOfRange`] for an exponent or a price outside
    /// 0.01 to 2^24.
    pub fn parse(
        price: i64,
        confidence: u64,
        average: i64,
        exponent: i32,
        publish_time: i64,
        previous_publish_time: i64,
    ) -> Result<Self> {
        let positive = |value: i64| u64::try_from(value).ok().filter(|v| *v > 0).ok_or(ModelError::PriceNotPositive);
        let usd = |value: u64| Usd::from_decimal(value, exponent).ok_or(ModelError::PriceOutOfRange);
        let in_range = |value: Usd| {
            if (Usd::MIN_PRICE..=Usd::MAX_PRICE).contains(&value) {
                Ok(value)
            } else {
                Err(ModelError::PriceOutOfRange)
            }
        };
        Ok(Self {
            price: in_range(usd(positive(price)?)?)?,
            confidence: usd(confidence)?,
            average: in_range(usd(positive(average)?)?)?,
            publish_time,
            previous_publish_time,
        })
    }
}

/// The lowest and the highest price that the market may trade at now, and the last one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reading {
    /// The lower end.
    pub low: Usd,
    /// The last accepted price.
    pub last: Usd,
    /// The upper end.
    pub high: Usd,
    /// Whether spot is too far from its moving average; the range then includes the average.
    pub diverged: bool,
    /// Whether the last variance sample is too old.
    pub variance_stale: bool,
    /// Whether variance was observed long enough to open positions.
    pub variance_young: bool,
    /// Whether a long outage ended a short while ago.
    pub in_grace: bool,
}

/// Extremes of the prices accepted within one window, each widened by its half-width.
#[cfg_attr(feature = "idl-build", derive(anchor_lang::AnchorSerialize))]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, bytemuck::Pod, bytemuck::Zeroable)]
#[repr(C)]
pub struct Window {
    /// Number of the window: Unix seconds of acceptance / 30.
    pub number: i64,
    /// Lowest price less half-width, US dollars Q64.64; zero, as the highest is, where nothing was accepted.
    pub low: Wide,
    /// Highest price plus half-width, US dollars Q64.64.
    pub high: Wide,
}

/// An underlying's price and variance.
#[cfg_attr(feature = "idl-build", derive(anchor_lang::AnchorSerialize))]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, bytemuck::Pod, bytemuck::Zeroable)]
#[repr(C)]
pub struct Index {
    /// The guards.
    pub guards: Guards,
    /// Last accepted price, US dollars Q64.64; zero before the first.
    pub price: Wide,
    /// Its confidence half-interval, US dollars Q64.64.
    pub confidence: Wide,
    /// The moving average that came with it, US dollars Q64.64.
    pub average: Wide,
    /// Its publish time, Unix seconds.
    pub publish_time: i64,
    /// The window in which a price was accepted last.
    pub current: Window,
    /// The window before it, if a price was accepted in it.
    pub previous: Window,
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
        if update.publish_time > now.saturating_add(MAX_FUTURE_SECONDS) {
            return Err(ModelError::PriceFromFuture);
        }
        let newer = update.publish_time > self.publish_time;
        if update.publish_time == self.publish_time {
            return Ok(false);
        }
        if age(update.publish_time, now) > u64::from(self.guards.max_age_crank) {
            return if newer { Err(ModelError::PriceStale) } else { Ok(false) };
        }
        if exceeds(update.confidence, update.price, self.guards.max_confidence_bps) {
            return if newer { Err(ModelError::PriceUncertain) } else { Ok(false) };
        }
        let mut next = *self;
        next.note_outage(update, newer, now);
        if !newer {
            next.sample(update)?;
            *self = next;
            return Ok(false);
        }
        next.price = update.price.into();
        next.confidence = update.confidence.into();
        next.average = update.average.into();
        next.publish_time = update.publish_time;
        next.sample(update)?;
        next.widen_window(now)?;
        *self = next;
        Ok(true)
    }

    /// The price range to trade at, if the last accepted price is not older than `max_age` seconds.
    ///
    /// Errors: [`ModelError::PriceStale`], [`ModelError::MathOverflow`].
    pub fn read(&self, now: i64, max_age: u32) -> Result<Reading> {
        self.require_fresh(now, max_age)?;
        let last = Usd::from(self.price);
        let average = Usd::from(self.average);
        let (mut low, mut high) = self.range_of_last(now)?;
        // Counted from where the last price was accepted, not from now: a price that is still good to trade at must not
        // outlive the others that were accepted next to it.
        let adjacent = self.previous.number >= self.current.number.saturating_sub(1);
        for (window, counts) in [(&self.current, true), (&self.previous, adjacent)] {
            if counts && window.high != Wide::ZERO {
                low = low.min(window.low.into());
                high = high.max(window.high.into());
            }
        }
        let diverged = self.is_diverged();
        if diverged {
            low = low.min(average);
            high = high.max(average);
        }
        Ok(Reading {
            low: low.max(Usd::MIN_PRICE),
            last,
            high: high.min(Usd::MAX_PRICE),
            diverged,
            variance_stale: self.variance_stale(now),
            variance_young: self.sampling_since != 0 && now.saturating_sub(self.sampling_since) < VARIANCE_MIN_HISTORY,
            in_grace: self.is_in_grace(now),
        })
    }

    /// Refuses to go on if the last accepted price is older than `max_age` seconds.
    ///
    /// Errors: [`ModelError::PriceStale`].
    pub(crate) fn require_fresh(&self, now: i64, max_age: u32) -> Result<()> {
        let fresh = self.price != Wide::ZERO && age(self.publish_time, now) <= u64::from(max_age);
        if fresh { Ok(()) } else { Err(ModelError::PriceStale) }
    }

    /// Whether spot is too far from its moving average.
    pub(crate) fn is_diverged(&self) -> bool {
        let (last, average) = (Usd::from(self.price), Usd::from(self.average));
        let distance = last.max(average).saturating_sub(last.min(average));
        exceeds(distance, average, self.guards.average_band_bps)
    }

    /// Whether a long outage ended a short while ago.
    pub(crate) fn is_in_grace(&self, now: i64) -> bool {
        now < self.grace_until
    }

    /// The larger of the two variances, counting the return since the last sample provisionally.
    ///
    /// Errors: [`ModelError::MathOverflow`].
    pub fn provisional_variance(&self) -> Result<Real> {
        let elapsed = self.publish_time.saturating_sub(self.sample_mark.saturating_mul(SAMPLE_SECONDS));
        let Some((square, seconds)) = self.return_since_sample(self.price.into(), elapsed) else {
            return Ok(self.variances[0].max(self.variances[1]).real());
        };
        let age = self.sampled_seconds(self.publish_time);
        let mut largest = Real::ZERO;
        for (variance, half_life) in self.variances.iter().zip(HALF_LIVES) {
            largest = largest.max(blend(variance.real(), square, seconds, half_life, age)?);
        }
        Ok(largest)
    }

    /// Whether the last sample is older than an hour.
    pub fn variance_stale(&self, now: i64) -> bool {
        now.saturating_sub(self.sample_mark.saturating_mul(SAMPLE_SECONDS)) > VARIANCE_MAX_AGE
    }

    /// Whether no price was accepted for so long that nobody need wait for the next one; never before the first.
    pub fn is_abandoned(&self, now: i64) -> bool {
        self.price != Wide::ZERO && now.saturating_sub(self.publish_time) > ABANDONED_SECONDS
    }

    fn note_outage(&mut self, update: &PriceUpdate, newer: bool, now: i64) {
        // Time before the last accepted update was accrued, or counted as an outage, when that update came; time before
        // the last outage's end was counted then.
        let known = if newer { self.publish_time.max(self.outage_until) } else { self.outage_until };
        let since = update.previous_publish_time.max(known);
        let gap = update.publish_time.saturating_sub(since);
        if self.price == Wide::ZERO || gap <= OUTAGE_SECONDS {
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
        let at = mark.saturating_mul(SAMPLE_SECONDS);
        if mark <= self.sample_mark || update.previous_publish_time >= at {
            return Ok(());
        }
        let elapsed = at.saturating_sub(self.sample_mark.saturating_mul(SAMPLE_SECONDS));
        if let Some((square, seconds)) = self.return_since_sample(update.price, elapsed) {
            let age = self.sampled_seconds(at);
            for (variance, half_life) in self.variances.iter_mut().zip(HALF_LIVES) {
                *variance = Variance::from_real(blend(variance.real(), square, seconds, half_life, age)?)?;
            }
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
        let cap = bps(MAX_RETURN_BPS);
        let capped = if size > cap { cap } else { size };
        Some((capped.mul(capped), seconds))
    }

    /// Seconds from the first mark to `until`; None where the variance was declared, which counts as known for ever.
    fn sampled_seconds(&self, until: i64) -> Option<u64> {
        let since = Some(self.sampling_since).filter(|since| *since != 0)?;
        u64::try_from(until.saturating_sub(since)).ok()
    }

    fn range_of_last(&self, now: i64) -> Result<(Usd, Usd)> {
        let width = self.half_width(now)?;
        let last = Usd::from(self.price);
        Ok((last.saturating_sub(width), last.checked_add(width).ok_or(ModelError::MathOverflow)?))
    }

    /// `conf + 1.5 sigma S sqrt((age + 2 s) / 1 year)`, rounded up: what the price may have moved since it was published.
    fn half_width(&self, now: i64) -> Result<Usd> {
        let variance = self.variances[0].max(self.variances[1]).real();
        let seconds = age(self.publish_time, now).saturating_add(2);
        let years = Real::from_ratio(seconds, SECONDS_PER_YEAR).ok_or(ModelError::MathOverflow)?;
        let spread = Real::from(Usd::from(self.price)).mul(variance.mul(years).sqrt());
        let moved = spread.add(spread.halve()).to_usd(Rounding::Up);
        moved.checked_add(self.confidence.into()).ok_or(ModelError::MathOverflow)
    }

    fn widen_window(&mut self, now: i64) -> Result<()> {
        let (low, high) = self.range_of_last(now)?;
        let number = now.div_euclid(WINDOW_SECONDS);
        if self.current.number != number || self.current.high == Wide::ZERO {
            self.previous = self.current;
            self.current = Window { number, low: low.into(), high: high.into() };
        } else {
            self.current.low = low.min(self.current.low.into()).into();
            self.current.high = high.max(self.current.high.into()).into();
        }
        Ok(())
    }
}

/// Whether `part` is more than `bps` of `whole`, a price; exact.
fn exceeds(part: Usd, whole: Usd, bps: u16) -> bool {
    // A price is at most 2^88 units, so the product fits.
    let most = whole.bits().saturating_mul(u128::from(bps));
    part.bits().checked_mul(u128::from(BPS)).is_none_or(|part| part > most)
}

/// Seconds from `publish_time` to `now`; a publish time ahead of the clock has age zero.
fn age(publish_time: i64, now: i64) -> u64 {
    u64::try_from(now.saturating_sub(publish_time)).unwrap_or(0)
}

/// The exponentially weighted average moved by a squared return over `seconds`:
/// `variance * d + (1 - d) * square / years` with `d = 2^(-seconds / half_life)`. While an index is young, that is after
/// `age` seconds of samples, `d` is at most `1 - seconds / age`: the plain average so far, since the zero that an
/// undeclared variance starts from is not an observation.
fn blend(variance: Real, square: Real, seconds: u64, half_life: u64, age: Option<u64>) -> Result<Real> {
    let elapsed = Real::from_ratio(seconds, half_life).ok_or(ModelError::MathOverflow)?;
    let years = Real::from_ratio(seconds, SECONDS_PER_YEAR).ok_or(ModelError::MathOverflow)?;
    let decayed = exp2_negative(elapsed);
    let averaged = age.and_then(|age| Real::from_ratio(age.saturating_sub(seconds), age)).unwrap_or(decayed);
    let kept = if averaged < decayed { averaged } else { decayed };
    let annualised = square.div(years).ok_or(ModelError::MathOverflow)?;
    Ok(variance.mul(kept).add(annualised.mul(Real::ONE.saturating_sub(kept))))
}
