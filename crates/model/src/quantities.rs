//! Units as types: tokens, sizes, shares and rates never mix as bare integers.

use perpetua_pricing::{Real, Rounding, Usd};

use crate::error::{ModelError, Result};

/// Seconds in the year that every annual rate refers to: 365 days.
pub const SECONDS_PER_YEAR: u64 = 31_536_000;

/// One over them: times a number of seconds it is cheaper than their quotient.
pub(crate) const YEARS_PER_SECOND: Real = match Real::from_ratio(1, SECONDS_PER_YEAR) {
    Some(part) => part,
    None => panic!("the divisor is not zero"),
};

/// Hundredths of a percent in one.
pub const BPS: u64 = 10_000;

/// Millionths of an index unit in one index unit.
pub const SIZE_SCALE: u64 = 1_000_000;

/// Sizes stay below this, so that a size times a price fits the exact arithmetic.
pub const MAX_SIZE: u64 = 1 << 40;

/// Fraction bits of [`UnitsPerUsd`].
pub const UNITS_PER_USD_FRACTION_BITS: u32 = 24;

/// Fraction bits of [`FundingRate`].
pub const FUNDING_RATE_FRACTION_BITS: u32 = 32;

/// Fraction bits of [`Volatility`] and of [`Variance`].
pub const VOLATILITY_FRACTION_BITS: u32 = 48;

macro_rules! quantity {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[cfg_attr(feature = "idl-build", derive(anchor_lang::AnchorSerialize))]
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, bytemuck::Pod, bytemuck::Zeroable)]
        #[repr(transparent)]
        pub struct $name(pub u64);

        impl $name {
            /// None of it.
            pub const ZERO: Self = Self(0);

            /// The sum; [`ModelError::MathOverflow`] above 64 bits.
            pub fn plus(self, other: Self) -> Result<Self> {
                self.0.checked_add(other.0).map(Self).ok_or(ModelError::MathOverflow)
            }

            /// The difference; [`ModelError::MathOverflow`] below zero.
            pub fn minus(self, other: Self) -> Result<Self> {
                self.0.checked_sub(other.0).map(Self).ok_or(ModelError::MathOverflow)
            }

            /// The difference, or nothing where `other` is larger.
            pub fn less(self, other: Self) -> Self {
                Self(self.0.saturating_sub(other.0))
            }

            /// Whether there is none.
            pub fn is_zero(self) -> bool {
                self.0 == 0
            }
        }
    };
}

quantity! {
    /// An amount of the vault's stock token, in raw units (the scaled-UI multiplier never enters).
    Tokens
}
quantity! {
    /// An option size in millionths of one index unit: `1_000_000` is one bitcoin.
    Size
}
quantity! {
    /// Shares of a pool, in raw units of the pool's share token.
    Shares
}
quantity! {
    /// `X`: raw stock-token units paid per US dollar of value of one index unit, Q40.24.
    UnitsPerUsd
}
quantity! {
    /// What one index unit's holder pays per year, in US dollars, Q32.32.
    FundingRate
}
quantity! {
    /// An annualised volatility, Q16.48: one is 100%.
    Volatility
}
quantity! {
    /// An annualised variance, Q16.48: one is the variance of 100% volatility.
    Variance
}

/// A 128-bit number as accounts store it, since a `u128` wants an alignment that account data does not have.
#[cfg_attr(feature = "idl-build", derive(anchor_lang::AnchorSerialize))]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, bytemuck::Pod, bytemuck::Zeroable)]
#[repr(C)]
pub struct Wide {
    /// The lower 64 bits.
    pub low: u64,
    /// The upper 64 bits.
    pub high: u64,
}

impl Wide {
    /// Zero.
    pub const ZERO: Self = Self { low: 0, high: 0 };

    /// The number.
    pub const fn get(self) -> u128 {
        // Widening, so lossless.
        self.low as u128 | (self.high as u128) << 64
    }

    /// Stores `value`.
    #[allow(clippy::cast_possible_truncation)] // splitting into halves is what this is for
    pub const fn new(value: u128) -> Self {
        Self { low: value as u64, high: (value >> 64) as u64 }
    }
}

