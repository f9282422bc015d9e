//! Pricing at one spot: strikes of a grid share its logarithm, and powers of two take fixed-point exponents, which costs a
//! third of what [`Curve::value`] does.

use crate::{
    Curve, Grid, Real, Rounding, Side, Usd,
    exp::{LOG2_E, power_of_two},
    ln,
    wide::{join, mul_words},
};

/// Fraction bits of a base-two logarithm: a ratio of prices is below 2^31.
const LOG_BITS: u32 = 56;

/// A curve at one spot, which values strikes of a grid without a logarithm each.
#[derive(Clone, Copy, Debug)]
pub struct CurveAtSpot {
    side: Side,
    spot: Usd,
    /// `log2(S / K_ref)`, with [`LOG_BITS`] fraction bits.
    log_spot: i64,
    /// `log2 rho`, with 63 fraction bits.
    log_rho: u64,
    /// Those of the curve.
    rate_above: Rate,
    rate_below: Rate,
    /// `S / u`, what the terms of time value are multiples of.
    scale: Real,
    /// `S / u (1 - e^(-u |ln(1 +- c)|))`.
    below_cap: Real,
    /// `u |ln(1 +- c)| / ln 2`, with 64 fraction bits.
    cap_exponent: i128,
}

/// How fast a term shrinks: from `2^-8` to `2^15`, for any volatility and period that pricing supports.
#[derive(Clone, Copy, Debug)]
struct Rate {
    mantissa: u64,
    /// By how much the product of the mantissa and a logarithm is shifted to have 64 fraction bits: 41 to 63.
    shift: u32,
}

impl Rate {
    fn new(rate: Real) -> Self {
        let shift = -rate.exponent() - 64 + LOG_BITS.cast_signed();
        Self { mantissa: rate.mantissa(), shift: shift.clamp(1, 63).unsigned_abs() }
    }

    /// The rate times a logarithm with [`LOG_BITS`], with 64 fraction bits.
    #[inline(always)]
    fn times(self, logarithm: u64) -> i128 {
        let (high, low) = mul_words(self.mantissa, logarithm);
        join(high >> self.shift, (high << (64 - self.shift)) | (low >> self.shift)).cast_signed()
    }
}

impl Curve {
    /// The curve at a price, moved into `Usd::MIN_PRICE..=Usd::MAX_PRICE`.
    #[must_use]
    pub fn at_spot(&self, grid: &Grid, spot: Usd) -> CurveAtSpot {
        let spot = spot.clamp(Usd::MIN_PRICE, Usd::MAX_PRICE);
        let real = Real::from(spot);
        let distance = ln(real.mul(grid.inverse_reference));
        // Both are far below what saturates.
        let fixed = |logarithm: Real, bits| logarithm.mul(LOG2_E).to_fixed(bits, Rounding::Down).unwrap_or(u64::MAX);
        let log_spot = fixed(distance.magnitude, LOG_BITS).cast_signed();
        let scale = real.mul(self.peak_fraction());
        let cap_exponent = self.cap_exponent.mul(LOG2_E).to_fixed_wide(64, Rounding::Down).unwrap_or(0);
        CurveAtSpot {
            side: self.side(),
            spot,
            log_spot: if distance.negative { -log_spot } else { log_spot },
            log_rho: fixed(grid.log_rho, 63),
            rate_above: Rate::new(self.rate_above),
            rate_below: Rate::new(self.rate_below),
            scale,
            below_cap: scale.mul(self.below_cap),
            cap_exponent: cap_exponent.cast_signed(),
        }
    }

    /// `V` in dollars, never below `phi` nor above `most`, the option's highest payout: [`Curve::value`] for who needs nothing
    /// else.
    #[must_use]
    pub fn price(&self, spot: Usd, strike: Usd, most: Usd, rounding: Rounding) -> Usd {
        let intrinsic = self.moneyness(spot, strike);
        let Some(ratio) = Real::from(spot).div(Real::from(strike)).filter(|_| intrinsic < most) else {
            return most;
        };
        let time_value = self.time_value(ln(ratio), Real::from(spot).mul(self.peak_fraction()));
        intrinsic.saturating_add(time_value.to_usd(rounding)).min(most)
    }
}

impl CurveAtSpot {
    /// [`Curve::price`] of the grid's strike at `tick`. Time value differs by at most `u * 10^-16` of it and `10^-18` of the
    /// spot.
    #[must_use]
    pub fn price(&self, tick: i16, strike: Usd, most: Usd, rounding: Rounding) -> Usd {
        let intrinsic = self.side.moneyness(self.spot, strike);
        if intrinsic >= most {
            return most;
        }
        let time_value = self.time_value(self.log_distance(tick));
        intrinsic.saturating_add(time_value.to_usd(rounding)).min(most)
    }

    /// `log2(S / K)`. Nothing wraps: both parts are below 2^15 times one.
    #[inline(always)]
    fn log_distance(&self, tick: i16) -> i64 {
        let (high, low) = mul_words(self.log_rho, u64::from(tick.unsigned_abs()));
        let log_strike = ((high << (1 + LOG_BITS)) | (low >> (63 - LOG_BITS))).cast_signed();
        if tick < 0 { self.log_spot.wrapping_add(log_strike) } else { self.log_spot.wrapping_sub(log_strike) }
    }

    fn time_value(&self, distance: i64) -> Real {
        let (below_spot, size) = (distance >= 0, distance.unsigned_abs());
        let (rate, opposite) =
            if below_spot { (self.rate_below, self.rate_above) } else { (self.rate_above, self.rate_below) };
        let main = power_of_two(rate.times(size).wrapping_neg());
        let in_the_money = below_spot == (self.side == Side::Call) && size != 0;
        if in_the_money {
            let reflected = power_of_two(opposite.times(size).wrapping_sub(self.cap_exponent));
            self.scale.mul(main.saturating_sub(reflected))
        } else {
            self.below_cap.mul(main)
        }
    }
}
