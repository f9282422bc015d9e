//! Joining just before the pool earns something and taking the gain out just after.
//!
//! Tokemak, sherlock-audit/2023-06-tokemak-judging issue 620 (gain from LMPVault can be stolen): who joined before an update of
//! the debts had a part of what was earned before him. Here earnings that are due count when shares are minted, and leaving costs
//! a wait and a fee. Judged is what the shares are worth at once after the event, less the fee: what comes later is paid for the
//! risk of three days.

use perpetua::Pool;
use perpetua_client::instruction;
use perpetua_tests::{
    Failure, Trader, World,
    attacker::{Attacker, Search, profit},
    token::ONE,
    world::{call, put},
};

use super::lp::{join, leave_entirely};

/// Shares' value less what leaving costs, 0.3%, less what joining cost.
fn sandwich(
    world: &World,
    pool: Pool,
    stake: u64,
    event: impl FnOnce(&mut World) -> Result<(), Failure>,
) -> Result<i128, String> {
    let mut world = world.clone();
    let thief = world.provider("thief", world.vault, stake);
    join(&mut world, &thief, pool, stake).map_err(|refusal| refusal.name())?;
    event(&mut world).map_err(|refusal| refusal.name())?;
    let worth = Attacker::new(&[], &[thief]).wealth(&world);
    Ok(worth - worth * 30 / 10_000 - i128::from(stake))
}

/// A world where 32 bitcoins of calls and puts are held, and whose traders have more to spend.
fn busy() -> (World, Trader) {
    let mut world = World::new();
    let trader = world.trader("trader", 3_000 * ONE);
    for tick in [-4, 0, 4] {
        world.open(&trader, call(tick), 10_000_000).unwrap();
        world.open(&trader, put(tick), 10_000_000).unwrap();
    }
    world.run(600, 300);
    (world, trader)
}

const STAKES: [u64; 3] = [ONE, 1_000 * ONE, 20_000 * ONE];

#[test]
fn joining_before_anothers_trade_does_not_pay_what_leaving_costs() {
    let (world, trader) = busy();
    let mut search = Search::default();
    for stake in STAKES {
        for size in [1_000_000, 15_000_000] {
            search.note(
                ("open", stake, size),
                sandwich(&world, Pool::Main, stake, |world| world.open(&trader, call(8), size).map(drop)),
            );
            search.note(
                ("close", stake, size),
                sandwich(&world, Pool::Main, stake, |world| {
                    world.close(&trader, call(0), size.min(10_000_000)).map(drop)
                }),
            );
        }
        for pool in [Pool::Main, Pool::Insurance] {
            search.note(
                ("settle", stake, 0),
                sandwich(&world, pool, stake, |world| {
                    let settle = instruction::settle_funding(&world.vault, &trader.account, &world.markets);
                    world.chain.send(&[settle]).map(drop)
                }),
            );
        }
    }
    search.assert_unprofitable(15);
}

#[test]
fn joining_before_a_crank_buys_no_funding_of_the_time_before() {
    let (world, trader) = busy();
    let mut search = Search::default();
    for stake in STAKES {
        for pool in [Pool::Main, Pool::Insurance] {
            for hours in [1, 12, 48] {
                // Joining needs a mark, and a mark needs the crank: what was due is in the price of the shares.
                let mut world = world.clone();
                world.chain.wait(hours * 3_600);
                search.note(
                    (pool, stake, hours),
                    sandwich(&world, pool, stake, |world| {
                        world.crank_first()?;
                        let settle = instruction::settle_funding(&world.vault, &trader.account, &world.markets);
                        world.chain.send(&[settle]).map(drop)
                    }),
                );
            }
        }
    }
    search.assert_unprofitable(6);
}

#[test]
fn trading_against_a_pool_that_one_owns_most_of_earns_nothing() {
    let mut world = World::new();
    let trader = world.trader("thief", 2_000 * ONE);
    let thief = world.provider("thief", world.vault, 100_000 * ONE);
    let attacker = Attacker::new(&[trader], &[thief]);
    let mut search = Search::default();
    for stake in [ONE, 20_000 * ONE, 100_000 * ONE] {
        for size in [100_000, 10_000_000] {
            for series in [call(0), put(0), call(20)] {
                search.note(
                    (stake, size, series),
                    profit(&world, &attacker, |world| {
                        join(world, &thief, Pool::Main, stake)?;
                        world.open(&trader, series, size)?;
                        world.close(&trader, series, size)?;
                        leave_entirely(world, &thief, Pool::Main)
                    }),
                );
            }
        }
    }
    search.assert_unprofitable(16);
}
