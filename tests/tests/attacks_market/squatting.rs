//! Buying worthless options to occupy ladder slots and reserves that others need. A known class: limits on open interest
//! that cost nothing to fill.

use perpetua_client::instruction;
use perpetua_tests::{
    World,
    attacker::{Search, profit},
    world::{call, put},
};

use crate::desk::*;

/// Reserving capital costs at least the rent of 4% a year, whatever the option is worth.
#[test]
fn occupying_reserves_costs_at_least_their_rent() {
    let (mut world, trader, attacker) = world_with_attacker();
    world.run(300, 300);
    let mut search = Search::default();
    for series in [call(20), call(12), call(0), put(-20), put(-12), put(0), call(-28), put(28)] {
        for size in [100_000, 5 * BITCOIN] {
            let mut reserved = 0;
            let earned = profit(&world, &attacker, |world| {
                world.open(&trader, series, size)?;
                reserved = i128::from(world.ledgers().reserves.0);
                world.run(86_400, 1_800);
                world.close(&trader, series, size).map(drop)
            });
            let rent = reserved * 4 / 100 / 365;
            search.note((series, size), earned.map(|earned| earned + rent));
        }
    }
    search.assert_unprofitable(12);
}

/// The attacker holds the smallest position in every strike that he may open, the price runs away by more than a lap of the
/// ladder, and the slots are wanted for the strikes that are near the money now.
#[test]
fn squatted_slots_return_as_soon_as_they_are_far_from_the_money() {
    let (mut world, trader, _) = world_with_attacker();
    let second = world.trader("attacker's other", STAKE);
    let honest = world.trader("honest", STAKE);
    let squatted: Vec<i16> = (-28..=28).step_by(2).collect();
    let mut held = Vec::new();
    for (place, tick) in squatted.iter().enumerate() {
        let (owner, series) = (if place < 16 { trader } else { second }, call(*tick));
        if world.open(&owner, series, 100).is_ok() {
            held.push((owner, series));
        }
    }
    assert!(held.len() >= 20, "{}", held.len());
    // Bitcoin falls to half: every call above tick -16 is more than forty ticks out of the money.
    world.spot[0] = SPOT / 2;
    settle_down(&mut world).unwrap();
    let market = world.markets[0];
    let mut retired = 0;
    for (owner, series) in &held {
        let retire = instruction::retire_far(&world.vault, &owner.account, &market, *series);
        world.crank_first().unwrap();
        match world.chain.send(&[retire]) {
            Ok(_) => retired += 1,
            Err(refusal) => assert_eq!(refusal.name(), "NotFar", "{series:?}"),
        }
    }
    assert!(retired >= 15, "{retired}");
    // Tick 0 shares its slot with tick -64, which is near the money now.
    for tick in [-64, -60, -56, -50, -44] {
        world.open(&honest, call(tick), 10_000).unwrap();
    }
    let everything: Vec<_> = held.iter().map(|(owner, _)| owner.account).collect();
    assert!(everything.iter().all(|account| world.chain.account(account).lamports > 0));
}

/// One attacker cannot fill a side for everybody: filling half of the pool costs the ask at the utilisation that he makes.
#[test]
fn filling_the_limits_and_leaving_again_never_pays() {
    let mut search = Search::default();
    for hold in [0, 60, 3_600, 86_400] {
        let (world, trader, attacker) = world_with_attacker();
        let earned = profit(&world, &attacker, |world: &mut World| {
            for tick in 4..12 {
                while world.open(&trader, call(tick), 3 * BITCOIN).is_ok() {}
            }
            world.run(hold, 300);
            Ok(())
        });
        assert!(earned.clone().is_ok_and(|earned| earned < 0), "{earned:?}");
        search.note(hold, earned);
    }
    search.assert_unprofitable(4);
}
