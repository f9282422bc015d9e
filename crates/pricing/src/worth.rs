//! What a whole ladder's open interest is worth.
//!
//! The terms of the closed form are geometric progressions over the ladder, so sums of sizes times terms are polynomials
//! in their ratios: a product of two words for each strike.

use crate::{
    Curve, Real, Rounding, Side, SpotOnGrid,
    progression::{Ratio, weighted_sum},
    wide::normalise,
    wing::{Part, Parts, Wing},
};

/// `sum size * V` in dollars, whatever unit sizes have.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Worth {
    /// The sum.
    pub value: Real,
    /// What it may be off by, in either direction.
    pub error: Real,
}

/// Bits that all sizes together have room for.
const SUM_BITS: u32 = 47;
/// No sum of 64 sizes is off by more than this fraction of all sizes, which have at least 46 bits: 64 steps lose three
/// units each.
const ERROR_BITS: i32 = 38;

/// Sizes at some strikes, ready to be summed.
struct Sizes<'a> {
    each: &'a [u64],
    /// How far a sum of all may be shifted.
    up: u32,
}

impl Sizes<'_> {
    /// `sum size * ratio^distance`, counting from the highest strike or from the lowest.
    fn sum(&self, from_highest: bool, ratio: Real) -> Real {
        let ratio = Ratio::new(ratio);
        let sum = if from_highest {
            weighted_sum(self.each.iter(), ratio, self.up)
        } else {
            weighted_sum(self.each.iter().rev(), ratio, self.up)
        };
        Real::from_fixed(sum, self.up)
    }

    fn total(&self) -> Real {
        Real::from_u64(self.each.iter().fold(0, |sum, size| sum.wrapping_add(*size)))
    }
}

/// What is added, what is taken off, and the sum of what sizes were multiplied with.
struct Sum {
    plus: Real,
    minus: Real,
    scale: Real,
}

impl Sum {
    fn add(&mut self, sizes: Real, dollars: Real) {
        self.plus = self.plus.add(sizes.mul(dollars));
        self.scale = self.scale.add(dollars);
    }

    fn subtract(&mut self, sizes: Real, dollars: Real) {
        self.minus = self.minus.add(sizes.mul(dollars));
        self.scale = self.scale.add(dollars);
    }
}

impl SpotOnGrid {
    /// What an open interest of `sizes[i]` at each tick `lowest + i`, at most 64 of them, is worth. None if all sizes
    /// together reach 2^47.
    #[must_use]
    pub fn worth(&self, curve: &Curve, lowest: i16, sizes: &[u64]) -> Option<Worth> {
        let total = sizes.iter().try_fold(0u64, |sum, size| sum.checked_add(*size))?;
        let mut sum = Sum { plus: Real::ZERO, minus: Real::ZERO, scale: Real::ZERO };
        if total == 0 {
            return Some(Worth { value: Real::ZERO, error: Real::ZERO });
        }
        let (_, zeros) = normalise(total);
        let up = zeros.checked_sub(u64::BITS - SUM_BITS)?;
        let money = self.money(lowest, sizes.len());
        let (below, above) = sizes.split_at(money.place);
        let [below_wing, above_wing] = self.wings(curve);
        self.add_wing(&below_wing, money.below, &Sizes { each: below, up }, &mut sum)?;
        self.add_wing(&above_wing, money.above, &Sizes { each: above, up }, &mut sum)?;
        let error = Real::from_u64(total).mul(sum.scale).scale_by_power_of_two(-ERROR_BITS);
        Some(Worth { value: sum.plus.saturating_sub(sum.minus), error })
    }

    fn add_wing(&self, wing: &Wing<'_>, from: u32, sizes: &Sizes<'_>, sum: &mut Sum) -> Option<()> {
        let Parts { short, at, past } = wing.parts(from, sizes.each.len());
        let part = |part: &Part| {
            let each = sizes.each.get(part.places.clone())?;
            (each.iter().fold(0, |joined, size| joined | size) != 0).then_some(Sizes { each, up: sizes.up })
        };
        if let Some(sizes) = part(&short) {
            wing.add_time_values(&short, &sizes, sum);
            if wing.in_the_money {
                wing.add_payoffs(&short, &sizes, sum);
            }
        }
        for (size, offset) in sizes.each.get(at.places.clone())?.iter().zip(at.offsets(wing)) {
            if *size != 0 {
                let value = wing.curve.value(self.spot, self.strike_at(wing, offset)?);
                sum.add(Real::from_u64(*size), Real::from(value.value(Rounding::Down)));
            }
        }
        if let Some(sizes) = part(&past) {
            let strikes = sizes.sum(true, wing.grid.inverse_rho());
            sum.add(strikes, wing.highest_strike(&past).mul(wing.curve.cap()));
        }
        Some(())
    }
}

impl Wing<'_> {
    /// Adds `TV` of strikes short of the cap.
    fn add_time_values(&self, part: &Part, sizes: &Sizes<'_>, sum: &mut Sum) {
        // From the strike where a term is largest, so that its ratio is below one.
        let main = sizes.sum(!self.rising, self.step);
        if self.in_the_money {
            sum.add(main, self.main(part.from));
            sum.subtract(sizes.sum(self.rising, self.opposite_step), self.reflected(part.to()));
        } else {
            sum.add(main, self.main(part.from).mul(self.curve.below_cap));
        }
    }

    /// Adds `phi` of strikes in the money, short of the cap.
    fn add_payoffs(&self, part: &Part, sizes: &Sizes<'_>, sum: &mut Sum) {
        let strikes = sizes.sum(true, self.grid.inverse_rho());
        let highest = self.highest_strike(part);
        match self.curve.side() {
            Side::Call => {
                sum.add(sizes.total(), self.spot);
                sum.subtract(strikes, highest);
            }
            Side::Put => {
                sum.add(strikes, highest);
                sum.subtract(sizes.total(), self.spot);
            }
        }
    }

    fn highest_strike(&self, part: &Part) -> Real {
        self.strike(if self.rising { part.to() } else { part.from })
    }
}
