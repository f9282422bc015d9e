//! What a market quotes: slew, spread, utilisation.

mod common;

use common::*;
use perpetua_model::{pricing::*, *};
use proptest::prelude::*;

fn float(real: Real) -> f64 {
    real.mantissa().to_string().parse::<f64>().unwrap() * 2f64.powi(real.exponent())
}

fn volatility(value: Volatility) -> f64 {
    float(value.real())
}

fn bps(value: u64) -> Real {
    Real::from_ratio(value, 10_000).unwrap()
}

/// The function whose average over a trade is added: zero up to 60%, then rising to one half at 85% and on.
fn extra_at(utilisation: f64) -> f64 {
    (utilisation - 0.6).max(0.0) / 0.25 * 0.5
}

proptest! {
    #![proptest_config(cases(10_000))]

    #[test]
    fn the_middle_moves_towards_its_target_by_the_compounded_slew_and_no_further(
        steps in prop::collection::vec((1..7_200i64, -600..600i64), 1..12),
    ) {
        let mut world = World::new(1, 0);
        let mut middle = world.markets[0].middle.map(volatility);
        for (seconds, change) in steps {
            world.set_price(BTC, world.cents[BTC] * u64::try_from(10_000 + change).unwrap() / 10_000);
            world.step(seconds);
            let market = &world.markets[0];
            let reach = 1.1f64.powf(f64::from(i32::try_from(seconds).unwrap()) / 3_600.0);
            for (middle, (target, found)) in middle.iter_mut().zip(market.target.into_iter().zip(market.middle)) {
                let (expected, found) = (volatility(target).clamp(*middle / reach, *middle * reach), volatility(found));
                prop_assert!((found / expected - 1.0).abs() < 1e-10, "{found} {expected}");
                *middle = found;
            }
        }
    }

    #[test]
    fn targets_are_the_marked_up_root_of_the_variance_within_the_bounds(variance in 1_000..90_000_000u64) {
        let declared = Variance(variance * ((1u64 << VOLATILITY_FRACTION_BITS) / 1_000_000));
        let world = World::new(1, 0);
        let index = Index::new(guards(), Some(declared), START).unwrap();
        let found = world.markets[0].volatility_targets(&index).unwrap();
        for (target, markup) in found.into_iter().zip([1.15, 1.05]) {
            let expected = (float(declared.real()).sqrt() * markup).clamp(0.2, 2.5);
            prop_assert!((volatility(target) / expected - 1.0).abs() < 1e-9);
        }
    }

    #[test]
    fn the_ask_is_never_below_the_middle_nor_the_bid_above_it(
        seconds in 1..7_200i64, change in -2_000..4_000i64, strike in 50_000..200_000u64, spot in 50_000..200_000u64,
        utilisation in 0..10_000u64,
    ) {
        let mut world = World::new(1, 0);
        world.set_price(BTC, world.cents[BTC] * u64::try_from(10_000 + change).unwrap() / 10_000);
        world.step(seconds);
        let market = &world.markets[0];
        let (spot, strike) = (Usd::from_integer(spot), Usd::from_integer(strike));
        for side in [Side::Call, Side::Put] {
            let extra = market.utilisation_spread(bps(utilisation), bps(utilisation));
            let (ask, bid) = (market.ask_volatility(side, extra), market.bid_volatility(side));
            let middle = market.middle[side as usize].real();
            prop_assert!(ask > middle && middle > bid);
            let value = |volatility, rounding| market.config.curve(side, volatility).unwrap().value(spot, strike).value(rounding);
            let fair = value(middle, Rounding::Down);
            prop_assert!(value(bid, Rounding::Down) <= fair && fair <= value(ask, Rounding::Up));
            let target = volatility(market.target[side as usize]);
            let expected = volatility(market.middle[side as usize]).max(target) * (1.02 + float(extra));
            prop_assert!((float(ask) / expected - 1.0).abs() < 1e-12);
            let expected = volatility(market.middle[side as usize]).min(target) * 0.98;
            prop_assert!((float(bid) / expected - 1.0).abs() < 1e-12);
        }
    }

    /// Simpson's rule on the two straight parts is exact up to rounding.
    #[test]
    fn utilisation_adds_the_average_over_the_trade(before in 0..10_000u64, more in 1..10_000u64) {
        let after = before + more;
        let market = World::new(1, 0).markets[0];
        let found = float(market.utilisation_spread(bps(before), bps(after)));
        let ends = [before.min(6_000), before.max(6_000), after.min(6_000), after.max(6_000)]
            .map(|value| f64::from(u32::try_from(value).unwrap()) / 10_000.0);
        let part = |from: f64, to: f64| {
            (to - from) / 6.0 * (extra_at(from) + 4.0 * extra_at((from + to) / 2.0) + extra_at(to))
        };
        let whole = f64::from(u32::try_from(after - before).unwrap()) / 10_000.0;
        let expected = (part(ends[0], ends[2]) + part(ends[1], ends[3])) / whole;
        prop_assert!((found - expected).abs() < 1e-12, "{found} {expected}");
    }

    #[test]
    fn splitting_a_trade_adds_the_same_in_total(mut ends in [0..10_000u64, 0..10_000u64, 0..10_000u64]) {
        ends.sort_unstable();
        let [low, middle, high] = ends;
        prop_assume!(low < middle && middle < high);
        let market = World::new(1, 0).markets[0];
        let part = |from: u64, to: u64| {
            float(market.utilisation_spread(bps(from), bps(to))) * f64::from(u32::try_from(to - from).unwrap())
        };
        prop_assert!((part(low, middle) + part(middle, high) - part(low, high)).abs() < 1e-9);
    }

    #[test]
    fn nothing_lifts_the_middle_above_its_cap(
        steps in prop::collection::vec((1..7_200i64, -3_000..6_000i64), 1..6), horizon in 0..90_000u64,
    ) {
        let mut world = World::new(1, 0);
        let cap = [Side::Call, Side::Put].map(|side| world.markets[0].volatility_cap(side, horizon));
        let mut left = i64::try_from(horizon).unwrap();
        for (seconds, change) in steps {
            left -= seconds;
            if left < 0 {
                break;
            }
            let cents = world.cents[BTC] * u64::try_from(10_000 + change).unwrap() / 10_000;
            world.set_price(BTC, cents.clamp(10_000, 1_000_000_000));
            world.step(seconds);
            for (side, cap) in cap.iter().enumerate() {
                prop_assert!(volatility(world.markets[0].middle[side]) <= float(*cap) * (1.0 + 1e-12));
            }
        }
    }
}

#[test]
fn a_clock_that_goes_backwards_moves_no_volatility() {
    let mut world = World::new(1, 0);
    world.set_price(BTC, 11_000_000);
    world.step(600);
    let middle = world.markets[0].middle;
    world.now -= 30;
    world.slot += 1;
    world.set_price(BTC, 5_000_000);
    let later = update(5_000_000, 2, world.now + 31, world.now + 30);
    assert_eq!(world.indices[BTC].accept(&later, world.now), Err(ModelError::PriceFromFuture));
    world.crank(BTC).unwrap();
    assert_eq!(world.markets[0].middle, middle);
    assert_eq!(world.markets[0].accrued_at, world.now + 30);
}
