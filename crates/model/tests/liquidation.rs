//! Liquidation: only when due, no more than due, and every token of it accounted for.

mod common;

use common::*;
use perpetua_model::{
    pricing::{Side, Usd},
    *,
};
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

/// `q / 10^6 X (K sigma_cap / sqrt(8 T) + carry K + rent c K) h`, and a dollar of fee, from the published formula in floats.
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
        let period: f64 = 7.0 / 365.0;
        let strike = 100_000.0 * 1.0125f64.powi(i32::from(tick));
        let yearly = strike * (sigma / (8.0 * period).sqrt() + 0.10 + 0.04 * 0.5);
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

/// Why nobody can be liquidated in the second market.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Frozen {
    Silent,
    Diverged,
    Grace,
    StockStale,
    MultiplierChanging,
}

const FROZEN: [(Frozen, ModelError); 5] = [
    (Frozen::Silent, ModelError::PriceStale),
    (Frozen::Diverged, ModelError::PriceFarFromAverage),
    (Frozen::Grace, ModelError::RecoveringFromOutage),
    (Frozen::StockStale, ModelError::StockPriceStale),
    (Frozen::MultiplierChanging, ModelError::MultiplierChanging),
];

/// Account 0 with these positions in a quanto market on bitcoin and a dollar market on ether, which freezes.
fn partly_frozen(held: &[Held], seconds: i64, frozen: Frozen) -> World {
    let mut world = World::with_markets(2, &[&market_config, &dollar_config], IN_SESSION);
    world.deposit(0, 1_000_000_000_000).unwrap();
    for Held { market, put, tick, size } in held {
        let before = world.clone();
        if world.open(0, key(*market, side(*put), *tick), *size).is_err() {
            world = before;
        }
    }
    world.step(seconds);
    freeze(&mut world, frozen);
    world
}

/// Ten minutes and more pass for bitcoin as usual and for the second market as `frozen` says.
fn freeze(world: &mut World, frozen: Frozen) {
    world.advance(640);
    world.crank_all();
    let wait = if frozen == Frozen::Grace { 700 } else { 61 };
    (world.now, world.slot) = (world.now + wait, world.slot + 2_000);
    let [bitcoin, ether] = world.cents;
    let of = |cents| update(cents, 2, world.now, world.now - 1);
    let now = world.now;
    let ether = match frozen {
        Frozen::Silent => None,
        Frozen::Diverged => Some(PriceUpdate { average: Usd::from_cents(ether * 9 / 10), ..of(ether) }),
        Frozen::Grace => Some(update(ether, 2, now, now - 700)),
        Frozen::StockStale | Frozen::MultiplierChanging => Some(of(ether)),
    };
    world.indices[BTC].accept(&of(bitcoin), now).unwrap();
    ether.map(|update| world.indices[ETH].accept(&update, now).unwrap());
    match frozen {
        Frozen::StockStale => world.share_cents = None,
        Frozen::MultiplierChanging => {
            world.mint = ScaledUi { next: 3f64.to_bits(), next_from: now + 600, ..world.mint }
        }
        _ => {}
    }
    world.crank(BTC).unwrap();
    assert_eq!(world.crank(ETH).is_err(), frozen == Frozen::Silent);
}

/// What account 0's positions in a market owe, raw units Q64.64.
fn owed_in(world: &World, market: u8) -> u128 {
    let owed = |position: &Position| {
        let series = world.markets[usize::from(market)].series(position.key().side, position.tick).unwrap().1;
        u128::from(position.size.0) * (series.index().0 - position.entry().0)
    };
    world.accounts[0]
        .open_positions()
        .filter(|(_, position)| position.market == market)
        .map(|(_, held)| owed(held))
        .sum()
}

fn positions_in(world: &World, market: u8) -> Vec<(SeriesKey, Size)> {
    let all = world.accounts[0].open_positions().filter(|(_, position)| position.market == market);
    all.map(|(_, position)| (position.key(), position.size)).collect()
}

