//! Funding: what holders of options pay while they hold them. One crank accrues every series of a market.

use perpetua_pricing::{Curve, OptionValue, RATE_BITS, Real, Rounding, Side, Usd, exp2_negative};

use crate::{
    conditions::{Condition, Conditions, Funding},
    error::{ModelError, Result},
    index::Index,
    market::{Market, SLOTS, Series, Settlement, TickWindow, years},
    quantities::{FUNDING_RATE_FRACTION_BITS, FundingRate, SIZE_SCALE, UnitsPerUsd, Wide},
    quote::Moment,
    stock::Stock,
};

/// What a crank did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Accrual {
    /// Seconds that funding accrued for.
    pub seconds: u64,
    /// Whether time passed without funding, since liquidation was barred.
    pub barred: bool,
}

impl Market {
    /// Accrues funding up to now, sets every series' rate for the time to come and, in a dollar market, takes over `X`. A
    /// second call in a slot, with no newer price, accrues nothing. Nor does one on an abandoned index, which needs no
    /// price: it only makes the market ready for closing.
    ///
    /// Errors: [`ModelError::PriceStale`], [`ModelError::StockMissing`], [`ModelError::StockNotCranked`],
    /// [`ModelError::MathOverflow`].
    pub fn accrue(&mut self, index: &Index, stock: Option<&Stock>, moment: Moment) -> Result<Accrual> {
        let (now, before) = (moment.now, self.units.last);
        let conditions = self.follow_stock(stock, moment)?;
        // Funding needs the last price alone, not the range around it.
        let fresh = index.feed.is_fresh(now, index.guards.max_age_crank);
        if !fresh && !index.is_abandoned(now) {
            return Err(ModelError::PriceStale);
        }
        let conditions = conditions
            .with(Condition::PriceDiverged, index.is_diverged())
            .with(Condition::Grace, index.is_in_grace(now));
        let free = conditions.and(self.conditions).funding() == Funding::Stops;
        self.conditions = conditions;
        let known = self.require_accrued_at(index, moment.slot).is_ok();
        self.accrued_slot = moment.slot;
        self.accrued_publish_time = index.feed.publish_time;
        if known || !fresh {
            return Ok(Accrual::default());
        }
        let elapsed = u64::try_from(now.saturating_sub(self.accrued_at)).unwrap_or(0);
        let outage = index.outage_seconds.saturating_sub(self.outage_seconds);
        let seconds = if free { 0 } else { elapsed.saturating_sub(outage) };
        let stale = index.variance_stale(now);
        if !stale {
            self.follow_targets(self.volatility_targets(index)?, elapsed)?;
        }
        // An empty ladder has nothing that accrues.
        if self.active != 0 {
            let steps = self.accrual_steps(before, seconds);
            if stale {
                self.accrue_decaying(elapsed, steps)?;
            } else {
                self.accrue_to_new_rates(index.feed.price.into(), steps)?;
            }
        }
        self.accrued_at = self.accrued_at.max(now);
        // What an outage that was proved late exceeds this interval by is taken off the next ones.
        self.outage_seconds = self.outage_seconds.saturating_add(outage.min(elapsed));
        Ok(Accrual { seconds, barred: free })
    }

    /// Takes over `X` and what is not normal about the stock; neither is any business of a quanto market.
    fn follow_stock(&mut self, stock: Option<&Stock>, moment: Moment) -> Result<Conditions> {
        match self.config.settlement() {
            Settlement::Quanto(_) => Ok(Conditions::NORMAL),
            Settlement::Dollar => {
                let reading = stock.ok_or(ModelError::StockMissing)?.read(moment)?;
                self.units = reading.units;
                Ok(reading.conditions)
            }
        }
    }

    /// The rate that a series pays: `TV / T + rent cK`, and for calls `carry * financed`.
    ///
    /// Source: docs/mechanism.md section 2. Errors: [`ModelError::MathOverflow`].
    pub fn funding_rate(&self, side: Side, option: &OptionValue) -> Result<FundingRate> {
        let rate = self.rate_weights(side).rate(option).to_fixed(0, Rounding::Up);
        rate.filter(|rate| rate >> RATE_BITS == 0).map(FundingRate).ok_or(ModelError::MathOverflow)
    }

