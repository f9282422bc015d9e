//! The strike grid, and pricing by progression against pricing one by one.

mod common;

use common::{
    Terms, big, big_real, big_usd, relative_error,
    strategies::{any_price, any_terms, market_terms},
};
use perpetua_pricing::{Grid, Interest, Ladder, OptionValue, RATE_BITS, RateWeights, Real, Rounding, Usd};
use proptest::prelude::*;

struct Strikes {
    ticks: [i16; 64],
    strikes: [Usd; 64],
    priced: [Option<OptionValue>; 64],
}

impl Ladder for Strikes {
    fn tick(&self, slot: usize) -> i16 {
        self.ticks[slot]
    }

    fn strike(&self, slot: usize) -> Usd {
        self.strikes[slot]
    }

    fn priced(&mut self, slot: usize, value: OptionValue) {
        assert!(self.priced[slot].replace(value).is_none(), "priced twice");
    }
}

/// The tick of a slot on the given lap, in the range of `i16`.
fn tick_on_lap(slot: usize, lap: i16) -> i16 {
    i16::try_from(slot).unwrap() + 64 * lap.clamp(-512, 511)
}

/// A ladder with each slot on its own lap, and the mask of slots whose strike is a price.
fn ladder(grid: &Grid, laps: &[i16]) -> (Strikes, u64) {
    let mut strikes = Strikes { ticks: [0; 64], strikes: [Usd::MAX_PRICE; 64], priced: [None; 64] };
    let mut on_grid = 0;
    for (slot, &lap) in laps.iter().enumerate() {
        strikes.ticks[slot] = tick_on_lap(slot, lap);
        if let Some(strike) = grid.strike(strikes.ticks[slot]) {
            strikes.strikes[slot] = strike;
            on_grid |= 1 << slot;
        }
    }
    (strikes, on_grid)
}

fn any_weight() -> impl Strategy<Value = Real> {
    (any::<u64>(), any::<i32>()).prop_map(|(bits, power)| Real::from_u64(bits).scale_by_power_of_two(power))
}

fn any_rho() -> impl Strategy<Value = Real> {
    prop_oneof![1_001u64..1_100, 1_001u64..=2_000].prop_map(|rho| Real::from_ratio(rho, 1_000).unwrap())
}

