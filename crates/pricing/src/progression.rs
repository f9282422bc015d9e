//! Geometric progressions in words: a term of 48 bits takes two multiplications.

use crate::Real;

/// Bits of a term and of a ratio.
const BITS: i64 = 48;

/// A ratio of neighbouring terms that is below one, as its upper 16 and lower 32 bits.
#[derive(Clone, Copy)]
pub(crate) struct Ratio {
    high: u64,
    low: u64,
}

impl Ratio {
    /// Rounded down; one becomes the largest ratio below it.
    pub(crate) fn new(ratio: Real) -> Self {
        let ratio = to_word(ratio, BITS).min((1 << BITS) - 1);
        Self { high: ratio >> 32, low: ratio & 0xffff_ffff }
    }

    /// The product with a term of 48 bits, or up to two less.
    #[inline(always)]
    pub(crate) const fn of(self, term: u64) -> u64 {
        // Sixteen bits times 48, and 32 times 32: no product leaves a word.
        let low = (term >> 16).wrapping_mul(self.low) >> 16;
        term.wrapping_mul(self.high).wrapping_add(low) >> 16
    }
}

/// A progression that falls. Walked the way it shrinks it keeps its absolute precision.
#[derive(Clone, Copy)]
pub(crate) struct Progression {
    /// In units of `2^up`.
    value: u64,
    up: u32,
    ratio: Ratio,
}

impl Progression {
    /// In units of `2^-shift`, of which the first term is below 2^62.
    pub(crate) fn new(first: Real, ratio: Real, shift: i64) -> Self {
        let up = (first.exponent.wrapping_add(shift).wrapping_add(64 - BITS)).max(0);
        Self {
            value: to_word(first, shift.wrapping_sub(up)),
            up: u32::try_from(up).unwrap_or(0),
            ratio: Ratio::new(ratio),
        }
    }

    pub(crate) const fn is_zero(&self) -> bool {
        self.value == 0
    }

    /// The same with a shift that is seen to be below 64, so that no term masks it.
    #[inline(always)]
    pub(crate) const fn masked(self) -> Self {
        Self { up: self.up % 64, ..self }
    }

    /// The term, before it goes on to the next, or up to three units below that.
    #[inline(always)]
    pub(crate) const fn next(&mut self) -> u64 {
        let term = self.value.wrapping_shl(self.up);
        self.value = self.ratio.of(self.value);
        term
    }
}

/// The value in units of `2^-bits`, rounded down: what `to_fixed` gives, without its wide results.
#[inline(always)]
fn to_word(value: Real, bits: i64) -> u64 {
    match value.exponent.wrapping_add(bits) {
        ..-63 => 0,
        shift @ -63..=0 => value.mantissa() >> -shift,
        _ => u64::MAX, // neither a ratio nor a scaled term is this large
    }
}

/// `sum size * ratio^distance`, where the last size has the distance zero, by Horner's scheme; all sizes together must be
/// below 2^48. No step's error grows, so that it is below three units per size.
#[inline(always)]
pub(crate) fn weighted_sum<'a>(sizes: impl Iterator<Item = &'a u64>, ratio: Ratio) -> u64 {
    sizes.fold(0, |sum, size| ratio.of(sum).wrapping_add(*size))
}
