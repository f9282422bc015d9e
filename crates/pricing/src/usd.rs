//! US dollars per index unit.

use crate::{
    Rounding,
    wide::{mul_div, mul_shift},
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
        if !(-18..=6).contains(&exponent) {
            return None;
        }
        let power = u128::from(10u64.pow(exponent.unsigned_abs()));
        let mantissa = u128::from(mantissa) << 64;
        if exponent < 0 {
            mul_div(mantissa, 1, power, Rounding::Down).map(Self)
        } else {
            mul_shift(mantissa, power, 0, Rounding::Down).map(Self)
        }
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
