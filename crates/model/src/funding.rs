//! Funding: what holders of options pay while they hold them. One crank accrues every series of a market.

use perpetua_pricing::{Curve, OptionValue, RATE_BITS, Real, Rounding, Side, Usd, exp2_negative};

use crate::{
    conditions::{Condition, Conditions, Funding},
    error::{ModelError, Result},
    index::Index,
    margin::PER_SECOND_AND_MILLIONTH,
    market::{Market, SLOTS, Series, Settlement, TickWindow},
    quantities::{FUNDING_RATE_FRACTION_BITS, FundingRate, UnitsPerUsd, Wide},
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
        Steps { half, excess: per_second.mul(Real::from_u64(seconds.saturating_sub(within))) }
    }

    /// Funding index per dollar of rate and second, `X / (10^6 * seconds per year)` with the mean of `X` `before` and now.
    fn per_usd_second(&self, before: UnitsPerUsd) -> Real {
        let now = self.units.last;
        let before = if before == UnitsPerUsd::ZERO { now } else { before };
        let units = before.real().add(now.real()).halve();
        units.mul(PER_SECOND_AND_MILLIONTH)
    }

    fn accrue_to_new_rates(&mut self, spot: Usd, steps: Steps) -> Result<()> {
        let spot = self.grid().locate(spot);
        let rated = |side| Ok((self.middle_curve(side)?, self.rate_weights(side)));
        let curves = [rated(Side::Call)?, rated(Side::Put)?];
        let mut next = self.window_from(i16::MIN);
        while let Some(window) = next {
            let (mut rates, mut all) = ([[0; SLOTS]; 2], self.last_rates());
            for (rates, (curve, weights)) in rates.iter_mut().zip(&curves) {
                let rated = spot.funding_rates(curve, weights, window.lowest, &mut rates[..window.count]);
                all |= rated.ok_or(ModelError::MathOverflow)?;
            }
            let steps = steps.up_to(all);
            // Few cranks come later than the longest gap, and the others need not look.
            if steps.excess.is_zero() {
                self.accrue_window::<false>(window, &rates, &steps);
            } else {
                self.accrue_window::<true>(window, &rates, &steps);
            }
            next = window.next.and_then(|from| self.window_from(from));
        }
        Ok(())
    }

    /// Every bit that a last rate has.
    #[inline(never)]
    fn last_rates(&self) -> u64 {
        self.slots.iter().fold(0, |all, slot| all | slot.series[0].rate.0 | slot.series[1].rate.0)
    }

    /// Moves the funding index of every series whose tick is in the window. A function of its own, so that the loop has
    /// the registers to itself.
    #[inline(never)]
    fn accrue_window<const EXCESS: bool>(&mut self, window: TickWindow, rates: &[[u64; SLOTS]; 2], factors: &Factors) {
        let factors = factors.masked();
        let [call_rates, put_rates] = rates;
        for slot in &mut self.slots {
            let place = window.place(slot.tick);
            if let (Some(call), Some(put)) = (call_rates.get(place), put_rates.get(place)) {
                let [calls, puts] = &mut slot.series;
                calls.accrue::<EXCESS>(FundingRate(*call), &factors);
                puts.accrue::<EXCESS>(FundingRate(*put), &factors);
            }
        }
    }

    /// Without a recent volatility the last rate goes on, halving each hour.
    fn accrue_decaying(&mut self, elapsed: u64, steps: Steps) -> Result<()> {
        // The divisor is not zero, so the fallback is never taken.
        let kept = exp2_negative(Real::from_ratio(elapsed, 3_600).unwrap_or(Real::ZERO));
        let factors = steps.up_to(self.last_rates());
        for slot in self.active_slots() {
            for series in &mut self.slots[slot].series {
                let last = Real::from_fixed(series.rate.0, FUNDING_RATE_FRACTION_BITS);
                series.accrue::<true>(FundingRate::from_real(last.mul(kept))?, &factors);
            }
        }
        Ok(())
    }
}

/// Funding index per dollar of rate: for the sum of the last rate and the new one, and for the lower one beyond the longest
/// gap.
#[derive(Clone, Copy)]
struct Steps {
    half: Real,
    excess: Real,
}

/// The same as words. A series adds `2^up / 2^down` times what [`Factor::of`] gives for its rates.
#[derive(Clone, Copy)]
struct Factors {
    half: Factor,
    excess: Factor,
    /// What rates lose of their last places, so that the sum of two has [`TERM_BITS`].
    narrow: u32,
    up: u32,
    down: u32,
    /// Shifts what `up` moves out of the word to the bottom of the next.
    over: u32,
    /// What is added so that nothing is rounded down.
    round: u64,
}

/// A factor of at most [`FACTOR_BITS`], as its upper bits and its lower word of 32.
#[derive(Clone, Copy)]
struct Factor {
    high: u64,
    low: u64,
}

