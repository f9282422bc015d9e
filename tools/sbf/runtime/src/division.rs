//! Division of 128-bit numbers by 64-bit divisions. Source: D. E. Knuth, The Art of Computer Programming, volume 2,
//! section 4.3.1, algorithm D; and H. S. Warren, Hacker's Delight, chapter 9 (divlu, udivdi3).

use crate::{Wide, multiplication::multiply_words};

/// Quotient and remainder. The caller's code has already ruled out a divisor of zero.
#[inline(always)]
fn divide_words(dividend: u64, divisor: u64) -> (u64, u64) {
    if divisor == 0 {
        stop()
    }
    (dividend / divisor, dividend % divisor)
}

#[cfg(target_os = "solana")]
fn stop() -> ! {
    // SAFETY: the system call ends the program.
    unsafe { crate::platform::abort() }
}

#[cfg(not(target_os = "solana"))]
fn stop() -> ! {
    panic!("division by zero")
}

/// One half-word digit of the quotient of `remainder:next` by a normalised `divisor`: an estimate by the divisor's
/// high half, which is too large by at most two.
#[inline(always)]
fn quotient_digit(remainder: u64, next: u64, divisor: u64) -> u64 {
    let (divisor_high, divisor_low) = (divisor >> 32, divisor & 0xffff_ffff);
    let (mut digit, mut rest) = divide_words(remainder, divisor_high);
    while digit >> 32 != 0 || digit.wrapping_mul(divisor_low) > ((rest << 32) | next) {
        digit = digit.wrapping_sub(1);
        rest = rest.wrapping_add(divisor_high);
        if rest >> 32 != 0 {
            break;
        }
    }
    digit
}

/// Quotient and remainder of `high:low` by `divisor`, where `high < divisor`, so the quotient fits a word.
#[inline(always)]
fn divide_two_words(high: u64, low: u64, divisor: u64) -> (u64, u64) {
    if high == 0 {
        return divide_words(low, divisor);
    }
    // Normalise: the estimates are close only for a divisor with its top bit set.
    let shift = divisor.leading_zeros();
    let divisor = divisor << shift;
    let high = if shift == 0 { high } else { (high << shift) | (low >> (64 - shift)) };
    let low = low << shift;
    let (next_1, next_0) = (low >> 32, low & 0xffff_ffff);
    let digit_1 = quotient_digit(high, next_1, divisor);
    let remainder = (high << 32).wrapping_add(next_1).wrapping_sub(digit_1.wrapping_mul(divisor));
    let digit_0 = quotient_digit(remainder, next_0, divisor);
    let remainder = (remainder << 32).wrapping_add(next_0).wrapping_sub(digit_0.wrapping_mul(divisor));
    ((digit_1 << 32).wrapping_add(digit_0), remainder >> shift)
}

/// Quotient and remainder of unsigned numbers.
#[inline(always)]
fn divide(n: Wide, d: Wide) -> (Wide, Wide) {
    if d.high == 0 {
        if n.high == 0 {
            let (quotient, remainder) = divide_words(n.low, d.low);
            return (Wide::new(quotient, 0), Wide::new(remainder, 0));
        }
        let (high, rest) = if n.high >= d.low { divide_words(n.high, d.low) } else { (0, n.high) };
        let (low, remainder) = divide_two_words(rest, n.low, d.low);
        return (Wide::new(low, high), Wide::new(remainder, 0));
    }
    if n.high < d.high || (n.high == d.high && n.low < d.low) {
        return (Wide::new(0, 0), n);
    }
    divide_by_two_words(n, d)
}

/// Quotient and remainder where the divisor has more than a word and is no larger than the dividend: the quotient
/// fits a word. Divide by the divisor's leading 64 bits, take one off so as not to be too large, and correct once.
#[inline(always)]
fn divide_by_two_words(n: Wide, d: Wide) -> (Wide, Wide) {
    let shift = d.high.leading_zeros();
    let leading = if shift == 0 { d.high } else { (d.high << shift) | (d.low >> (64 - shift)) };
    // Half of the dividend, so that its high word is below the leading bits.
    let (estimate, _) = divide_two_words(n.high >> 1, (n.high << 63) | (n.low >> 1), leading);
    let mut quotient = (estimate >> (63 - shift)).saturating_sub(1);
    let product = multiply_words(quotient, d.low);
    let product_high = product.high.wrapping_add(quotient.wrapping_mul(d.high));
    let (low, borrow) = n.low.overflowing_sub(product.low);
    let high = n.high.wrapping_sub(product_high).wrapping_sub(borrow as u64);
    let mut remainder = Wide::new(low, high);
    if high > d.high || (high == d.high && low >= d.low) {
        quotient = quotient.wrapping_add(1);
        let (low, borrow) = low.overflowing_sub(d.low);
        remainder = Wide::new(low, high.wrapping_sub(d.high).wrapping_sub(borrow as u64));
    }
    (Wide::new(quotient, 0), remainder)
}

/// # Safety
/// `out` is valid for writing two words.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn __sbf_udiv128(out: *mut u64, n_low: u64, n_high: u64, d_low: u64, d_high: u64) {
    let (quotient, _) = divide(Wide::new(n_low, n_high), Wide::new(d_low, d_high));
    // SAFETY: the caller's promise.
    unsafe { quotient.write(out) }
}

/// # Safety
/// `out` is valid for writing two words.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn __sbf_urem128(out: *mut u64, n_low: u64, n_high: u64, d_low: u64, d_high: u64) {
    let (_, remainder) = divide(Wide::new(n_low, n_high), Wide::new(d_low, d_high));
    // SAFETY: the caller's promise.
    unsafe { remainder.write(out) }
}

/// The quotient rounded towards zero.
///
/// # Safety
/// `out` is valid for writing two words.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn __sbf_sdiv128(out: *mut u64, n_low: u64, n_high: u64, d_low: u64, d_high: u64) {
    let (n, d) = (Wide::new(n_low, n_high), Wide::new(d_low, d_high));
    let (quotient, _) = divide(n.magnitude(), d.magnitude());
    let negative = n.is_negative() != d.is_negative();
    // SAFETY: the caller's promise.
    unsafe { if negative { quotient.negated() } else { quotient }.write(out) }
}

/// The remainder, with the dividend's sign.
///
/// # Safety
/// `out` is valid for writing two words.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn __sbf_srem128(out: *mut u64, n_low: u64, n_high: u64, d_low: u64, d_high: u64) {
    let (n, d) = (Wide::new(n_low, n_high), Wide::new(d_low, d_high));
    let (_, remainder) = divide(n.magnitude(), d.magnitude());
    // SAFETY: the caller's promise.
    unsafe { if n.is_negative() { remainder.negated() } else { remainder }.write(out) }
}
