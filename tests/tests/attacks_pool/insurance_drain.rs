//! Emptying the insurance pool with positions that are built to cost it.
//!
//! dYdX, November 2023 (positions built to lose to the insurance fund). Here insurance pays only what a dollar market's payout
//! exceeds its reserve by, which takes a fall of the stock: nobody makes that happen by trading with himself.

use perpetua::Pool;
use perpetua_client::instruction;
use perpetua_tests::{
    World,
    attacker::{Attacker, Search},
    scenes::with_claim,
    token::ONE,
    world::{INSURANCE_POOL, call, put},
};

use super::lp::join;

#[test]
fn a_seller_who_buys_from_himself_takes_nothing_from_insurance_while_the_stock_stands_still() {
    let mut search = Search::default();
    for (stake, size) in [(ONE, 1_000_000), (20_000 * ONE, 8_000_000), (80_000 * ONE, 20_000_000)] {
        for (series, spot) in [(call(0), 160_000), (put(0), 40_000), (call(0), 120_000)] {
            let mut world = World::with_dollar_market(0);
            let (trader, lp) = (world.trader("thief", 3_000 * ONE), world.provider("thief", world.vault, stake));
            join(&mut world, &lp, Pool::Main, stake).unwrap();
            if let Err(refusal) = world.open(&trader, series, size) {
                search.note((stake, size, series, spot), Err(refusal.name()));
                continue;
            }
            let insurance = world.ledgers().insurance.assets.0;
            // The share falls by a quarter: within what the reserve covers.
            world.leap(spot, 300);
            world.close(&trader, series, size).unwrap();
            let lost = i128::from(insurance) - i128::from(world.ledgers().insurance.assets.0);
            search.note((stake, size, series, spot), Ok(lost));
        }
    }
    search.assert_unprofitable(6);
}

#[test]
fn no_more_than_a_quarter_leaves_in_a_day_however_the_payout_is_split() {
    let mut world = World::with_dollar_market(0);
    let thieves: Vec<_> = ["one", "two", "three", "four"].map(|name| world.trader(name, 400 * ONE)).into();
    for thief in &thieves {
        world.open(thief, call(0), 2_400_000).unwrap();
    }
    let insurance = world.ledgers().insurance.assets.0;
    world.leap(160_000, 120);
    for thief in &thieves {
        for _ in 0..3 {
            world.close(thief, call(0), 800_000).unwrap();
        }
    }
    let left = world.ledgers().insurance.assets.0;
    assert!(insurance >= INSURANCE_POOL && insurance - left <= insurance / 4, "{insurance} to {left}");
    assert!(world.ledgers().claims.outstanding.0 > 0);
}

#[test]
fn claims_are_neither_bought_nor_thinned_out_by_trading_with_oneself() {
    let (world, _) = with_claim();
    let mut search = Search::default();
    for size in [100_000, 2_000_000] {
        let mut world = world.clone();
        let thief = world.trader("thief", 500 * ONE);
        let attacker = Attacker::trading(&[thief]);
        let (before, owed) = (attacker.wealth(&world), world.ledgers().claims.outstanding);
        world.open(&thief, call(38), size).unwrap();
        world.close(&thief, call(38), size).unwrap();
        assert!(world.ledgers().claims.outstanding <= owed, "nothing new is owed, fees served a part");
        search.note(size, Ok(attacker.cash_out(&mut world) - before));
    }
    search.assert_unprofitable(2);
}

#[test]
fn nobody_joins_or_leaves_insurance_around_a_claim() {
    let (mut world, _) = with_claim();
    let lp = world.provider("lp", world.vault, 100 * ONE);
    assert_eq!(join(&mut world, &lp, Pool::Insurance, ONE).unwrap_err().name(), "ClaimsOpen");
    world.chain.wait(86_400);
    world.chain.send(&[instruction::serve_claims(&world.vault)]).unwrap();
}