proptest! {
    #![proptest_config(cases(10_000))]

    /// Its positions stay, what they owe and require counts, and no token of it all is forgotten: neither in the market that
    /// is frozen nor in the account's debt, now or when the market is back.
    #[test]
    fn a_frozen_market_neither_loses_its_positions_nor_hides_what_an_account_owes(
        positions in prop::collection::vec(held(), 1..8),
        // Within the first day's session or the Monday's after it.
        seconds in prop_oneof![1..10_000i64, 259_200..269_200i64],
        (frozen, reason) in prop::sample::select(FROZEN.to_vec()), part in 0..1_000u64,
    ) {
        let positions: Vec<_> = positions.into_iter().map(|held| Held { market: held.market % 2, ..held }).collect();
        let mut world = partly_frozen(&positions, seconds, frozen);
        prop_assume!(world.accounts[0].open_positions().next().is_some());
        let health = world.health(0);
        let threshold = health.owed.0 + health.maintenance.0;
        let mut healthy = world.clone();
        leave(&mut healthy, threshold);
        let refusal = if positions_in(&world, 0).is_empty() { reason } else { ModelError::AccountHealthy };
        prop_assert_eq!(healthy.liquidate(0, 1), Err(refusal));

        leave(&mut world, u64::try_from(u128::from(threshold - 1) * u128::from(part) / 999).unwrap());
        let before = world.clone();
        if positions_in(&world, 0).is_empty() {
            prop_assert_eq!(world.liquidate(0, 1), Err(reason));
            return Ok(());
        }
        let report = world.liquidate(0, 1).unwrap();
        world.check();
        prop_assert_eq!(positions_in(&world, 1), positions_in(&before, 1), "they stay");
        let (open, after) = (positions_in(&world, 0), world.health(0));
        // What may have come due unseen in the silent market is not counted on, as it is not for being liquidated.
        prop_assert!(open.is_empty() || after.equity() >= i128::from(after.initial().0), "{after:?}");
        prop_assert!(report.written_off == Tokens(0) || positions_in(&world, 1).is_empty());

        // What was owed was paid, is owed by the frozen positions still, is the account's debt, or is written off.
        let called_in: u64 = before.accounts[0].open_positions().filter(|(_, position)| position.market == 0).map(|(_, position)| {
            let series = before.markets[0].series(position.key().side, position.tick).unwrap().1;
            let exact = u128::from(position.size.0) * (series.index().0 - position.entry().0);
            u64::try_from(exact.div_ceil(1 << 64)).unwrap()
        }).sum();
        let paid_by_frozen = owed_in(&before, 1) - owed_in(&world, 1);
        let settled = i128::from(called_in) - i128::from(report.written_off.0) - i128::from(world.accounts[0].debt.0);
        let paid = u128::try_from(i128::from(report.funding.0) - settled).unwrap();
        // An entry is rounded down, so that a position never owes less for having paid.
        prop_assert!(paid_by_frozen <= paid << 64 && (paid << 64) - paid_by_frozen < 1 << 50);
        let kept = positions_in(&world, 1).len();
        prop_assert!(
            world.accounts[0].collateral == Tokens(0) || owed_in(&world, 1) >> 64 < u128::try_from(kept.max(1)).unwrap(),
            "whole units are collected from them too",
        );
        if world.accounts[0].debt.0 > 0 {
            prop_assert!(open.is_empty(), "a debt remains only when nothing is left to pay it with");
            prop_assert_eq!(world.accounts[0].collateral, Tokens(0));
        }
        let penalty = report.keeper_reward.0 + report.insurance_reward.0;
        let (left, had) = (world.accounts[0].collateral.0, before.accounts[0].collateral.0);
        prop_assert_eq!(penalty + left + report.funding.0, report.proceeds.0 + had);

        // The market is back: what is owed is paid from what its options are worth, and only the rest is written off.
        world.share_cents = Some(SHARE_CENTS);
        world.mint = ScaledUi::NONE;
        for _ in 0..7 {
            world.step(300);
        }
        let before = world.clone();
        if world.liquidate(0, 1).is_ok() {
            world.check();
            let after = world.health(0);
            let left = world.accounts[0].open_positions().count();
            prop_assert!(left == 0 || after.require_initial().is_ok());
            prop_assert_eq!(world.accounts[0].debt, Tokens(0));
        } else {
            prop_assert!(!before.health(0).is_liquidatable(), "nobody escapes");
            prop_assert_eq!(before.accounts[0].debt.0 == 0 || before.health(0).equity() >= 0, true);
        }
    }
}

/// Dust in a market that falls silent, and an option that owes more than it is worth in another.
fn with_dust_and_debt() -> World {
    let mut world = World::new(2, 2);
    world.step(30);
    world.open(0, key(0, Side::Call, 20), 1_000_000).unwrap();
    world.open(0, key(1, Side::Call, 0), 2_000).unwrap();
    for _ in 0..12 {
        world.step(3 * 3_600);
    }
    world.set_price(BTC, 6_000_000);
    for _ in 0..4 {
        world.step(300);
    }
    leave(&mut world, 0);
    freeze(&mut world, Frozen::Silent);
    world
}

fn with_debt() -> World {
    let mut world = with_dust_and_debt();
    let owed = world.health(0).owed.0;
    let report = world.liquidate(0, 1).unwrap();
    let debt = world.accounts[0].debt.0;
    assert!(debt > 0 && report.written_off == Tokens(0), "nobody escapes by dust in a silent market");
    assert_eq!((positions_in(&world, 0), positions_in(&world, 1).len()), (vec![], 1));
    // The dust's own is rounded up once in one and once in the other.
    assert!((report.funding.0 + world.health(0).owed.0).abs_diff(owed) <= 1);
    world.check();
    world
}

