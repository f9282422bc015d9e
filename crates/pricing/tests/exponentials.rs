//! Exponentials and logarithms against 144-bit arithmetic.

mod common;

use common::{Big, big, big_real, big_signed, parse, relative_error};
use perpetua_pricing::{Real, exp, exp_negative, exp2_negative, ln};
use proptest::prelude::*;

fn any_argument() -> impl Strategy<Value = Real> {
    prop_oneof![
        (any::<u64>(), 50u32..140).prop_map(|(bits, shift)| Real::from_fixed(bits, shift)),
        // Steps of the table and whole powers, and their neighbours.
        (0u64..4096, -3i64..=3)
            .prop_map(|(step, ulps)| { Real::from_fixed((step << 40).saturating_add_signed(ulps), 47) }),
    ]
}

fn bound(x: Real) -> f64 {
    1e-18 * big_real(x).to_f64().value().max(1.0)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    #[test]
    fn exponentials_keep_their_error_bound(x in any_argument()) {
        let want: Big = big_real(x).exp();
        let error = relative_error(&big_real(exp(x)), &want);
        prop_assert!(error <= bound(x), "exp({:?}) is off by {:e}", x, error);
        let error = relative_error(&big_real(exp_negative(x)), &(big(1) / want));
        prop_assert!(error <= bound(x), "exp(-{:?}) is off by {:e}", x, error);
    }

    #[test]
    fn half_lives_keep_their_error_bound(x in any_argument()) {
        let want = (-big_real(x) * big(2).with_precision(144).value().ln()).exp();
        let error = relative_error(&big_real(exp2_negative(x)), &want);
        prop_assert!(error <= bound(x), "2^-{:?} is off by {:e}", x, error);
    }

    #[test]
    fn an_exponential_never_rises_by_more_than_its_error(x in any_argument(), step in 0u64..1 << 40) {
        let further = x.add(x.mul(Real::from_fixed(step, 64)));
        let allowed = Real::ONE.add(Real::from_ratio(2, 1_000_000_000_000_000_000).unwrap().mul(further.max(Real::ONE)));
        prop_assert!(exp_negative(further) <= exp_negative(x).mul(allowed));
        prop_assert!(exp_negative(x) <= Real::ONE);
        prop_assert!(exp(x) >= Real::ONE);
    }

    #[test]
    fn logarithms_are_relatively_accurate(bits in 1u64.., shift in 0u32..140) {
        let x = Real::from_fixed(bits, shift);
        let error = relative_error(&big_signed(ln(x)), &big_real(x).ln());
        prop_assert!(error < 1e-16, "ln {:?} is off by {:e}", x, error);
    }

    #[test]
    fn logarithms_next_to_one_are_relatively_accurate(bits: u64, shift in 0u32..64, above: bool) {
        let offset = bits >> shift;
        let x = if above {
            Real::from_fixed_wide((1 << 63) + u128::from(offset >> 1), 63)
        } else {
            Real::from_fixed_wide((1 << 64) - u128::from(offset), 64)
        };
        let logarithm = ln(x);
        prop_assert_eq!(logarithm.negative, x < Real::ONE);
        if x != Real::ONE && !x.is_zero() {
            let error = relative_error(&big_signed(logarithm), &big_real(x).ln());
            prop_assert!(error < 1e-16, "ln {:?} is off by {:e}", x, error);
        }
    }

    #[test]
    fn logarithms_of_every_exponent_are_finite(bits: u64, power: i32) {
        let x = Real::from_u64(bits).scale_by_power_of_two(power);
        let logarithm = ln(x);
        prop_assert!(x.is_zero() || logarithm.magnitude < Real::from_u64(1 << 24));
    }
}

#[test]
fn zero_and_one_are_exact() {
    assert_eq!(exp(Real::ZERO), Real::ONE);
    assert_eq!(exp_negative(Real::ZERO), Real::ONE);
    assert_eq!(exp2_negative(Real::ONE), Real::ONE.halve());
    assert!(ln(Real::ONE).magnitude.is_zero());
}

#[test]
fn far_arguments_saturate() {
    assert_eq!(exp(Real::from_u64(u64::MAX)), Real::MAX);
    assert_eq!(exp(Real::MAX), Real::MAX);
    assert_eq!(exp_negative(Real::from_u64(6_000_000)), Real::ZERO);
    assert_eq!(exp_negative(Real::MAX), Real::ZERO);
    assert_eq!(exp2_negative(Real::from_u64(1 << 23)), Real::ZERO);
    assert_eq!(ln(Real::ZERO).magnitude, Real::MAX);
    assert!(ln(Real::ZERO).negative);
}

#[test]
fn large_arguments_keep_their_relative_accuracy() {
    for whole in [100, 10_000, 300_000] {
        let x = Real::from_ratio(whole * 7, 5).unwrap();
        let error = relative_error(&big_real(exp_negative(x)), &(-big_real(x)).exp());
        assert!(error < bound(x), "{whole}: {error:e}");
    }
}

#[test]
fn the_logarithm_of_two_is_known_to_nineteen_digits() {
    let error = relative_error(&big_signed(ln(Real::from_u64(2))), &parse("0.693147180559945309417232121458"));
    assert!(error < 1e-19, "{error:e}");
}
