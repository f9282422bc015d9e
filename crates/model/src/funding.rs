//! Funding: what holders of options pay while they hold them. One crank accrues every series of a market.

use perpetua_pricing::{
    FundingLadder, OptionValue, RateWeights, Real, Rounding, Side, Usd, exp2_negative, wide::mul_words,
};

use crate::{
    error::{ModelError, Result},
    index::Index,
    market::{Market, SLOTS, Series, Slot, years},
    quantities::{FUNDING_RATE_FRACTION_BITS, FundingRate, SIZE_SCALE, UNITS_PER_USD_FRACTION_BITS, Wide, bps},
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
    /// Accrues funding up to now and sets every series' rate for the time to come. A second call in a slot, with no newer
    /// price, does nothing.
    ///
    /// Errors: [`ModelError::PriceStale`], [`ModelError::MathOverflow`].
    pub fn accrue(&mut self, index: &Index, now: i64, slot: u64) -> Result<Accrual> {
        let reading = index.read(now, index.guards.max_age_crank)?;
        if self.accrued_slot == slot && self.accrued_publish_time == index.publish_time {
            return Ok(Accrual::default());
        }
        let elapsed = u64::try_from(now.saturating_sub(self.accrued_at)).unwrap_or(0);
        let outage = index.outage_seconds.saturating_sub(self.outage_seconds);
        let barred = reading.diverged || reading.in_grace;
        let free = barred || self.barred == 1;
        let seconds = if free { 0 } else { elapsed.saturating_sub(outage) };

        let steps = self.accrual_steps(seconds);
        if reading.variance_stale {
            self.accrue_decaying(elapsed, steps)?;
        } else {
            self.follow_targets(self.volatility_targets(index)?, elapsed)?;
            self.accrue_to_new_rates(reading.last, steps)?;
        }
        self.accrued_at = self.accrued_at.max(now);
        self.accrued_slot = slot;
        self.accrued_publish_time = index.publish_time;
        self.outage_seconds = index.outage_seconds;
        self.barred = u8::from(barred);
        self.diverged = u8::from(reading.diverged);
        Ok(Accrual { seconds, barred: free })
    }

    /// The rate that a series pays: `TV / T + rent cK`, and for calls `carry * financed`.
    ///
    /// Source: mechanism section 3. Errors: [`ModelError::MathOverflow`].
    pub fn funding_rate(&self, side: Side, option: &OptionValue) -> Result<FundingRate> {
        self.rate_weights(side).rate(option).to_fixed(0, Rounding::Up).map(FundingRate).ok_or(ModelError::MathOverflow)
    }

    /// The rate now of a series that has none yet.
    ///
    /// Errors: [`ModelError::MathOverflow`].
    pub fn current_rate(&self, side: Side, strike: Usd, spot: Usd) -> Result<FundingRate> {
        let curve = self.config.curve(side, self.middle[side as usize].real())?;
        self.funding_rate(side, &curve.value(spot, strike))
    }

    /// What a dollar of each part of an option adds to its funding rate, in the last place of [`FundingRate`].
    fn rate_weights(&self, side: Side) -> RateWeights {
        let unit = Real::ONE.scale_by_power_of_two(FUNDING_RATE_FRACTION_BITS.cast_signed());
        RateWeights {
            time_value: unit.div(self.config.period_years()).unwrap_or(Real::ZERO),
            financed: bps(self.config.carry_bps).mul(unit),
            strike: bps(self.config.rent_bps).mul(self.config.cap(side)).mul(unit),
        }
    }

    fn accrual_steps(&self, seconds: u64) -> Steps {
        let within = seconds.min(u64::from(self.config.max_gap));
        let per_second = self.per_usd_second();
        let half = per_second.mul(Real::from_u64(within)).halve();
        Steps { half: Step::new(half), excess: Step::new(per_second.mul(Real::from_u64(seconds - within))) }
    }

    /// Funding index per dollar of rate and second, `X / (10^6 * seconds per year)`.
    fn per_usd_second(&self) -> Real {
        let units = Real::from_fixed(self.units_per_usd().0, UNITS_PER_USD_FRACTION_BITS);
        units.mul(years(1)).div(Real::from_u64(SIZE_SCALE)).unwrap_or(Real::ZERO)
    }

    fn accrue_to_new_rates(&mut self, spot: Usd, steps: Steps) -> Result<()> {
        if self.active == 0 {
            return Ok(());
        }
        let spot = self.config.grid()?.locate(spot);
        let seen = spot.survey(self.active, |slot| self.slots[slot].tick);
        for side in [Side::Call, Side::Put] {
            let curve = self.config.curve(side, self.middle[side as usize].real())?;
            let weights = self.rate_weights(side);
            let mut accruing = AccruingLadder { slots: &mut self.slots, side, steps, outcome: Ok(()) };
            spot.funding_rates(&curve, &weights, &seen, &mut accruing);
            accruing.outcome?;
        }
        Ok(())
    }

    /// Without a recent volatility the last rate goes on, halving each hour.
    fn accrue_decaying(&mut self, elapsed: u64, steps: Steps) -> Result<()> {
        // The divisor is not zero, so the fallback is never taken.
        let kept = exp2_negative(Real::from_ratio(elapsed, 3_600).unwrap_or(Real::ZERO));
        for slot in self.active_slots() {
            for series in &mut self.slots[slot].series {
                let last = Real::from_fixed(series.rate.0, FUNDING_RATE_FRACTION_BITS);
                series.accrue(FundingRate::from_real(last.mul(kept))?, steps)?;
            }
        }
        Ok(())
    }
}

