//! Opening big before somebody else's trade, so that utilisation makes it dearer, and closing after it: a sandwich. A known
//! class of makers whose quote depends on how much of the pool is in use.

use perpetua::Pool;
use perpetua_tests::{
    Failure, Trader, World,
    attacker::{Attacker, Search, advantage, profit},
    parameters::UNITS_PER_USD,
    token::ONE,
    world::{MAIN_POOL, call, put},
};

use crate::desk::*;

#[test]
fn opening_big_and_closing_in_one_transaction_never_pays() {
    let (world, trader, attacker) = world_with_attacker();
    let other = world.clone().trader("attacker's other", 10 * STAKE);
    let mut world = world;
    world.trader("attacker's other", 10 * STAKE);
    let attacker = Attacker::trading(&[attacker.traders[0], other]);
    let mut search = Search::default();
    for big in options(&[0, 6]) {
        for small in options(&[-6, 0, 6]) {
            for size in [4, 12] {
                for inside in [false, true] {
                    let earned = profit(&world, &attacker, |world| {
                        let fresh = update(world, SPOT, world.chain.now());
                        let crank = crank_of(world, "attacker's price", &fresh);
                        let pump = opening(world, &other, big, size * BITCOIN);
                        let unpump = closing(world, &other, big, size * BITCOIN);
                        let (open, close) =
                            (opening(world, &trader, small, BITCOIN), closing(world, &trader, small, BITCOIN));
                        let order = if inside { [pump, open, close, unpump] } else { [open, pump, close, unpump] };
                        let all = [&[crank][..], &order].concat();
                        world.chain.send_with_full_budget(&all).map(drop)
                    });
                    search.note((big, small, size, inside), earned);
                }
            }
        }
    }
    search.assert_unprofitable(80);
}

/// The victim names no limit, the worst case; the attacker owns a part of the pool that the victim overpays.
fn sandwiched(share_percent: u64) -> (World, Attacker, Trader, Trader) {
    let mut world = World::new();
    let (trader, victim) = (world.trader("attacker", 20 * STAKE), world.trader("victim", 20 * STAKE));
    let pool = world.ledgers().main.assets.0;
    // `share` of the whole pool: what he adds grows the pool too.
    let deposit = pool / 100 * share_percent / (100 - share_percent) * 100;
    let provider = world.provider("attacker", world.vault, deposit.max(ONE));
    let markets = world.markets.clone();
    world.mark(&markets).unwrap();
    if share_percent > 0 {
        world.chain.send(&[world.join(&provider, &markets, Pool::Main, deposit, 0)]).unwrap();
    }
    (world, Attacker::new(&[trader], &[provider]), trader, victim)
}

/// A sandwich of `fill` calls and as many puts from `far` ticks out of the money around what the victim does. Options far out
/// of the money reserve as much as any and cost least to buy and sell: the cheapest pump.
fn sandwich<'a>(
    trader: &'a Trader,
    (far, fill): (i16, i16),
    size: u64,
    victim: impl FnOnce(&mut World) -> Result<(), Failure> + 'a,
) -> impl FnOnce(&mut World) -> Result<(), Failure> + 'a {
    let pumps = move || (far..far + fill).flat_map(|tick| [call(tick), put(-tick)]);
    move |world| {
        for series in pumps() {
            world.open(trader, series, size)?;
        }
        victim(world)?;
        for series in pumps() {
            world.close(trader, series, size)?;
        }
        Ok(())
    }
}

/// What the best sandwich earns an owner of a part of the pool, beyond what its share of the victim's trade earns him anyhow.
fn best_sandwich(share_percent: u64) -> Search {
    let (world, attacker, trader, victim) = sandwiched(share_percent);
    let scale = world.ledgers().main.assets.0 / MAIN_POOL;
    let mut search = Search::default();
    for far in [3, 14, 20] {
        for bought in [call(0), put(4), call(-20)] {
            for fill in [3, 4, 5] {
                let buy = |world: &mut World| world.open(&victim, bought, scale * 5 * BITCOIN).map(drop);
                let attack = sandwich(&trader, (far, fill), scale * 11 * BITCOIN, buy);
                search.note((far, bought, fill), advantage(&world, &attacker, attack, buy));
            }
        }
    }
    search
}

#[test]
fn sandwiching_an_opening_pays_nobody_who_owns_less_than_half_of_the_pool() {
    for share in [0, 10, 30, 45] {
        best_sandwich(share).assert_unprofitable(8);
    }
}

/// Who owns most of the pool sets its prices: the spread that he pays is his own. From a victim who names no limit he gains at
/// most a hundredth of the notional (docs/mechanism.md, known limits).
#[test]
fn the_owner_of_nearly_all_of_the_pool_gains_less_than_a_hundredth_of_a_victims_notional() {
    for share in [50, 80, 95] {
        let best = best_sandwich(share).best();
        let notional = i128::from(MAIN_POOL / (100 - share) * 100 / MAIN_POOL * 5 * UNITS_PER_USD) * i128::from(SPOT);
        assert!(best.is_some_and(|best| best > 0 && best < notional / 100), "{share}%: {best:?} of {notional}");
    }
}

#[test]
fn a_victim_who_names_a_limit_is_not_sandwiched() {
    let mut search = Search::default();
    for share in [50, 80, 95] {
        let (world, attacker, trader, victim) = sandwiched(share);
        let size = world.ledgers().main.assets.0 / MAIN_POOL * BITCOIN;
        for bought in [call(0), put(4), call(-20)] {
            let fair = {
                let mut world = world.clone();
                let held = world.margin(&victim).collateral.0;
                world.open(&victim, bought, 5 * size).unwrap();
                held - world.margin(&victim).collateral.0
            };
            // Half a percent above what it cost before.
            let buy = |world: &mut World| world.open_in(&victim, 0, bought, 5 * size, fair + fair / 200).map(drop);
            let attack = sandwich(&trader, (20, 5), 11 * size, |world| {
                // Refused where the attacker made it dearer than that.
                let _ = buy(world);
                Ok(())
            });
            search.note((share, bought), advantage(&world, &attacker, attack, buy));
        }
    }
    search.assert_unprofitable(9);
}