impl From<Usd> for Wide {
    fn from(value: Usd) -> Self {
        Self::new(value.bits())
    }
}

impl From<Wide> for Usd {
    fn from(value: Wide) -> Self {
        Self::from_bits(value.get())
    }
}

/// A real number as accounts store it, to the last bit.
#[cfg_attr(feature = "idl-build", derive(anchor_lang::AnchorSerialize))]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, bytemuck::Pod, bytemuck::Zeroable)]
#[repr(C)]
pub struct StoredReal {
    /// The mantissa, whose top bit is set unless the number is zero.
    pub mantissa: u64,
    /// The power of two that it is scaled by.
    pub exponent: i64,
}

impl StoredReal {
    /// The number; zero for bytes that stand for none.
    #[inline(always)]
    pub const fn real(self) -> Real {
        Real::from_parts(self.mantissa, self.exponent)
    }
}

impl From<Real> for StoredReal {
    fn from(value: Real) -> Self {
        Self { mantissa: value.mantissa(), exponent: value.exponent().into() }
    }
}

/// `F`: raw units owed per millionth of an index unit since listing, Q64.64.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct FundingIndex(pub u128);

impl From<Wide> for FundingIndex {
    fn from(value: Wide) -> Self {
        Self(value.get())
    }
}

impl From<FundingIndex> for Wide {
    fn from(value: FundingIndex) -> Self {
        Self::new(value.0)
    }
}

impl UnitsPerUsd {
    /// The same as a real number.
    pub fn real(self) -> Real {
        Real::from_fixed(self.0, UNITS_PER_USD_FRACTION_BITS)
    }

    /// The raw units that `cents` US cents are worth.
    ///
    /// Errors: [`ModelError::MathOverflow`] above 64 bits.
    pub fn cents(self, cents: u64, rounding: Rounding) -> Result<Tokens> {
        let product = product(self.0, cents);
        // Rounding twice the same way is rounding once.
        let whole = match rounding {
            Rounding::Down => product >> UNITS_PER_USD_FRACTION_BITS,
            Rounding::Up => product.div_ceil(1 << UNITS_PER_USD_FRACTION_BITS),
        };
        tokens_of(whole, 100, rounding)
    }
}

impl FundingRate {
    /// The rate in US dollars per year, rounded up since its payer is the trader.
    ///
    /// Errors: [`ModelError::MathOverflow`] from 2^32 dollars a year.
    pub fn from_real(rate: Real) -> Result<Self> {
        rate.to_fixed(FUNDING_RATE_FRACTION_BITS, Rounding::Up).map(Self).ok_or(ModelError::MathOverflow)
    }
}

impl Volatility {
    /// One hundred percent is 10,000 bps.
    pub fn from_bps(bps: u16) -> Self {
        Self((u64::from(bps) << VOLATILITY_FRACTION_BITS) / BPS)
    }

    /// The same as a real number.
    pub fn real(self) -> Real {
        Real::from_fixed(self.0, VOLATILITY_FRACTION_BITS)
    }

    /// The nearest representable volatility below.
    ///
    /// Errors: [`ModelError::MathOverflow`] from 65,536 on.
    pub fn from_real(value: Real) -> Result<Self> {
        value.to_fixed(VOLATILITY_FRACTION_BITS, Rounding::Down).map(Self).ok_or(ModelError::MathOverflow)
    }
}

impl Variance {
    /// The same as a real number.
    pub fn real(self) -> Real {
        Real::from_fixed(self.0, VOLATILITY_FRACTION_BITS)
    }

    /// The nearest representable variance below.
    ///
    /// Errors: [`ModelError::MathOverflow`] from 65,536 on.
    pub fn from_real(value: Real) -> Result<Self> {
        value.to_fixed(VOLATILITY_FRACTION_BITS, Rounding::Down).map(Self).ok_or(ModelError::MathOverflow)
    }
}

