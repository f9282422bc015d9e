//! Funding: what holders of options pay while they hold them. One crank accrues every series of a market.

use perpetua_pricing::{Ladder, OptionValue, Real, Side, Usd, exp2_negative};

use crate::{
    error::{ModelError, Result},
    index::Index,
    market::{Market, SLOTS, Series, Slot, years},
    quantities::{FundingIndex, FundingRate, SIZE_SCALE, UNITS_PER_USD_FRACTION_BITS, bps},
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

        let steps = self.accrual_steps(seconds)?;
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
    pub fn funding_rate(&self, side: Side, strike: Usd, option: &OptionValue) -> Result<FundingRate> {
        self.rate_terms(side).rate(strike, option)
    }

    /// The rate now of a series that has none yet.
    ///
    /// Errors: [`ModelError::MathOverflow`].
    pub fn current_rate(&self, side: Side, strike: Usd, spot: Usd) -> Result<FundingRate> {
        let curve = self.config.curve(side, self.middle[side as usize].real())?;
        self.funding_rate(side, strike, &curve.value(spot, strike))
    }

    fn rate_terms(&self, side: Side) -> RateTerms {
        RateTerms {
            per_period: Real::ONE.div(self.config.period_years()).unwrap_or(Real::ZERO),
            carry: bps(self.config.carry_bps),
            rent: bps(self.config.rent_bps).mul(self.config.cap(side)),
        }
    }

    fn accrual_steps(&self, seconds: u64) -> Result<Steps> {
        let within = seconds.min(u64::from(self.config.max_gap));
        let per_second = self.per_usd_second();
        let half = per_second.mul(Real::from_u64(within)).halve();
        Ok(Steps { half, excess: per_second.mul(Real::from_u64(seconds - within)) })
    }

    /// Funding index per dollar of rate and second, `X / (10^6 * seconds per year)`.
    fn per_usd_second(&self) -> Real {
        let units = Real::from_fixed(self.units_per_usd().0, UNITS_PER_USD_FRACTION_BITS);
        units.mul(years(1)).div(Real::from_u64(SIZE_SCALE)).unwrap_or(Real::ZERO)
    }

    fn accrue_to_new_rates(&mut self, spot: Usd, steps: Steps) -> Result<()> {
        let spot = self.config.grid()?.locate(spot);
        for side in [Side::Call, Side::Put] {
            let curve = self.config.curve(side, self.middle[side as usize].real())?;
            let terms = self.rate_terms(side);
            let mut accruing = AccruingLadder { slots: &mut self.slots, side, terms, steps, outcome: Ok(()) };
            spot.price(&curve, self.active, &mut accruing);
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
                let last = Real::from_fixed(series.rate.0, crate::quantities::FUNDING_RATE_FRACTION_BITS);
                series.accrue(FundingRate::from_real(last.mul(kept))?, steps)?;
            }
        }
        Ok(())
    }
}

/// What turns an option's time value into a rate; the same for all strikes of a side.
#[derive(Clone, Copy)]
struct RateTerms {
    per_period: Real,
    carry: Real,
    rent: Real,
}

impl RateTerms {
    fn rate(&self, strike: Usd, option: &OptionValue) -> Result<FundingRate> {
        let gamma_rent = option.time_value.mul(self.per_period);
        let financing = option.financed.mul(self.carry);
        FundingRate::from_real(gamma_rent.add(financing).add(Real::from(strike).mul(self.rent)))
    }
}

/// Moves the funding index of each series as it is priced.
struct AccruingLadder<'a> {
    slots: &'a mut [Slot; SLOTS],
    side: Side,
    terms: RateTerms,
    steps: Steps,
    outcome: Result<()>,
}

impl Ladder for AccruingLadder<'_> {
    fn tick(&self, slot: usize) -> i16 {
        self.slots[slot].tick
    }

    fn strike(&self, slot: usize) -> Usd {
        self.slots[slot].strike.into()
    }

    fn priced(&mut self, slot: usize, value: OptionValue) {
        let rate = self.terms.rate(self.slots[slot].strike.into(), &value);
        let series = &mut self.slots[slot].series[self.side as usize];
        let accrued = rate.and_then(|rate| series.accrue(rate, self.steps));
        self.outcome = self.outcome.and(accrued);
    }
}

/// Funding index per dollar of yearly rate: for the sum of both rates, and for the lower one beyond the longest gap.
#[derive(Clone, Copy)]
struct Steps {
    half: Real,
    excess: Real,
}

impl Series {
    /// Moves the funding index by the trapezoid between the last rate and `rate`, rounded up, and keeps `rate`.
    ///
    /// The step carries 62 significant bits, so many accruals equal one but for a last place each and 2^-59 of the step.
    fn accrue(&mut self, rate: FundingRate, steps: Steps) -> Result<()> {
        if !self.open_interest.is_zero() {
            let both = self.rate.plus(rate)?;
            let lower = self.rate.min(rate);
            let step = charge(both, steps.half)?;
            let rest = charge(lower, steps.excess)?;
            let next = self.index().0.checked_add(step).and_then(|sum| sum.checked_add(rest));
            self.funding_index = FundingIndex(next.ok_or(ModelError::MathOverflow)?).into();
        }
        self.rate = rate;
        Ok(())
    }
}

/// `rate * step` as a funding index, rounded up.
fn charge(rate: FundingRate, step: Real) -> Result<u128> {
    let rate = Real::from_fixed(rate.0, crate::quantities::FUNDING_RATE_FRACTION_BITS);
    rate.mul(step).to_fixed_wide(64, perpetua_pricing::Rounding::Up).ok_or(ModelError::MathOverflow)
}
