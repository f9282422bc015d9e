//! The option's value: accuracy against 144-bit arithmetic, and the promises of the mechanism.

mod common;

use common::{
    Terms, absolute, big, big_real, big_signed, big_usd, parse, relative_error,
    strategies::{any_price, any_terms, market_terms, scale, strike_and_spot},
};
use perpetua_pricing::{Contract, Curve, Grid, OptionValue, Real, Rounding, Side, Usd};
use proptest::prelude::*;

fn down(value: OptionValue) -> Usd {
    value.value(Rounding::Down)
}

/// `small <= large` but for an error of `10^-15` of `scale`.
fn rises(small: Usd, large: Usd, scale: Usd) -> bool {
    small <= large.saturating_add(Usd::from_bits(scale.bits() / 1_000_000_000_000_000))
}

fn usd_bits() -> impl Strategy<Value = Usd> {
    (any::<u128>(), 0u32..128).prop_map(|(bits, shift)| Usd::from_bits(bits >> shift))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    #[test]
    fn value_and_time_value_are_accurate(terms in market_terms(), (strike, spot) in strike_and_spot()) {
        let value = terms.curve().value(spot, strike);
        let (s, k) = (big_usd(spot), big_usd(strike));
        let time_value = terms.time_value(&s, &k);
        let exact = terms.intrinsic(&s, &k) + &time_value;
        // One unit of the dollar grid is more than the tolerance for worthless options.
        let grid = parse("0.0000000000000000001");
        for rounding in [Rounding::Down, Rounding::Up] {
            let error = absolute(big_usd(value.value(rounding)) - &exact);
            prop_assert!(error <= &exact * parse("0.0000000000001") + &grid, "value is off by {:e}", error.to_f64().value());
        }
        if time_value >= &k * parse("0.000000001") {
            let error = relative_error(&big_real(value.time_value), &time_value);
            prop_assert!(error <= 1e-9, "time value is off by {:e}", error);
        }
        let error = absolute(big_real(value.time_value) - &time_value);
        prop_assert!(error <= (&time_value + &k * parse("0.00001")) * parse("0.0000000000001"));
    }

    /// Against exact arithmetic and against pricing one by one, also at the cap and past it.
    #[test]
    fn prices_at_one_spot_are_those_of_each_strike(
        terms in prop_oneof![market_terms(), any_terms()], reference in any_price(), rho in 1_001u64..1_100,
        ticks in proptest::collection::vec(-64i16..=64, 1..16), percent in 40u64..250,
    ) {
        let grid = Grid::new(reference, Real::from_ratio(rho, 1_000).unwrap()).unwrap();
        let spot = Usd::from_bits(reference.bits() * u128::from(percent) / 100);
        prop_assume!(spot.is_price());
        let curve = terms.curve();
        let contract = Contract::new(terms.side, terms.period, terms.cap).unwrap();
        let at_spot = contract.at_spot(terms.volatility, &grid, spot).unwrap();
        for tick in ticks {
            let Some(strike) = grid.strike(tick) else { continue };
            let (s, k, most) = (big_usd(spot), big_usd(strike), curve.payout_cap(strike));
            let exact = terms.intrinsic(&s, &k) + terms.time_value(&s, &k);
            for rounding in [Rounding::Down, Rounding::Up] {
                let (alone, shared) = (curve.price(spot, strike, most, rounding), at_spot.price(tick, strike, most, rounding));
                prop_assert_eq!(alone, curve.value(spot, strike).value(rounding));
                prop_assert!(shared <= most && shared >= curve.value(spot, strike).intrinsic);
                let tolerance = &exact * parse("0.000000000001") + &s * parse("0.000000000000000001") + parse("0.0000000000000000001");
                let error = absolute(big_usd(shared) - &exact);
                prop_assert!(error <= tolerance, "{shared:?} instead of {alone:?}: {:e}", error.to_f64().value());
            }
        }
    }

    #[test]
    fn no_bits_panic_and_the_value_lies_between_intrinsic_and_cap(
        terms in any_terms(), spot in usd_bits(), strike in usd_bits(),
    ) {
        let curve = terms.curve();
        let value = curve.value(spot, strike);
        for rounding in [Rounding::Down, Rounding::Up] {
            prop_assert!(value.intrinsic <= value.value(rounding));
            prop_assert!(value.value(rounding) <= curve.payout_cap(strike));
        }
        prop_assert!(value.value(Rounding::Down) <= value.value(Rounding::Up));
        prop_assert!(value.financed <= Real::from(strike));
        let _ = (curve.delta(spot, strike), curve.gamma(spot, strike), curve.vega(spot, strike));
    }

    #[test]
    fn bounds_hold_right_at_the_cap(terms in any_terms(), strike in any_price(), ulps in -200i64..200) {
        let curve = terms.curve();
        let cap = curve.payout_cap(strike);
        let boundary = match terms.side {
            Side::Call => strike.saturating_add(cap),
            Side::Put => strike.saturating_sub(cap),
        };
        let spot = Usd::from_bits(boundary.bits().saturating_add_signed(ulps.into()));
        let value = curve.value(spot, strike);
        let past = if terms.side == Side::Call { ulps >= 0 } else { ulps <= 0 };
        prop_assert!(value.value(Rounding::Up) <= cap);
        prop_assert_eq!(value.intrinsic == cap, past);
        if past {
            prop_assert_eq!(down(value), cap);
            prop_assert!(value.time_value.is_zero() && value.financed.is_zero());
        }
    }

    #[test]
    fn intrinsic_value_is_the_capped_payoff(terms in any_terms(), (strike, spot) in strike_and_spot()) {
        let exact = terms.intrinsic(&big_usd(spot), &big_usd(strike));
        let intrinsic = big_usd(terms.curve().value(spot, strike).intrinsic);
        prop_assert!(intrinsic <= exact);
        // Only cK is rounded, by less than one unit of 2^-64 dollars.
        prop_assert!((exact - intrinsic) * big(1u128 << 64) < big(1));
    }

    #[test]
    fn time_value_peaks_at_the_money(terms in any_terms(), (strike, spot) in strike_and_spot()) {
        let curve = terms.curve();
        let peak = curve.value(strike, strike).time_value;
        let here = curve.value(spot, strike).time_value;
        prop_assert!(here <= peak.mul(Real::ONE.add(Real::from_fixed(1, 50))));
        let bound = Real::from(spot.min(strike)).mul(curve.peak_fraction());
        prop_assert!(here <= bound.mul(Real::ONE.add(Real::from_fixed(1, 50))));
    }

    #[test]
    fn value_rises_in_volatility_and_in_the_period(
        terms in any_terms(), (strike, spot) in strike_and_spot(), more in 1_000_000u64..1_500_000,
    ) {
        let more = Real::from_ratio(more, 1_000_000).unwrap();
        let value = down(terms.curve().value(spot, strike));
        let ten = Real::from_u64(10);
        let volatile = Terms { volatility: terms.volatility.mul(more).min(ten), ..terms };
        prop_assert!(rises(value, down(volatile.curve().value(spot, strike)), strike));
        let longer = Terms { period: terms.period.mul(more).min(Real::ONE), ..terms };
        prop_assert!(rises(value, down(longer.curve().value(spot, strike)), strike));
    }

    #[test]
    fn a_call_rises_and_a_put_falls_with_the_spot(
        terms in any_terms(), (strike, spot) in strike_and_spot(), more in 1_000_001u64..1_200_000,
    ) {
        let curve = terms.curve();
        let [low, high] = [spot, scale(spot, more)].map(|spot| down(curve.value(spot, strike)));
        match terms.side {
            Side::Call => prop_assert!(rises(low, high, strike)),
            Side::Put => prop_assert!(rises(high, low, strike)),
        }
    }

    #[test]
    fn a_call_falls_and_a_put_rises_with_the_strike_below_the_cap(
        terms in any_terms(), (strike, spot) in strike_and_spot(), more in 1_000_001u64..1_200_000,
    ) {
        let curve = terms.curve();
        let higher = scale(strike, more);
        let capped = |strike| curve.value(spot, strike).intrinsic == curve.payout_cap(strike);
        prop_assume!(!capped(strike));
        let [low, high] = [strike, higher].map(|strike| down(curve.value(spot, strike)));
        match terms.side {
            Side::Call => prop_assert!(rises(high, low, higher)),
            Side::Put => prop_assert!(rises(low, high, higher)),
        }
    }

    #[test]
    fn a_call_and_a_put_whose_caps_are_far_differ_by_spot_minus_strike(
        volatility in 20u64..=60, days in 1u64..=30, (strike, spot) in strike_and_spot(),
    ) {
        let volatility = Real::from_ratio(volatility, 100).unwrap();
        let period = Real::from_ratio(days, 365).unwrap();
        let curve = |side, cap| Terms { side, volatility, period, cap }.curve();
        let call = curve(Side::Call, Real::from_u64(10));
        let put = curve(Side::Put, Real::from_ratio(999, 1000).unwrap());
        // Here u >= 16, so the caps take less than 10^-12 at these distances from them.
        let call = down(call.value(spot, strike)).saturating_add(strike);
        let put = down(put.value(spot, strike)).saturating_add(spot);
        let larger = strike.max(spot);
        let tolerance = Usd::from_bits(larger.bits() / 1_000_000_000_000);
        prop_assert!(call.max(put).saturating_sub(call.min(put)) <= tolerance);
    }

    #[test]
    fn what_a_call_seller_finances_is_spot_times_delta_less_value(
        terms in any_terms(), (strike, spot) in strike_and_spot(),
    ) {
        let curve = terms.curve();
        let value = curve.value(spot, strike);
        prop_assert!(value.financed <= Real::from(strike));
        if terms.side == Side::Put || value.intrinsic == curve.payout_cap(strike) {
            prop_assert!(value.financed.is_zero());
            return Ok(());
        }
        let hedge = big_usd(spot) * big_signed(curve.delta(spot, strike));
        let want = hedge - big_usd(value.intrinsic) - big_real(value.time_value);
        // Rounding errors of the terms, which are of the size of spot and strike, and larger with u.
        let error = absolute(big_real(value.financed) - want);
        prop_assert!(error <= big_usd(spot.max(strike)) * parse("0.00000000000001"));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn delta_and_gamma_are_the_slopes_of_the_exact_value(
        terms in market_terms(), (strike, spot) in strike_and_spot(),
    ) {
        let curve = terms.curve();
        let (s, k) = (big_usd(spot), big_usd(strike));
        let distance = absolute(&s / &k - big(1)).min(absolute(&s / terms.boundary(&k) - big(1)));
        prop_assume!(distance > parse("0.0001"));
        let step = &s * parse("0.0000000001");
        let [below, here, above] = [&s - &step, s.clone(), &s + &step].map(|s| terms.value(&s, &k));
        let slope = (&above - &below) / (&step * big(2));
        let error = absolute(big_signed(curve.delta(spot, strike)) - slope);
        prop_assert!(error < parse("0.0000000000001"), "delta is off by {:e}", error.to_f64().value());
        let bend = (above + below - here * big(2)) / (&step * &step);
        let error = absolute(big_signed(curve.gamma(spot, strike)) - &bend);
        prop_assert!(error <= bend * parse("0.00000000001") + parse("0.00000000001") / s);
    }

    #[test]
    fn vega_is_the_slope_of_the_exact_value_in_volatility(
        terms in market_terms(), (strike, spot) in strike_and_spot(),
    ) {
        let (s, k) = (big_usd(spot), big_usd(strike));
        let at = |volatility| Terms { volatility, ..terms };
        let low = at(terms.volatility.saturating_sub(Real::from_fixed(1, 34)));
        let high = at(terms.volatility.add(Real::from_fixed(1, 34)));
        let width = big_real(high.volatility) - big_real(low.volatility);
        let slope = (high.time_value(&s, &k) - low.time_value(&s, &k)) / width;
        let error = absolute(big_signed(terms.curve().vega(spot, strike)) - &slope);
        prop_assert!(error <= k * parse("0.0000000000001") + slope * parse("0.000000000001"));
    }
}

#[test]
fn a_curve_out_of_bounds_cannot_be_built() {
    let (percent, hour) = (Real::from_ratio(1, 100).unwrap(), Real::from_ratio(1, 8_760).unwrap());
    let ten = Real::from_u64(10);
    let new = |side, volatility, period, cap| Curve::new(side, volatility, period, cap).is_some();
    for side in [Side::Call, Side::Put] {
        assert!(new(side, percent, hour, percent));
        assert!(new(side, ten, Real::ONE, percent));
        assert!(!new(side, percent.saturating_sub(Real::from_fixed(1, 63)), hour, percent));
        assert!(!new(side, ten.add(Real::from_fixed(1, 50)), hour, percent));
        assert!(!new(side, percent, hour.halve(), percent));
        assert!(!new(side, percent, Real::ONE.add(hour), percent));
        assert!(!new(side, percent, hour, percent.halve()));
    }
    assert!(new(Side::Call, percent, hour, ten));
    assert!(!new(Side::Call, percent, hour, Real::from_u64(11)));
    assert!(!new(Side::Put, percent, hour, Real::ONE));
}

#[test]
fn a_put_is_worth_its_cap_once_the_index_is_at_the_cap() {
    let days = |days| Real::from_ratio(days, 365).unwrap();
    let curve = Curve::new(Side::Put, Real::ONE, days(7), Real::ONE.halve()).unwrap();
    let value = curve.value(Usd::from_integer(30_000), Usd::from_integer(60_000));
    assert_eq!(value.value(Rounding::Up), Usd::from_integer(30_000));
    assert_eq!(curve.value(Usd::ZERO, Usd::from_integer(60_000)).intrinsic, Usd::from_integer(30_000));
}