/// A fraction given in hundredths of a percent, as a real number.
pub fn bps(value: u16) -> Real {
    // `value * 2^96 / BPS` in two digits, since the quotient of any two numbers takes longer.
    let numerator = u64::from(value) << 46;
    let (high, low) = (numerator / BPS, ((numerator % BPS) << 50) / BPS);
    Real::from_fixed_wide((u128::from(high) << 50) | u128::from(low), 96)
}

/// A share of `amount`, rounded as asked. `fraction` above 10,000 gives more than the amount.
///
/// Errors: [`ModelError::MathOverflow`] above 64 bits.
pub fn share(amount: Tokens, fraction: u16, rounding: Rounding) -> Result<Tokens> {
    tokens_of(product(amount.0, u64::from(fraction)), BPS, rounding)
}

/// What `size` of an option worth `value` per index unit is worth in stock tokens: `q / 10^6 * X * V`, exact but for the
/// one rounding asked for.
///
/// Errors: [`ModelError::MathOverflow`] above 64 bits; sizes must be below [`MAX_SIZE`].
pub fn token_value(size: Size, units: UnitsPerUsd, value: Usd, rounding: Rounding) -> Result<Tokens> {
    let quantity = product(size.0, units.0);
    // 10^6 from the size's scale and 24 fraction bits from X; the value's 64 fraction bits go in a second step of
    // shifting, which cannot change where the exact quotient rounds to.
    let per_unit =
        perpetua_pricing::wide::mul_shift(quantity, value.bits(), 64 + UNITS_PER_USD_FRACTION_BITS, rounding)
            .ok_or(ModelError::MathOverflow)?;
    tokens_of(per_unit, SIZE_SCALE, rounding)
}

/// The exact product of two words, inline: the VM's 128-bit multiplication is a call.
#[inline(always)]
pub(crate) fn product(a: u64, b: u64) -> u128 {
    let (high, low) = perpetua_pricing::wide::mul_words(a, b);
    Wide { low, high }.get()
}

/// A size times a funding index, modulo 2^128.
pub(crate) fn wrapping_product(size: Size, index: u128) -> u128 {
    let index = Wide::new(index);
    product(size.0, index.low).wrapping_add(Wide { low: 0, high: size.0.wrapping_mul(index.high) }.get())
}

/// Quotient and remainder of a divisor below 2^32, in 32-bit digits: the VM's 128-bit division is a long routine.
#[inline(always)]
pub(crate) fn divide_by_small(amount: u128, divisor: u64) -> (u128, u64) {
    let Wide { low, high } = Wide::new(amount);
    let middle = ((high % divisor) << 32) | (low >> 32);
    let lowest = ((middle % divisor) << 32) | (low & u64::from(u32::MAX));
    let quotient = Wide { low: ((middle / divisor) << 32) | (lowest / divisor), high: high / divisor };
    (quotient.get(), lowest % divisor)
}

/// Whole tokens of `amount / divisor`, for a divisor below 2^32.
fn tokens_of(amount: u128, divisor: u64, rounding: Rounding) -> Result<Tokens> {
    let (quotient, remainder) = divide_by_small(amount, divisor);
    let up = u64::from(rounding == Rounding::Up && remainder != 0);
    let whole = u64::try_from(quotient).ok().and_then(|whole| whole.checked_add(up));
    whole.map(Tokens).ok_or(ModelError::MathOverflow)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hundredths_of_a_percent_are_the_quotient_to_the_last_bit() {
        for value in 0..=u16::MAX {
            assert_eq!(Some(bps(value)), Real::from_ratio(u64::from(value), BPS));
        }
    }

    proptest::proptest! {
        #[test]
        fn the_digits_give_what_wide_arithmetic_gives(amount: u128, zeros in 0..128u32, a: u64, b: u64, divisor in 1..1u64 << 32) {
            let amount = amount >> zeros;
            let (quotient, remainder) = divide_by_small(amount, divisor);
            proptest::prop_assert_eq!(quotient, amount / u128::from(divisor));
            proptest::prop_assert_eq!(u128::from(remainder), amount % u128::from(divisor));
            proptest::prop_assert_eq!(product(a, b), u128::from(a) * u128::from(b));
        }
    }
}
