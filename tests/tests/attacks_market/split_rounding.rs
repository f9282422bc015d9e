//! Cutting a trade into many parts, or over many accounts, so that roundings add up in the trader's favour. A known class:
//! amounts that round against the protocol once per part.

use perpetua_tests::{
    Trader,
    attacker::{Attacker, Search, advantage, profit},
    token::ONE,
};

use crate::desk::*;

/// Sizes that add up to `size`, each at least the minimum of 100.
fn parts(size: u64, count: u64) -> Vec<u64> {
    let each = (size / count).max(100);
    let mut parts = vec![each; usize::try_from(count - 1).unwrap()];
    parts.push(size - each * (count - 1));
    parts
}

#[test]
fn no_splitting_of_an_opening_or_a_closing_is_cheaper_than_the_whole() {
    let (world, trader, attacker) = world_with_attacker();
    let mut search = Search::default();
    for series in options(&[-20, -4, 0, 7, 20]) {
        for size in [1_000, 1_001, 9_973, 100_003, 1_000_000] {
            for (opens, closes) in [(2, 1), (1, 2), (5, 1), (1, 5), (9, 9), (10, 3)] {
                let earned = advantage(
                    &world,
                    &attacker,
                    |world| {
                        for part in parts(size, opens) {
                            world.open(&trader, series, part)?;
                        }
                        for part in parts(size, closes) {
                            world.close(&trader, series, part)?;
                        }
                        Ok(())
                    },
                    |world| {
                        world.open(&trader, series, size)?;
                        world.close(&trader, series, size).map(drop)
                    },
                );
                search.note((series, size, opens, closes), earned);
            }
        }
    }
    search.assert_unprofitable(250);
}

#[test]
fn nor_is_splitting_over_many_accounts() {
    let mut world = perpetua_tests::World::new();
    let traders: Vec<Trader> = (0..8).map(|number| world.trader(&format!("attacker {number}"), 100 * ONE)).collect();
    let attacker = Attacker::trading(&traders);
    let mut search = Search::default();
    for series in options(&[-12, 0, 12]) {
        for size in [800, 801, 80_007, 800_001] {
            for count in [2u64, 3, 8] {
                let split = |world: &mut perpetua_tests::World| {
                    let parts = parts(size, count);
                    for (trader, part) in traders.iter().zip(&parts) {
                        world.open(trader, series, *part)?;
                    }
                    for (trader, part) in traders.iter().zip(&parts) {
                        world.close(trader, series, *part)?;
                    }
                    Ok(())
                };
                let whole = |world: &mut perpetua_tests::World| {
                    world.open(&traders[0], series, size)?;
                    world.close(&traders[0], series, size).map(drop)
                };
                search.note((series, size, count), advantage(&world, &attacker, split, whole));
            }
        }
    }
    search.assert_unprofitable(60);
}

/// Where utilisation is dear, the premium of one part makes the pool larger for the next: that may cheapen the parts, but
/// never below what closing returns.
#[test]
fn above_the_kink_of_utilisation_a_split_round_trip_still_loses() {
    let (mut world, trader, attacker) = world_with_attacker();
    let crowd = world.trader("crowd", 4_000 * ONE);
    for tick in -6..1 {
        for series in options(&[tick]) {
            // Refused once a limit is reached.
            let _ = world.open(&crowd, series, 8 * BITCOIN);
        }
    }
    let used = world.ledgers().reserves.0 * 100 / world.ledgers().main.assets.0;
    assert!((60..85).contains(&used), "{used}% is reserved");
    let mut search = Search::default();
    for series in options(&[4, 8, 12]) {
        for count in [1, 2, 4, 8] {
            let earned = profit(&world, &attacker, |world| {
                for part in parts(4 * BITCOIN, count) {
                    world.open(&trader, series, part)?;
                }
                world.close(&trader, series, 4 * BITCOIN).map(drop)
            });
            search.note((series, count), earned);
        }
    }
    search.assert_unprofitable(12);
}
