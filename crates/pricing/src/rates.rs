//! Funding rates of a whole ladder.
//!
//! A funding rate is linear in time value, financed amount and strike, and each of these is a sum of geometric
//! progressions over the ladder. So is the rate: a product of two words per progression and strike.

use crate::{Curve, OptionValue, Real, Rounding, Side, Signed, SpotOnGrid, progression::Progression, wing::Wing};

/// How a rate is composed: units of the rate per dollar, whatever unit the caller keeps.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RateWeights {
    /// Per dollar of time value: `1/T`.
    pub time_value: Real,
    /// Per dollar that a call's seller must borrow: the carry.
    pub financed: Real,
    /// Per dollar of strike: `rent * c`.
    pub strike: Real,
}

/// Rates stay below `2^RATE_BITS`.
pub const RATE_BITS: u32 = 61;
/// Terms are scaled to this many bits, so that two of them add up without overflow.
const TERM_BITS: i64 = 62;

impl SpotOnGrid {
    /// The rates `time_value * TV + financed * F + strike * K`, in the weights' unit, of at most 64 neighbouring strikes:
    /// `rates[i]` becomes that of the tick `lowest + i`. None if one may need more than [`RATE_BITS`].
    ///
    /// The error is below three units plus 2^-40 of each term's largest on the ladder. Nothing is rounded to a side here:
    /// buyers and pool are charged and credited by the same rate.
    #[must_use]
    pub fn funding_rates(&self, curve: &Curve, weights: &RateWeights, lowest: i16, rates: &mut [u64]) -> Option<()> {
        let money = self.money(lowest, rates.len());
        let (below, above) = rates.split_at_mut(money.place);
        let [below_wing, above_wing] = self.wings(curve);
        if !above.is_empty() {
            self.wing_rates(&above_wing, weights, money.above, above)?;
        }
        if !below.is_empty() {
            self.wing_rates(&below_wing, weights, money.below, below)?;
        }
        Some(())
    }

    /// Rates the strikes on one side of the money, of which the nearest is `from` steps from the first.
    fn wing_rates(&self, wing: &Wing<'_>, weights: &RateWeights, from: u32, rates: &mut [u64]) -> Option<()> {
        let parts = wing.parts(from, rates.len());
        if let Some(part) = rates.get_mut(parts.short.places.clone()).filter(|part| !part.is_empty()) {
            self.progress(wing, weights, false, parts.short.from, part)?;
        }
        for (rate, offset) in rates.get_mut(parts.at.places.clone()).into_iter().flatten().zip(parts.at.offsets(wing)) {
            *rate = self.rate_one(wing, weights, offset)?;
        }
        if let Some(part) = rates.get_mut(parts.past.places.clone()).filter(|part| !part.is_empty()) {
            self.progress(wing, weights, true, parts.past.from, part)?;
        }
        Some(())
    }

    /// Rates strikes that are all short of the cap, or all past it, by progression.
    fn progress(
        &self,
        wing: &Wing<'_>,
        weights: &RateWeights,
        capped: bool,
        from: u32,
        rates: &mut [u64],
    ) -> Option<()> {
        let reach = u32::try_from(rates.len()).unwrap_or(0);
        let to = from.saturating_add(reach).saturating_sub(1);
        let Firsts { main, reflected, strike } =
            if capped { Firsts::capped(weights) } else { wing.firsts(weights, from, to) };
        let highest = if wing.rising { to } else { from };
        let strike = if strike.is_zero() { Real::ZERO } else { strike.mul(wing.strike(highest)) };
        let largest = main.magnitude.max(reflected).max(strike);
        let shift = (TERM_BITS - 64 - largest.exponent).min(63);
        // Two terms add up to less than 2^63.
        let down = u32::try_from(shift).ok().filter(|down| *down >= 63 - RATE_BITS)?;
        let strikes = Progression::new(strike, wing.grid.inverse_rho, shift);
        let outward = (main.negative, Progression::new(main.magnitude, wing.step, shift));
        let inward = (true, Progression::new(reflected, wing.opposite_step, shift));
        if wing.rising {
            downwards(rates, strikes, inward);
            upwards(rates, outward, down);
        } else {
            downwards(rates, strikes, outward);
            upwards(rates, inward, down);
        }
        Some(())
    }

    /// Rates one strike by itself.
    fn rate_one(&self, wing: &Wing<'_>, weights: &RateWeights, offset: u32) -> Option<u64> {
        let strike = self.strike_at(wing, offset)?;
        let rate = weights.rate(&wing.curve.value(self.spot, strike)).to_fixed(0, Rounding::Up)?;
        (rate >> RATE_BITS == 0).then_some(rate)
    }
}

/// Where the progressions of a wing start: the main term at its nearest strike, the reflected one at its farthest. The
/// strike's is the factor that all strikes have.
struct Firsts {
    main: Signed,
    reflected: Real,
    strike: Real,
}

impl Firsts {
    /// Past the cap an option has no time value.
    const fn capped(weights: &RateWeights) -> Self {
        Self { main: Signed::ZERO, reflected: Real::ZERO, strike: weights.strike }
    }
}

impl Wing<'_> {
    fn firsts(&self, weights: &RateWeights, from: u32, to: u32) -> Firsts {
        let curve = self.curve;
        let financed = if curve.side() == Side::Call { weights.financed } else { Real::ZERO };
        let main = self.main(from);
        if !self.in_the_money {
            let weight = weights.time_value.add(financed.mul(self.rate));
            let main = Signed::positive(main.mul(curve.below_cap).mul(weight));
            return Firsts { main, reflected: Real::ZERO, strike: weights.strike };
        }
        let weight = Signed::difference(weights.time_value, financed.mul(self.rate));
        let opposite = weights.time_value.add(financed.mul(self.opposite));
        Firsts {
            main: weight.scale(main),
            reflected: self.reflected(to).mul(opposite),
            strike: weights.strike.add(financed),
        }
    }
}

/// Sets the terms, from the last to the first, to the strikes' progression, and adds another one, or subtracts it.
/// Walked the way it shrinks, a progression keeps its absolute precision.
fn downwards(terms: &mut [u64], strikes: Progression, (negative, other): (bool, Progression)) {
    let (mut strikes, mut other) = (strikes.masked(), other.masked());
    let terms = terms.iter_mut().rev();
    if other.is_zero() {
        terms.for_each(|term| *term = strikes.next());
    } else if negative {
        terms.for_each(|term| *term = strikes.next().wrapping_sub(other.next()));
    } else {
        terms.for_each(|term| *term = strikes.next().wrapping_add(other.next()));
    }
}

/// Adds a progression to the terms, from the first to the last, or subtracts it, and makes rates of them.
fn upwards(terms: &mut [u64], (negative, other): (bool, Progression), down: u32) {
    let mut other = other.masked();
    let down = down % 64;
    // A sum is not negative but for rounding.
    let rate = |sum: u64| if sum.cast_signed() < 0 { 0 } else { sum.wrapping_shr(down) };
    if other.is_zero() {
        terms.iter_mut().for_each(|term| *term = rate(*term));
    } else if negative {
        terms.iter_mut().for_each(|term| *term = rate(term.wrapping_sub(other.next())));
    } else {
        terms.iter_mut().for_each(|term| *term = rate(term.wrapping_add(other.next())));
    }
}

impl RateWeights {
    /// The rate of one option, in the weights' unit.
    #[must_use]
    pub fn rate(&self, value: &OptionValue) -> Real {
        let time_value = value.time_value.mul(self.time_value);
        let financed = value.financed.mul(self.financed);
        time_value.add(financed).add(Real::from(value.strike).mul(self.strike))
    }
}
