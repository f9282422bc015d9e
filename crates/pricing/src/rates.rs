//! Funding rates of a whole ladder.
//!
//! A funding rate is linear in time value, financed amount and strike, and each of these is a sum of geometric
//! progressions over the ladder. So is the rate: a multiplication of two words per progression and strike.

use crate::{Curve, Grid, OptionValue, Real, Rounding, Side, Signed, SpotOnGrid, Usd, exp, exp_negative};

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

/// A market's strikes, as its state stores them, and what to do with each funding rate.
pub trait FundingLadder {
    /// The tick that the slot holds.
    fn tick(&self, slot: usize) -> i16;
    /// The strike that the slot holds: [`Grid::strike`](crate::Grid::strike) of its tick.
    fn strike(&self, slot: usize) -> Usd;
    /// Receives the rate of one active slot, in the unit of the weights; the largest integer where it would not fit.
    fn rate(&mut self, slot: usize, rate: u64);
}

/// Slots on one side of the money.
#[derive(Clone, Copy)]
struct Reach {
    /// Of each slot, the strikes between the money and it times 64, plus its number. A list is walked faster than bits.
    places: [u32; REACH],
    count: usize,
    /// Strikes between the money and the nearest of them.
    nearest: i64,
    /// Strikes between the money and the farthest of them.
    farthest: i64,
}

impl Reach {
    const EMPTY: Self = Self { places: [0; REACH], count: 0, nearest: i64::MAX, farthest: 0 };

    #[inline(always)]
    fn add(&mut self, slot: usize, offset: i64) {
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "ticks of prices are below 2^20 and slots below 64"
        )]
        let place = ((offset as u32) << SLOT_BITS) | (slot as u32 % SLOTS);
        self.places[self.count % REACH] = place;
        self.count = self.count.wrapping_add(1); // at most 64 times
        self.nearest = self.nearest.min(offset);
        self.farthest = self.farthest.max(offset);
    }

    #[inline(always)]
    fn get(&self, index: usize) -> (usize, i64) {
        let place = self.places[index % REACH];
        ((place % SLOTS) as usize, i64::from(place >> SLOT_BITS))
    }
}

/// Where a ladder's active slots lie about a spot; the same for both sides and all curves.
#[derive(Clone, Copy)]
pub struct Survey {
    above: Reach,
    below: Reach,
}

const SLOTS: u32 = 64;
const SLOT_BITS: u32 = 6;
/// Strikes on each side of the money that are priced by progression.
const REACH: usize = 64;
const REACH_LIMIT: i64 = 64;
/// Terms are scaled to this many bits, so that two of them add up without overflow.
const TERM_BITS: i64 = 62;

impl SpotOnGrid {
    /// Gives every slot that was seen its rate
    /// `time_value * TV + financed * F + strike * K` in the weights' unit.
    ///
    /// The error is below three units plus 2^-48 of what the weights give for the larger of spot and strike. Nothing is
    /// rounded to a side here: buyers and pool are charged and credited by the same rate.
    pub fn funding_rates<L: FundingLadder>(&self, curve: &Curve, weights: &RateWeights, seen: &Survey, ladder: &mut L) {
        let spot = Real::from(self.spot);
        let prices = [spot, spot.mul(curve.peak_fraction())];
        let above_step = exp_negative(self.grid.log_rho().mul(curve.rate_above));
        let below_step = above_step.mul(self.grid.inverse_rho());
        if seen.above.count != 0 {
            self.wing_rates(&self.above(curve, prices, above_step, below_step), weights, seen.above, ladder);
        }
        if seen.below.count != 0 {
            self.wing_rates(&self.below(curve, prices, below_step, above_step), weights, seen.below, ladder);
        }
    }

    /// Where the slots whose bit is set in `active` lie, for any number of calls of [`SpotOnGrid::funding_rates`].
    pub fn survey(&self, active: u64, tick: impl Fn(usize) -> i16) -> Survey {
        let mut seen = Survey { above: Reach::EMPTY, below: Reach::EMPTY };
        let (mut rest, mut slot) = (active, 0);
        while rest != 0 {
            if rest & 1 != 0 {
                // Words are cheaper than halves on the Solana VM.
                let distance = i64::from(tick(slot)).wrapping_sub(i64::from(self.first_above));
                // The first tick above counts zero, and so does, complemented, the first below.
                if distance < 0 { seen.below.add(slot, !distance) } else { seen.above.add(slot, distance) }
            }
            rest >>= 1;
            slot += 1;
        }
        seen
    }

