//! Moving the thin feed that runs day and night: Hyperliquid's vault was some twelve million dollars down in March 2025 to a
//! trader who moved the spot price of JELLY. Here that feed only ever tightens what closers get.

use perpetua_tests::{
    World,
    attacker::{Search, advantage, profit},
    parameters::stock_parameters_with_token_feed,
    price::usd,
    stock::{NEXT_BELL, SESSION_ENDS},
    world::{call, put},
};

use crate::desk::*;

fn token_at(bps: i64) -> Option<i64> {
    Some(usd(400) + usd(400) * bps / 10_000)
}

#[test]
fn a_moved_token_feed_pays_no_closer_more() {
    let (mut world, trader, attacker) = with_attacker(World::with_stock(0, stock_parameters_with_token_feed()));
    let series = [call(-8), put(8)];
    for option in series {
        world.open(&trader, option, BITCOIN).unwrap();
    }
    let session = world.clone();
    world.run(SESSION_ENDS - world.chain.now(), 300);
    world.run(NEXT_BELL - 7_200 - world.chain.now(), 1_800);
    let mut search = Search::default();
    for (name, world) in [("session", session), ("night", world)] {
        for bps in [-4_000, -2_400, -1_000, -100, 100, 1_000, 2_400, 9_000] {
            for wait in [1, 10, 600] {
                let close = |bps: i64| {
                    move |world: &mut World| {
                        world.token = token_at(bps);
                        world.chain.wait(wait);
                        world.crank_first()?;
                        for option in series {
                            world.close(&trader, option, BITCOIN)?;
                        }
                        Ok(())
                    }
                };
                // The control closes with the feed where the share is.
                search.note((name, bps, wait), advantage(&world, &attacker, close(bps), close(0)));
            }
        }
    }
    search.assert_unprofitable(40);
}

#[test]
fn nor_does_opening_at_a_moved_feed_pay() {
    let (world, trader, attacker) = with_attacker(World::with_stock(0, stock_parameters_with_token_feed()));
    let mut search = Search::default();
    for bps in [-2_400, -1_000, -100, 0, 100, 1_000, 2_400] {
        for option in [call(-8), call(0), put(0), put(8)] {
            for (hold, restored) in [(1, true), (30, true), (300, true), (300, false)] {
                let earned = profit(&world, &attacker, |world| {
                    world.token = token_at(bps);
                    world.open(&trader, option, BITCOIN)?;
                    if restored {
                        world.token = token_at(0);
                    }
                    world.chain.wait(hold);
                    world.close(&trader, option, BITCOIN).map(drop)
                });
                search.note((bps, option, hold), earned);
            }
        }
    }
    search.assert_unprofitable(100);
}
