//! Liquidation: only when due, no more than due, and every token of it accounted for.

mod common;

use common::*;
use perpetua_model::*;
use proptest::prelude::*;

#[derive(Clone, Debug)]
struct Held {
    market: u8,
    put: bool,
    tick: i16,
    size: u64,
}

fn held() -> impl Strategy<Value = Held> {
    let size = prop_oneof![100..300u64, 300..100_000u64, 100_000..20_000_000u64];
    (0..4u8, any::<bool>(), -28..=28i16, size).prop_map(|(market, put, tick, size)| Held { market, put, tick, size })
}

/// Account 0 with these positions after a while; account 1 will be the keeper's.
fn world(held: &[Held], seconds: i64, change: i64) -> World {
    let mut world = World::new(4, 2);
    world.deposit(0, 1_000_000_000_000).unwrap();
    world.step(30);
    for Held { market, put, tick, size } in held {
        let before = world.clone();
        if world.open(0, key(*market, side(*put), *tick), *size).is_err() {
            world = before;
        }
    }
    for cents in &mut world.cents {
        *cents = *cents * u64::try_from(10_000 + change).unwrap() / 10_000;
    }
    world.step(seconds);
    world
}

/// Leaves the account this much collateral, by hand.
fn leave(world: &mut World, collateral: u64) {
    let taken = world.accounts[0].collateral.0.saturating_sub(collateral);
    world.vault.release(&mut world.accounts[0], Tokens(taken)).unwrap();
    world.balance -= taken;
}

/// What each position owes, rounded up once per position.
fn debts(world: &World) -> u64 {
    let owed = |position: &Position| {
        let series = world.markets[usize::from(position.market)].series(position.key().side, position.tick).unwrap().1;
        let exact = u128::from(position.size.0) * (series.index().0 - position.entry().0);
        u64::try_from(exact.div_ceil(1 << 64)).unwrap()
    };
    world.accounts[0].open_positions().map(|(_, position)| owed(position)).sum()
}

