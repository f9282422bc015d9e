//! Trading with oneself for what trading pays: a review of dYdX's trading rewards (Xenophon Labs, March 2022) showed how
//! rewards by fees invite it. Here the trader, the providers of both pools and the keeper are one, and what he pays in fees,
//! spread, funding and penalties never comes back whole.

use perpetua::Pool;
use perpetua_tests::{
    World,
    attacker::{Attacker, Search, profit},
    token::ONE,
};

use crate::desk::*;

#[test]
fn being_trader_and_provider_at_once_earns_nothing_from_ones_own_trades() {
    let mut search = Search::default();
    for deposit in [100 * ONE, 20_000 * ONE, 200_000 * ONE] {
        let mut world = World::new();
        let (trader, other) = (world.trader("attacker", STAKE), world.trader("attacker's other", STAKE));
        let provider = world.provider("attacker", world.vault, 2 * deposit);
        for pool in [Pool::Main, Pool::Insurance] {
            let markets = world.markets.clone();
            world.mark(&markets).unwrap();
            world.chain.send(&[world.join(&provider, &markets, pool, deposit, 0)]).unwrap();
        }
        let attacker = Attacker::new(&[trader, other], &[provider]);
        for series in options(&[-20, 0, 8]) {
            for (rounds, hold) in [(1, 0), (8, 0), (2, 3_600), (1, 86_400)] {
                let earned = profit(&world, &attacker, |world| {
                    for _ in 0..rounds {
                        world.open(&trader, series, BITCOIN)?;
                        world.open(&other, series, BITCOIN / 3)?;
                        world.run(hold, 300);
                        world.close(&trader, series, BITCOIN)?;
                        world.close(&other, series, BITCOIN / 3)?;
                    }
                    Ok(())
                });
                search.note((deposit, series, rounds, hold), earned);
            }
        }
    }
    search.assert_unprofitable(72);
}