fn agree(got: &OptionValue, want: &OptionValue, strike: Usd) -> bool {
    let close = |got: Real, want: Real, floor: &str| {
        let tolerance = big_real(want) * common::parse("0.000000001") + big_usd(strike) * common::parse(floor);
        common::absolute(big_real(got) - big_real(want)) <= tolerance
    };
    let value = |value: &OptionValue| Real::from(value.value(Rounding::Down));
    got.intrinsic == want.intrinsic
        && close(value(got), value(want), "0.000000000000000001")
        && close(got.time_value, want.time_value, "0.00000000000001")
        && close(got.financed, want.financed, "0.00000000000001")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    #[test]
    fn a_ladder_agrees_with_pricing_one_by_one_on_any_laps(
        terms in prop_oneof![market_terms(), any_terms()],
        reference in any_price(),
        rho in any_rho(),
        offset in 0u64..2_000_000,
        laps in prop_oneof![
            proptest::collection::vec(-1i16..=1, 64),
            proptest::collection::vec(-3i16..=3, 64),
            proptest::collection::vec(any::<i16>(), 64),
        ],
        active: u64,
    ) {
        let grid = Grid::new(reference, rho).unwrap();
        let spot = Usd::from_bits(reference.bits() * u128::from(offset + 500_000) / 1_000_000);
        prop_assume!(spot.is_price());
        let curve = terms.curve();
        let (mut ladder, on_grid) = ladder(&grid, &laps);
        let active = active & on_grid;
        grid.locate(spot).price(&curve, active, &mut ladder);
        for slot in 0..64 {
            let strike = ladder.strikes[slot];
            match ladder.priced[slot] {
                Some(value) => {
                    prop_assert!(active & (1 << slot) != 0);
                    let want = curve.value(spot, strike);
                    prop_assert!(agree(&value, &want, strike), "{:?} instead of {:?}", value, want);
                    prop_assert!(value.value(Rounding::Up) <= curve.payout_cap(strike));
                }
                None => prop_assert!(active & (1 << slot) == 0),
            }
        }
    }

    #[test]
    fn funding_rates_agree_with_rates_one_by_one(
        terms in prop_oneof![3 => market_terms(), 1 => any_terms()],
        reference in any_price(),
        rho in (1_001u64..1_060).prop_map(|rho| Real::from_ratio(rho, 1_000).unwrap()),
        offset in 0u64..2_000_000,
        (lowest, count) in (prop_oneof![3 => -100i16..=40, 1 => any::<i16>()], 0..=64usize),
        carry in 0u64..2_000,
        rent in 0u64..2_000,
    ) {
        let grid = Grid::new(reference, rho).unwrap();
        let spot = Usd::from_bits(reference.bits() * u128::from(offset + 500_000) / 1_000_000);
        prop_assume!(spot.is_price());
        let curve = terms.curve();
        // A unit that gives the time value at the money about forty bits.
        let unit = Real::ONE.scale_by_power_of_two(40).div(Real::from(spot).mul(curve.peak_fraction())).unwrap();
        let per_year = |rate| Real::from_ratio(rate, 10_000).unwrap().mul(unit).mul(terms.period);
        let weights = RateWeights { time_value: unit, financed: per_year(carry), strike: per_year(rent) };
        let mut rates = [0; 64];
        let rated = grid.locate(spot).funding_rates(&curve, &weights, lowest, &mut rates[..count]);
        let highest = i16::try_from(count).unwrap().saturating_add(lowest);
        let Some(()) = rated else {
            let highest = (big_real(grid.log_rho) * big(highest)).exp() * big_usd(reference);
            let most = big_real(weights.strike.add(weights.financed)) * highest.max(big_usd(spot));
            prop_assert!(most > big(1u64 << (RATE_BITS - 4)));
            return Ok(());
        };
        for (rate, tick) in rates[..count].iter().zip(i32::from(lowest)..) {
            let Some(strike) = i16::try_from(tick).ok().and_then(|tick| grid.strike(tick)) else { continue };
            let value = curve.value(spot, strike);
            let want = big_real(weights.time_value) * big_real(value.time_value)
                + big_real(weights.financed) * big_real(value.financed)
                + big_real(weights.strike) * big_usd(strike);
            // The terms at the money, and the strike's share, set the absolute precision.
            let scale = big_usd(spot.max(strike)) * big_real(unit.add(weights.strike).add(weights.financed));
            let tolerance = &want * common::parse("0.000000000001") + scale * common::parse("0.000000000000002") + big(3);
            let error = common::absolute(big(*rate) - &want);
            prop_assert!(error <= tolerance, "{} instead of {}", rate, want.to_f64().value());
        }
    }

    #[test]
    fn a_ladder_is_worth_the_sum_of_its_options_within_the_error_it_states(
        terms in prop_oneof![3 => market_terms(), 1 => any_terms()],
        reference in any_price(),
        rho in any_rho(),
        offset in 0u64..2_000_000,
        lowest in prop_oneof![3 => -100i16..=40, 1 => any::<i16>()],
        sizes in proptest::collection::vec((any::<u64>(), 24u32..=64).prop_map(|(bits, shift)| bits.checked_shr(shift).unwrap_or(0)), 0..=64),
    ) {
        let grid = Grid::new(reference, rho).unwrap();
        let spot = Usd::from_bits(reference.bits() * u128::from(offset + 500_000) / 1_000_000);
        prop_assume!(spot.is_price());
        let curve = terms.curve();
        let strikes = (i32::from(lowest)..).map(|tick| i16::try_from(tick).ok().and_then(|tick| grid.strike(tick)));
        let strikes: Vec<_> = strikes.take(sizes.len()).collect();
        let sizes: Vec<_> = sizes.into_iter().zip(&strikes).map(|(size, strike)| strike.map_or(0, |_| size)).collect();
        let worth = grid.locate(spot).worth(&curve, lowest, &Interest::new(&mut sizes.clone()).unwrap()).unwrap();
        let (mut want, mut exposed) = (big(0), big(0));
        for (size, strike) in sizes.iter().zip(&strikes) {
            let Some(strike) = *strike else { continue };
            let value = curve.value(spot, strike);
            want += big(*size) * (big_usd(value.intrinsic) + big_real(value.time_value));
            exposed += big(*size) * big_usd(spot.max(strike));
        }
        let error = common::absolute(big_real(worth.value) - &want);
        // Sums lose nothing but what is below a word's last places.
        prop_assert!(error <= big_real(worth.error) + exposed / big(1u64 << 50), "{:?} instead of {}", worth, want);
    }

    #[test]
    fn sizes_beyond_all_positions_are_refused(place in 0..64usize, above in 47u32..64) {
        let mut sizes = [1; 64];
        sizes[place] = 1 << above;
        prop_assert!(Interest::new(&mut sizes).is_none());
    }

    #[test]
    fn no_ticks_strikes_or_spot_make_a_ladder_panic(
        terms in any_terms(), reference in any_price(), rho in any_rho(), spot: u128, shift in 0u32..128,
        ticks in proptest::collection::vec(any::<i16>(), 64), strike: u128, active: u64, count in 0..=64usize,
        sizes in proptest::collection::vec(any::<u64>(), 64),
        [time_value, financed, weight] in [any_weight(), any_weight(), any_weight()],
    ) {
        let grid = Grid::new(reference, rho).unwrap();
        let mut ladder = Strikes { ticks: [0; 64], strikes: [Usd::from_bits(strike >> shift); 64], priced: [None; 64] };
        ladder.ticks.copy_from_slice(&ticks);
        let located = grid.locate(Usd::from_bits(spot >> shift));
        located.price(&terms.curve(), active, &mut ladder);
        for slot in 0..64 {
            prop_assert_eq!(ladder.priced[slot].is_some(), active & (1 << slot) != 0);
        }
        let weights = RateWeights { time_value, financed, strike: weight };
        let _ = located.funding_rates(&terms.curve(), &weights, ticks[0], &mut [0; 64][..count]);
        if let Some(interest) = Interest::new(&mut sizes.clone()[..count]) {
            let _ = located.worth(&terms.curve(), ticks[0], &interest);
        }
    }

    #[test]
    fn strikes_follow_the_progression_in_strict_order(reference in any_price(), rho in any_rho(), tick: i16) {
        let grid = Grid::new(reference, rho).unwrap();
        let Some(strike) = grid.strike(tick) else { return Ok(()) };
        let want = big_usd(reference) * (big_real(rho).ln() * big(i64::from(tick))).exp();
        let rounding = 1.0 / big(strike.bits()).to_f64().value();
        prop_assert!(relative_error(&big_usd(strike), &want) < 1e-15 + rounding);
        prop_assert_eq!(grid.nearest_tick(strike), tick);
        if let Some(next) = tick.checked_add(1).and_then(|tick| grid.strike(tick)) {
            prop_assert!(strike < next);
        }
    }

    #[test]
    fn the_nearest_tick_is_within_half_a_step(reference in any_price(), rho in any_rho(), spot in any_price()) {
        let grid = Grid::new(reference, rho).unwrap();
        let tick = grid.nearest_tick(spot);
        let steps = (big_usd(spot) / big_usd(reference)).ln() / big_real(rho).ln();
        let limited = steps.to_f64().value().clamp(f64::from(i16::MIN), f64::from(i16::MAX));
        prop_assert!((f64::from(tick) - limited).abs() < 0.500_001, "{} for {}", tick, limited);
    }
}

