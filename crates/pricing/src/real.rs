//! A non-negative software float of 64 significant bits.

use crate::{
    Usd,
    wide::{divide_words, join, mul_words, normalise, root_words, split},
};

/// In which direction an inexact result is rounded.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Rounding {
    /// To the largest representable value that is not above the exact one: for what is received.
    Down,
    /// To the smallest representable value that is not below the exact one: for what is paid.
    Up,
}

/// A non-negative number `mantissa * 2^exponent`; the mantissa is zero or has its top bit set.
///
/// Every operation truncates with a relative error below 2^-62. Exponents stay within `±2^24`: below, a result becomes
/// `ZERO`; above, `MAX`. Nothing panics.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Real {
    // First, so that the derived order is the order of values: zero has the lowest exponent.
    pub(crate) exponent: i64,
    mantissa: u64,
}

const TOP_BIT: u64 = 1 << 63;
/// Words are cheaper than halves on the Solana VM. Nothing that is done to two exponents within the limit overflows, so
/// arithmetic "wraps" only to spare the checks.
const EXPONENT_LIMIT: i64 = 1 << 24;

impl Real {
    /// Zero.
    pub const ZERO: Self = Self { mantissa: 0, exponent: -EXPONENT_LIMIT };
    /// One.
    pub const ONE: Self = Self { mantissa: TOP_BIT, exponent: -63 };
    /// The largest number, to which operations saturate.
    pub const MAX: Self = Self { mantissa: u64::MAX, exponent: EXPONENT_LIMIT };

    /// Keeps the exponent in bounds. The mantissa's top bit must be set.
    #[inline(always)]
    pub(crate) const fn bounded(mantissa: u64, exponent: i64) -> Self {
        // One comparison for both bounds.
        if exponent.wrapping_add(EXPONENT_LIMIT).cast_unsigned() <= 2 * EXPONENT_LIMIT.unsigned_abs() {
            Self { exponent, mantissa }
        } else if exponent > 0 {
            Self::MAX
        } else {
            Self::ZERO
        }
    }

    /// `mantissa * 2^exponent` for any mantissa and an exponent within twice the limit.
    #[inline]
    pub(crate) const fn normalised(mantissa: u64, exponent: i64) -> Self {
        if mantissa == 0 {
            return Self::ZERO;
        }
        let (mantissa, shift) = normalise(mantissa);
        Self::bounded(mantissa, exponent.wrapping_sub(shift as i64))
    }

    /// The number of which [`Self::mantissa`] and [`Self::exponent`] are kept; `ZERO` for parts that no number has.
    #[inline(always)]
    #[must_use]
    pub const fn from_parts(mantissa: u64, exponent: i64) -> Self {
        // Not `normalised`, which would look for the top bit.
        if mantissa & TOP_BIT == 0 { Self::ZERO } else { Self::bounded(mantissa, exponent) }
    }

    /// The mantissa: zero, or with its top bit set.
    #[must_use]
    pub const fn mantissa(self) -> u64 {
        self.mantissa
    }

    /// The power of two that the mantissa is scaled by; the lowest for `ZERO`.
    #[must_use]
    pub const fn exponent(self) -> i32 {
        #[allow(clippy::cast_possible_truncation, reason = "exponents stay within the limit")]
        let exponent = self.exponent as i32;
        exponent
    }

    /// Whether this is exactly zero.
    #[must_use]
    pub const fn is_zero(self) -> bool {
        self.mantissa == 0
    }

    /// A whole number, exact.
    #[must_use]
    pub const fn from_u64(value: u64) -> Self {
        Self::normalised(value, 0)
    }

    /// A whole number, truncated to 64 significant bits.
    #[must_use]
    pub const fn from_u128(value: u128) -> Self {
        Self::from_fixed_wide(value, 0)
    }

    /// `numerator / denominator`, truncated. None when the denominator is zero.
    #[must_use]
    pub const fn from_ratio(numerator: u64, denominator: u64) -> Option<Self> {
        Self::from_u64(numerator).div(Self::from_u64(denominator))
    }

    /// `value / 2^fraction_bits`, exact; zero for a scale beyond all bounds.
    #[must_use]
    pub const fn from_fixed(value: u64, fraction_bits: u32) -> Self {
        let fraction_bits = fraction_bits as i64;
        if fraction_bits > EXPONENT_LIMIT { Self::ZERO } else { Self::normalised(value, fraction_bits.wrapping_neg()) }
    }

