//! The strike grid, and pricing all strikes of a market at once.
//!
//! Strikes are `K_ref * rho^tick`, so the terms of the closed form are geometric progressions over the ladder: a few
//! exponentials at the spot price every strike, the rest is one multiplication per term and strike.

use crate::{
    Curve, OptionValue, Real, Rounding, Side, Signed, Usd, exp, exp_negative, ln,
    option::{Terms, constant_ratio},
};

/// Slots of a ladder: tick `i` lives in slot `i mod 64`.
const SLOTS: i32 = 64;

/// The least ratio of neighbouring strikes, 1.0001.
const LOWEST_RATIO: Real = constant_ratio(10_001, 10_000);

/// A geometric grid of strikes, made by [`Grid::new`]. Its fields are open so that who prices often can keep them instead
/// of taking a logarithm and three quotients again.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Grid {
    /// The strike of tick zero.
    pub reference: Usd,
    /// `1 / reference`, per dollar.
    pub inverse_reference: Real,
    /// `ln rho`: the distance of neighbouring strikes.
    pub log_rho: Real,
    /// `1 / ln rho`: strikes per distance.
    pub inverse_log_rho: Real,
    /// `1 / rho`: the ratio of neighbouring strikes.
    pub inverse_rho: Real,
}

/// A spot price's place on a grid; shared by both sides of a market.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SpotOnGrid {
    pub(crate) grid: Grid,
    pub(crate) spot: Usd,
    /// The lowest tick whose strike is not below the spot (but for rounding, which the continuous terms absorb).
    pub(crate) first_above: i32,
    /// `ln(K / S)` of that tick.
    pub(crate) distance_above: Real,
    /// `ln(S / K)` of the tick below.
    pub(crate) distance_below: Real,
}

/// A market's strikes, as its state stores them, and what to do with each price.
pub trait Ladder {
    /// The tick that the slot holds.
    fn tick(&self, slot: usize) -> i16;
    /// The strike that the slot holds: [`Grid::strike`] of its tick.
    fn strike(&self, slot: usize) -> Usd;
    /// Receives the price of one active slot.
    fn priced(&mut self, slot: usize, value: OptionValue);
}

impl Grid {
    /// The grid of strikes `reference * rho^tick`.
    ///
    /// None unless the reference is a price within bounds and `1.0001 <= rho <= 2`, so that neighbours differ by far
    /// more than rounding.
    #[must_use]
    pub fn new(reference: Usd, rho: Real) -> Option<Self> {
        let in_bounds = reference.is_price() && (LOWEST_RATIO..=Real::from_u64(2)).contains(&rho);
        if !in_bounds {
            return None;
        }
        let log_rho = ln(rho).magnitude;
        let inverse = |value: Real| Real::ONE.div(value);
        Some(Self {
            reference,
            inverse_reference: inverse(reference.into())?,
            log_rho,
            inverse_log_rho: inverse(log_rho)?,
            inverse_rho: inverse(rho)?,
        })
    }

    /// The tick's strike; strictly rising in the tick. None outside `Usd::MIN_PRICE..=Usd::MAX_PRICE`.
    #[must_use]
    pub fn strike(&self, tick: i16) -> Option<Usd> {
        if tick == 0 {
            return Some(self.reference);
        }
        let distance = self.log_rho.mul(Real::from_u64(u64::from(tick.unsigned_abs())));
        let factor = if tick < 0 { exp_negative(distance) } else { exp(distance) };
        let strike = Real::from(self.reference).mul(factor).to_usd(Rounding::Down);
        strike.is_price().then_some(strike)
    }

    /// The tick whose strike is nearest to the spot (by ratio), within the range of `i16`.
    #[must_use]
    pub fn nearest_tick(&self, spot: Usd) -> i16 {
        let located = self.locate(spot);
        let tick = if located.distance_above <= located.distance_below {
            located.first_above
        } else {
            located.first_above - 1
        };
        i16::try_from(tick).unwrap_or(if tick < 0 { i16::MIN } else { i16::MAX })
    }

    /// Finds the spot's place on the grid: one logarithm, for any number of curves. A spot outside
    /// `Usd::MIN_PRICE..=Usd::MAX_PRICE` is moved to the nearer bound.
    #[must_use]
    pub fn locate(&self, spot: Usd) -> SpotOnGrid {
        let spot = spot.clamp(Usd::MIN_PRICE, Usd::MAX_PRICE);
        let distance = ln(Real::from(spot).mul(self.inverse_reference));
        let steps = distance.magnitude.mul(self.inverse_log_rho);
        let rounding = if distance.negative { Rounding::Down } else { Rounding::Up };
        // At most ln(2^24 / 0.01) / ln 1.0001, far below the range of i32.
        let steps = steps.to_fixed(0, rounding).and_then(|steps| i32::try_from(steps).ok()).unwrap_or(0);
        let first_above = if distance.negative { -steps } else { steps };
        let to_above = self.log_strike(first_above).add(distance.negate());
        let distance_above = if to_above.negative { Real::ZERO } else { to_above.magnitude };
        let distance_below = self.log_rho.saturating_sub(distance_above);
        SpotOnGrid { grid: *self, spot, first_above, distance_above, distance_below }
    }

    /// `ln(K / K_ref)`.
    fn log_strike(&self, tick: i32) -> Signed {
        let magnitude = self.log_rho.mul(Real::from_u64(u64::from(tick.unsigned_abs())));
        Signed { negative: tick < 0, magnitude }
    }
}

/// Which way the walk leaves the money.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Direction {
    /// Strikes at and above the spot.
    Above,
    /// Strikes below the spot.
    Below,
}

