//! Pricing at one spot: strikes of a grid share its logarithm, and powers of two take fixed-point exponents, which costs a
//! third of what [`Curve::value`] does.

use crate::{
    Contract, Curve, Grid, Real, Rounding, Side, Usd,
    exp::{LOG2_E, power_of_two},
    ln,
    wide::{join, mul_words},
};

/// Fraction bits of a base-two logarithm: a ratio of prices is below 2^31, that of cap and strike below 2^64.
const LOG_BITS: u32 = 56;
/// Fraction bits of `u`, which is below 2^15 for any volatility and period that pricing supports.
const U_BITS: u32 = 48;

/// A curve at one spot, which values strikes of a grid without a logarithm each.
#[derive(Clone, Copy, Debug)]
pub struct CurveAtSpot {
    side: Side,
    spot: Usd,
    /// `log2(S / K_ref)`, with [`LOG_BITS`].
    log_spot: i64,
    /// `log2 rho`, with 63 fraction bits.
    log_rho: u64,
    /// With [`U_BITS`].
    u: u64,
    /// `S / u`, what the terms of time value are multiples of.
    scale: Real,
    /// `S / u (1 - e^(-u |ln(1 +- c)|))`.
    below_cap: Real,
    /// `u |ln(1 +- c)| / ln 2`, with 64 fraction bits.
    cap_exponent: i128,
}

/// `u / 2^HALVES` times a logarithm with [`LOG_BITS`], with 64 fraction bits.
#[inline(always)]
fn exponent<const HALVES: u32>(u: u64, logarithm: u64) -> i128 {
    let shift = const { U_BITS + LOG_BITS + HALVES - 64 };
    let (high, low) = mul_words(u, logarithm);
    join(high >> shift, (high << (64 - shift)) | (low >> shift)).cast_signed()
}

/// A natural logarithm in base two. All are far below what saturates.
#[inline(always)]
fn base_two(logarithm: Real, bits: u32) -> u64 {
    logarithm.mul(LOG2_E).to_fixed(bits, Rounding::Down).unwrap_or(u64::MAX)
}

impl Contract {
    /// The curve of a volatility at a price, which is moved into `Usd::MIN_PRICE..=Usd::MAX_PRICE`.
    ///
    /// None when the volatility is out of bounds, as for [`Contract::curve`].
    #[must_use]
    #[inline(always)]
    pub fn at_spot(&self, volatility: Real, grid: &Grid, spot: Usd) -> Option<CurveAtSpot> {
        let spot = spot.clamp(Usd::MIN_PRICE, Usd::MAX_PRICE);
        let real = Real::from(spot);
        let distance = ln(real.mul(grid.inverse_reference));
        let log_spot = base_two(distance.magnitude, LOG_BITS).cast_signed();
        let u = self.u(volatility)?;
        let scale = real.mul(Real::ONE.div(u)?);
        let u = u.to_fixed(U_BITS, Rounding::Down)?;
        let cap_exponent = exponent::<0>(u, base_two(self.cap_distance, LOG_BITS));
        let beyond_cap = power_of_two(cap_exponent.wrapping_neg());
        Some(CurveAtSpot {
            side: self.side,
            spot,
            log_spot: if distance.negative { -log_spot } else { log_spot },
            log_rho: base_two(grid.log_rho, 63),
            u,
            scale,
            below_cap: scale.mul(Real::ONE.saturating_sub(beyond_cap)),
            cap_exponent,
        })
    }
}

impl Curve {
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
    /// [`Curve::price`] of the grid's strike at `tick`. Time value differs by at most `10^-14 + u 10^-16` of it and `10^-18` of
    /// the spot.
    #[must_use]
    #[inline(always)]
    pub fn price(&self, tick: i16, strike: Usd, most: Usd, rounding: Rounding) -> Usd {
        let intrinsic = self.side.moneyness(self.spot, strike);
        if intrinsic >= most {
            return most;
        }
        let time_value = self.time_value(self.log_distance(tick));
        intrinsic.saturating_add(time_value.to_usd(rounding)).min(most)
    }

    /// `log2(S / K)`. Nothing wraps at a tick whose strike is a price: both logarithms are below 32.
    #[inline(always)]
    fn log_distance(&self, tick: i16) -> i64 {
        let (high, low) = mul_words(self.log_rho, u64::from(tick.unsigned_abs()));
        let log_strike = ((high << (1 + LOG_BITS)) | (low >> (63 - LOG_BITS))).cast_signed();
        if tick < 0 { self.log_spot.wrapping_add(log_strike) } else { self.log_spot.wrapping_sub(log_strike) }
    }

    #[inline(always)]
    fn time_value(&self, distance: i64) -> Real {
        const ONE: u64 = 1 << U_BITS;
        let (below_spot, size) = (distance >= 0, distance.unsigned_abs());
        // Twice the rates `(u + 1) / 2` and `(u - 1) / 2`; u is at least one.
        let [rate, opposite] = if below_spot {
            [self.u.wrapping_add(ONE), self.u.wrapping_sub(ONE)]
        } else {
            [self.u.wrapping_sub(ONE), self.u.wrapping_add(ONE)]
        };
        let main = power_of_two(exponent::<1>(rate, size).wrapping_neg());
        let in_the_money = below_spot == (self.side == Side::Call) && size != 0;
        if in_the_money {
            let reflected = power_of_two(exponent::<1>(opposite, size).wrapping_sub(self.cap_exponent));
            self.scale.mul(main.saturating_sub(reflected))
        } else {
            self.below_cap.mul(main)
        }
    }
}