    /// `value / 2^fraction_bits`, truncated to 64 significant bits; zero for a scale beyond all bounds.
    #[must_use]
    pub const fn from_fixed_wide(value: u128, fraction_bits: u32) -> Self {
        let (high, low) = split(value);
        if high == 0 || fraction_bits as i64 > EXPONENT_LIMIT {
            return Self::from_fixed(low, fraction_bits);
        }
        let (high, shift) = normalise(high);
        // Shifting right by 63 - shift and once more spares the undefined shift by 64.
        let mantissa = high | ((low >> 1) >> (63 - shift));
        Self::bounded(mantissa, (shift as i64).wrapping_add(fraction_bits as i64).wrapping_sub(64).wrapping_neg())
    }

    /// The product, truncated.
    #[inline]
    #[must_use]
    pub const fn mul(self, other: Self) -> Self {
        let (high, low) = mul_words(self.mantissa, other.mantissa);
        let exponent = self.exponent.wrapping_add(other.exponent).wrapping_add(64);
        if high & TOP_BIT != 0 {
            Self::bounded(high, exponent)
        } else if high != 0 {
            Self::bounded((high << 1) | (low >> 63), exponent.wrapping_sub(1))
        } else {
            Self::ZERO // the product of mantissas with their top bits set is at least 2^126
        }
    }

    /// The quotient, truncated. None when dividing by zero.
    #[must_use]
    pub const fn div(self, divisor: Self) -> Option<Self> {
        if divisor.mantissa == 0 {
            return None;
        }
        if self.mantissa == 0 {
            return Some(Self::ZERO);
        }
        let exponent = self.exponent.wrapping_sub(divisor.exponent);
        Some(if self.mantissa < divisor.mantissa {
            let (quotient, _) = divide_words(self.mantissa, 0, divisor.mantissa);
            Self::bounded(quotient, exponent.wrapping_sub(64))
        } else {
            let (quotient, _) = divide_words(self.mantissa >> 1, self.mantissa << 63, divisor.mantissa);
            Self::bounded(quotient, exponent.wrapping_sub(63))
        })
    }

    /// The sum, truncated.
    #[must_use]
    pub const fn add(self, other: Self) -> Self {
        let (large, small) = if self.at_least(other) { (self, other) } else { (other, self) };
        let Some(addend) = shift_right(small.mantissa, large.exponent.wrapping_sub(small.exponent)) else {
            return large;
        };
        let (sum, carry) = large.mantissa.overflowing_add(addend);
        if carry {
            Self::bounded((sum >> 1) | TOP_BIT, large.exponent.wrapping_add(1))
        } else {
            Self { mantissa: sum, ..large }
        }
    }

    /// The difference, or zero where it would be negative. The error is below 2^-62 of the larger operand's size, and
    /// the result is exact when the operands are within a factor of two.
    #[must_use]
    pub const fn saturating_sub(self, other: Self) -> Self {
        if other.at_least(self) {
            return Self::ZERO;
        }
        if other.mantissa == 0 {
            return self;
        }
        let distance = self.exponent.wrapping_sub(other.exponent).cast_unsigned();
        if distance == 0 {
            return Self::normalised(self.mantissa.wrapping_sub(other.mantissa), self.exponent);
        }
        if distance > 63 {
            return Self::normalised(self.mantissa.wrapping_sub(1), self.exponent); // less than one unit is taken away
        }
        // One guard word keeps the difference exact until the final truncation. No borrow is lost: self is larger.
        let (high, low) = (other.mantissa >> distance, other.mantissa << 64u64.wrapping_sub(distance));
        let high = self.mantissa.wrapping_sub(high).wrapping_sub((low != 0) as u64);
        let low = low.wrapping_neg();
        if high & TOP_BIT != 0 {
            return Self { mantissa: high, ..self };
        }
        if high == 0 {
            return Self::normalised(low, self.exponent.wrapping_sub(64));
        }
        let (high, shift) = normalise(high);
        Self::bounded(high | (low >> (64 - shift)), self.exponent.wrapping_sub(shift as i64))
    }

    /// `self * 2^power`, exact within the exponent's limit.
    #[must_use]
    pub const fn scale_by_power_of_two(self, power: i32) -> Self {
        if self.mantissa == 0 {
            return Self::ZERO;
        }
        Self::bounded(self.mantissa, self.exponent.wrapping_add(power as i64))
    }

    /// Half of it.
    #[must_use]
    pub const fn halve(self) -> Self {
        self.scale_by_power_of_two(-1)
    }

