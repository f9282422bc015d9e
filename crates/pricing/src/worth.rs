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

/// The open interest at neighbouring strikes, scaled once for all sums over it.
#[derive(Clone, Copy, Debug)]
pub struct Interest<'a> {
    /// In units of `2^-up`.
    each: &'a [u64],
    /// The sum of each, which has 47 bits unless it is zero.
    total: u64,
    up: u32,
}

impl<'a> Interest<'a> {
    /// Scales `sizes` in place. None if all together reach 2^47.
    #[must_use]
    pub fn new(sizes: &'a mut [u64]) -> Option<Self> {
        let total = sizes.iter().try_fold(0u64, |sum, size| sum.checked_add(*size))?;
        if total == 0 {
            return Some(Self { each: sizes, total, up: 0 });
        }
        let (_, zeros) = normalise(total);
        let up = zeros.checked_sub(u64::BITS - SUM_BITS)? % 64;
        sizes.iter_mut().for_each(|size| *size = size.wrapping_shl(up));
        Some(Self { each: sizes, total: total.wrapping_shl(up), up })
    }

    /// Those of a part. None if there is no open interest at them.
    fn of(&self, each: &'a [u64]) -> Option<Self> {
        let total = each.iter().fold(0, |sum: u64, size| sum.wrapping_add(*size));
        (total != 0).then_some(Self { each, total, up: self.up })
    }

    /// `sum size * ratio^distance`, counting from the highest strike or from the lowest.
    fn sum(&self, from_highest: bool, ratio: Real) -> Real {
        let ratio = Ratio::new(ratio);
        let sum = if from_highest {
            weighted_sum(self.each.iter(), ratio)
        } else {
            weighted_sum(self.each.iter().rev(), ratio)
        };
        Real::from_fixed(sum, self.up)
    }

    fn total(&self) -> Real {
        Real::from_fixed(self.total, self.up)
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
    /// What the open interest at each tick from `lowest` on, at most 64 of them, is worth.
    ///
    /// None if a strike that rounding leaves open at the cap is out of bounds.
    #[must_use]
    pub fn worth(&self, curve: &Curve, lowest: i16, interest: &Interest<'_>) -> Option<Worth> {
        let mut sum = Sum { plus: Real::ZERO, minus: Real::ZERO, scale: Real::ZERO };
        if interest.total == 0 {
            return Some(Worth { value: Real::ZERO, error: Real::ZERO });
        }
        let money = self.money(lowest, interest.each.len());
        let (below, above) = interest.each.split_at(money.place);
        let [below_wing, above_wing] = self.wings(curve);
        self.add_wing(&below_wing, money.below, &Interest { each: below, ..*interest }, &mut sum)?;
        self.add_wing(&above_wing, money.above, &Interest { each: above, ..*interest }, &mut sum)?;
        let error = interest.total().mul(sum.scale).scale_by_power_of_two(-ERROR_BITS);
        Some(Worth { value: sum.plus.saturating_sub(sum.minus), error })
    }

    fn add_wing(&self, wing: &Wing<'_>, from: u32, interest: &Interest<'_>, sum: &mut Sum) -> Option<()> {
        let Parts { short, at, past } = wing.parts(from, interest.each.len());
        let part = |part: &Part| interest.of(interest.each.get(part.places.clone())?);
        if let Some(sizes) = part(&short) {
            wing.add_time_values(&short, &sizes, sum);
            if wing.in_the_money {
                wing.add_payoffs(&short, &sizes, sum);
            }
        }
        for (size, offset) in interest.each.get(at.places.clone())?.iter().zip(at.offsets(wing)) {
            if *size != 0 {
                let value = wing.curve.value(self.spot, self.strike_at(wing, offset)?);
                sum.add(Real::from_fixed(*size, interest.up), Real::from(value.value(Rounding::Down)));
            }
        }
        if let Some(sizes) = part(&past) {
            let strikes = sizes.sum(true, wing.grid.inverse_rho);
            sum.add(strikes, wing.highest_strike(&past).mul(wing.curve.cap()));
        }
        Some(())
    }
}

impl Wing<'_> {
    /// Adds `TV` of strikes short of the cap.
    fn add_time_values(&self, part: &Part, sizes: &Interest<'_>, sum: &mut Sum) {
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
    fn add_payoffs(&self, part: &Part, sizes: &Interest<'_>, sum: &mut Sum) {
        let strikes = sizes.sum(true, self.grid.inverse_rho);
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
