//! The table of `docs/mechanism.md` section 8, cell by cell, for the states that a quanto market knows.

mod common;

use Action::{Close, Liquidate, Open, PoolIn, PoolOut, Withdraw};
use ModelError::{OpeningPaused, PriceFarFromAverage, RecoveringFromOutage, VarianceTooYoung};
use common::*;
use perpetua_model::{
    pricing::{Rounding, Side, Usd},
    *,
};

const ACTIONS: [Action; 6] = [Open, Close, Liquidate, Withdraw, PoolIn, PoolOut];

/// One row: what each of [`ACTIONS`] is refused for.
type Row = (Condition, [Option<ModelError>; 6]);

const TABLE: [Row; 6] = {
    use ModelError::{VarianceStale, VaultShort};
    [
        (Condition::Paused, [Some(OpeningPaused), None, None, None, Some(OpeningPaused), None]),
        (Condition::VaultShort, [Some(VaultShort), None, None, Some(VaultShort), Some(VaultShort), Some(VaultShort)]),
        (
            Condition::PriceDiverged,
            [
                Some(PriceFarFromAverage),
                None,
                Some(PriceFarFromAverage),
                Some(PriceFarFromAverage),
                Some(PriceFarFromAverage),
                Some(PriceFarFromAverage),
            ],
        ),
        (Condition::VarianceStale, [Some(VarianceStale), None, None, None, Some(VarianceStale), Some(VarianceStale)]),
        (Condition::VarianceYoung, [Some(VarianceTooYoung), None, None, None, None, None]),
        (Condition::Grace, [Some(RecoveringFromOutage), None, Some(RecoveringFromOutage), None, None, None]),
    ]
};

#[test]
fn every_cell_of_the_table_allows_or_names_its_reason() {
    for (condition, reasons) in TABLE {
        for (action, reason) in ACTIONS.into_iter().zip(reasons) {
            let expected = reason.map_or(Ok(()), Err);
            assert_eq!(Conditions::NORMAL.with(condition, true).allow(action), expected, "{condition:?} {action:?}");
            assert_eq!(Conditions::NORMAL.with(condition, false).allow(action), Ok(()));
        }
    }
}

#[test]
fn several_states_together_forbid_what_any_of_them_forbids() {
    for states in 0..1u32 << TABLE.len() {
        let holds = |place: usize| states >> place & 1 == 1;
        let conditions = TABLE
            .iter()
            .enumerate()
            .fold(Conditions::NORMAL, |all, (place, (condition, _))| all.with(*condition, holds(place)));
        for (place, (condition, _)) in TABLE.iter().enumerate() {
            assert_eq!(conditions.has(*condition), holds(place));
        }
        for (column, action) in ACTIONS.into_iter().enumerate() {
            let forbidden = TABLE.iter().enumerate().any(|(place, row)| holds(place) && row.1[column].is_some());
            assert_eq!(conditions.allow(action).is_err(), forbidden, "{states:b} {action:?}");
        }
    }
}

/// A world with a position, just before something happens to it.
fn with_position() -> (World, SeriesKey) {
    let mut world = World::new(1, 2);
    world.step(30);
    let key = key(0, Side::Call, 0);
    world.open(0, key, 1_000_000).unwrap();
    (world, key)
}

/// Spot ten percent above its moving average.
fn diverge(world: &mut World) {
    world.now += 60;
    world.slot += 100;
    let average = Usd::from_cents(world.cents[BTC]);
    let spot = update(world.cents[BTC] * 11 / 10, 2, world.now, world.now - 1);
    world.indices[BTC].accept(&PriceUpdate { average, ..spot }, world.now).unwrap();
    world.crank(BTC).unwrap();
}

/// An hour and more of prices of which none is the first after a mark, since the world's clock is off the marks.
fn let_variance_grow_stale(world: &mut World) {
    assert_ne!(world.now % 60, 0);
    for _ in 0..66 {
        world.now += 60;
        world.slot += 100;
        world.publish();
    }
    world.crank_all();
}

#[test]
fn a_diverged_price_bars_all_but_closing_and_funding_stands_still() {
    let (mut world, key) = with_position();
    let index = world.markets[0].series(Side::Call, 0).unwrap().1.index();
    diverge(&mut world);
    assert_eq!(world.markets[0].series(Side::Call, 0).unwrap().1.index(), index);
    assert_eq!(world.open(1, key, 1_000).err(), Some(PriceFarFromAverage));
    assert_eq!(world.withdraw(0, 1).err(), Some(PriceFarFromAverage));
    assert_eq!(world.liquidate(0, 1).err(), Some(PriceFarFromAverage));
    assert_eq!(world.join(PoolKind::Main, 1_000).err(), Some(PriceFarFromAverage));
    assert_eq!(world.withdraw(1, 1).err(), None, "an account without positions has no market that diverged");
    // Closing pays at the lower of spot and average.
    let paid = world.close(0, key, 1_000_000).unwrap().quote;
    let market = &world.markets[0];
    let curve = market.config.curve(Side::Call, market.bid_volatility(Side::Call)).unwrap();
    let at_average = curve.value(Usd::from_cents(world.cents[BTC]), Usd::from_integer(100_000)).value(Rounding::Up);
    assert!(Usd::from(paid.value) <= at_average);
}

