//! A price feed: the one guard that every price passes, and the window of recent prices.

use perpetua_pricing::{Real, Rounding, Usd};

use crate::{
    error::{ModelError, Result},
    quantities::{BPS, Wide, YEARS_PER_SECOND},
};

/// Seconds in a price window: prices accepted within one window are never played against each other.
pub const WINDOW_SECONDS: i64 = 30;
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
        Ok(Self {
            price: in_range(usd(positive(price)?)?)?,
            confidence: usd(confidence)?,
            average: in_range(usd(positive(average)?)?)?,
            publish_time,
            previous_publish_time,
        })
    }

    /// The update of something that is worth `factor` of these.
    ///
    /// Errors: [`ModelError::PriceOutOfRange`].
    pub(crate) fn times(&self, factor: Real) -> Result<Self> {
        if factor == Real::ONE {
            return Ok(*self);
        }
        let scaled = |value: Usd, rounding| Real::from(value).mul(factor).to_usd(rounding);
        Ok(Self {
            price: in_range(scaled(self.price, Rounding::Down))?,
            confidence: scaled(self.confidence, Rounding::Up),
            average: in_range(scaled(self.average, Rounding::Down))?,
            ..*self
        })
    }
}

/// Refuses a price outside 0.01 to 2^24.
fn in_range(price: Usd) -> Result<Usd> {
    let supported = (Usd::MIN_PRICE..=Usd::MAX_PRICE).contains(&price);
    if supported { Ok(price) } else { Err(ModelError::PriceOutOfRange) }
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

/// What a feed has published, as far as it was accepted.
#[cfg_attr(feature = "idl-build", derive(anchor_lang::AnchorSerialize))]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, bytemuck::Pod, bytemuck::Zeroable)]
#[repr(C)]
pub struct Feed {
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
}

/// How an update that passes the guards stands to the last accepted one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// Newer: its price counts.
    Newer,
    /// Not newer, and young enough to prove what happened before it.
    Older,
    /// Of no use any more.
    Spent,
}

impl Feed {
    /// Whether an update may be taken in.
    ///
    /// Errors: [`ModelError::PriceFromFuture`], [`ModelError::PriceStale`], [`ModelError::PriceUncertain`].
    pub(crate) fn judge(&self, update: &PriceUpdate, guards: &Guards, now: i64) -> Result<Standing> {
        if update.publish_time > now.saturating_add(MAX_FUTURE_SECONDS) {
            return Err(ModelError::PriceFromFuture);
        }
        let newer = update.publish_time > self.publish_time;
        let refused = if age(update.publish_time, now) > u64::from(guards.max_age_crank) {
            ModelError::PriceStale
        } else if exceeds(update.confidence, update.price, guards.max_confidence_bps) {
            ModelError::PriceUncertain
        } else {
            return Ok(if newer { Standing::Newer } else { Standing::Older });
        };
        if newer { Err(refused) } else { Ok(Standing::Spent) }
    }

    /// Makes an update's price the last one. The caller widens the window, once it knows the variance.
    pub(crate) fn set(&mut self, update: &PriceUpdate) {
        self.price = update.price.into();
        self.confidence = update.confidence.into();
        self.average = update.average.into();
        self.publish_time = update.publish_time;
    }

