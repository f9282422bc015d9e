//! Funding: what accrues, what does not, and how rounding adds up.

mod common;

use common::*;
use perpetua_model::{pricing::*, *};
use proptest::prelude::*;

const KEYS: [(Side, i16); 4] = [(Side::Call, 0), (Side::Call, 12), (Side::Put, -3), (Side::Put, 20)];

/// A market with open interest on both sides, at a constant price, whose volatility stands at its target.
fn world() -> World {
    let mut world = World::new(1, 1);
    world.step(30);
    for (side, tick) in KEYS {
        world.open(0, key(0, side, tick), 2_000_000).unwrap();
    }
    world
}

fn indices(world: &World) -> [u128; 4] {
    KEYS.map(|(side, tick)| world.markets[0].series(side, tick).unwrap().1.index().0)
}

/// Prices and cranks go on, but the index keeps its variance, so that the volatility stands still.
fn step_at_constant_volatility(world: &mut World, seconds: i64) {
    world.now += seconds;
    world.slot += 1;
    let index = &mut world.indices[BTC];
    (index.feed.publish_time, index.sample_mark) = (world.now, world.now.div_euclid(SAMPLE_SECONDS));
    // No return since the sample, and none of its age: the variance counts as it is.
    index.sample_price = Wide::ZERO;
    world.crank(BTC).unwrap();
}

/// What a year of holding one index unit costs at the money and elsewhere, from the published formula in floats.
fn yearly_rate(side: Side, tick: i16, sigma: f64) -> f64 {
    let (spot, strike) = (100_000f64, 100_000.0 * 1.0125f64.powi(i32::from(tick)));
    let period = 7.0 / 365.0;
    let u = (1.0 + 8.0 / (sigma * sigma * period)).sqrt();
    let a = strike / u * (spot / strike).powf((1.0 + u) / 2.0);
    let b = strike / u * (spot / strike).powf((1.0 - u) / 2.0);
    let rent = 0.04 * 0.5 * strike;
    let (time_value, financed) = match side {
        Side::Call if spot <= strike => {
            let time_value = a * (1.0 - 1.5f64.powf(-u));
            (time_value, (u - 1.0) / 2.0 * time_value)
        }
        Side::Call => unreachable!("no call in the money here"),
        Side::Put if spot >= strike => (b * (1.0 - 0.5f64.powf(u)), 0.0),
        Side::Put => (a - b * 0.5f64.powf(u), 0.0),
    };
    time_value / period + 0.10 * financed + rent
}

#[test]
fn a_series_pays_its_gamma_rent_its_financing_and_its_reserve_rent() {
    let mut world = world();
    step_at_constant_volatility(&mut world, 60);
    let before = indices(&world);
    step_at_constant_volatility(&mut world, 3_600);
    for (place, (side, tick)) in KEYS.into_iter().enumerate() {
        let sigma = world.markets[0].middle[side as usize].0.to_string().parse::<f64>().unwrap() / 2f64.powi(48);
        let expected = yearly_rate(side, tick, sigma) * 250_000.0 / 1e6 * 3_600.0 / 31_536_000.0;
        let paid = (indices(&world)[place] - before[place]).to_string().parse::<f64>().unwrap() / 2f64.powi(64);
        assert!((paid / expected - 1.0).abs() < 1e-9, "{side:?} {tick}: {paid} {expected}");
    }
}

#[test]
fn an_at_the_money_option_costs_what_the_mechanism_says() {
    let world = World::new(1, 1);
    let market = &world.markets[0];
    let sixty = Real::from_ratio(60, 100).unwrap();
    let spot = Usd::from_integer(100_000);
    let curve = market.config.curve(Side::Call, sixty).unwrap();
    let value = curve.value(spot, spot);
    let premium = value.value(Rounding::Up);
    assert!((Usd::from_integer(2_930)..Usd::from_integer(2_950)).contains(&premium), "2.94% of notional");
    let a_day = market.funding_rate(Side::Call, &value).unwrap().0 / (1 << 32) * 100 / 365;
    assert!((42_000..46_000).contains(&a_day), "0.44% of notional: {a_day} cents");
}

#[test]
fn funding_accrues_once_in_a_second_and_never_for_a_clock_that_runs_back() {
    let mut world = world();
    step_at_constant_volatility(&mut world, 60);
    let before = world.clone();
    assert_eq!(world.crank(BTC), Ok(Accrual::default()));
    assert_eq!(world.markets, before.markets, "the same slot and price");
    world.slot += 1;
    assert_eq!(world.crank(BTC).unwrap().seconds, 0);
    assert_eq!(indices(&world), indices(&before), "another slot of the same second");
    world.now -= 5;
    world.slot += 1;
    assert_eq!(world.crank(BTC).unwrap().seconds, 0);
    world.now += 5;
    world.slot += 1;
    world.crank(BTC).unwrap();
    assert_eq!(indices(&world), indices(&before), "time that went back is not charged twice");
}

#[test]
fn a_newer_price_in_the_same_second_sets_the_rate_and_charges_nothing() {
    let mut world = world();
    let before = world.clone();
    world.cents[BTC] = 10_300_000;
    let newer = update(10_300_000, 2, world.now + 1, world.now);
    world.indices[BTC].accept(&newer, world.now).unwrap();
    assert_eq!(
        world.quote_open(key(0, Side::Call, 0), 1_000),
        Err(ModelError::MarketNotAccrued),
        "nor trades before it"
    );
    assert_eq!(world.crank(BTC).unwrap().seconds, 0);
    assert_eq!(indices(&world), indices(&before));
    let rate = |world: &World| world.markets[0].series(Side::Call, 0).unwrap().1.rate;
    assert_ne!(rate(&world), rate(&before));
}

