//! Positions of the smallest size: roundings in their favour, and accounts full of them that nobody can or will liquidate. Mango
//! v4 had liquidations get stuck on balances below one unit (blockworks-foundation/mango-v4, pull request 343).

use perpetua_client::instruction;
use perpetua_tests::{
    Trader, World,
    attacker::{Attacker, Search, profit},
    token::ONE,
    world::{call, put},
};

use crate::desk::*;

#[test]
fn dust_is_never_bought_below_its_price_nor_sold_above_it() {
    let (world, trader, attacker) = world_with_attacker();
    let mut search = Search::default();
    for series in options(&[-28, -14, -5, 0, 5, 14, 28]) {
        for size in 100..110 {
            for adds in [1, 2, 7] {
                let earned = profit(&world, &attacker, |world| {
                    for _ in 0..adds {
                        world.open(&trader, series, size)?;
                    }
                    world.close(&trader, series, adds * size).map(drop)
                });
                search.note((series, size, adds), earned);
            }
        }
    }
    search.assert_unprofitable(360);
}

#[test]
fn no_remainder_below_the_smallest_size_is_left() {
    let (mut world, trader, _) = world_with_attacker();
    assert_eq!(world.open(&trader, call(0), 99).unwrap_err().name(), "SizeTooSmall");
    world.open(&trader, call(0), 1_000).unwrap();
    for size in [0, 901, 950, 999] {
        assert_eq!(world.clone().close(&trader, call(0), size).unwrap_err().name(), "SizeTooSmall", "{size}");
    }
    assert_eq!(world.close(&trader, call(0), 1_001).unwrap_err().name(), "SizeTooLarge");
}

/// An account of one position that is worth a liquidation and fifteen that are not: one transaction deals with all of them, and
/// the keeper is paid.
#[test]
fn dust_around_a_position_does_not_keep_it_from_liquidation() {
    let mut world = World::new();
    let (debtor, keeper) = (world.trader("attacker", 300 * ONE), world.trader("keeper", ONE));
    world.open(&debtor, call(0), BITCOIN).unwrap();
    for tick in 1..9 {
        world.open(&debtor, put(tick), 100).unwrap();
    }
    for tick in 1..8 {
        world.open(&debtor, call(tick), 100).unwrap();
    }
    assert_eq!(world.margin(&debtor).open_positions().count(), 16);
    world.withdraw_most(&debtor);
    let before = Attacker::trading(&[keeper]).wealth(&world);
    let liquidated = (0..120).any(|_| {
        world.run(7_200, 1_800);
        let markets = world.markets.clone();
        let liquidate = instruction::liquidate(&keeper.owner, &world.vault, &debtor.account, &keeper.account, &markets);
        world.chain.send_with_full_budget(&[liquidate]).is_ok()
    });
    assert!(liquidated, "it comes due within ten days");
    assert!(Attacker::trading(&[keeper]).wealth(&world) > before, "the keeper is paid");
}

/// Many dust accounts whose owner keeps for himself: the smallest penalty is paid out of what each of them holds.
#[test]
fn farming_the_smallest_penalty_of_dust_accounts_pays_nothing() {
    let mut world = World::new();
    let keeper = world.trader("attacker's keeper", ONE);
    let traders: Vec<Trader> = (0..6).map(|number| world.trader(&format!("attacker {number}"), ONE)).collect();
    let attacker = Attacker::trading(&[traders.as_slice(), &[keeper]].concat());
    let mut search = Search::default();
    for (size, days) in [(1_000, 30), (10_000, 10), (20_000, 5)] {
        let earned = profit(&world, &attacker, |world| {
            for trader in &traders {
                world.open(trader, call(0), size)?;
                world.withdraw_most(trader);
            }
            world.run(days * 86_400, 3_600);
            for trader in &traders {
                let markets = world.markets.clone();
                let liquidate =
                    instruction::liquidate(&keeper.owner, &world.vault, &trader.account, &keeper.account, &markets);
                // Refused while the account is healthy.
                let _ = world.chain.send_with_full_budget(&[liquidate]);
            }
            Ok(())
        });
        search.note((size, days), earned);
    }
    search.assert_unprofitable(3);
}
