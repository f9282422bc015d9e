//! The strikes on one side of the money, and how the terms of the closed form run along them.

use core::ops::Range;

use crate::{Curve, Grid, Real, Rounding, Side, SpotOnGrid, Usd, exp, exp_negative};

/// The strikes on one side of the money.
pub(crate) struct Wing<'a> {
    pub(crate) curve: &'a Curve,
    pub(crate) in_the_money: bool,
    /// Whether strikes rise away from the money.
    pub(crate) rising: bool,
    pub(crate) spot: Real,
    /// `S/u`, the time value at the money but for the cap.
    scale: Real,
    /// From the spot to the first strike, as a logarithm.
    distance: Real,
    pub(crate) grid: &'a Grid,
    /// How fast the main term shrinks away from the money, and its ratio from strike to strike.
    pub(crate) rate: Real,
    pub(crate) step: Real,
    /// How fast the reflected term shrinks towards the money, and its ratio.
    pub(crate) opposite: Real,
    pub(crate) opposite_step: Real,
}

/// Where neighbouring strikes lie about the money.
pub(crate) struct Money {
    /// How many of them are below the spot.
    pub(crate) place: usize,
    /// Offsets of those nearest to the money on both sides.
    pub(crate) below: u32,
    pub(crate) above: u32,
}

/// Neighbouring strikes on one side of the money: where they are in a table, and the offset of the nearest.
pub(crate) struct Part {
    pub(crate) places: Range<usize>,
    pub(crate) from: u32,
}

/// Strikes on one side of the money that are short of the cap, those of which rounding leaves it open, and those past it.
pub(crate) struct Parts {
    pub(crate) short: Part,
    pub(crate) at: Part,
    pub(crate) past: Part,
}

impl Part {
    /// The offset of the farthest.
    pub(crate) fn to(&self) -> u32 {
        self.from.saturating_add(u32::try_from(self.places.len()).unwrap_or(0)).saturating_sub(1)
    }

    /// The offsets in the order of the table.
    pub(crate) fn offsets(&self, wing: &Wing<'_>) -> impl Iterator<Item = u32> + use<> {
        let (from, rising) = (self.from, wing.rising);
        let count = u32::try_from(self.places.len()).unwrap_or(0);
        (0..count).map(move |place| from.saturating_add(if rising { place } else { count - 1 - place }))
    }
}

impl SpotOnGrid {
    /// Where `count` strikes from the tick `lowest` on lie. The first tick above the spot counts zero, and so does the
    /// first below.
    pub(crate) fn money(&self, lowest: i16, count: usize) -> Money {
        let to_money = self.first_above.saturating_sub(lowest.into());
        let distance = to_money.unsigned_abs();
        if to_money < 0 {
            return Money { place: 0, below: 0, above: distance };
        }
        let place = usize::try_from(distance).unwrap_or(count).min(count);
        Money { place, below: distance.saturating_sub(u32::try_from(place).unwrap_or(0)), above: 0 }
    }

    /// The strike `offset` steps from the first. None where there is no such strike.
    pub(crate) fn strike_at(&self, wing: &Wing<'_>, offset: u32) -> Option<Usd> {
        let offset = i32::try_from(offset).ok()?;
        let tick = if wing.rising { self.first_above.checked_add(offset)? } else { self.first_above - 1 - offset };
        self.grid.strike(i16::try_from(tick).ok()?)
    }

    /// Strikes below the spot, and those at and above it.
    pub(crate) fn wings<'a>(&'a self, curve: &'a Curve) -> [Wing<'a>; 2] {
        let spot = Real::from(self.spot);
        let above_step = exp_negative(self.grid.log_rho.mul(curve.rate_above));
        let above = Wing {
            curve,
            in_the_money: curve.side() == Side::Put,
            rising: true,
            spot,
            scale: spot.mul(curve.peak_fraction()),
            distance: self.distance_above,
            grid: &self.grid,
            rate: curve.rate_above,
            step: above_step,
            opposite: curve.rate_below,
            opposite_step: above_step.mul(self.grid.inverse_rho),
        };
        let below = Wing {
            in_the_money: curve.side() == Side::Call,
            rising: false,
            distance: self.distance_below,
            rate: above.opposite,
            step: above.opposite_step,
            opposite: above.rate,
            opposite_step: above.step,
            ..above
        };
        [below, above]
    }
}

impl Wing<'_> {
    /// The main term of the closed form, `offset` strikes from the first.
    pub(crate) fn main(&self, offset: u32) -> Real {
        self.scale.mul(exp_negative(self.distance_of(offset).mul(self.rate)))
    }

    /// The reflected term in the money.
    pub(crate) fn reflected(&self, offset: u32) -> Real {
        self.scale.mul(self.curve.reflection(self.distance_of(offset).mul(self.opposite)))
    }

    /// The strike, but for rounding.
    pub(crate) fn strike(&self, offset: u32) -> Real {
        let distance = self.distance_of(offset);
        self.spot.mul(if self.rising { exp(distance) } else { exp_negative(distance) })
    }

    /// The logarithm's distance between the spot and the strike.
    fn distance_of(&self, offset: u32) -> Real {
        if offset == 0 {
            return self.distance;
        }
        self.distance.add(self.grid.log_rho.mul(Real::from_u64(u64::from(offset))))
    }

    /// Divides `count` strikes on this side of the money, of which the nearest has the offset `from`, by the cap.
    pub(crate) fn parts(&self, from: u32, count: usize) -> Parts {
        let [at, past] =
            self.cap().map(|offset| usize::try_from(offset.saturating_sub(from)).unwrap_or(usize::MAX).min(count));
        let part = |near: usize, far: usize| {
            let places = if self.rising { near..far } else { count - far..count - near };
            Part { places, from: from.saturating_add(u32::try_from(near).unwrap_or(0)) }
        };
        Parts { short: part(0, at), at: part(at, past), past: part(past, count) }
    }

    /// The first offset that may be at the cap, and the first that is certainly past it. Rounding leaves a strike open
    /// where the cap is within a millionth of a step of it.
    pub(crate) fn cap(&self) -> [u32; 2] {
        const POINT: u32 = 32;
        const SLACK: u64 = 1 << 12;
        if !self.in_the_money {
            return [u32::MAX; 2];
        }
        let steps = self.curve.contract.cap_distance.saturating_sub(self.distance).mul(self.grid.inverse_log_rho);
        let steps = steps.to_fixed(POINT, Rounding::Down).unwrap_or(u64::MAX);
        [steps.saturating_sub(SLACK), steps.saturating_add(SLACK)]
            .map(|steps| u32::try_from(steps.div_ceil(1 << POINT)).unwrap_or(u32::MAX))
    }
}
