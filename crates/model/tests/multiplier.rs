//! Multipliers, against floating point, exact fractions and mints of Solana's mainnet.

use num_rational::BigRational;
use perpetua_model::*;
use proptest::prelude::*;

/// Values of the `ScaledUiAmount` extension of xStocks' Token-2022 mints on Solana's mainnet, captured as raw account
/// bytes: 1.0 to 10.0 at 2025-11-16 23:55 UTC, a split.
/// NFLXx, XsEH7wWfJJu2ZT3UCFeVfALnVA6CP5ur7Ee11KmzVpL.
const NFLXX: &str = "066f592251cc47747825a59ad1422ea43573f528da5dee2af7812b314f9945e3\
    000000000000f03f54641a69000000000000000000002440";
/// SPYx: 1.00391 to 1.00571 at 2026-06-18 04:00 UTC, a dividend.
const SPYX: &str = "066f592251cc47747825a59ad1422ea43573f528da5dee2af7812b314f9945e3\
    240ba0220310f03f406d336a00000000d0a598266817f03f";
/// AAPLx: 1.00266 to 1.00327 at 2026-08-08 00:30 UTC, a dividend.
const AAPLX: &str = "066f592251cc47747825a59ad1422ea43573f528da5dee2af7812b314f9945e3\
    5075c79fe90af03f8878766a00000000052edfce630df03f";
/// SPCXx: 1.0 since it was made.
const SPCXX: &str = "066f592251cc47747825a59ad1422ea43573f528da5dee2af7812b314f9945e3\
    000000000000f03f0000000000000000000000000000f03f";

fn bytes(hex: &str) -> Vec<u8> {
    let pairs = hex.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).unwrap());
    pairs.map(|pair| u8::from_str_radix(pair, 16).unwrap()).collect()
}

fn mint(hex: &str) -> ScaledUi {
    ScaledUi::parse(&bytes(hex)).unwrap()
}

fn multiplier(value: f64) -> Multiplier {
    Multiplier::from_bits(value.to_bits()).unwrap()
}

fn scaled(current: f64, next: f64, next_from: i64) -> ScaledUi {
    ScaledUi { current: current.to_bits(), next: next.to_bits(), next_from }
}

fn cases(cases: u32) -> proptest::test_runner::Config {
    proptest::test_runner::Config { cases, failure_persistence: None, ..Default::default() }
}

fn rational(value: f64) -> BigRational {
    BigRational::from_float(value).unwrap()
}

/// A mantissa and a power of two as an exact fraction.
fn rational_of(real: pricing::Real) -> BigRational {
    BigRational::from_integer(real.mantissa().into()) * BigRational::from_integer(2.into()).pow(real.exponent())
}

/// `|to / from - 1| > bps / 10,000`.
fn has_moved(to: f64, from: f64, bps: u16) -> bool {
    let moved = rational(to) / rational(from) - rational(1.0);
    let distance = if moved < rational(0.0) { -moved } else { moved };
    distance > BigRational::new(bps.into(), 10_000.into())
}

#[test]
fn what_is_not_a_positive_number_of_a_sane_size_is_refused() {
    let smallest = 2f64.powi(-20);
    let largest = 2f64.powi(20);
    let invalid = [
        f64::NAN,
        -f64::NAN,
        f64::from_bits(0x7ff0_0000_0000_0001),
        f64::INFINITY,
        f64::NEG_INFINITY,
        0.0,
        -0.0,
        -1.0,
        f64::MIN,
        f64::MAX,
        f64::MIN_POSITIVE,
        f64::from_bits(1),
        f64::from_bits(0x000f_ffff_ffff_ffff),
        -f64::from_bits(1),
        smallest.next_down(),
        largest.next_up(),
    ];
    for value in invalid {
        assert_eq!(Multiplier::from_bits(value.to_bits()), Err(ModelError::MultiplierInvalid), "{value:e}");
    }
    for value in [smallest, smallest.next_up(), 1.0, 10.0, largest.next_down(), largest] {
        assert_eq!(Multiplier::from_bits(value.to_bits()), Ok(Multiplier(value.to_bits())), "{value:e}");
    }
}

#[test]
fn bits_that_are_refused_count_as_the_bound_on_their_side() {
    for value in [0.0, f64::from_bits(1), f64::MIN_POSITIVE] {
        assert_eq!(Multiplier(value.to_bits()).real(), multiplier(2f64.powi(-20)).real());
    }
    for value in [f64::NAN, f64::INFINITY, f64::MAX, -0.0, -1.0] {
        assert_eq!(Multiplier(value.to_bits()).real(), multiplier(2f64.powi(20)).real());
    }
    assert!(Multiplier::ONE.moved_by_more_than(Multiplier::default(), u16::MAX));
}

#[test]
fn a_move_of_exactly_the_limit_is_not_more_than_it() {
    for (to, bps) in [(1.5, 5_000), (0.5, 5_000), (2.0, 10_000), (1.0, 0), (1.0625, 625), (0.9375, 625)] {
        assert!(!multiplier(to).moved_by_more_than(Multiplier::ONE, bps), "{to}");
    }
    for (to, bps) in [(1.5, 5_000), (1.0, 0), (1.0625, 625)] {
        assert!(multiplier(f64::next_up(to)).moved_by_more_than(Multiplier::ONE, bps), "{to}");
    }
    for (to, bps) in [(0.5, 5_000), (1.0, 0), (0.9375, 625)] {
        assert!(multiplier(f64::next_down(to)).moved_by_more_than(Multiplier::ONE, bps), "{to}");
    }
}

#[test]
fn a_mint_without_the_extension_stays_at_one() {
    for now in [i64::MIN, -1, 0, 1, i64::MAX] {
        assert_eq!(ScaledUi::NONE.at(now), Ok(multiplier(1.0)));
        assert_eq!(ScaledUi::NONE.pending(now), None);
    }
}