#[test]
fn funding_starts_again_only_after_a_crank_at_a_normal_price() {
    let (mut world, _) = with_position();
    diverge(&mut world);
    world.advance(60);
    assert_eq!(world.crank(BTC), Ok(Accrual { seconds: 0, barred: true }));
    world.advance(60);
    assert_eq!(world.crank(BTC), Ok(Accrual { seconds: 60, barred: false }));
}

#[test]
fn a_stale_variance_closes_at_the_intrinsic_value_and_bars_opening_and_the_pools() {
    let (mut world, key) = with_position();
    world.set_price(BTC, 10_200_000);
    let_variance_grow_stale(&mut world);
    assert!(world.indices[BTC].variance_stale(world.now));
    assert_eq!(world.open(1, key, 1_000).err(), Some(ModelError::VarianceStale));
    assert_eq!(world.join(PoolKind::Main, 1_000).err(), Some(ModelError::VarianceStale));
    assert_eq!(world.retire(0, key).err(), Some(ModelError::VarianceStale));
    assert_eq!(world.settle_capped(0, key).err(), Some(ModelError::VarianceStale));
    assert_eq!(world.liquidate(0, 1).err(), Some(ModelError::AccountHealthy), "liquidation is not barred");
    world.withdraw(0, 1).unwrap();
    let reading = world.indices[BTC].read(world.now, 10).unwrap();
    let paid = world.close(0, key, 1_000_000).unwrap().quote;
    assert_eq!(Usd::from(paid.value), reading.low.saturating_sub(Usd::from_integer(100_000)));
}

#[test]
fn the_last_rate_halves_each_hour_while_variance_is_stale() {
    let (mut world, _) = with_position();
    let_variance_grow_stale(&mut world);
    let before = world.markets[0].series(Side::Call, 0).unwrap().1.rate.0;
    world.now += 3_600;
    world.slot += 9_000;
    world.publish();
    world.crank(BTC).unwrap();
    let after = world.markets[0].series(Side::Call, 0).unwrap().1.rate.0;
    assert!(after.abs_diff(before / 2) <= 1, "{before} {after}");
}

#[test]
fn a_long_outage_bars_liquidation_and_funding_for_half_an_hour_after_it() {
    let (mut world, _) = with_position();
    world.now += 700;
    world.slot += 1_000;
    for (index, cents) in world.indices.iter_mut().zip(world.cents) {
        index.accept(&update(cents, 2, world.now, world.now - 700), world.now).unwrap();
    }
    assert_eq!(world.crank(BTC), Ok(Accrual { seconds: 0, barred: true }));
    assert_eq!(world.liquidate(0, 1).err(), Some(RecoveringFromOutage));
    let end = world.now + GRACE_SECONDS;
    while world.now + 60 < end {
        world.step(60);
        assert_eq!(world.liquidate(0, 1).err(), Some(RecoveringFromOutage));
    }
    world.step(60);
    assert_eq!(world.liquidate(0, 1).err(), Some(ModelError::AccountHealthy));
}

#[test]
fn a_week_without_a_price_lets_positions_close_at_the_last_one() {
    let (mut world, key) = with_position();
    let curve = world.markets[0].config.curve(Side::Call, world.markets[0].middle[0].real()).unwrap();
    let spot = Usd::from_integer(100_000);
    let value = curve.value(spot, spot).value(Rounding::Down);
    world.now += ABANDONED_SECONDS;
    world.slot += 1_000_000;
    assert_eq!(world.close(0, key, 1_000_000).err(), Some(ModelError::MarketNotAccrued));
    world.now += 1;
    assert_eq!(world.open(0, key, 1_000).err(), Some(ModelError::MarketNotAccrued));
    let quote = world.close(0, key, 1_000_000).unwrap().quote;
    assert_eq!(Usd::from(quote.value), value);
    let rest = world.accounts[0].collateral.0;
    world.withdraw(0, rest).unwrap();
    world.check();
}

#[test]
fn pausing_stops_new_risk_but_nobody_from_leaving() {
    let (mut world, key) = with_position();
    let ticket = world.request(PoolKind::Main, 1_000_000).unwrap();
    world.step(3 * 86_400);
    world.conditions = Conditions::NORMAL.with(Condition::Paused, true);
    assert_eq!(world.open(0, key, 1_000).err(), Some(OpeningPaused));
    assert_eq!(world.join(PoolKind::Main, 1_000).err(), Some(OpeningPaused));
    world.execute(ticket).unwrap();
    world.claim(ticket).unwrap();
    world.withdraw(0, 1).unwrap();
    world.close(0, key, 1_000_000).unwrap();
    world.check();
}

#[test]
fn a_short_vault_lets_positions_close_but_no_token_out() {
    let (mut world, key) = with_position();
    let ticket = world.request(PoolKind::Main, 1_000_000).unwrap();
    world.step(3 * 86_400);
    world.conditions = Conditions::NORMAL.with(Condition::VaultShort, true);
    for error in [
        world.open(0, key, 1_000).err(),
        world.join(PoolKind::Main, 1_000).err(),
        world.execute(ticket).err(),
        world.withdraw(0, 1).err(),
    ] {
        assert_eq!(error, Some(ModelError::VaultShort));
    }
    assert_eq!(world.liquidate(0, 1).err(), Some(ModelError::AccountHealthy));
    world.close(0, key, 1_000_000).unwrap();
    assert_eq!(world.vault.check_conservation(Tokens(world.balance - 1)), Err(ModelError::VaultShort));
}
