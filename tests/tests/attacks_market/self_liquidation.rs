//! Liquidating oneself for the reward: Euler lost 197 million dollars in March 2023 to a self-liquidation at a discount, and
//! Synthetix closed one with a margin of one unit (Synthetixio/synthetix-v3, pull request 2222). Here the reward comes out of
//! the account that is liquidated.

use perpetua::Pool;
use perpetua_client::instruction;
use perpetua_tests::{
    Trader, World,
    attacker::{Attacker, Search, profit},
    parameters::UNITS_PER_USD,
    token::ONE,
    world::call,
};

use crate::desk::*;

fn liquidate(world: &mut World, account: &Trader, keeper: &Trader) -> Result<(), perpetua_tests::Failure> {
    world.crank_first()?;
    let vault = world.vault;
    let markets = world.markets.clone();
    let liquidate = instruction::liquidate(&keeper.owner, &vault, &account.account, &keeper.account, &markets);
    world.chain.send_with_full_budget(&[liquidate]).map(drop)
}

/// Lets time pass until the account can be liquidated; the price stands.
fn until_due(world: &mut World, account: &Trader, keeper: &Trader) {
    for _ in 0..240 {
        if liquidate(&mut world.clone(), account, keeper).is_ok() {
            return;
        }
        world.run(7_200, 1_800);
    }
    panic!("funding never brings the account below its maintenance margin");
}

#[test]
fn liquidating_oneself_saves_at_most_a_quarter_of_the_fee_of_closing() {
    let mut search = Search::default();
    for (sizes, tick) in [(&[50_000][..], 0), (&[200_000], 2), (&[BITCOIN], 0), (&[BITCOIN, BITCOIN / 7, 20_000], -2)] {
        let mut world = World::new();
        let (account, keeper) = (world.trader("attacker", 200 * ONE), world.trader("attacker's keeper", ONE));
        let attacker = Attacker::trading(&[account, keeper]);
        for (offset, size) in (0..).zip(sizes) {
            world.open(&account, call(tick + 2 * offset), *size).unwrap();
        }
        world.withdraw_most(&account);
        until_due(&mut world, &account, &keeper);
        for rounds in [1, 2, 5] {
            let earned = profit(&world, &attacker, |world| {
                for _ in 0..rounds {
                    // Refused once the account is healthy again.
                    let _ = liquidate(world, &account, &keeper);
                }
                Ok(())
            });
            // The closing fee is five hundredths of a percent of the notional: wealth counts it, a liquidation takes a penalty
            // instead, of which the keeper has half, and closes only what it must (docs/mechanism.md, known limits).
            let notional = u128::from(sizes.iter().sum::<u64>()) * u128::from(UNITS_PER_USD) * 100_000 / 1_000_000;
            let fee = i128::try_from(notional * 5 / 10_000).unwrap() + 3;
            search.note((sizes, rounds), earned.map(|earned| earned - fee / 4));
        }
    }
    search.assert_unprofitable(12);
}

/// From the first deposit on it is a loss in any case.
#[test]
fn opening_to_be_liquidated_by_oneself_never_pays() {
    let mut search = Search::default();
    for accounts in [1, 4] {
        for (size, tick) in [(50_000, 0), (200_000, 3), (BITCOIN, -2)] {
            let mut world = World::new();
            let keeper = world.trader("attacker's keeper", ONE);
            let traders: Vec<Trader> =
                (0..accounts).map(|number| world.trader(&format!("attacker {number}"), 200 * ONE)).collect();
            let attacker = Attacker::trading(&[traders.as_slice(), &[keeper]].concat());
            let earned = profit(&world, &attacker, |world| {
                for trader in &traders {
                    world.open(trader, call(tick), size)?;
                    world.withdraw_most(trader);
                }
                until_due(world, &traders[0], &keeper);
                for trader in &traders {
                    liquidate(world, trader, &keeper)?;
                }
                Ok(())
            });
            search.note((accounts, size, tick), earned);
        }
    }
    search.assert_unprofitable(6);
}

/// The other half of the penalty is insurance's: who owns nearly all of that pool pays himself both, and saves no more than the
/// fee of closing.
#[test]
fn owning_the_insurance_pool_as_well_saves_at_most_the_fee_of_closing() {
    let mut search = Search::default();
    for (size, tick) in [(50_000, 0), (BITCOIN, 0), (BITCOIN, 2)] {
        let mut world = World::new();
        let (account, keeper) = (world.trader("attacker", 200 * ONE), world.trader("attacker's keeper", ONE));
        let provider = world.provider("attacker", world.vault, 200_000 * ONE);
        let markets = world.markets.clone();
        world.mark(&markets).unwrap();
        world.chain.send(&[world.join(&provider, &markets, Pool::Insurance, 200_000 * ONE, 0)]).unwrap();
        let attacker = Attacker::new(&[account, keeper], &[provider]);
        world.open(&account, call(tick), size).unwrap();
        world.withdraw_most(&account);
        until_due(&mut world, &account, &keeper);
        let earned = profit(&world, &attacker, |world| liquidate(world, &account, &keeper));
        let fee = i128::from(size * UNITS_PER_USD / 1_000_000 * 100_000 * 5 / 10_000) + 3;
        search.note((size, tick), earned.map(|earned| earned - fee));
    }
    search.assert_unprofitable(3);
}
