//! Products of 128 and 256 bits from 64-bit ones, by schoolbook multiplication.

use crate::Wide;

/// The full product of two words, from four products of half words, which cannot overflow.
#[inline(always)]
pub(crate) fn multiply_words(a: u64, b: u64) -> Wide {
    const HALF: u64 = 0xffff_ffff;
    let (a_low, a_high, b_low, b_high) = (a & HALF, a >> 32, b & HALF, b >> 32);
    let low = a_low.wrapping_mul(b_low);
    let cross_1 = a_low.wrapping_mul(b_high);
    let cross_2 = a_high.wrapping_mul(b_low);
    let high = a_high.wrapping_mul(b_high);
    let middle = (low >> 32).wrapping_add(cross_1 & HALF).wrapping_add(cross_2 & HALF);
    let carried = (cross_1 >> 32).wrapping_add(cross_2 >> 32).wrapping_add(middle >> 32);
    Wide::new((low & HALF) | (middle << 32), high.wrapping_add(carried))
}

/// The low 128 bits of `a * b`, the same for signed and unsigned numbers.
///
/// # Safety
/// `out` is valid for writing two words.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn __sbf_mul128(out: *mut u64, a_low: u64, a_high: u64, b_low: u64, b_high: u64) {
    let mut product = multiply_words(a_low, b_low);
    // Most numbers fit a word; a comparison is far cheaper than a multiplication.
    if a_high != 0 {
        product.high = product.high.wrapping_add(a_high.wrapping_mul(b_low));
    }
    if b_high != 0 {
        product.high = product.high.wrapping_add(a_low.wrapping_mul(b_high));
    }
    // SAFETY: the caller's promise.
    unsafe { product.write(out) }
}

/// The low 128 bits of an unsigned product, and whether that lost anything.
#[inline(always)]
fn multiply_unsigned(a: Wide, b: Wide) -> (Wide, bool) {
    const ZERO: Wide = Wide::new(0, 0);
    let low = multiply_words(a.low, b.low);
    let cross_1 = if a.high != 0 { multiply_words(a.high, b.low) } else { ZERO };
    let cross_2 = if b.high != 0 { multiply_words(a.low, b.high) } else { ZERO };
    let (high, carry_1) = low.high.overflowing_add(cross_1.low);
    let (high, carry_2) = high.overflowing_add(cross_2.low);
    let both_high = a.high != 0 && b.high != 0;
    let lost = both_high || cross_1.high != 0 || cross_2.high != 0 || carry_1 || carry_2;
    (Wide::new(low.low, high), lost)
}

/// Writes the low 128 bits of an unsigned product; returns 1 if the product needs more.
///
/// # Safety
/// `out` is valid for writing two words.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn __sbf_umulo128(out: *mut u64, a_low: u64, a_high: u64, b_low: u64, b_high: u64) -> u64 {
    let (product, lost) = multiply_unsigned(Wide::new(a_low, a_high), Wide::new(b_low, b_high));
    // SAFETY: the caller's promise.
    unsafe { product.write(out) };
    lost as u64
}

/// Writes the low 128 bits of a signed product; returns 1 if the product needs more.
///
/// # Safety
/// `out` is valid for writing two words.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn __sbf_smulo128(out: *mut u64, a_low: u64, a_high: u64, b_low: u64, b_high: u64) -> u64 {
    let (a, b) = (Wide::new(a_low, a_high), Wide::new(b_low, b_high));
    let (magnitude, lost) = multiply_unsigned(a.magnitude(), b.magnitude());
    let negative = a.is_negative() != b.is_negative();
    let product = if negative { magnitude.negated() } else { magnitude };
    // 2^127 is a magnitude for a negative product only; zero has no sign to disagree with.
    let wrong_sign = product.is_negative() != negative && product != Wide::new(0, 0);
    // SAFETY: the caller's promise.
    unsafe { product.write(out) };
    (lost || wrong_sign) as u64
}

/// The low 256 bits of `a * b`, as four words each, the lowest first.
///
/// # Safety
/// `a` and `b` are valid for reading four words and `out` for writing four.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn __sbf_mul256(out: *mut u64, a: *const u64, b: *const u64) {
    const WORDS: usize = 4;
    // `out` may be where a factor is, so the sum is built aside. Indexing would bring a panic along.
    let mut sum = [0u64; WORDS];
    let sum = sum.as_mut_ptr();
    let mut i = 0;
    while i < WORDS {
        // SAFETY: `i` and `i + j` are below four, and the caller's promise.
        unsafe {
            let factor = *a.add(i);
            let (mut carry, mut j) = (0u64, 0);
            while i + j < WORDS && factor != 0 {
                let product = multiply_words(factor, *b.add(j));
                let word = sum.add(i + j);
                let (value, carry_1) = (*word).overflowing_add(product.low);
                let (value, carry_2) = value.overflowing_add(carry);
                *word = value;
                carry = product.high.wrapping_add(carry_1 as u64).wrapping_add(carry_2 as u64);
                j += 1;
            }
        }
        i += 1;
    }
    let mut i = 0;
    while i < WORDS {
        // SAFETY: `i` is below four, and the caller's promise.
        unsafe { *out.add(i) = *sum.add(i) };
        i += 1;
    }
}
