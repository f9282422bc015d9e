//! Against the native compiler's 128-bit arithmetic.

use super::*;

const CASES: u32 = 1_000_000;

type Binary = unsafe extern "C" fn(*mut u64, u64, u64, u64, u64);
type Checked = unsafe extern "C" fn(*mut u64, u64, u64, u64, u64) -> u64;

fn words(n: u128) -> (u64, u64) {
    (n as u64, (n >> 64) as u64)
}

fn number(words: [u64; 2]) -> u128 {
    words[0] as u128 | (words[1] as u128) << 64
}

fn binary(function: Binary, a: u128, b: u128) -> u128 {
    let mut out = [0; 2];
    let ((a_low, a_high), (b_low, b_high)) = (words(a), words(b));
    unsafe { function(out.as_mut_ptr(), a_low, a_high, b_low, b_high) };
    number(out)
}

fn checked(function: Checked, a: u128, b: u128) -> (u128, bool) {
    let mut out = [0; 2];
    let ((a_low, a_high), (b_low, b_high)) = (words(a), words(b));
    let lost = unsafe { function(out.as_mut_ptr(), a_low, a_high, b_low, b_high) };
    (number(out), lost != 0)
}

/// Marsaglia's xorshift64, with a fixed seed: every run tries the same numbers.
struct Numbers(u64);

impl Numbers {
    fn word(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// Numbers of every length, with zeros or ones in front, and the extremes.
    fn wide(&mut self) -> u128 {
        let n = ((self.word() as u128) << 64 | self.word() as u128) >> (self.word() % 128);
        match self.word() % 64 {
            0 => 0,
            1 => 1,
            2 => u128::MAX,
            3 => i128::MIN as u128,
            4 => i128::MAX as u128,
            5 => u64::MAX as u128,
            6 => 1 << 64,
            7..16 => !n,
            _ => n,
        }
    }

    fn pairs() -> impl Iterator<Item = (u128, u128)> {
        let mut numbers = Numbers(88_172_645_463_325_252);
        (0..CASES).map(move |_| (numbers.wide(), numbers.wide()))
    }
}

#[test]
fn products_keep_the_low_128_bits() {
    for (a, b) in Numbers::pairs() {
        assert_eq!(binary(__sbf_mul128, a, b), a.wrapping_mul(b), "{a} * {b}");
    }
}

#[test]
fn checked_products_say_when_they_lost_bits() {
    for (a, b) in Numbers::pairs() {
        assert_eq!(checked(__sbf_umulo128, a, b), a.overflowing_mul(b), "{a} * {b}");
        let (product, lost) = (a as i128).overflowing_mul(b as i128);
        assert_eq!(checked(__sbf_smulo128, a, b), (product as u128, lost), "{} * {}", a as i128, b as i128);
    }
}

#[test]
fn quotients_and_remainders_are_the_native_ones() {
    for (a, b) in Numbers::pairs().filter(|(_, b)| *b != 0) {
        assert_eq!(binary(__sbf_udiv128, a, b), a / b, "{a} / {b}");
        assert_eq!(binary(__sbf_urem128, a, b), a % b, "{a} % {b}");
        let (x, y) = (a as i128, b as i128);
        assert_eq!(binary(__sbf_sdiv128, a, b) as i128, x.wrapping_div(y), "{x} / {y}");
        assert_eq!(binary(__sbf_srem128, a, b) as i128, x.wrapping_rem(y), "{x} % {y}");
    }
}

/// Independent of the code: modulo the prime 2^61 - 1 for products that fit 256 bits, in native 128-bit arithmetic.
#[test]
fn a_256_bit_product_has_the_factors_product_as_its_residue() {
    const PRIME: u128 = (1 << 61) - 1;
    let residue = |words: [u64; 4]| words.iter().rev().fold(0, |sum, word| ((sum << 64) | *word as u128) % PRIME);
    for (a, b) in Numbers::pairs() {
        let ((a_low, a_high), (b_low, b_high)) = (words(a), words(b));
        let (a, b) = ([a_low, a_high, 0, 0], [b_low, b_high, 0, 0]);
        let mut out = [0; 4];
        unsafe { __sbf_mul256(out.as_mut_ptr(), a.as_ptr(), b.as_ptr()) };
        assert_eq!(residue(out), residue(a) * residue(b) % PRIME, "{a:?} * {b:?}");
    }
}

#[test]
fn a_256_bit_product_of_negative_numbers_wraps_as_twos_complement() {
    let extended = |n: i128| {
        let ((low, high), sign) = (words(n as u128), if n < 0 { u64::MAX } else { 0 });
        [low, high, sign, sign]
    };
    for (a, b) in Numbers::pairs() {
        let (a, b) = (a as i128 >> 64, b as i128 >> 64);
        let mut out = [0; 4];
        unsafe { __sbf_mul256(out.as_mut_ptr(), extended(a).as_ptr(), extended(b).as_ptr()) };
        assert_eq!(out, extended(a * b), "{a} * {b}");
    }
}
