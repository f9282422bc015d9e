//! What an audit found: each was a hole once.
mod common;

use common::*;
use perpetua_model::{pricing::*, *};

/// Collected funding must not count twice: once as an asset, once in a mark taken before.
#[test]
fn collecting_funding_after_a_mark_does_not_raise_what_leaving_pays() {
    for kind in KINDS {
        let mut world = World::new(2, 2);
        world.open(0, key(0, Side::Call, 0), 1_000_000).unwrap();
        world.step(0);
        for _ in 0..72 {
            world.step(3_600);
        }
        let before = world.value(kind).unwrap();
        world.settle_funding(0).unwrap();
        let after = world.vault.net_asset_value(kind, world.markets.iter(), world.slot);
        match after {
            Err(ModelError::MarkStale) => {}
            Ok(after) => assert!(after.high.0 <= before.high.0 + 2, "{kind:?}"),
            Err(error) => panic!("{error:?}"),
        }
    }
}

/// The same with a liquidation that calls in the funding of a market in which it closes nothing.
#[test]
fn calling_in_funding_by_a_liquidation_voids_the_marks() {
    let mut world = World::new(2, 2);
    world.open(0, key(0, Side::Call, 0), 10_000_000).unwrap();
    world.open(0, key(1, Side::Call, 0), 10_000_000).unwrap();
    let mut hours = 0;
    let free = world.accounts[0].collateral.0 - world.health(0).initial().0 - 10;
    world.withdraw(0, free).unwrap();
    while !world.health(0).is_liquidatable() && hours < 2_000 {
        world.step(3_600);
        hours += 1;
    }
    world.value(PoolKind::Main).unwrap();
    world.liquidate(0, 1).unwrap();
    assert!(world.markets.iter().all(|market| !market.mark.is_fresh(world.slot)));
}

/// Whoever settles a stranger's funding often must not make him pay more than once.
#[test]
fn settling_often_costs_no_more_than_settling_once() {
    let mut often = World::new(1, 1);
    often.open(0, key(0, Side::Call, 0), 100).unwrap();
    let mut once = often.clone();
    let start = often.accounts[0].collateral.0;
    for _ in 0..600 {
        often.step(1);
        let _ = often.settle_funding(0);
        once.step(1);
    }
    once.settle_funding(0).unwrap();
    let (many, one) = (start - often.accounts[0].collateral.0, start - once.accounts[0].collateral.0);
    assert!(many <= one + 1, "{many} against {one}");
}

/// The update that ends an outage is one of many; whoever posts the next one first must not hide the outage.
#[test]
fn an_outage_counts_though_a_later_update_came_first() {
    let mut world = World::new(1, 1);
    let index = &mut world.indices[0];
    let (start, end) = (world.now, world.now + 8 * 3_600);
    // The first update after eight hours, and one a second later that a pool owner posts before it.
    let first = update(10_000_000, 2, end, start);
    let second = update(10_000_000, 2, end + 1, end);
    index.accept(&second, end + 1).unwrap();
    let _ = index.accept(&first, end + 1);
    assert!(index.outage_seconds >= 8 * 3_600 - 1);
    assert!(index.read(end + 1, 60).unwrap().conditions.has(Condition::Grace));
}

/// The one update that proves a variance sample must not be lost to another that was posted a second earlier.
#[test]
fn a_sample_is_taken_though_a_later_update_came_first() {
    let mut world = World::new(1, 1);
    let index = &mut world.indices[0];
    let mark = (world.now / 300 + 1) * 300;
    index.accept(&update(10_000_000, 2, mark + 1, mark), mark + 1).unwrap();
    let _ = index.accept(&update(10_000_000, 2, mark, mark - 1), mark + 1);
    assert_eq!(index.sample_mark, mark / 300);
}

/// A withdrawal for which there was no capacity is not one that nobody executed.
#[test]
fn a_withdrawal_without_capacity_keeps_its_place() {
    let mut world = World::new(1, 1);
    let shares = world.vault.main.shares.0;
    let ticket = world.request(PoolKind::Main, shares).unwrap();
    world.vault.reserves = Tokens(world.vault.main.assets.0 * 85 / 100);
    world.step(3 * 86_400 + 1);
    world.step(86_401);
    assert_eq!(world.vault.exit_capacity(PoolKind::Main).unwrap(), Tokens::ZERO);
    let done = world.execute(ticket);
    assert_ne!(done, Ok(Execution::Returned));
}

/// A price that is too old to trade at is too old to leave a pool at.
#[test]
fn a_mark_needs_a_price_as_fresh_as_a_trade() {
    let mut world = World::new(1, 1);
    world.open(0, key(0, Side::Call, 0), 1_000_000).unwrap();
    world.advance(3_600);
    // Nobody cranked since; an update of 55 seconds ago is still taken in.
    world.now += 61;
    world.slot += 150;
    let old = update(10_000_000, 2, world.now - 55, world.now - 56);
    assert_eq!(world.indices[0].accept(&old, world.now), Ok(true));
    world.crank(0).unwrap();
    let (now, slot) = (world.now, world.slot);
    let index = world.indices[0];
    let mark = world.markets[0].mark(&index, Moment { now, slot });
    assert!(mark.is_err());
}

/// Mechanism section 8: no opening in the half hour after a long outage, since funding waits.
#[test]
fn nobody_opens_during_the_grace_period() {
    let mut conditions = Conditions::NORMAL;
    conditions = conditions.with(Condition::Grace, true);
    assert!(conditions.allow(Action::Open).is_err());
}