    fn middle_curve(&self, side: Side) -> Result<Curve> {
        self.curve(side, self.middle[side as usize].real())
    }

    /// The rate now of a series that has none yet.
    ///
    /// Errors: [`ModelError::MathOverflow`].
    pub fn current_rate(&self, side: Side, strike: Usd, spot: Usd) -> Result<FundingRate> {
        self.funding_rate(side, &self.middle_curve(side)?.value(spot, strike))
    }

    fn accrual_steps(&self, before: UnitsPerUsd, seconds: u64) -> Steps {
        let within = seconds.min(u64::from(self.config.max_gap));
        let per_second = self.per_usd_second(before);
        let half = per_second.mul(Real::from_u64(within)).halve();
        Steps::new(half, per_second.mul(Real::from_u64(seconds.saturating_sub(within))))
    }

    /// Funding index per dollar of rate and second, `X / (10^6 * seconds per year)` with the mean of `X` `before` and now.
    fn per_usd_second(&self, before: UnitsPerUsd) -> Real {
        let now = self.units.last;
        let before = if before == UnitsPerUsd::ZERO { now } else { before };
        let units = before.real().add(now.real()).halve();
        units.mul(years(1)).div(Real::from_u64(SIZE_SCALE)).unwrap_or(Real::ZERO)
    }

    fn accrue_to_new_rates(&mut self, spot: Usd, steps: Steps) -> Result<()> {
        let spot = self.grid().locate(spot);
        let rated = |side| Ok((self.middle_curve(side)?, self.rate_weights(side)));
        let curves = [rated(Side::Call)?, rated(Side::Put)?];
        let mut next = self.window_from(i16::MIN);
        while let Some(window) = next {
            let mut rates = [[0; SLOTS]; 2];
            for (rates, (curve, weights)) in rates.iter_mut().zip(&curves) {
                let rated = spot.funding_rates(curve, weights, window.lowest, &mut rates[..window.count]);
                rated.ok_or(ModelError::MathOverflow)?;
            }
            // Few cranks come later than the longest gap, and the others need not look.
            if steps.excess.is_zero() {
                self.accrue_window::<false>(window, &rates, steps);
            } else {
                self.accrue_window::<true>(window, &rates, steps);
            }
            next = window.next.and_then(|from| self.window_from(from));
        }
        Ok(())
    }

    /// Moves the funding index of every series whose tick is in the window. A function of its own, so that the loop has
    /// the registers to itself.
    #[inline(never)]
    fn accrue_window<const EXCESS: bool>(&mut self, window: TickWindow, rates: &[[u64; SLOTS]; 2], steps: Steps) {
        let steps = steps.masked();
        let [call_rates, put_rates] = rates;
        for slot in &mut self.slots {
            let place = window.place(slot.tick);
            if let (Some(call), Some(put)) = (call_rates.get(place), put_rates.get(place)) {
                let [calls, puts] = &mut slot.series;
                calls.accrue::<EXCESS>(FundingRate(*call), &steps);
                puts.accrue::<EXCESS>(FundingRate(*put), &steps);
            }
        }
    }

    /// Without a recent volatility the last rate goes on, halving each hour.
    fn accrue_decaying(&mut self, elapsed: u64, steps: Steps) -> Result<()> {
        // The divisor is not zero, so the fallback is never taken.
        let kept = exp2_negative(Real::from_ratio(elapsed, 3_600).unwrap_or(Real::ZERO));
        for slot in self.active_slots() {
            for series in &mut self.slots[slot].series {
                let last = Real::from_fixed(series.rate.0, FUNDING_RATE_FRACTION_BITS);
                series.accrue::<true>(FundingRate::from_real(last.mul(kept))?, &steps);
            }
        }
        Ok(())
    }
}

/// Factors from [`FundingRate`] to funding index, in units of `2^-shift`: for the sum of both rates, and for the lower one
/// beyond the longest gap. One scale for both, so that their products add up before they are rounded once.
#[derive(Clone, Copy)]
struct Steps {
    half: Factor,
    excess: Factor,
    /// At most [`MAX_SHIFT`].
    shift: u32,
    /// `62 - shift` and `shift + 2`, so that no series computes them.
    up: u32,
    down: u32,
    /// One less than `2^shift`: what is added to round up.
    round: u64,
}