#[test]
fn a_grid_out_of_bounds_cannot_be_built() {
    let rho = Real::from_ratio(101, 100).unwrap();
    let too_low = Usd::from_bits(Usd::MIN_PRICE.bits() - 1);
    let too_high = Usd::from_bits(Usd::MAX_PRICE.bits() + 1);
    assert!(Grid::new(Usd::MIN_PRICE, rho).is_some());
    assert!(Grid::new(too_low, rho).is_none());
    assert!(Grid::new(Usd::MAX_PRICE, rho).is_some());
    assert!(Grid::new(too_high, rho).is_none());
    assert!(Grid::new(Usd::ONE, Real::from_u64(2)).is_some());
    assert!(Grid::new(Usd::ONE, Real::from_u64(3)).is_none());
    assert!(Grid::new(Usd::ONE, Real::from_ratio(10_001, 10_000).unwrap()).is_some());
    assert!(Grid::new(Usd::ONE, Real::from_ratio(100_001, 100_000).unwrap()).is_none());
}

#[test]
fn strikes_outside_the_price_range_do_not_exist() {
    let grid = Grid::new(Usd::from_integer(1 << 20), Real::from_u64(2)).unwrap();
    assert!(grid.strike(3).is_some());
    assert_eq!(grid.strike(5), None);
    assert_eq!(grid.strike(-27), None);
    assert_eq!(grid.strike(i16::MIN), None);
    assert_eq!(grid.strike(i16::MAX), None);
}

#[test]
fn the_cap_is_met_exactly_on_the_ladder() {
    let terms = Terms {
        side: perpetua_pricing::Side::Call,
        volatility: Real::ONE,
        period: Real::from_ratio(7, 365).unwrap(),
        cap: Real::ONE.halve(),
    };
    let grid = Grid::new(Usd::from_integer(60_000), Real::from_ratio(101, 100).unwrap()).unwrap();
    let (mut ladder, _) = ladder(&grid, &[0; 64]);
    grid.locate(Usd::from_integer(90_000)).price(&terms.curve(), 1, &mut ladder);
    let value = ladder.priced[0].unwrap();
    assert_eq!(value.intrinsic, Usd::from_integer(30_000));
    assert!(value.time_value.is_zero());
}
