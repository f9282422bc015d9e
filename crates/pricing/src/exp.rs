//! Exponentials and logarithms of [`Real`] numbers.
//!
//! Method: split off the power of two, look up a step of 1/128, finish with a short polynomial
//! (P. T. P. Tang, "Table-driven implementation of the exponential function", ACM TOMS 15, 1989, and "of the
//! logarithm function", ACM TOMS 16, 1990).

use crate::{
    Real, Signed,
    tables::{EXP2_POLYNOMIAL, EXP2_STEPS, LOG1P_SERIES, LOGARITHMS, RECIPROCALS},
    wide::{join, mul_high, mul_high_roughly, mul_words, split},
};

pub(crate) const LOG2_E: Real = Real::bounded(0xb8aa_3b29_5c17_f0bc, -63);
/// `ln 2` with 64 fractional bits.
const LN_2: u64 = 0xb172_17f7_d1cf_79ac;
/// Arguments whose power of two is beyond this saturate.
const EXPONENT_BITS: i64 = 23;

/// `e^x`, with a relative error below `10^-18 * max(1, x)`. [`Real::MAX`] from about `x = 5.8 million`.
#[must_use]
pub fn exp(x: Real) -> Real {
    match split_at_point(x.mul(LOG2_E)) {
        Some((whole, fraction)) => Real::bounded(exp2_fraction(fraction), whole.wrapping_sub(63)),
        None => Real::MAX,
    }
}

/// `e^-x`, with a relative error below `10^-18 * max(1, x)`. `ZERO` from about `x = 5.8 million`.
#[must_use]
pub fn exp_negative(x: Real) -> Real {
    exp2_negative(x.mul(LOG2_E))
}

/// `2^x` of an exponent with 64 fraction bits, with a relative error below `10^-18`.
#[inline(always)]
pub(crate) fn power_of_two(x: i128) -> Real {
    // Rounding the whole part down leaves a fraction that is positive, also of a negative exponent.
    let (whole, fraction) = split(x.cast_unsigned());
    Real::bounded(exp2_fraction(fraction), whole.cast_signed().wrapping_sub(63))
}

/// `2^-x`, with a relative error below `10^-18 * max(1, x)`: what a half-life leaves. `ZERO` from `x = 2^23`.
#[must_use]
pub fn exp2_negative(x: Real) -> Real {
    match split_at_point(x) {
        Some((whole, 0)) => Real::bounded(1 << 63, (-63i64).wrapping_sub(whole)),
        // -x = -(whole + 1) + (1 - fraction), so that the rest is positive.
        Some((whole, fraction)) => Real::bounded(exp2_fraction(fraction.wrapping_neg()), (-64i64).wrapping_sub(whole)),
        None => Real::ZERO,
    }
}

/// The whole part and the fraction of 2^64 that follows it. None from 2^23 on.
#[inline(always)]
fn split_at_point(x: Real) -> Option<(i64, u64)> {
    match x.exponent.wrapping_add(64) {
        ..=-64 => Some((0, 0)),
        shift @ -63..=0 => Some((0, x.mantissa() >> -shift)),
        shift @ 1..=EXPONENT_BITS => {
            let whole = x.mantissa() >> (64 - shift);
            Some((whole.cast_signed(), x.mantissa() << shift))
        }
        _ => None,
    }
}

/// `2^f` for a fraction `f` of 2^64, with 63 fractional bits: its top bit is set.
#[inline(always)]
fn exp2_fraction(f: u64) -> u64 {
    let step = EXP2_STEPS[usize::from(f.to_be_bytes()[0] >> 1)];
    let rest = f << 7;
    // The highest terms are below 2^31, so that half of the argument is enough for them.
    let [fifth, fourth, third, rest_of_terms @ ..] = EXP2_POLYNOMIAL;
    let upper = rest >> 32;
    let sum = fourth.wrapping_add(fifth.wrapping_mul(upper) >> 32);
    let mut sum = third.wrapping_add(sum.wrapping_mul(upper) >> 32);
    for coefficient in rest_of_terms {
        // Below 2^57 throughout: the sum is at most 2^(1/128) - 1. Two units that a product may lose are within the bound.
        sum = coefficient.wrapping_add(mul_high_roughly(sum, rest));
    }
    // At most 2 - 2^-63 after truncation: 2^f stays below 2 by more than the errors of its two factors.
    step.wrapping_add(mul_high_roughly(step, mul_high_roughly(sum, rest)))
}

/// `ln x`, with a relative error below `10^-16` everywhere, also next to one. The logarithm of zero is the largest
/// negative number.
#[must_use]
pub fn ln(x: Real) -> Signed {
    if x.is_zero() {
        return Signed { negative: true, magnitude: Real::MAX };
    }
    let power = x.exponent.wrapping_add(63);
    let step = usize::from(x.mantissa().to_be_bytes()[0] & 0x7f);
    match step {
        0 => near_power_of_two(power, false, x.mantissa() << 1),
        // The mantissa is just below two: counting down from the next power of two avoids cancellation below one.
        127 => near_power_of_two(power + 1, true, x.mantissa().wrapping_neg()),
        _ => {
            // The reciprocal is rounded up, so the product is at least one.
            let rest = mul_high(x.mantissa(), RECIPROCALS[step]) << 1;
            let rest = rest - mul_high(rest, log1p_correction(false, rest));
            with_powers_of_two(power, i128::from(LOGARITHMS[step]) + i128::from(rest))
        }
    }
}

/// `power * ln 2 + ln(1 + rest)`, or `ln(1 - rest)` when `below`, for a rest below 2^64 / 128.
fn near_power_of_two(power: i64, below: bool, rest: u64) -> Signed {
    let correction = log1p_correction(below, rest);
    let fixed = mul_high(rest, correction);
    if power != 0 {
        let magnitude = i128::from(if below { rest + fixed } else { rest - fixed });
        return with_powers_of_two(power, if below { -magnitude } else { magnitude });
    }
    // Next to one a fixed point would lose the significant digits.
    let rest = Real::normalised(rest, -64);
    let magnitude = match correction {
        0 => rest,
        _ if below => rest.add(rest.mul(Real::normalised(correction, -64))),
        _ => rest.mul(Real::bounded(correction.wrapping_neg(), -64)),
    };
    Signed { negative: below, magnitude }
}

/// `|ln(1 + r) / r - 1|` for a fraction of 2^64 below 1/128, or of `ln(1 - r) / -r` when `below`.
#[inline(always)]
fn log1p_correction(below: bool, rest: u64) -> u64 {
    let mut series = 0u64;
    for coefficient in LOG1P_SERIES {
        // The term is below 1/128 of the coefficient, so nothing wraps.
        let term = mul_high_roughly(series, rest);
        series = if below { coefficient.wrapping_add(term) } else { coefficient.wrapping_sub(term) };
    }
    mul_high(series, rest)
}

/// `power * ln 2 + rest`, the rest with 64 fractional bits.
fn with_powers_of_two(power: i64, rest: i128) -> Signed {
    let (high, low) = mul_words(LN_2, power.unsigned_abs());
    let logarithm = join(high, low).cast_signed(); // below 2^25 * 2^64
    let sum = if power < 0 { rest - logarithm } else { rest + logarithm };
    Signed { negative: sum < 0, magnitude: Real::from_fixed_wide(sum.unsigned_abs(), 64) }
}
