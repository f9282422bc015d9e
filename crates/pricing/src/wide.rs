//! Exact products and quotients wider than a register.
//!
//! The Solana VM has 64-bit registers, no widening multiplication and no count of leading zeros, and its 128-bit
//! division is a long software routine. Everything here is built from 64-bit operations only.

use crate::Rounding;

const LOW_HALF: u64 = 0xffff_ffff;

/// The product of two words as (high word, low word), exact.
///
/// The low halves' product is not formed but read off the low word: compilers that know the schoolbook form turn it into
/// a 128-bit multiplication, which is a slow call on the Solana VM.
#[inline(always)]
#[must_use]
pub const fn mul_words(a: u64, b: u64) -> (u64, u64) {
    let (a_high, a_low) = (a >> 32, a & LOW_HALF);
    let (b_high, b_low) = (b >> 32, b & LOW_HALF);
    // Arithmetic is modulo 2^64 where it wraps on purpose; no sum that is kept exceeds 64 bits.
    let low = a.wrapping_mul(b);
    let (first, second) = (a_high.wrapping_mul(b_low), a_low.wrapping_mul(b_high));
    let middle = (first & LOW_HALF).wrapping_add(second & LOW_HALF);
    let lowest = (low >> 32).wrapping_sub(middle) & LOW_HALF;
    let carry = middle.wrapping_add(lowest) >> 32;
    let high = a_high.wrapping_mul(b_high).wrapping_add(first >> 32).wrapping_add(second >> 32).wrapping_add(carry);
    (high, low)
}

/// Zeros in front of each byte.
const LEADING_ZEROS: [u8; 256] = {
    let mut zeros = [8; 256];
    let (mut byte, mut place) = (1u8, 1);
    while place < zeros.len() {
        #[allow(clippy::cast_possible_truncation, reason = "at most seven")]
        let leading = byte.leading_zeros() as u8;
        zeros[place] = leading;
        byte = byte.wrapping_add(1);
        place += 1;
    }
    zeros
};

/// A word that is not zero, shifted until its top bit is set, and by how many bits. The Solana VM has no instruction that
/// counts zeros, and three comparisons and a table are cheaper than the routine that compilers put in its place.
#[inline]
pub(crate) const fn normalise(word: u64) -> (u64, u32) {
    let (word, first) = raise(word, 32);
    let (word, second) = raise(word, 16);
    let (word, third) = raise(word, 8);
    let last = LEADING_ZEROS[(word >> 56) as usize] as u32;
    // The word is not zero, so neither is its highest byte now: the mask changes nothing but spares the compiler's own.
    (word << (last & 7), first | second | third | last)
}

#[inline(always)]
const fn raise(word: u64, bits: u32) -> (u64, u32) {
    if word >> (64 - bits) == 0 { (word << bits, bits) } else { (word, 0) }
}

/// The square root, rounded down, of a number of 127 or 128 bits: the high word's by Newton's method, since the Solana VM
/// divides words in one instruction, and from it the whole (P. Zimmermann, "Karatsuba Square Root", INRIA RR-3805, 1999).
pub(crate) const fn root_words(high: u64, low: u64) -> u64 {
    const HALF_WORD: u64 = 1 << 32;
    // Within an eighth of the root, so four steps give it or one more.
    let mut upper = (high >> 33).wrapping_add(0x6000_0000);
    let mut steps = 4;
    while steps != 0 {
        upper = upper.wrapping_add(high / upper) >> 1;
        steps -= 1;
    }
    if upper == HALF_WORD || upper.wrapping_mul(upper) > high {
        upper = upper.wrapping_sub(1);
    }
    // What is left is at most twice the root, so 31 more bits fit a word.
    let left = (high.wrapping_sub(upper.wrapping_mul(upper)) << 31) | (low >> 33);
    let (digit, rest) = (left / upper, left % upper);
    let root = (upper << 32).wrapping_add(digit);
    // The square of the digit must not exceed `rest * 2^33` and the bits below, a number of 66 bits.
    let beyond = rest >> 31 != 0;
    let below = (rest << 33) | (low & (2 * HALF_WORD - 1));
    if !beyond && (digit >= HALF_WORD || digit.wrapping_mul(digit) > below) { root.wrapping_sub(1) } else { root }
}