    /// The square root, truncated.
    #[must_use]
    pub const fn sqrt(self) -> Self {
        if self.mantissa == 0 {
            return Self::ZERO;
        }
        // The radicand gets 127 or 128 bits, whichever leaves an even exponent; so the root's top bit is set.
        let root = if self.exponent & 1 == 0 {
            (root_words(self.mantissa, 0), 64)
        } else {
            (root_words(self.mantissa >> 1, self.mantissa << 63), 63)
        };
        Self::bounded(root.0, self.exponent.wrapping_sub(root.1) >> 1)
    }

    /// The value in units of `2^-fraction_bits`. None when it needs more than 64 bits.
    #[must_use]
    pub const fn to_fixed(self, fraction_bits: u32, rounding: Rounding) -> Option<u64> {
        match self.exponent.wrapping_add(fraction_bits as i64) {
            1.. if self.mantissa != 0 => None,
            ..=-64 | 1.. => Some((matches!(rounding, Rounding::Up) && self.mantissa != 0) as u64),
            shift => {
                let distance = shift.wrapping_neg();
                let floor = self.mantissa >> distance;
                let up = matches!(rounding, Rounding::Up) && floor << distance != self.mantissa;
                // What was rounded has lost a bit, so there is room for one more.
                Some(floor.wrapping_add(up as u64))
            }
        }
    }

    /// The value in units of `2^-fraction_bits`. None when it needs more than 128 bits.
    #[must_use]
    pub const fn to_fixed_wide(self, fraction_bits: u32, rounding: Rounding) -> Option<u128> {
        if self.mantissa == 0 {
            return Some(0);
        }
        match self.exponent.wrapping_add(fraction_bits as i64) {
            65.. => None,
            64 => Some(join(self.mantissa, 0)),
            shift @ 1..64 => Some(join(self.mantissa >> (64 - shift), self.mantissa << shift)),
            _ => match self.to_fixed(fraction_bits, rounding) {
                Some(word) => Some(word as u128),
                None => None,
            },
        }
    }

    /// The value in dollars. Saturates at the largest `Usd`.
    #[must_use]
    pub const fn to_usd(self, rounding: Rounding) -> Usd {
        match self.to_fixed_wide(64, rounding) {
            Some(bits) => Usd::from_bits(bits),
            None => Usd::from_bits(u128::MAX),
        }
    }

    /// Whether `self >= other`.
    #[inline(always)]
    const fn at_least(self, other: Self) -> bool {
        self.exponent > other.exponent || (self.exponent == other.exponent && self.mantissa >= other.mantissa)
    }
}

/// None when nothing is left.
#[inline(always)]
const fn shift_right(mantissa: u64, distance: i64) -> Option<u64> {
    if distance > 63 { None } else { Some(mantissa >> distance.cast_unsigned()) }
}

impl From<Usd> for Real {
    fn from(amount: Usd) -> Self {
        Self::from_fixed_wide(amount.bits(), 64)
    }
}

/// A number with a sign, kept apart from its magnitude so that rounding stays towards zero.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Signed {
    /// Whether the number is below zero; false for zero.
    pub negative: bool,
    /// Its absolute value.
    pub magnitude: Real,
}

impl Signed {
    /// Zero.
    pub const ZERO: Self = Self::positive(Real::ZERO);

    /// A number that is not negative.
    #[must_use]
    pub const fn positive(magnitude: Real) -> Self {
        Self { negative: false, magnitude }
    }

    /// `left - right`.
    #[must_use]
    pub const fn difference(left: Real, right: Real) -> Self {
        if left.at_least(right) {
            Self::positive(left.saturating_sub(right))
        } else {
            Self { negative: true, magnitude: right.saturating_sub(left) }
        }
    }

    /// The number with its sign changed.
    #[must_use]
    pub const fn negate(self) -> Self {
        Self { negative: !self.negative && !self.magnitude.is_zero(), ..self }
    }

    /// The sum of two numbers.
    #[must_use]
    pub const fn add(self, other: Self) -> Self {
        if self.negative == other.negative {
            Self { negative: self.negative, magnitude: self.magnitude.add(other.magnitude) }
        } else if self.negative {
            Self::difference(other.magnitude, self.magnitude)
        } else {
            Self::difference(self.magnitude, other.magnitude)
        }
    }

    /// The number times a non-negative factor.
    #[must_use]
    pub const fn scale(self, factor: Real) -> Self {
        let magnitude = self.magnitude.mul(factor);
        Self { negative: self.negative && !magnitude.is_zero(), magnitude }
    }
}