    /// Rates the slots on one side of the money, 64 strikes at a time from the nearest on, so in as many rounds as there
    /// are laps, one at the cap and those past it; each round rates a slot at least.
    fn wing_rates<L: FundingLadder>(&self, wing: &Wing<'_>, weights: &RateWeights, mut reach: Reach, ladder: &mut L) {
        let below_cap = wing.below_cap();
        // Rounding leaves open on which side of the cap the two strikes at it are.
        let past_cap = below_cap.saturating_add(2);
        while reach.count != 0 {
            let Reach { count, nearest, farthest, .. } = reach;
            let capped = nearest >= past_cap;
            let limit = match nearest {
                _ if nearest < below_cap => below_cap,
                _ if capped => i64::MAX,
                _ => past_cap,
            };
            let end = nearest.saturating_add(REACH_LIMIT).min(limit);
            let mut rates = Rates::EMPTY;
            if nearest < below_cap || capped {
                // Stays empty for rates beyond 2^62, which are left to the slow way; it saturates.
                rates.fill(wing, weights, nearest, farthest.min(end - 1), capped);
            }
            (reach.count, reach.nearest, reach.farthest) = (0, i64::MAX, 0);
            // Those left for the next round are put where others were read before.
            for index in 0..count {
                let (slot, offset) = reach.get(index);
                match rates.get(offset.wrapping_sub(nearest).cast_unsigned()) {
                    Some(rate) => ladder.rate(slot, rate),
                    None if offset < end => self.rate_one(wing, weights, slot, capped, ladder),
                    None => reach.add(slot, offset),
                }
            }
        }
    }

    /// Rates one slot by itself. Few need it, so it stays out of the loop.
    #[inline(never)]
    fn rate_one<L: FundingLadder>(
        &self,
        wing: &Wing<'_>,
        weights: &RateWeights,
        slot: usize,
        capped: bool,
        ladder: &mut L,
    ) {
        let strike = ladder.strike(slot);
        let rate = if capped {
            Real::from(strike).mul(weights.strike)
        } else {
            weights.rate(&wing.curve.value(self.spot, strike))
        };
        ladder.rate(slot, rate.to_fixed(0, Rounding::Up).unwrap_or(u64::MAX));
    }

    /// Strikes at and above the spot: calls out of the money, puts in the money.
    fn above<'a>(&self, curve: &'a Curve, [spot, scale]: [Real; 2], step: Real, opposite_step: Real) -> Wing<'a> {
        Wing {
            curve,
            in_the_money: curve.side() == Side::Put,
            rising: true,
            spot,
            scale,
            distance: self.distance_above,
            grid: self.grid,
            rate: curve.rate_above,
            step,
            opposite: curve.rate_below,
            opposite_step,
        }
    }

    /// Strikes below the spot: calls in the money, puts out of the money.
    fn below<'a>(&self, curve: &'a Curve, [spot, scale]: [Real; 2], step: Real, opposite_step: Real) -> Wing<'a> {
        Wing {
            curve,
            in_the_money: curve.side() == Side::Call,
            rising: false,
            spot,
            scale,
            distance: self.distance_below,
            grid: self.grid,
            rate: curve.rate_below,
            step,
            opposite: curve.rate_above,
            opposite_step,
        }
    }
}

/// The strikes on one side of the money.
struct Wing<'a> {
    curve: &'a Curve,
    in_the_money: bool,
    /// Whether strikes rise away from the money.
    rising: bool,
    spot: Real,
    /// `S/u`, the time value at the money but for the cap.
    scale: Real,
    /// From the spot to the first strike, as a logarithm.
    distance: Real,
    grid: Grid,
    /// How fast the main term shrinks away from the money, and its ratio from strike to strike.
    rate: Real,
    step: Real,
    /// How fast the reflected term shrinks towards the money, and its ratio.
    opposite: Real,
    opposite_step: Real,
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
    fn firsts(&self, weights: &RateWeights, last: i64) -> Firsts {
        let (curve, scale) = (self.curve, self.scale);
        let financed = if curve.side() == Side::Call { weights.financed } else { Real::ZERO };
        let main = scale.mul(exp_negative(self.distance.mul(self.rate)));
        if !self.in_the_money {
            let weight = weights.time_value.add(financed.mul(self.rate));
            let main = Signed::positive(main.mul(curve.below_cap).mul(weight));
            return Firsts { main, reflected: Real::ZERO, strike: weights.strike };
        }
        let reflected = scale.mul(curve.reflection(self.distance_of(last).mul(self.opposite)));
        let weight = Signed::difference(weights.time_value, financed.mul(self.rate));
        let opposite = weights.time_value.add(financed.mul(self.opposite));
        Firsts { main: weight.scale(main), reflected: reflected.mul(opposite), strike: weights.strike.add(financed) }
    }

    /// The logarithm's distance between the spot and the strike `offset` steps from the first.
    fn distance_of(&self, offset: i64) -> Real {
        self.distance.add(self.grid.log_rho().mul(Real::from_u64(offset.unsigned_abs())))
    }

    /// Strikes that are certainly short of the cap.
    fn below_cap(&self) -> i64 {
        if !self.in_the_money {
            return i64::MAX - 1;
        }
        let steps = self.curve.cap_distance.saturating_sub(self.distance).div(self.grid.log_rho());
        let steps = steps.and_then(|steps| steps.to_fixed(0, Rounding::Down)).unwrap_or(0);
        i64::try_from(steps).unwrap_or(i64::MAX - 1)
    }
}