/// The high word of the product of two words, or up to two less: for fractions of 2^64 whose last bits do not matter.
#[inline(always)]
#[must_use]
pub const fn mul_high_roughly(a: u64, b: u64) -> u64 {
    let (a_high, a_low) = (a >> 32, a & LOW_HALF);
    let (b_high, b_low) = (b >> 32, b & LOW_HALF);
    // Below the exact high word, so nothing wraps.
    let middle = (a_high.wrapping_mul(b_low) >> 32).wrapping_add(a_low.wrapping_mul(b_high) >> 32);
    a_high.wrapping_mul(b_high).wrapping_add(middle)
}

/// The high word of the product of two words: for fractions of 2^64, their product rounded down.
#[inline(always)]
pub(crate) const fn mul_high(a: u64, b: u64) -> u64 {
    mul_words(a, b).0
}

/// `(high * 2^64 + low) / divisor` with its remainder. Needs `high < divisor` and the divisor's top bit set
/// (Knuth, The Art of Computer Programming 4.3.1, algorithm D, with 32-bit digits).
#[inline]
pub(crate) const fn divide_words(high: u64, low: u64, divisor: u64) -> (u64, u64) {
    let (upper, rest) = divide_digit(high, low >> 32, divisor);
    let (lower, remainder) = divide_digit(rest, low & LOW_HALF, divisor);
    ((upper << 32) | lower, remainder)
}

/// One 32-bit digit of the quotient of `remainder * 2^32 + next`, and what remains.
#[inline(always)]
const fn divide_digit(remainder: u64, next: u64, divisor: u64) -> (u64, u64) {
    let (divisor_high, divisor_low) = (divisor >> 32, divisor & LOW_HALF);
    // The divisor's top bit is set, so its high half is not zero and the guess is at most two too large. Every product
    // is below 2^64 and every difference positive: "wrapping" only spares the check.
    let mut digit = remainder / divisor_high;
    let mut rest = remainder.wrapping_sub(digit.wrapping_mul(divisor_high));
    while digit > LOW_HALF || digit.wrapping_mul(divisor_low) > ((rest << 32) | next) {
        digit = digit.wrapping_sub(1);
        rest = rest.wrapping_add(divisor_high);
        if rest > LOW_HALF {
            break;
        }
    }
    // Modulo 2^64 the difference is exact, since it is below the divisor.
    let partial = (remainder << 32) | next;
    (digit, partial.wrapping_sub(digit.wrapping_mul(divisor)))
}

#[inline(always)]
pub(crate) const fn split(value: u128) -> (u64, u64) {
    #[allow(clippy::cast_possible_truncation, reason = "takes the low word on purpose")]
    let low = value as u64;
    #[allow(clippy::cast_possible_truncation, reason = "the shift leaves 64 bits")]
    let high = (value >> 64) as u64;
    (high, low)
}

#[inline(always)]
pub(crate) const fn join(high: u64, low: u64) -> u128 {
    ((high as u128) << 64) | low as u128
}

/// The exact 256-bit product as (high half, low half).
const fn mul_full(a: u128, b: u128) -> (u128, u128) {
    let ((a_high, a_low), (b_high, b_low)) = (split(a), split(b));
    let low = pair(mul_words(a_low, b_low));
    if a_high == 0 {
        // Mostly, and two of the four products are nothing.
        let first = pair(mul_words(a_low, b_high)).wrapping_add(low >> 64);
        return (first >> 64, join(split(first).1, split(low).1));
    }
    // No sum below wraps: (2^64 - 1)^2 + 2 (2^64 - 1) < 2^128.
    let first = pair(mul_words(a_high, b_low)).wrapping_add(low >> 64);
    let second = pair(mul_words(a_low, b_high)).wrapping_add(join(0, split(first).1));
    let high = pair(mul_words(a_high, b_high)).wrapping_add(first >> 64).wrapping_add(second >> 64);
    (high, join(split(second).1, split(low).1))
}