/// Moves the funding index of each series as it is priced.
struct AccruingLadder<'a> {
    slots: &'a mut [Slot; SLOTS],
    side: Side,
    steps: Steps,
    outcome: Result<()>,
}

impl FundingLadder for AccruingLadder<'_> {
    fn tick(&self, slot: usize) -> i16 {
        self.slots[slot].tick
    }

    fn strike(&self, slot: usize) -> Usd {
        self.slots[slot].strike.into()
    }

    fn rate(&mut self, slot: usize, rate: u64) {
        let series = &mut self.slots[slot].series[self.side as usize];
        let accrued = series.accrue(FundingRate(rate), self.steps);
        self.outcome = self.outcome.and(accrued);
    }
}

/// Funding index per dollar of yearly rate: for the sum of both rates, and for the lower one beyond the longest gap.
#[derive(Clone, Copy)]
struct Steps {
    half: Step,
    excess: Step,
}

/// A factor from [`FundingRate`] to funding index, as a word and a shift: one multiplication of two words per series.
#[derive(Clone, Copy)]
struct Step {
    mantissa: u64,
    /// Bits below the last place of the funding index.
    shift: u32,
}

/// From the last place of a rate to that of a funding index.
const RATE_TO_INDEX_BITS: i32 = 64 - 32;

impl Step {
    /// A step too large for a funding index becomes the largest; no price and no time reaches it.
    fn new(step: Real) -> Self {
        match u32::try_from(-step.exponent() - RATE_TO_INDEX_BITS) {
            _ if step.is_zero() => Self { mantissa: 0, shift: 0 },
            Ok(shift @ 0..128) => Self { mantissa: step.mantissa(), shift },
            Ok(_) => Self { mantissa: 1, shift: 127 },
            Err(_) => Self { mantissa: u64::MAX, shift: 0 },
        }
    }

    /// What the rate adds to the funding index, rounded up, as its upper and lower word: shifts of 128-bit numbers are
    /// slow on the Solana VM.
    #[inline(always)]
    fn charge(self, rate: u64) -> (u64, u64) {
        if self.mantissa == 0 || rate == 0 {
            return (0, 0);
        }
        let (high, low) = mul_words(self.mantissa, rate);
        let (upper, lower, dropped) = match self.shift {
            0 => (high, low, 0),
            shift @ 1..64 => (high >> shift, high << (64 - shift) | low >> shift, low << (64 - shift)),
            64 => (0, high, low),
            shift => (0, high >> (shift - 64), high << (128 - shift) | low),
        };
        let (lower, carry) = lower.overflowing_add(u64::from(dropped != 0));
        // The upper word is below the mantissa, so it is not the largest.
        (upper.wrapping_add(u64::from(carry)), lower)
    }
}

impl Series {
    /// Moves the funding index by the trapezoid between the last rate and `rate`, rounded up, and keeps `rate`.
    ///
    /// The step carries 62 significant bits, so many accruals equal one but for a last place each and 2^-59 of the step.
    #[inline(always)]
    fn accrue(&mut self, rate: FundingRate, steps: Steps) -> Result<()> {
        let last = core::mem::replace(&mut self.rate, rate);
        if self.open_interest.is_zero() {
            return Ok(());
        }
        self.charge(steps.half.charge(last.0.saturating_add(rate.0)))?;
        if steps.excess.mantissa != 0 {
            self.charge(steps.excess.charge(last.0.min(rate.0)))?;
        }
        Ok(())
    }

    #[inline(always)]
    fn charge(&mut self, (upper, lower): (u64, u64)) -> Result<()> {
        let (low, carry) = self.funding_index.low.overflowing_add(lower);
        // Two words far from the largest, except at the end of the index's range.
        let high = self.funding_index.high.checked_add(upper).and_then(|high| high.checked_add(u64::from(carry)));
        self.funding_index = Wide { low, high: high.ok_or(ModelError::MathOverflow)? };
        Ok(())
    }
}