#[test]
fn the_next_multiplier_counts_from_its_first_second_and_is_pending_before_it() {
    let scaled = scaled(1.0, 1.25, 1_000);
    for (now, expected, pending) in [
        (i64::MIN, 1.0, Some((multiplier(1.25), 1_000))),
        (999, 1.0, Some((multiplier(1.25), 1_000))),
        (1_000, 1.25, None),
        (1_001, 1.25, None),
        (i64::MAX, 1.25, None),
    ] {
        assert_eq!(scaled.at(now), Ok(multiplier(expected)), "{now}");
        assert_eq!(scaled.pending(now), pending, "{now}");
    }
}

#[test]
fn a_later_start_of_the_same_multiplier_is_nothing_to_wait_for() {
    assert_eq!(scaled(1.25, 1.25, 1_000).pending(0), None);
}

#[test]
fn an_invalid_multiplier_is_refused_only_while_it_counts_and_is_pending_nonetheless() {
    let worsening = scaled(1.0, f64::NAN, 1_000);
    assert_eq!(worsening.at(999), Ok(Multiplier::ONE));
    assert_eq!(worsening.pending(999), Some((Multiplier(f64::NAN.to_bits()), 1_000)));
    assert_eq!(worsening.at(1_000), Err(ModelError::MultiplierInvalid));
    let mending = scaled(0.0, 1.0, 1_000);
    assert_eq!(mending.at(999), Err(ModelError::MultiplierInvalid));
    assert_eq!(mending.at(1_000), Ok(Multiplier::ONE));
}

#[test]
fn the_split_of_nflxx_counts_from_its_second() {
    let split = 1_763_337_300;
    let mint = mint(NFLXX);
    assert_eq!(mint, scaled(1.0, 10.0, split));
    assert_eq!(mint.at(split - 1), Ok(Multiplier::ONE));
    assert_eq!(mint.pending(split - 1), Some((multiplier(10.0), split)));
    assert_eq!(mint.at(split), Ok(multiplier(10.0)));
    assert_eq!(mint.pending(split), None);
    assert!(multiplier(10.0).moved_by_more_than(Multiplier::ONE, u16::MAX));
}

#[test]
fn real_mints_read_as_they_are_displayed() {
    assert_eq!(mint(SPYX), scaled(1.003909240011759, 1.005714560286254, 1_781_755_200));
    assert_eq!(mint(AAPLX), scaled(1.0026642075893797, 1.0032690125398187, 1_786_149_000));
    assert_eq!(mint(SPCXX), scaled(1.0, 1.0, 0));
    // A dividend of 0.18%.
    let (before, after) = (mint(SPYX).at(0).unwrap(), mint(SPYX).at(i64::MAX).unwrap());
    assert!(after.moved_by_more_than(before, 17) && !after.moved_by_more_than(before, 18));
}

#[test]
fn a_value_of_another_length_is_refused() {
    let value = [bytes(NFLXX), vec![0; 56]].concat();
    for length in (0..=112).filter(|length| *length != 56) {
        assert_eq!(ScaledUi::parse(&value[..length]), Err(ModelError::MultiplierInvalid), "{length}");
    }
}

proptest! {
    #![proptest_config(cases(10_000))]

    #[test]
    fn a_valid_multiplier_is_exactly_the_double(fraction in 0..1u64 << 52, power in 1_003..1_043u64) {
        let value = f64::from_bits(power << 52 | fraction);
        prop_assert_eq!(rational_of(multiplier(value).real()), rational(value));
    }

    #[test]
    fn any_bits_are_valid_exactly_when_the_double_is_in_range(bits in prop_oneof![any::<u64>(), 1_000 << 52..1_046u64 << 52]) {
        let value = f64::from_bits(bits);
        let valid = (2f64.powi(-20)..=2f64.powi(20)).contains(&value);
        prop_assert_eq!(Multiplier::from_bits(bits).is_ok(), valid, "{:e}", value);
    }

    #[test]
    fn a_move_is_compared_exactly(
        from in 1_003 << 52..1_043u64 << 52,
        to in 1_003 << 52..1_043u64 << 52,
        near in -3..=3i64,
        bps: u16,
    ) {
        let from = f64::from_bits(from);
        let limit = |factor: f64| f64::from_bits((from * factor).to_bits().checked_add_signed(near).unwrap()).clamp(2f64.powi(-20), 2f64.powi(20));
        let share = f64::from(bps) / 10_000.0;
        for to in [f64::from_bits(to), limit(1.0 + share), limit((1.0 - share).abs().max(0.001))] {
            prop_assert_eq!(multiplier(to).moved_by_more_than(multiplier(from), bps), has_moved(to, from, bps), "{:e} {:e}", to, from);
        }
    }

    #[test]
    fn any_bits_have_an_answer(a: u64, b: u64, start: i64, now: i64, bps: u16, value in prop::collection::vec(any::<u8>(), 0..80)) {
        prop_assert!(!Multiplier(a).real().is_zero());
        prop_assert!(!Multiplier(a).moved_by_more_than(Multiplier(a), bps));
        Multiplier(a).moved_by_more_than(Multiplier(b), bps);
        let scaled = ScaledUi { current: a, next: b, next_from: start };
        let counts = if now < start { a } else { b };
        prop_assert_eq!(scaled.at(now).ok(), Multiplier::from_bits(counts).ok());
        prop_assert_eq!(scaled.pending(now), (now < start && a != b).then_some((Multiplier(b), start)));
        prop_assert_eq!(ScaledUi::parse(&value).is_ok(), value.len() == 56);
    }
}
