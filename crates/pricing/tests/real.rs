//! Every operation of the software float against 144-bit arithmetic.

mod common;

use common::{absolute, big, big_real, big_usd};
use dashu_float::ops::SquareRoot;
use perpetua_pricing::{Real, Rounding, Signed, Usd};
use proptest::prelude::*;

/// Numbers of all sizes, and close neighbours.
fn any_real() -> impl Strategy<Value = Real> {
    prop_oneof![
        (any::<u64>(), 0u32..200).prop_map(|(bits, shift)| Real::from_fixed(bits, shift)),
        (0u64..64).prop_map(|ulps| Real::from_fixed((1 << 63) + ulps, 63)),
        (0u64..64).prop_map(|ulps| Real::from_fixed(u64::MAX - ulps, 64)),
        Just(Real::ZERO),
        Just(Real::ONE),
    ]
}

/// Whether `got` is `want` truncated with a relative error below 2^-62.
fn truncates(got: Real, want: &common::Big) -> bool {
    let got = big_real(got);
    got <= *want && (want - &got) * big(1u64 << 62) <= *want
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20_000))]

    #[test]
    fn a_product_truncates(a in any_real(), b in any_real()) {
        prop_assert!(truncates(a.mul(b), &(big_real(a) * big_real(b))));
    }

    #[test]
    fn a_quotient_truncates(a in any_real(), b in any_real()) {
        match a.div(b) {
            Some(quotient) => prop_assert!(truncates(quotient, &(big_real(a) / big_real(b)))),
            None => prop_assert!(b.is_zero()),
        }
    }

    #[test]
    fn a_sum_truncates(a in any_real(), b in any_real()) {
        prop_assert!(truncates(a.add(b), &(big_real(a) + big_real(b))));
        prop_assert_eq!(a.add(b), b.add(a));
    }

    #[test]
    fn a_difference_truncates_and_stops_at_zero(a in any_real(), b in any_real()) {
        let want = (big_real(a) - big_real(b)).max(big(0));
        prop_assert!(truncates(a.saturating_sub(b), &want), "{:?} - {:?} = {:?}", a, b, a.saturating_sub(b));
    }

    #[test]
    fn a_square_root_truncates(a in any_real()) {
        prop_assert!(truncates(a.sqrt(), &big_real(a).sqrt()));
    }

    #[test]
    fn the_order_is_that_of_the_values(a in any_real(), b in any_real()) {
        prop_assert_eq!(a.cmp(&b), big_real(a).cmp(&big_real(b)));
    }

    #[test]
    fn a_whole_number_truncates_to_64_bits(value: u128, shift in 0u32..128, fraction in 0u32..300) {
        let value = value >> shift;
        let exact = common::Big::from_parts(value.into(), 0).with_precision(144).value();
        prop_assert!(truncates(Real::from_u128(value), &exact));
        let scaled = Real::from_fixed_wide(value, fraction).scale_by_power_of_two(fraction.cast_signed());
        prop_assert_eq!(scaled, Real::from_u128(value));
    }

    #[test]
    fn a_fixed_point_result_rounds_to_the_side_that_was_asked(a in any_real(), bits in 0u32..200) {
        let scaled = big_real(a) * big(2).powi(bits.into());
        for (rounding, want) in [(Rounding::Down, scaled.clone().floor()), (Rounding::Up, scaled.ceil())] {
            let want = want.to_int().value();
            prop_assert_eq!(a.to_fixed(bits, rounding), u64::try_from(want.clone()).ok());
            prop_assert_eq!(a.to_fixed_wide(bits, rounding), u128::try_from(want).ok());
        }
    }

    #[test]
    fn dollars_survive_the_way_there_and_back(bits: u64, shift in 0u32..64) {
        let amount = Usd::from_bits(u128::from(bits) << shift);
        prop_assert_eq!(big_real(Real::from(amount)), big_usd(amount));
        prop_assert_eq!(Real::from(amount).to_usd(Rounding::Down), amount);
        prop_assert_eq!(Real::from(amount).to_usd(Rounding::Up), amount);
    }

    #[test]
    fn signed_sums_keep_the_sign_of_the_larger(a in any_real(), b in any_real()) {
        let difference = Signed::positive(a).add(Signed::positive(b).negate());
        prop_assert_eq!(difference, Signed::difference(a, b));
        prop_assert_eq!(difference.negative, a < b);
        let error = absolute(common::big_signed(difference) - (big_real(a) - big_real(b)));
        prop_assert!(error * big(1u64 << 62) <= big_real(a.max(b)));
    }

    #[test]
    fn no_scale_however_extreme_panics(bits: u64, wide: u128, a: i32, b: i32, fraction: u32, lone in any_real()) {
        let x = Real::from_fixed(bits, fraction).scale_by_power_of_two(a);
        let y = Real::from_fixed_wide(wide, fraction).scale_by_power_of_two(b);
        for (x, y) in [(x, y), (y, x), (x, lone), (lone, y), (x, x)] {
            let results = [x.mul(y), x.div(y).unwrap_or(x), x.add(y), x.saturating_sub(y), x.sqrt(), x.halve()];
            for result in results {
                prop_assert!(result.is_zero() || result.mantissa() >> 63 == 1);
                prop_assert!(result <= Real::MAX);
                let _ = (result.to_fixed(fraction, Rounding::Up), result.to_usd(Rounding::Up));
            }
        }
    }
}

#[test]
fn dividing_by_zero_gives_nothing() {
    assert_eq!(Real::ONE.div(Real::ZERO), None);
    assert_eq!(Real::from_ratio(1, 0), None);
}

#[test]
fn beyond_the_limits_numbers_saturate_and_vanish() {
    assert_eq!(Real::MAX.mul(Real::MAX), Real::MAX);
    assert_eq!(Real::MAX.add(Real::MAX), Real::MAX);
    let tiny = Real::ONE.scale_by_power_of_two(-(1 << 24) + 63);
    assert!(!tiny.is_zero());
    assert_eq!(tiny.halve(), Real::ZERO);
    assert_eq!(tiny.mul(tiny), Real::ZERO);
    assert_eq!(Real::MAX.div(tiny), Some(Real::MAX));
    assert_eq!(Real::MAX.to_usd(Rounding::Down), Usd::from_bits(u128::MAX));
}
