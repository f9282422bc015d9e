//! Wide integer helpers against a big-integer crate.

use dashu_int::UBig;
use perpetua_pricing::{Rounding, Usd, wide};
use proptest::prelude::*;

/// Any bit pattern, with all magnitudes equally likely.
fn any_magnitude() -> impl Strategy<Value = u128> {
    prop_oneof![
        (any::<u128>(), 0u32..128).prop_map(|(bits, shift)| bits >> shift),
        (0u32..128).prop_map(|power| 1 << power),
        (0u32..128).prop_map(|power| u128::MAX >> power),
        Just(u128::from(u64::MAX) << 64),
    ]
}

fn rounded(quotient: UBig, exact: bool, rounding: Rounding) -> Option<u128> {
    let quotient = if exact || rounding == Rounding::Down { quotient } else { quotient + 1u8 };
    u128::try_from(quotient).ok()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20_000))]

    #[test]
    fn mul_div_is_exact_for_any_bits(a in any_magnitude(), b in any_magnitude(), divisor in any_magnitude()) {
        for rounding in [Rounding::Down, Rounding::Up] {
            let product = UBig::from(a) * UBig::from(b);
            let want = (divisor != 0).then(|| {
                let divisor = UBig::from(divisor);
                rounded(&product / &divisor, (&product % &divisor).is_zero(), rounding)
            });
            prop_assert_eq!(wide::mul_div(a, b, divisor, rounding), want.flatten());
        }
    }

    #[test]
    fn mul_shift_is_exact_for_any_bits_and_shift(a in any_magnitude(), b in any_magnitude(), shift in 0u32..300) {
        for rounding in [Rounding::Down, Rounding::Up] {
            let product = UBig::from(a) * UBig::from(b);
            let divisor = UBig::ONE << shift as usize;
            let want = rounded(&product / &divisor, (&product % &divisor).is_zero(), rounding);
            prop_assert_eq!(wide::mul_shift(a, b, shift, rounding), want);
        }
    }

    #[test]
    fn an_oracle_price_becomes_dollars_rounded_down(mantissa: u64, exponent in -18i32..=6) {
        let ten = UBig::from(10u8).pow(exponent.unsigned_abs() as usize);
        let scaled = UBig::from(mantissa) << 64;
        let want = if exponent < 0 { scaled / ten } else { scaled * ten };
        let want = u128::try_from(want).ok();
        prop_assert_eq!(Usd::from_decimal(mantissa, exponent).map(Usd::bits), want);
    }
}

#[test]
fn a_division_whose_first_guesses_are_too_large_is_still_exact() {
    // Divisors and remainders that make the estimated digits overshoot by two (Knuth's hard cases).
    let hard = [u128::MAX, (1 << 127) | 1, (1 << 127) | u128::from(u64::MAX), u128::from(u64::MAX), 1 << 64, 3];
    for a in hard {
        for b in hard {
            for divisor in hard {
                let product = UBig::from(a) * UBig::from(b);
                let want = u128::try_from(product / UBig::from(divisor)).ok();
                assert_eq!(wide::mul_div(a, b, divisor, Rounding::Down), want, "{a} {b} {divisor}");
            }
        }
    }
}

#[test]
fn nothing_divides_by_zero() {
    assert_eq!(wide::mul_div(1, 1, 0, Rounding::Up), None);
    assert_eq!(wide::mul_div(0, 0, 0, Rounding::Down), None);
}

#[test]
fn rounding_up_past_the_largest_integer_is_refused() {
    assert_eq!(wide::mul_shift(u128::MAX, u128::MAX, 128, Rounding::Up), Some(u128::MAX));
    assert_eq!(wide::mul_shift(u128::MAX, 3, 1, Rounding::Down), None);
    let root = (1 << 127) - 1;
    assert_eq!(wide::mul_div(u128::MAX, root, root, Rounding::Up), Some(u128::MAX));
    // (2^128 - 1) * (2^127 + 1) / 2^127 lies between 2^128 and 2^128 + 1.
    assert_eq!(wide::mul_div(u128::MAX, (1 << 127) + 1, 1 << 127, Rounding::Down), None);
    // 2^128 - 1/16.
    assert_eq!(wide::mul_div((1 << 66) - 1, (1 << 66) + 1, 16, Rounding::Down), Some(u128::MAX));
    assert_eq!(wide::mul_div((1 << 66) - 1, (1 << 66) + 1, 16, Rounding::Up), None);
    assert_eq!(wide::mul_shift((1 << 66) - 1, (1 << 66) + 1, 4, Rounding::Down), Some(u128::MAX));
    assert_eq!(wide::mul_shift((1 << 66) - 1, (1 << 66) + 1, 4, Rounding::Up), None);
}

#[test]
fn oracle_exponents_out_of_range_and_prices_too_large_are_refused() {
    assert_eq!(Usd::from_decimal(1, -19), None);
    assert_eq!(Usd::from_decimal(1, 7), None);
    assert_eq!(Usd::from_decimal(u64::MAX, 1), None);
    assert_eq!(Usd::from_decimal(25, -2), Some(Usd::from_cents(25)));
}
