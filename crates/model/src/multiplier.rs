//! The multiplier of Token-2022's `ScaledUiAmount` extension, an IEEE-754 double, read with integers.

use perpetua_pricing::Real;

use crate::{
    error::{ModelError, Result},
    quantities::BPS,
};

/// Where a double's exponent begins.
const EXPONENT_SHIFT: u32 = 52;
/// The biased exponent of numbers from one up to two.
const BIAS: u64 = 1_023;
/// The largest power of two, and the largest divisor, that a multiplier may be.
const MAX_POWER: u64 = 20;
/// The fraction bits with which every multiplier is a whole number: the smallest one's 53 significant bits end there.
const FRACTION_BITS: u32 = 72;

/// The shares that one token stands for: the bits of an IEEE-754 double.
#[cfg_attr(feature = "idl-build", derive(anchor_lang::AnchorSerialize))]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, bytemuck::Pod, bytemuck::Zeroable)]
#[repr(transparent)]
pub struct Multiplier(pub u64);

impl Multiplier {
    /// One share for each token.
    pub const ONE: Self = Self(BIAS << EXPONENT_SHIFT);
    const MIN: Self = Self((BIAS - MAX_POWER) << EXPONENT_SHIFT);
    const MAX: Self = Self((BIAS + MAX_POWER) << EXPONENT_SHIFT);

    /// A multiplier from a double's bits.
    ///
    /// Errors: [`ModelError::MultiplierInvalid`] for what is not a number from 2^-20 to 2^20.
    pub fn from_bits(bits: u64) -> Result<Self> {
        // Positive doubles are in the order of their bits; negative ones, infinity and what is not a number are above
        // them, zero and subnormal ones below.
        let valid = (Self::MIN.0..=Self::MAX.0).contains(&bits);
        if valid { Ok(Self(bits)) } else { Err(ModelError::MultiplierInvalid) }
    }

    /// The number, exact. Bits that [`Self::from_bits`] refuses count as the bound on their side.
    pub fn real(self) -> Real {
        Real::from_fixed_wide(self.fixed(), FRACTION_BITS)
    }

    /// Whether this is more than `bps` above or below `from`; exact.
    pub fn moved_by_more_than(self, from: Self, bps: u16) -> bool {
        let (to, from) = (self.fixed(), from.fixed());
        // A number is at most 2^92 units, so both products fit.
        to.abs_diff(from).saturating_mul(u128::from(BPS)) > from.saturating_mul(u128::from(bps))
    }

    /// The number in units of 2^-72, exact.
    fn fixed(self) -> u128 {
        let bits = self.0.clamp(Self::MIN.0, Self::MAX.0);
        let fraction = bits & ((1 << EXPONENT_SHIFT) - 1);
        let power = (bits >> EXPONENT_SHIFT) - (BIAS - MAX_POWER);
        u128::from(fraction | 1 << EXPONENT_SHIFT) << power
    }
}

/// What a mint says of its multiplier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScaledUi {
    /// The multiplier until `next_from`: a double's bits, unchecked.
    pub current: u64,
    /// The multiplier from `next_from` on: a double's bits, unchecked.
    pub next: u64,
    /// When the next one starts, Unix seconds.
    pub next_from: i64,
}

impl ScaledUi {
    /// A mint without the extension: one, for ever.
    pub const NONE: Self = Self { current: Multiplier::ONE.0, next: Multiplier::ONE.0, next_from: 0 };

    /// Reads the extension's value: 32 bytes of authority, then the current multiplier, the start of the next one and the
    /// next one, 8 bytes each, least significant first.
    ///
    /// Errors: [`ModelError::MultiplierInvalid`] for another length. The multipliers are checked by [`Self::at`].
    pub fn parse(value: &[u8]) -> Result<Self> {
        let value: &[u8; 56] = value.try_into().map_err(|_| ModelError::MultiplierInvalid)?;
        let ([_, _, _, _, current, next_from, next], []) = value.as_chunks::<8>() else {
            return Err(ModelError::MultiplierInvalid);
        };
        Ok(Self {
            current: u64::from_le_bytes(*current),
            next: u64::from_le_bytes(*next),
            next_from: i64::from_le_bytes(*next_from),
        })
    }

    /// The multiplier at `now`, Unix seconds, by Token-2022's rule: the next one from its start on, else the current.
    ///
    /// Errors: [`ModelError::MultiplierInvalid`].
    pub fn at(&self, now: i64) -> Result<Multiplier> {
        Multiplier::from_bits(if now >= self.next_from { self.next } else { self.current })
    }

    /// A multiplier that will replace another one after `now`, unchecked so that none goes unseen, and its start, Unix
    /// seconds.
    pub fn pending(&self, now: i64) -> Option<(Multiplier, i64)> {
        (now < self.next_from && self.next != self.current).then_some((Multiplier(self.next), self.next_from))
    }
}