#[test]
fn the_excess_over_the_longest_gap_accrues_at_the_lower_rate() {
    // From an hour on every further second costs at most the lower of the rates at both ends.
    let run = |seconds| {
        let mut world = world();
        step_at_constant_volatility(&mut world, 60);
        let before = (indices(&world), world.markets[0].series(Side::Call, 0).unwrap().1.rate);
        world.indices[BTC].feed.price = Usd::from_integer(80_000).into();
        world.indices[BTC].feed.average = Usd::from_integer(80_000).into();
        step_at_constant_volatility(&mut world, seconds);
        let after = world.markets[0].series(Side::Call, 0).unwrap().1.rate;
        (indices(&world)[0] - before.0[0], before.1.min(after))
    };
    let (hour, _) = run(3_600);
    let (three, lower) = run(3 * 3_600);
    let excess = u128::from(lower.0) * 250_000 * 7_200 * (1 << 32) / (1_000_000 * 31_536_000);
    assert!((three - hour).abs_diff(excess) <= excess >> 50, "{} {excess}", three - hour);
}

#[test]
fn a_series_without_open_interest_starts_at_the_rate_now() {
    let mut world = world();
    world.close(0, key(0, Side::Call, 12), 2_000_000).unwrap();
    let stale = world.markets[0].series(Side::Call, 12).unwrap().1.rate;
    world.set_price(BTC, 11_000_000);
    for _ in 0..5 {
        world.step(600);
    }
    world.open(0, key(0, Side::Call, 12), 1_000).unwrap();
    let series = world.markets[0].series(Side::Call, 12).unwrap().1;
    let now = world.markets[0].current_rate(
        Side::Call,
        world.markets[0].slots[12].strike.into(),
        Usd::from_cents(11_000_000),
    );
    assert_eq!(Ok(series.rate), now);
    assert!(series.rate > stale);
}

proptest! {
    #![proptest_config(cases(10_000))]

    /// The last place of F is 2^-64 raw units; beyond it `Real` carries 62 significant bits.
    #[test]
    fn many_accruals_equal_one_but_for_a_last_place_each(parts in prop::collection::vec(1..600i64, 1..6)) {
        let mut many = world();
        step_at_constant_volatility(&mut many, 60);
        let mut once = many.clone();
        let before = indices(&many);
        for seconds in &parts {
            step_at_constant_volatility(&mut many, *seconds);
        }
        step_at_constant_volatility(&mut once, parts.iter().sum());
        for ((many, once), before) in indices(&many).into_iter().zip(indices(&once)).zip(before) {
            let tolerance = u128::try_from(parts.len()).unwrap() + ((once - before) >> 59);
            prop_assert!(many.abs_diff(once) <= tolerance, "{} {}", many - before, once - before);
        }
    }

    #[test]
    fn time_of_an_outage_accrues_nothing(before in 1..600i64, outage in 121..600i64, after in 1..600i64) {
        let mut quiet = world();
        quiet.step(before);
        let mut out = quiet.clone();
        out.now += outage;
        out.slot += 1;
        for (index, cents) in out.indices.iter_mut().zip(out.cents) {
            index.accept(&update(cents, 2, out.now, out.now - outage), out.now).unwrap();
        }
        prop_assert_eq!(out.crank(BTC), Ok(Accrual { seconds: 0, barred: false }));
        prop_assert_eq!(indices(&out), indices(&quiet));
        out.advance(after);
        prop_assert_eq!(out.crank(BTC).unwrap().seconds, after.unsigned_abs());
    }

    #[test]
    fn an_outage_within_a_longer_time_is_left_out_of_it(before in 1..300i64, outage in 121..600i64, after in 1..100i64) {
        let mut world = world();
        world.advance(before);
        world.now += outage;
        for (index, cents) in world.indices.iter_mut().zip(world.cents) {
            index.accept(&update(cents, 2, world.now, world.now - outage), world.now).unwrap();
        }
        world.advance(after);
        prop_assert_eq!(world.crank(BTC).unwrap().seconds, (before + after).unsigned_abs());
    }

    /// Prices of any size, from a cent to 2^24 dollars, at any distance from the strikes.
    #[test]
    fn a_market_can_be_cranked_and_marked_at_any_price(
        prices in prop::collection::vec((0..24u32, 1..200u64, prop_oneof![1..300i64, 3_600..1_000_000i64]), 1..6),
    ) {
        let mut world = world();
        for (magnitude, cents, seconds) in prices {
            world.set_price(BTC, (cents << magnitude).clamp(1, 100 << 24));
            let before = indices(&world);
            world.advance(seconds);
            world.crank(BTC).unwrap();
            for (new, old) in indices(&world).into_iter().zip(before) {
                prop_assert!(new >= old);
            }
            let moment = world.moment();
            let mark = world.markets[0].mark(&world.indices[BTC], moment).unwrap();
            prop_assert!(mark.liability_low <= mark.liability_high);
            prop_assert!(mark.liability_high <= world.vault.reserves);
        }
    }

    /// No position comes to owe more than the highest rate that its margin was computed with.
    #[test]
    fn nothing_makes_a_position_pay_faster_than_its_margin_rate(
        steps in prop::collection::vec((1..3_600i64, -2_000..3_000i64), 1..8),
    ) {
        let mut world = world();
        let start = world.clone();
        for (seconds, change) in steps {
            let cents = world.cents[BTC] * u64::try_from(10_000 + change).unwrap() / 10_000;
            world.set_price(BTC, cents.clamp(1_000_000, 100_000_000));
            world.step(seconds);
        }
        let elapsed = world.now - start.now;
        let bound = health(&start.accounts[0], &refs(&start.markets), world.now).unwrap();
        prop_assert!(elapsed == 0 || world.health(0).owed.0 <= bound.unaccrued.0 + 1);
    }
}
