//! Trading at the oldest update that is still accepted while another venue already shows the next: the latency arbitrage
//! that Synthetix suffered from in 2019, and what keepers of Flat Money could do (Sherlock 2023-12, issue 194).

use perpetua_tests::{
    World,
    attacker::{Search, advantage, profit},
};

use crate::desk::*;

/// Moves that a ten seconds old price may be behind without paying, in hundredths of a percent, by how many ticks the strike is
/// from the money. Just above them the attack pays (docs/mechanism.md, known limits). At 60% of volatility one standard
/// deviation of ten seconds is 0.034%.
const COVERED: [(i16, i64); 4] = [(28, 16), (20, 17), (12, 21), (0, 48)];

#[test]
fn an_old_update_does_not_pay_for_moves_that_width_spread_and_fees_cover() {
    let (mut world, trader, attacker) = world_with_attacker();
    world.run(300, 300);
    world.chain.wait(90);
    let mut search = Search::default();
    for (tick, covered) in COVERED {
        for series in options(&[-tick, tick]) {
            for bps in [1, 5, 10, covered / 2, covered].into_iter().flat_map(|bps| [-bps, bps]) {
                for age in [0, 1, 2, 5, 10] {
                    let earned = profit(&world, &attacker, |world| {
                        let old = update(world, SPOT, world.chain.now() - age);
                        let crank = crank_of(world, "old", &old);
                        let open = opening(world, &trader, series, BITCOIN);
                        world.chain.send_with_full_budget(&[crank, open])?;
                        world.spot[0] = moved(SPOT, bps);
                        settle_down(world)?;
                        world.close(&trader, series, BITCOIN).map(drop)
                    });
                    search.note((series, bps, age), earned);
                }
            }
        }
    }
    search.assert_unprofitable(600);
}

/// A holder closes at the old price when the market has moved against him, and buys back at the new one: against one who held on,
/// the round trip costs more than the move.
#[test]
fn closing_at_an_old_update_and_buying_back_pays_no_more_than_holding_on() {
    let (mut world, trader, attacker) = world_with_attacker();
    world.run(300, 300);
    let mut search = Search::default();
    for (tick, covered) in COVERED {
        for series in options(&[-tick, tick]) {
            let mut world = world.clone();
            if world.open(&trader, series, BITCOIN).is_err() {
                continue;
            }
            world.chain.wait(90);
            for bps in [5, covered / 2, covered].into_iter().flat_map(|bps| [-bps, bps]) {
                for age in [0, 1, 5, 10] {
                    let hold_on = |world: &mut World| {
                        world.spot[0] = moved(SPOT, bps);
                        settle_down(world)?;
                        settle_down(world)
                    };
                    let roll = |world: &mut World| {
                        let old = update(world, SPOT, world.chain.now() - age);
                        let crank = crank_of(world, "old", &old);
                        let close = closing(world, &trader, series, BITCOIN);
                        world.chain.send_with_full_budget(&[crank, close])?;
                        world.spot[0] = moved(SPOT, bps);
                        settle_down(world)?;
                        world.open(&trader, series, BITCOIN)?;
                        settle_down(world)
                    };
                    search.note((series, bps, age), advantage(&world, &attacker, roll, hold_on));
                }
            }
        }
    }
    search.assert_unprofitable(140);
}