proptest! {
    #![proptest_config(cases(10_000))]

    #[test]
    fn a_liquidation_restores_the_initial_margin_or_leaves_nothing_and_accounts_for_every_token(
        positions in prop::collection::vec(held(), 1..16), seconds in 1..80_000i64, change in -2_000..3_000i64, part in 0..1_000u64,
    ) {
        let mut world = world(&positions, seconds, change);
        let health = world.health(0);
        prop_assume!(health.maintenance.0 > 0);
        // Anything below what maintenance margin asks for.
        let threshold = health.owed.0 + health.maintenance.0;
        leave(&mut world, u64::try_from(u128::from(threshold - 1) * u128::from(part) / 999).unwrap());
        let (before, owed) = (world.clone(), debts(&world));
        let report = world.liquidate(0, 1).unwrap();
        world.check();

        let after = world.health(0);
        let left = world.accounts[0].open_positions().count();
        prop_assert!(left == 0 || after.require_initial().is_ok(), "{after:?} {left}");
        prop_assert!(usize::from(report.closed) <= 2 * POSITIONS, "bounded");
        prop_assert_eq!(report.funding.0 + report.written_off.0, owed);
        prop_assert!(report.written_off.0 == 0 || left == 0, "a debt is written off only when nothing is left");

        let penalty = report.keeper_reward.0 + report.insurance_reward.0;
        let (trader, had) = (world.accounts[0].collateral.0, before.accounts[0].collateral.0);
        prop_assert_eq!(penalty + trader + report.funding.0, report.proceeds.0 + had);
        let full = (report.proceeds.0 / 100).max(250_000 / 4);
        prop_assert_eq!(penalty, full.min(trader + penalty));
        prop_assert_eq!(report.keeper_reward.0, penalty / 2);
        prop_assert_eq!(world.accounts[1].collateral.0, before.accounts[1].collateral.0 + penalty / 2);
        prop_assert_eq!(owed == 0 || after.owed.0 == 0, true, "all funding is called in");

        let split = Split::of_funding(report.funding).unwrap();
        // Funding may be paid in two parts, each with its own rounding towards the main pool.
        let pools = |world: &World| (world.vault.main.assets.0, world.vault.insurance.assets.0, world.vault.protocol_fees.0);
        let ((main, insurance, protocol), (main_after, insurance_after, protocol_after)) = (pools(&before), pools(&world));
        prop_assert!((main_after + report.proceeds.0 - main - split.main.0) <= 2);
        prop_assert!((insurance_after - insurance - report.insurance_reward.0).abs_diff(split.insurance.0) <= 1);
        prop_assert!((protocol_after - protocol).abs_diff(split.protocol.0) <= 1);
    }

    #[test]
    fn nobody_is_liquidated_at_or_above_the_maintenance_margin(
        positions in prop::collection::vec(held(), 1..6), seconds in 1..80_000i64, more in 0..1_000u64,
    ) {
        let mut world = world(&positions, seconds, 0);
        let health = world.health(0);
        leave(&mut world, health.owed.0 + health.maintenance.0 + more);
        let before = world.clone();
        prop_assert_eq!(world.liquidate(0, 1), Err(ModelError::AccountHealthy));
        prop_assert_eq!((world.vault, world.accounts), (before.vault, before.accounts));
        prop_assert_eq!(world.markets, before.markets);
    }

    /// What is closed beyond need is at most rounding, a dust size or a whole position of no use.
    #[test]
    fn no_more_is_closed_than_restores_the_initial_margin(size in 100_000..20_000_000u64, put: bool, tick in -10..=10i16, part in 1..1_000u64) {
        let held = [Held { market: 0, put, tick, size }];
        let mut world = world(&held, 600, 0);
        prop_assume!(world.accounts[0].open_positions().count() == 1);
        let health = world.health(0);
        leave(&mut world, health.owed.0 + health.maintenance.0 * part / 1_000);
        world.liquidate(0, 1).unwrap();
        if world.accounts[0].open_positions().count() == 1 {
            let after = world.health(0);
            let spare = after.equity() - i128::from(after.initial().0);
            // A few millionths of a bitcoin option worth at most half a bitcoin: 0.0125 raw units per dollar each.
            prop_assert!((0..=4 * 2 * 25_000).contains(&spare), "{spare}");
        }
    }

    /// The condition of `docs/mechanism.md` section 6: touched within the horizon, liquidated when below maintenance margin.
    #[test]
    fn equity_never_goes_negative_on_any_path(
        positions in prop::collection::vec(held(), 1..5),
        path in prop::collection::vec((1..=21_600i64, prop_oneof![-300..300i64, -6_000..9_000i64], -500..500i64), 1..20),
    ) {
        let mut world = world(&positions, 30, 0);
        let health = world.health(0);
        leave(&mut world, health.owed.0 + health.initial().0);
        for (seconds, btc, eth) in path {
            for (cents, bps) in world.cents.iter_mut().zip([btc, eth]) {
                *cents = (*cents * u64::try_from(10_000 + bps).unwrap() / 10_000).clamp(10_000, 1_000_000_000);
            }
            world.step(seconds);
            let health = world.health(0);
            prop_assert!(health.equity() >= 0, "{health:?}");
            if health.is_liquidatable() {
                let report = world.liquidate(0, 1).unwrap();
                prop_assert_eq!(report.written_off, Tokens(0));
            }
        }
        world.check();
    }
}