    /// Counts the last price in the window of its acceptance.
    ///
    /// Errors: [`ModelError::MathOverflow`].
    pub(crate) fn widen_window(&mut self, variance: Real, now: i64) -> Result<()> {
        let (low, high) = self.range_of_last(variance, now)?;
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

    /// The lowest and the highest price to trade at; they include the moving average where spot is `diverged` from it.
    ///
    /// Errors: [`ModelError::MathOverflow`].
    pub(crate) fn range(&self, variance: Real, diverged: bool, now: i64) -> Result<(Usd, Usd)> {
        let (mut low, mut high) = self.range_of_last(variance, now)?;
        // Counted from where the last price was accepted, not from now: a price that is still good to trade at must not
        // outlive the others that were accepted next to it.
        let adjacent = self.previous.number >= self.current.number.saturating_sub(1);
        for (window, counts) in [(&self.current, true), (&self.previous, adjacent)] {
            if counts && window.high != Wide::ZERO {
                low = low.min(window.low.into());
                high = high.max(window.high.into());
            }
        }
        if diverged {
            let average = Usd::from(self.average);
            low = low.min(average);
            high = high.max(average);
        }
        Ok((low.max(Usd::MIN_PRICE), high.min(Usd::MAX_PRICE)))
    }

    /// Whether the last accepted price is at most `max_age` seconds old.
    pub(crate) fn is_fresh(&self, now: i64, max_age: u32) -> bool {
        self.price != Wide::ZERO && age(self.publish_time, now) <= u64::from(max_age)
    }

    /// Whether spot is too far from its moving average.
    pub(crate) fn is_diverged(&self, guards: &Guards) -> bool {
        let (last, average) = (Usd::from(self.price), Usd::from(self.average));
        let distance = last.max(average).saturating_sub(last.min(average));
        exceeds(distance, average, guards.average_band_bps)
    }

    fn range_of_last(&self, variance: Real, now: i64) -> Result<(Usd, Usd)> {
        let width = self.half_width(variance, now)?;
        let last = Usd::from(self.price);
        Ok((last.saturating_sub(width), last.checked_add(width).ok_or(ModelError::MathOverflow)?))
    }

    /// `conf + 1.5 sigma S sqrt((age + 2 s) / 1 year)`, rounded up: what the price may have moved since it was published.
    fn half_width(&self, variance: Real, now: i64) -> Result<Usd> {
        let seconds = age(self.publish_time, now).saturating_add(2);
        let years = Real::from_u64(seconds).mul(YEARS_PER_SECOND);
        let spread = Real::from(Usd::from(self.price)).mul(variance.mul(years).sqrt());
        let moved = spread.add(spread.halve()).to_usd(Rounding::Up);
        moved.checked_add(self.confidence.into()).ok_or(ModelError::MathOverflow)
    }
}

/// Whether `part` is more than `bps` of `whole`, a price; exact.
pub(crate) fn exceeds(part: Usd, whole: Usd, bps: u16) -> bool {
    match (times(part, BPS), times(whole, bps.into())) {
        (Some(part), Some(most)) => part > most,
        // A price and all that it is compared with have fewer whole dollars, unless the part is far more.
        (part, _) => part.is_none(),
    }
}

/// The product with a factor of 16 bits, as its upper and lower word. None from 2^48 dollars on.
fn times(amount: Usd, factor: u64) -> Option<(u64, u64)> {
    const HALF: u64 = u32::MAX as u64;
    let Wide { low, high } = amount.into();
    let carry = ((low >> 32) * factor + (((low & HALF) * factor) >> 32)) >> 32;
    (high >> 48 == 0).then(|| (high.wrapping_mul(factor).wrapping_add(carry), low.wrapping_mul(factor)))
}

/// Seconds from `publish_time` to `now`; a publish time ahead of the clock has age zero.
fn age(publish_time: i64, now: i64) -> u64 {
    u64::try_from(now.saturating_sub(publish_time)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn a_part_is_compared_as_wide_arithmetic_does(part: u128, zeros in 0..128u32, whole in 1u128..1 << 88, bps: u16, beside in -1i128..=1) {
            let edge = (whole * u128::from(bps) / u128::from(BPS)).saturating_add_signed(beside);
            for part in [part >> zeros, edge] {
                let want = part.checked_mul(u128::from(BPS)).is_none_or(|part| part > whole * u128::from(bps));
                proptest::prop_assert_eq!(exceeds(Usd::from_bits(part), Usd::from_bits(whole), bps), want);
            }
        }
    }
}
