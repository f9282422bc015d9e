//! Opening and closing at once, or soon, again and again: KiloEx lost 7.5 million dollars in April 2025 to a position that
//! was opened and closed in one transaction at two prices. Here the price stays, and no size, strike or delay brings back
//! more than was paid.

use perpetua_tests::attacker::{Search, profit};

use crate::desk::*;

#[test]
fn no_round_trip_at_one_price_returns_more_than_it_cost() {
    let (world, trader, attacker) = world_with_attacker();
    let mut search = Search::default();
    for series in options(&[-28, -20, -10, -3, -1, 0, 1, 4, 12, 20, 28]) {
        for size in [100, 101, 333, 9_999, 1_000_000, 3_999_999] {
            for wait in [0, 1, 29, 30, 31, 300, 3_000] {
                let earned = profit(&world, &attacker, |world| {
                    world.open(&trader, series, size)?;
                    if wait > 0 {
                        world.chain.wait(wait);
                    }
                    world.close(&trader, series, size).map(drop)
                });
                search.note((series, size, wait), earned);
            }
        }
    }
    search.assert_unprofitable(500);
}

#[test]
fn churning_in_one_transaction_loses_each_time() {
    let (world, trader, attacker) = world_with_attacker();
    let mut search = Search::default();
    for series in options(&[-12, 0, 12]) {
        for rounds in 1..6 {
            let earned = profit(&world, &attacker, |world| {
                let fresh = update(world, SPOT, world.chain.now());
                let mut instructions = vec![crank_of(world, "attacker's price", &fresh)];
                for _ in 0..rounds {
                    instructions.push(opening(world, &trader, series, BITCOIN));
                    instructions.push(closing(world, &trader, series, BITCOIN));
                }
                world.chain.send_with_full_budget(&instructions).map(drop)
            });
            assert!(earned.is_err() || earned < Ok(-i128::from(rounds)), "{series:?} {rounds} times: {earned:?}");
            search.note((series, rounds), earned);
        }
    }
    search.assert_unprofitable(25);
}