/// A factor below 2^61 in two digits. No sum of digits' products leaves a word, so nothing needs a carry.
#[derive(Clone, Copy)]
struct Factor {
    high: u64,
    low: u64,
}

const DIGIT_BITS: u32 = 31;
const DIGIT: u64 = (1 << DIGIT_BITS) - 1;
const FACTOR_BITS: i32 = 61;
const MAX_SHIFT: u32 = 61;
/// From the last place of a rate to that of a funding index.
const RATE_TO_INDEX_BITS: u32 = 64 - 32;

impl Factor {
    fn new(step: Real, shift: u32) -> Self {
        let largest = (1 << FACTOR_BITS) - 1;
        let word = step.to_fixed(RATE_TO_INDEX_BITS + shift, Rounding::Up).map_or(largest, |word| word.min(largest));
        Self { high: word >> DIGIT_BITS, low: word & DIGIT }
    }

    const fn is_zero(self) -> bool {
        self.high | self.low == 0
    }

    /// The product's parts in units of `2^62`, `2^31` and one.
    #[inline(always)]
    fn times(self, rate: u64) -> [u64; 3] {
        let (high, low) = (rate >> DIGIT_BITS, rate & DIGIT);
        let middle = self.high.wrapping_mul(low).wrapping_add(self.low.wrapping_mul(high));
        [self.high.wrapping_mul(high), middle, self.low.wrapping_mul(low)]
    }
}

impl Steps {
    /// Rounds up. A step too large for a funding index becomes the largest; no price and no time reaches it.
    fn new(half: Real, excess: Real) -> Self {
        let bits = FACTOR_BITS - 64 - half.max(excess).exponent();
        let shift = u32::try_from(bits).unwrap_or(0).saturating_sub(RATE_TO_INDEX_BITS).min(MAX_SHIFT);
        Self {
            half: Factor::new(half, shift),
            excess: Factor::new(excess, shift),
            shift,
            up: 2 * DIGIT_BITS - shift,
            down: shift + 2,
            round: (1 << shift) - 1,
        }
    }

    /// The same with shifts that are seen to be below 64, so that no series masks them.
    #[inline(always)]
    const fn masked(self) -> Self {
        Self { shift: self.shift % 64, up: self.up % 64, down: self.down % 64, ..self }
    }

    /// What two rates below `2^RATE_BITS` add to the funding index, rounded up, as its upper and lower word.
    #[inline(always)]
    fn charge<const EXCESS: bool>(&self, last: u64, now: u64) -> (u64, u64) {
        let mut parts = self.half.times(last.wrapping_add(now));
        if EXCESS {
            let excess = self.excess.times(last.min(now));
            parts = [0, 1, 2].map(|part| parts[part].wrapping_add(excess[part]));
        }
        let lowest = parts[2].wrapping_add(self.round);
        let middle = parts[1].wrapping_add(lowest >> DIGIT_BITS);
        let upper = parts[0].wrapping_add(middle >> DIGIT_BITS);
        let lower = (middle & DIGIT) << DIGIT_BITS | lowest & DIGIT;
        // The sum is `upper * 2^62 + lower`; the shift is at most 61, which wrapping shifts need not check.
        let low = upper.wrapping_shl(self.up) | lower.wrapping_shr(self.shift);
        (upper.wrapping_shr(self.down), low)
    }
}

impl Series {
    /// Moves the funding index by the trapezoid between the last rate and `rate`, rounded up, and keeps `rate`; neither
    /// without open interest.
    ///
    /// A step carries 61 significant bits, so many accruals equal one but for a last place each and 2^-59 of the step.
    /// Nothing overflows: at the highest rate and `X` an index moves by less than 2^48 raw units a year.
    #[inline(always)]
    fn accrue<const EXCESS: bool>(&mut self, rate: FundingRate, steps: &Steps) {
        if self.open_interest.is_zero() {
            return;
        }
        let last = core::mem::replace(&mut self.rate, rate);
        let (upper, lower) = steps.charge::<EXCESS>(last.0, rate.0);
        let (low, carry) = self.funding_index.low.overflowing_add(lower);
        let high = self.funding_index.high.wrapping_add(upper).wrapping_add(u64::from(carry));
        self.funding_index = Wide { low, high };
    }
}
