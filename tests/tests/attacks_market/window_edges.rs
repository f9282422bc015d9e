//! Two updates on both sides of the edge of a price window, at every second of it: the trader sees the second coming while
//! he trades at the first. GMX lost some 565,000 dollars on AVAX in September 2022 to trades without any such width.

use perpetua_tests::attacker::{Search, profit};

use crate::desk::*;

#[test]
fn prices_accepted_within_thirty_seconds_never_pay_at_any_second_of_the_window() {
    let (mut world, trader, attacker) = world_with_attacker();
    world.run(300, 300);
    world.chain.wait(90);
    let mut search = Search::default();
    for series in options(&[-20, 0, 9]) {
        for phase in 0..30 {
            for delay in [1, 10, 29, 30] {
                for bps in [-300, -30, 30, 300] {
                    let earned = profit(&world, &attacker, |world| {
                        world.chain.wait(phase + 1);
                        world.open(&trader, series, BITCOIN)?;
                        world.chain.wait(delay);
                        world.spot[0] = moved(SPOT, bps);
                        world.close(&trader, series, BITCOIN).map(drop)
                    });
                    search.note((series, phase, delay, bps), earned);
                }
            }
        }
    }
    search.assert_unprofitable(2_500);
}

/// Many small steps, each inside a window: the range counts from the last accepted price, so a chain of cranks does not
/// carry a price out of it early.
#[test]
fn cranking_in_between_does_not_make_a_window_forget_sooner() {
    let (mut world, trader, attacker) = world_with_attacker();
    world.run(300, 300);
    world.chain.wait(90);
    let mut search = Search::default();
    for series in options(&[-20, 0]) {
        for phase in 0..30 {
            for cranks in [1, 3, 7, 29] {
                let earned = profit(&world, &attacker, |world| {
                    world.chain.wait(phase + 1);
                    world.open(&trader, series, BITCOIN)?;
                    for _ in 0..cranks {
                        world.chain.wait(30 / (cranks + 1));
                        world.spot[0] = moved(world.spot[0], 100 / cranks);
                        world.crank_first()?;
                    }
                    world.close(&trader, series, BITCOIN).map(drop)
                });
                search.note((series, phase, cranks), earned);
            }
        }
    }
    search.assert_unprofitable(200);
}