/// The rates of the strikes on one side of the money, counted away from it.
struct Rates {
    terms: [u64; REACH],
    reach: usize,
    /// The terms are in units of `2^-shift`.
    shift: u32,
}

impl Rates {
    const EMPTY: Self = Self { terms: [0; REACH], reach: 0, shift: 0 };

    /// Takes in the rates from the strike `nearest` to the strike `farthest`, fewer than 64 apart and all short of the cap,
    /// or all past it if `capped`.
    fn fill(&mut self, wing: &Wing<'_>, weights: &RateWeights, nearest: i64, farthest: i64, capped: bool) {
        let last = farthest - nearest;
        let wing = Wing { distance: wing.distance_of(nearest), ..*wing };
        let firsts = if capped { Firsts::capped(weights) } else { wing.firsts(weights, last) };
        self.reach = usize::try_from(last + 1).unwrap_or(0).min(REACH);
        self.progress(&wing, firsts, last);
    }

    fn progress(&mut self, wing: &Wing<'_>, Firsts { main, reflected, strike }: Firsts, last: i64) {
        // The progression of strikes falls from its highest strike.
        let strike = match (strike.is_zero(), wing.rising) {
            (true, _) => Real::ZERO,
            (_, true) => strike.mul(wing.spot).mul(exp(wing.distance_of(last))),
            (_, false) => strike.mul(wing.spot).mul(exp_negative(wing.distance)),
        };
        let largest = main.magnitude.max(reflected).max(strike);
        let shift = (TERM_BITS - 64 - largest.exponent).min(63);
        let Ok(unsigned_shift) = u32::try_from(shift) else {
            self.reach = 0;
            return;
        };
        self.shift = unsigned_shift;
        let fixed = |value| to_word(value, shift);
        let (first, reflected, strike) = (fixed(main.magnitude), fixed(reflected), fixed(strike));
        // Falling strikes are below each other, so no ratio is above one.
        let ratio = |step| Ratio::new(to_word(step, TERM_BITS));
        let terms = &mut self.terms[..self.reach];
        let by_strike = ratio(wing.grid.inverse_rho());
        if wing.rising {
            add(terms.iter_mut().rev(), strike, by_strike);
        } else {
            add(terms.iter_mut(), strike, by_strike);
        }
        if main.negative {
            subtract(terms.iter_mut(), first, ratio(wing.step));
        } else {
            add(terms.iter_mut(), first, ratio(wing.step));
        }
        if reflected != 0 {
            subtract(terms.iter_mut().rev(), reflected, ratio(wing.opposite_step));
        }
    }

    #[inline(always)]
    fn get(&self, offset: u64) -> Option<u64> {
        // The remainder spares the bounds check: the reach is at most 64.
        let offset = usize::try_from(offset).ok()?;
        (offset < self.reach).then(|| self.terms[offset % REACH] >> self.shift)
    }
}

/// The value in units of `2^-bits`, rounded down: what `to_fixed` gives, without its wide results.
#[inline(always)]
fn to_word(value: Real, bits: i64) -> u64 {
    match value.exponent.wrapping_add(bits) {
        ..-63 => 0,
        shift @ -63..=0 => value.mantissa() >> -shift,
        _ => u64::MAX, // neither a ratio nor a scaled term is this large
    }
}

/// A fraction of `2^TERM_BITS` in two digits, of half as many bits: no sum of their products leaves a word.
#[derive(Clone, Copy)]
struct Ratio {
    high: u64,
    low: u64,
}

const DIGIT_BITS: i64 = TERM_BITS / 2;
const DIGIT: u64 = (1 << DIGIT_BITS) - 1;

impl Ratio {
    const fn new(fraction: u64) -> Self {
        Self { high: fraction >> DIGIT_BITS, low: fraction & DIGIT }
    }

    /// The term times the ratio, or up to three less.
    #[inline(always)]
    const fn of(self, term: u64) -> u64 {
        let (high, low) = (term >> DIGIT_BITS, term & DIGIT);
        let middle =
            (high.wrapping_mul(self.low) >> DIGIT_BITS).wrapping_add(low.wrapping_mul(self.high) >> DIGIT_BITS);
        high.wrapping_mul(self.high).wrapping_add(middle)
    }
}

/// Adds `first, first * ratio, ..` to the terms. Walked the way it shrinks, a
/// progression keeps its absolute precision.
#[inline(always)]
fn add<'a>(terms: impl Iterator<Item = &'a mut u64>, first: u64, ratio: Ratio) {
    let mut value = first;
    if value == 0 {
        return;
    }
    for term in terms {
        // Two terms below 2^62.
        *term = term.wrapping_add(value);
        value = ratio.of(value);
    }
}

/// As `add`, but subtracts. The sum is not negative but for rounding.
#[inline(always)]
fn subtract<'a>(terms: impl Iterator<Item = &'a mut u64>, first: u64, ratio: Ratio) {
    let mut value = first;
    for term in terms {
        *term = term.saturating_sub(value);
        value = ratio.of(value);
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
