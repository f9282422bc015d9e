//! US dollars per index unit.

use crate::wide::{divide_words, join, normalise};

/// The powers that prices are published with.
const POWERS_OF_TEN: [u64; 19] = {
    let mut powers = [1; 19];
    let mut place = 1;
    while place < powers.len() {
        powers[place] = 10 * powers[place - 1];
        place += 1;
    }
    powers
};

/// An amount of US dollars, unsigned, with 64 fractional bits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default, bytemuck::Pod, bytemuck::Zeroable)]
#[repr(transparent)]
pub struct Usd(u128);

impl Usd {
    /// Nothing.
    pub const ZERO: Self = Self(0);
    /// One dollar.
    pub const ONE: Self = Self(1 << 64);
    /// The lowest price and strike that the exchange knows: one cent, as `from_cents` gives it.
    pub const MIN_PRICE: Self = Self::from_cents(1);
    /// The highest price and strike: 2^24 dollars.
    pub const MAX_PRICE: Self = Self(1 << 88);

    /// The amount whose value in units of 2^-64 dollars is `bits`.
    #[must_use]
    pub const fn from_bits(bits: u128) -> Self {
        Self(bits)
    }

    /// The amount in units of 2^-64 dollars.
    #[must_use]
    pub const fn bits(self) -> u128 {
        self.0
    }

    /// A whole number of dollars.
    #[must_use]
    pub const fn from_integer(dollars: u64) -> Self {
        Self((dollars as u128) << 64)
    }

    /// A whole number of cents, rounded down to 2^-64 dollars.
    #[must_use]
    pub const fn from_cents(cents: u64) -> Self {
        Self(((cents as u128) << 64) / 100)
    }

    /// `mantissa * 10^exponent` dollars, rounded down: the form in which oracles publish prices.
    ///
    /// None when the exponent is outside -18..=6 or the amount needs more than 64 integer bits.
    #[must_use]
    pub fn from_decimal(mantissa: u64, exponent: i32) -> Option<Self> {
        let power = *POWERS_OF_TEN.get(usize::try_from(exponent.unsigned_abs()).ok()?)?;
        if exponent > 0 {
            let dollars = mantissa.checked_mul(power).filter(|_| exponent <= 6);
            return dollars.map(Self::from_integer);
        }
        // Whole dollars and their fraction each take a division of words.
        let (whole, rest) = (mantissa / power, mantissa % power);
        let (divisor, shift) = normalise(power);
        let (fraction, _) = divide_words(rest << shift, 0, divisor);
        Some(Self(join(whole, fraction)))
    }

    /// The sum; None when it overflows.
    #[must_use]
    pub const fn checked_add(self, other: Self) -> Option<Self> {
        match self.0.checked_add(other.0) {
            Some(bits) => Some(Self(bits)),
            None => None,
        }
    }

    /// The difference; None when it would be negative.
    #[must_use]
    pub const fn checked_sub(self, other: Self) -> Option<Self> {
        match self.0.checked_sub(other.0) {
            Some(bits) => Some(Self(bits)),
            None => None,
        }
    }

    /// The sum, or the largest amount where it would overflow.
    #[must_use]
    pub const fn saturating_add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    /// The difference, or zero where it would be negative.
    #[must_use]
    pub const fn saturating_sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }

    /// Whether this is a price or strike that the exchange accepts: within `MIN_PRICE..=MAX_PRICE`.
    #[must_use]
    pub fn is_price(self) -> bool {
        (Self::MIN_PRICE..=Self::MAX_PRICE).contains(&self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn decimals_are_read_as_wide_arithmetic_reads_them(mantissa: u64, zeros in 0..64u32, exponent in -20i32..=8) {
            let mantissa = mantissa >> zeros;
            let power = 10u128.pow(exponent.unsigned_abs());
            let want = match exponent {
                -18..=0 => Some((u128::from(mantissa) << 64) / power),
                1..=6 => (u128::from(mantissa) * power).checked_mul(1 << 64),
                _ => None,
            };
            proptest::prop_assert_eq!(Usd::from_decimal(mantissa, exponent).map(Usd::bits), want);
        }
    }
}