#[test]
fn a_debt_counts_as_owed_and_bars_withdrawing_and_opening_and_leaving() {
    let mut world = with_debt();
    let debt = world.accounts[0].debt.0;
    assert!(world.health(0).owed.0 >= debt && world.health(0).is_liquidatable());
    world.deposit(0, debt + 1_000_000).unwrap();
    assert_eq!(world.withdraw(0, 1).err(), Some(ModelError::BelowInitialMargin));
    assert_eq!(world.clone().open(0, key(0, Side::Put, -20), 1_000).err(), Some(ModelError::BelowInitialMargin));
    assert!(!world.accounts[0].is_empty());
}

#[test]
fn a_debt_is_repaid_before_anything_else() {
    let mut world = with_debt();
    let (debt, dust) = (world.accounts[0].debt.0, owed_in(&world, 1));
    let pool = world.vault.main.assets.0;
    world.deposit(0, debt / 2).unwrap();
    assert_eq!(world.settle_funding(0), Ok(Tokens(debt / 2)));
    assert_eq!((world.accounts[0].debt.0, owed_in(&world, 1)), (debt - debt / 2, dust));
    assert!(world.vault.main.assets.0 - pool >= debt / 2 * 8 / 10, "as funding is split");
    world.deposit(0, debt).unwrap();
    let collected = world.settle_funding(0).unwrap().0;
    assert_eq!(world.accounts[0].debt, Tokens(0));
    assert_eq!(u128::from(collected - (debt - debt / 2)), dust >> 64);
    world.check();
}

#[test]
fn what_the_last_position_pays_goes_to_the_debt_and_only_the_rest_is_written_off() {
    for liquidated in [true, false] {
        let mut world = with_debt();
        let debt = world.accounts[0].debt.0;
        world.step(300);
        let pools =
            |world: &World| world.vault.main.assets.0 + world.vault.insurance.assets.0 + world.vault.protocol_fees.0;
        let before = pools(&world);
        let kept = if liquidated {
            let report = world.liquidate(0, 1).unwrap();
            assert!(
                report.proceeds.0 > 0 && report.written_off.0 > 0 && report.written_off.0 < debt + report.proceeds.0
            );
            report.keeper_reward.0
        } else {
            world.close(0, key(1, Side::Call, 0), 2_000).unwrap();
            0
        };
        assert_eq!((world.accounts[0].debt, world.accounts[0].collateral), (Tokens(0), Tokens(0)), "{liquidated}");
        assert!(world.accounts[0].is_empty());
        assert_eq!(pools(&world), before - kept, "the pools keep all that the option paid");
        world.check();
    }
}

#[test]
fn a_price_that_is_only_too_old_to_trade_at_must_be_renewed_and_hides_nothing() {
    let positions = [
        Held { market: 0, put: false, tick: 0, size: 1_000_000 },
        Held { market: 1, put: true, tick: 0, size: 1_000_000 },
    ];
    let mut world = world(&positions, 600, 0);
    leave(&mut world, 1);
    (world.now, world.slot) = (world.now + 30, world.slot + 75);
    let [bitcoin, _] = world.cents;
    world.indices[BTC].accept(&update(bitcoin, 2, world.now, world.now - 1), world.now).unwrap();
    world.crank(BTC).unwrap();
    assert_eq!(world.liquidate(0, 1), Err(ModelError::MarketNotAccrued));
    world.crank(ETH).unwrap();
    assert_eq!(world.liquidate(0, 1), Err(ModelError::PriceStale));
    world.publish();
    world.crank_all();
    assert!(world.liquidate(0, 1).is_ok());
}

#[test]
fn a_frozen_account_is_refused_with_its_reason() {
    for (frozen, reason) in FROZEN {
        let mut world = partly_frozen(&[Held { market: 1, put: true, tick: 0, size: 1_000_000 }], 600, frozen);
        leave(&mut world, 0);
        assert_eq!(world.liquidate(0, 1), Err(reason));
    }
}

#[test]
fn a_liquidation_while_the_exchange_is_closed_pays_dollars_less_the_haircut() {
    let mut world = World::dollar(2);
    world.open(0, key(0, Side::Put, 0), 1_000_000).unwrap();
    world.step(8 * 3_600);
    leave(&mut world, 0);
    let report = world.liquidate(0, 1).unwrap();
    let market = &world.markets[0];
    let curve = market.config.curve(Side::Put, market.bid_volatility(Side::Put)).unwrap();
    let spot = world.indices[BTC].read(world.now, 10).unwrap().high;
    let value = curve.value(spot, Usd::from_integer(100_000)).value(pricing::Rounding::Down);
    let sold = u128::from(1_000_000 - world.accounts[0].positions[0].size.0);
    // A dollar was 250,000 units at the last price.
    let expected = ((value.bits() >> 32) * 237_500 / 1_000_000 * sold) >> 32;
    assert!(u128::from(report.proceeds.0).abs_diff(expected) <= expected / 100_000, "{} {expected}", report.proceeds.0);
    world.check();
}