#[test]
fn an_account_full_of_the_smallest_positions_is_liquidated_in_one_go() {
    let positions: Vec<_> = (0..16i16)
        .map(|n| Held { market: u8::try_from(n % 4).unwrap(), put: n % 3 == 0, tick: n - 8, size: 2_000 })
        .collect();
    let mut world = world(&positions, 600, 0);
    assert_eq!(world.accounts[0].open_positions().count(), 16);
    let health = world.health(0);
    leave(&mut world, health.owed.0 + health.maintenance.0 - 1);
    let report = world.liquidate(0, 1).unwrap();
    assert!(report.closed >= 1);
    assert!(world.accounts[0].open_positions().count() == 0 || world.health(0).require_initial().is_ok());
    world.check();
}

#[test]
fn every_market_of_the_account_must_be_given_and_accrued_in_this_slot() {
    let positions = [
        Held { market: 0, put: false, tick: 0, size: 1_000_000 },
        Held { market: 1, put: true, tick: 0, size: 1_000_000 },
    ];
    let mut world = world(&positions, 600, 0);
    leave(&mut world, 1);
    world.slot += 1;
    assert_eq!(world.liquidate(0, 1), Err(ModelError::MarketNotAccrued));
    world.crank(0).unwrap();
    assert_eq!(world.liquidate(0, 1), Err(ModelError::MarketNotAccrued));
    world.crank(1).unwrap();
    let missing = {
        let mut copy = world.clone();
        copy.markets.truncate(1);
        copy.liquidate(0, 1)
    };
    assert_eq!(missing, Err(ModelError::MarketMissing));
    assert!(world.liquidate(0, 1).is_ok());
}

/// `q / 10^6 X (K / (u T) + carry K + rent c K) h`, and a dollar of fee, from the published formula in floats.
#[test]
fn maintenance_margin_covers_the_highest_funding_of_the_horizon() {
    let held = [
        Held { market: 0, put: false, tick: 4, size: 3_000_000 },
        Held { market: 0, put: true, tick: -9, size: 700_000 },
    ];
    let world = world(&held, 600, 0);
    let mut expected = 0.0;
    for Held { put, tick, size, .. } in held {
        let middle = world.markets[0].middle[usize::from(put)].0.to_string().parse::<f64>().unwrap() / 2f64.powi(48);
        let sigma = (middle * 1.1f64.powi(6)).min(2.5);
        let period = 7.0 / 365.0;
        let u = (1.0 + 8.0 / (sigma * sigma * period)).sqrt();
        let strike = 100_000.0 * 1.0125f64.powi(i32::from(tick));
        let yearly = strike * (1.0 / u / period + 0.10 + 0.04 * 0.5);
        let size = size.to_string().parse::<f64>().unwrap();
        expected += size / 1e6 * 250_000.0 * yearly * 6.0 / (24.0 * 365.0);
    }
    let found = (world.health(0).maintenance.0 - 250_000).to_string().parse::<f64>().unwrap();
    assert!((found - expected).abs() <= 1.0 + expected * 1e-9, "{found} {expected}");
    let initial = world.health(0).initial().0;
    assert_eq!(initial, 4 * world.health(0).maintenance.0);
}

/// The worst path: the option stays at the money while volatility rises as fast as it may, and nobody looks for the
/// whole horizon.
#[test]
fn equity_at_the_maintenance_margin_outlasts_the_steepest_rise_of_volatility() {
    let held = [Held { market: 0, put: false, tick: 0, size: 10_000_000 }];
    let mut world = world(&held, 270, 0);
    let health = world.health(0);
    leave(&mut world, health.owed.0 + health.maintenance.0);
    let end = world.now + 6 * 3_600;
    let mut up = false;
    while world.now < end {
        up = !up;
        world.set_price(BTC, if up { 10_950_000 } else { 10_000_000 });
        world.step(300);
    }
    let after = world.health(0);
    assert!(after.equity() >= 0, "{after:?}");
    // The bound is no waste: more than half of it was needed.
    let used = u128::from(after.owed.0 - health.owed.0);
    assert!(used * 2 > u128::from(health.maintenance.0), "{used} of {health:?}");
    assert_eq!(world.liquidate(0, 1).unwrap().written_off, Tokens(0));
}
