//! Opening big before somebody else's trade, so that utilisation makes it dearer, and closing after it: a sandwich. A known
//! class of makers whose quote depends on how much of the pool is in use.

use perpetua::Pool;
use perpetua_tests::{
    Failure, World,
    attacker::{Attacker, Search, advantage, profit},
    token::ONE,
    world::{call, put},
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
            for size in [4, 16] {
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
    search.assert_unprofitable(90);
}

/// The victim names no limit, the worst case; the attacker owns a part of the pool that the victim overpays.
fn sandwiched(share_percent: u64) -> (World, Attacker, perpetua_tests::Trader, perpetua_tests::Trader) {
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

#[test]
fn sandwiching_an_opening_without_a_limit_never_pays_a_trader() {
    let mut search = Search::default();
    for share in [0, 10, 50, 80] {
        let (world, attacker, trader, victim) = sandwiched(share);
        let scale = world.ledgers().main.assets.0 / (20_000 * ONE);
        for bought in [call(0), put(4)] {
            for fill in [1, 3, 5] {
                let trade = |pumps: u64| {
                    move |world: &mut World| -> Result<(), Failure> {
                        for tick in 0..pumps {
                            let tick = i16::try_from(tick).unwrap() + 5;
                            for series in [call(tick), put(-tick)] {
                                world.open(&trader, series, scale * 12 * BITCOIN)?;
                            }
                        }
                        world.open(&victim, bought, scale * 5 * BITCOIN)?;
                        for tick in 0..pumps {
                            let tick = i16::try_from(tick).unwrap() + 5;
                            for series in [call(tick), put(-tick)] {
                                world.close(&trader, series, scale * 12 * BITCOIN)?;
                            }
                        }
                        Ok(())
                    }
                };
                let earned = advantage(&world, &attacker, trade(fill), trade(0));
                println!("{share} {bought:?} {fill}: {earned:?}");
                search.note((share, bought, fill), earned);
            }
        }
    }
    search.assert_unprofitable(12);
}