/// The terms of the closed form at one strike, and how they change to the next one away from the money.
#[derive(Clone, Copy)]
struct Progression {
    direction: Direction,
    in_the_money: bool,
    main: Real,
    main_step: Real,
    /// Grows away from the money; only in the money. Relative precision makes the growth harmless.
    reflected: Real,
    reflected_step: Real,
    /// Steps from the money that are certainly short of the cap.
    below_cap: u32,
}

impl Progression {
    fn advance(&mut self) {
        self.main = self.main.mul(self.main_step);
        if self.in_the_money {
            self.reflected = self.reflected.mul(self.reflected_step);
        }
    }

    /// The terms at `steps` steps from where this stands, in a bounded number of multiplications.
    fn skip(&self, steps: u32) -> Self {
        Self {
            main: self.main.mul(power(self.main_step, steps)),
            reflected: self.reflected.mul(power(self.reflected_step, steps)),
            ..*self
        }
    }

    const fn terms(&self) -> Terms {
        if self.in_the_money {
            Terms::InTheMoney { main: self.main, reflected: self.reflected }
        } else {
            Terms::OutOfTheMoney { main: self.main }
        }
    }
}

/// Half of the ladder lies on each side of the money.
const NEAR: u32 = 32;
/// The farthest that a strike is reached by walking; strikes of other laps are reached by powers.
const WALK: u32 = 64;

impl SpotOnGrid {
    /// Prices every slot whose bit is set in `active`, in no particular order.
    ///
    /// Ticks may lie on any lap: up to 32 from the money they cost one multiplication per term, up to 64 a longer
    /// walk, beyond that a bounded power. Never an exponential per slot.
    pub fn price<L: Ladder>(&self, curve: &Curve, active: u64, ladder: &mut L) {
        let mut rest = active;
        let mut above = self.progression(curve, Direction::Above);
        let mut below = self.progression(curve, Direction::Below);
        let (origin_above, origin_below) = (above, below);
        for steps in [0..NEAR, NEAR..WALK] {
            for progression in [&mut above, &mut below] {
                for offset in steps.clone() {
                    if rest == 0 {
                        return;
                    }
                    self.visit(curve, progression, offset, &mut rest, ladder);
                    progression.advance();
                }
            }
        }
        for slot in (0..64).filter(|slot| rest & (1 << slot) != 0) {
            let distance = i32::from(ladder.tick(slot)) - self.first_above;
            let (origin, offset) = if distance < 0 {
                (&origin_below, distance.unsigned_abs() - 1)
            } else {
                (&origin_above, distance.unsigned_abs())
            };
            self.price_slot(curve, &origin.skip(offset), offset, slot, ladder);
        }
    }

    /// Prices the strike `offset` steps from the money if its slot is active and holds it.
    #[inline(always)]
    fn visit<L: Ladder>(&self, curve: &Curve, at: &Progression, offset: u32, rest: &mut u64, ladder: &mut L) {
        let tick = match at.direction {
            Direction::Above => self.first_above + offset.cast_signed(),
            Direction::Below => self.first_above - 1 - offset.cast_signed(),
        };
        let slot = tick.rem_euclid(SLOTS).unsigned_abs() as usize;
        let bit = 1 << slot;
        if *rest & bit != 0 && i32::from(ladder.tick(slot)) == tick {
            *rest &= !bit;
            self.price_slot(curve, at, offset, slot, ladder);
        }
    }

    #[inline(always)]
    fn price_slot<L: Ladder>(&self, curve: &Curve, at: &Progression, offset: u32, slot: usize, ladder: &mut L) {
        let strike = ladder.strike(slot);
        let capped =
            at.in_the_money && offset >= at.below_cap && curve.moneyness(self.spot, strike) >= curve.payout_cap(strike);
        let terms = if capped { Terms::Capped } else { at.terms() };
        ladder.priced(slot, curve.assemble(self.spot, strike, terms));
    }

    /// The terms at the first strike in a direction: three exponentials.
    fn progression(&self, curve: &Curve, direction: Direction) -> Progression {
        let log_rho = self.grid.log_rho;
        let (distance, rate, opposite, in_the_money) = match direction {
            Direction::Above => (self.distance_above, curve.rate_above, curve.rate_below, curve.side() == Side::Put),
            Direction::Below => (self.distance_below, curve.rate_below, curve.rate_above, curve.side() == Side::Call),
        };
        let scale = Real::from(self.spot).mul(curve.peak_fraction());
        let (reflected, reflected_step) = if in_the_money {
            (scale.mul(curve.reflection(distance.mul(opposite))), exp(log_rho.mul(opposite)))
        } else {
            (Real::ZERO, Real::ONE)
        };
        let to_cap = curve.contract.cap_distance.saturating_sub(distance).mul(self.grid.inverse_log_rho);
        let steps_to_cap = to_cap.to_fixed(0, Rounding::Down).unwrap_or(0);
        Progression {
            direction,
            in_the_money,
            main: scale.mul(exp_negative(distance.mul(rate))),
            main_step: exp_negative(log_rho.mul(rate)),
            reflected,
            reflected_step,
            below_cap: u32::try_from(steps_to_cap).unwrap_or(u32::MAX),
        }
    }
}

/// `base^exponent` by repeated squaring.
fn power(mut base: Real, mut exponent: u32) -> Real {
    let mut product = Real::ONE;
    while exponent != 0 {
        if exponent & 1 != 0 {
            product = product.mul(base);
        }
        base = base.mul(base);
        exponent >>= 1;
    }
    product
}