const fn pair((high, low): (u64, u64)) -> u128 {
    join(high, low)
}

/// `a * b / divisor` through an exact 256-bit product.
///
/// None when the divisor is zero or the rounded result needs more than 128 bits.
#[must_use]
pub fn mul_div(a: u128, b: u128, divisor: u128, rounding: Rounding) -> Option<u128> {
    let (high, low) = mul_full(a, b);
    if high >= divisor {
        return None; // also when the divisor is zero
    }
    let shift = divisor.leading_zeros();
    let divisor = divisor << shift;
    // `high` is below the divisor, so its shifted-out bits are zero.
    let high = if shift == 0 { high } else { (high << shift) | (low >> (128 - shift)) };
    let low = low << shift;
    let (upper, rest) = divide_word(high, split(low).0, divisor);
    let (lower, remainder) = divide_word(rest, split(low).1, divisor);
    round(join(upper, lower), remainder != 0, rounding)
}

/// One 64-bit digit of `(remainder * 2^64 + next) / divisor` and what remains. Needs `remainder < divisor` and the
/// divisor's top bit set.
fn divide_word(remainder: u128, next: u64, divisor: u128) -> (u64, u128) {
    let ((high, middle), (divisor_high, divisor_low)) = (split(remainder), split(divisor));
    // The guess from the top words is at most two too large; where it would not fit, start from the largest digit.
    let (mut digit, mut rest) = if high < divisor_high {
        let (digit, rest) = divide_words(high, middle, divisor_high);
        (digit, u128::from(rest))
    } else {
        // high equals divisor_high: remainder - (2^64 - 1) * divisor_high = middle + divisor_high.
        (u64::MAX, u128::from(middle) + u128::from(divisor_high))
    };
    while rest >> 64 == 0 && pair(mul_words(digit, divisor_low)) > join(split(rest).1, next) {
        digit -= 1;
        rest += u128::from(divisor_high);
    }
    // Modulo 2^128 the difference is exact, since it is below the divisor.
    let taken = pair(mul_words(digit, divisor_low)).wrapping_add(pair(mul_words(digit, divisor_high)) << 64);
    (digit, join(middle, next).wrapping_sub(taken))
}

/// `a * b / 2^shift` through an exact 256-bit product. None when the rounded result needs more than 128 bits.
#[must_use]
pub fn mul_shift(a: u128, b: u128, shift: u32, rounding: Rounding) -> Option<u128> {
    let (high, low) = mul_full(a, b);
    match shift {
        0 => (high == 0).then_some(low),
        1..128 => {
            let quotient = (high << (128 - shift)) | (low >> shift);
            let fits = high >> shift == 0;
            fits.then(|| round(quotient, low << (128 - shift) != 0, rounding)).flatten()
        }
        128 => round(high, low != 0, rounding),
        129..256 => {
            let lost = low != 0 || high << (256 - shift) != 0;
            round(high >> (shift - 128), lost, rounding)
        }
        _ => round(0, high != 0 || low != 0, rounding),
    }
}

fn round(quotient: u128, inexact: bool, rounding: Rounding) -> Option<u128> {
    if inexact && rounding == Rounding::Up { quotient.checked_add(1) } else { Some(quotient) }
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn zeros_are_counted_like_the_compiler_does(word in 1u64.., shift in 0..64u32) {
            let word = (word >> shift).max(1);
            proptest::prop_assert_eq!(normalise(word), (word << word.leading_zeros(), word.leading_zeros()));
        }

        #[test]
        fn roots_are_rounded_down(value in 1u128 << 126.., root in 1u64 << 63.., beside in -2i128..=2) {
            let square = (u128::from(root) * u128::from(root)).saturating_add_signed(beside).max(1 << 126);
            for value in [value, square, 1 << 126, u128::MAX] {
                let (high, low) = split(value);
                proptest::prop_assert_eq!(u128::from(root_words(high, low)), value.isqrt());
            }
        }
    }
}