/// Bits of a sum of two rates, and of a factor: products of their parts fit words, and what they lose is below 2^-39 of the
/// highest rate's.
const TERM_BITS: u32 = 46;
const FACTOR_BITS: i32 = 48;
/// Bits of a product that are not kept.
const LOST_BITS: i32 = 32;
/// From the last place of a rate to that of a funding index.
const RATE_TO_INDEX_BITS: i32 = 64 - 32;
/// A term without so many of its bits fits 32.
const TERM_TAIL: u32 = TERM_BITS - 32;
/// The smallest unit of a factor, `2^-120`: no price and no time makes one that has fewer bits in it.
const MAX_SHIFT: i32 = 120;

impl Factor {
    /// Rounded up.
    fn new(step: Real, shift: i32) -> Self {
        let largest = (1 << FACTOR_BITS) - 1;
        let word = step.scale_by_power_of_two(shift).to_fixed(0, Rounding::Up);
        let word = word.map_or(largest, |word| word.min(largest));
        Self { high: word >> 32, low: word & u64::from(u32::MAX) }
    }

    const fn is_zero(self) -> bool {
        self.high | self.low == 0
    }

    /// The product with a term of at most [`TERM_BITS`] in units of `2^32`, below 2^62, or less by up to [`Self::short`].
    #[inline(always)]
    const fn of(self, term: u64) -> u64 {
        let low = (term >> TERM_TAIL).wrapping_mul(self.low) >> (32 - TERM_TAIL);
        term.wrapping_mul(self.high).wrapping_add(low)
    }

    /// What a product may lose: the term's tail times the lower word, and one unit of the term, which narrowing took.
    const fn short(self) -> u64 {
        if self.is_zero() { 0 } else { self.high + (1 << TERM_TAIL) + 2 }
    }
}

impl Steps {
    /// As words, for rates that have no higher bit than these. A step too large for a funding index becomes the largest; no
    /// price and no time reaches it.
    fn up_to(self, rates: u64) -> Factors {
        let sum_bits = u64::BITS - rates.leading_zeros() + 1;
        let narrow = sum_bits.saturating_sub(TERM_BITS);
        let largest = self.half.max(self.excess);
        let shift = (FACTOR_BITS - 64 - largest.exponent()).min(MAX_SHIFT);
        // The product's unit, in the last place of a funding index.
        let unit = narrow.cast_signed() + LOST_BITS - shift + RATE_TO_INDEX_BITS;
        let (up, down) = (unit.max(0).unsigned_abs().min(63), unit.min(0).unsigned_abs().min(63));
        let (half, excess) = (Factor::new(self.half, shift), Factor::new(self.excess, shift));
        let over = if up == 0 { 63 } else { 64 - up };
        let round = half.short().saturating_add(excess.short()).saturating_add((1 << down) - 1);
        Factors { half, excess, narrow, up, down, over, round }
    }
}

impl Factors {
    /// The same with shifts that are seen to be below 64, so that no series masks them.
    #[inline(always)]
    const fn masked(self) -> Self {
        Self { narrow: self.narrow % 64, up: self.up % 64, down: self.down % 64, over: self.over % 64, ..self }
    }

    /// What two rates add to the funding index, rounded up, as its upper and lower word.
    #[inline(always)]
    fn charge<const EXCESS: bool>(&self, last: u64, now: u64) -> (u64, u64) {
        let mut sum = self.half.of(last.wrapping_add(now).wrapping_shr(self.narrow)).wrapping_add(self.round);
        if EXCESS {
            sum = sum.wrapping_add(self.excess.of(last.min(now).wrapping_shr(self.narrow)));
        }
        // Below 2^63, so that `over` leaves nothing where `up` moves nothing.
        (sum.wrapping_shr(self.over), sum.wrapping_shl(self.up).wrapping_shr(self.down))
    }
}

impl Series {
    /// Moves the funding index by the trapezoid between the last rate and `rate`, rounded up, and keeps `rate`; neither
    /// without open interest.
    ///
    /// What is rounded is in proportion to time but for a last place, so many accruals equal one but for a last place each
    /// and 2^-39 of what the market's highest rate adds. Nothing overflows: at the highest rate and `X` an index moves by
    /// less than 2^48 raw units a year.
    #[inline(always)]
    fn accrue<const EXCESS: bool>(&mut self, rate: FundingRate, factors: &Factors) {
        if self.open_interest.is_zero() {
            return;
        }
        let last = core::mem::replace(&mut self.rate, rate);
        let (upper, lower) = factors.charge::<EXCESS>(last.0, rate.0);
        let (low, carry) = self.funding_index.low.overflowing_add(lower);
        let high = self.funding_index.high.wrapping_add(upper).wrapping_add(u64::from(carry));
        self.funding_index = Wide { low, high };
    }
}
