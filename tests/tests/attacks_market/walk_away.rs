//! Taking out more than was put in and walking away from the account: Mango's attacker borrowed against unrealised gains in
//! October 2022, and dYdX's insurance fund paid nine million dollars for abandoned YFI positions in November 2023. Here option
//! value is no collateral, and what an account may take out leaves enough to liquidate it in time.

use perpetua_client::{event::Event, instruction};
use perpetua_tests::{
    attacker::Search,
    token::ONE,
    world::{call, put},
};

use crate::desk::*;

#[test]
fn no_price_lets_anybody_take_out_more_than_he_put_in() {
    let (mut world, trader, attacker) = world_with_attacker();
    world.run(300, 300);
    let before = attacker.tokens(&world);
    let mut search = Search::default();
    for bps in [-3_000, -400, 0, 400, 3_000, 9_000] {
        for series in options(&[-20, 0, 20]) {
            let mut world = world.clone();
            world.open(&trader, series, 4 * BITCOIN).unwrap();
            world.spot[0] = moved(SPOT, bps);
            settle_down(&mut world).unwrap();
            world.withdraw_most(&trader);
            // He walks away: what is in his wallets is all that he has.
            let taken = attacker.tokens(&world) - before;
            search.note((series, bps), Ok(taken - i128::from(STAKE)));
        }
    }
    search.assert_unprofitable(36);
}

/// Accounts that took out all they may, left alone with a keeper who comes every five hours, through a storm: nothing is
/// ever written off, so nobody else pays for them.
#[test]
fn an_abandoned_account_leaves_no_debt_behind() {
    let (mut world, trader, _) = world_with_attacker();
    let keeper = world.trader("keeper", ONE);
    for series in [call(0), put(0), call(-10), put(10), call(8)] {
        world.open(&trader, series, 2 * BITCOIN).unwrap();
    }
    world.withdraw_most(&trader);
    let mut liquidated = 0;
    for hour in 0..100 {
        // Two percent up and down each mark is about 650% of volatility: the quote climbs as fast as it may.
        for mark in 0..12 {
            world.chain.wait(300);
            world.spot[0] = moved(SPOT, if mark % 2 == 0 { 200 } else { 0 });
            world.crank_first().unwrap();
        }
        if hour % 5 == 4 && world.margin(&trader).open_positions().count() > 0 {
            let vault = world.vault;
            let liquidate =
                instruction::liquidate(&keeper.owner, &vault, &trader.account, &keeper.account, &world.markets);
            if let Ok(done) = world.chain.send_with_full_budget(&[liquidate]) {
                let [Event::AccountLiquidated(report)] = &done.events[..] else { panic!("{:?}", done.events) };
                assert_eq!(report.written_off, 0);
                liquidated += 1;
            }
        }
    }
    assert!(liquidated > 0);
    assert_eq!(world.margin(&trader).debt.0, 0);
}

/// He leaves the market without a crank for hours in which volatility leaps, and takes out what he may before anybody cranks:
/// what may have come due unseen was kept back.
#[test]
fn a_market_that_nobody_cranked_hides_no_debt_from_a_withdrawal() {
    let (world, trader, _) = world_with_attacker();
    for options in [[call(0), put(0)], [call(-6), put(6)]] {
        for seconds in [0, 600, 3_300, 10_800, 172_800] {
            for bps in [0, 100, 480] {
                let mut world = world.clone();
                for series in options {
                    world.open(&trader, series, 8 * BITCOIN).unwrap();
                }
                world.spot[0] = moved(SPOT, bps);
                world.chain.wait(seconds);
                world.withdraw_most(&trader);
                world.crank_first().unwrap();
                let market = world.market(0);
                let health = perpetua_model::health(
                    &world.margin(&trader),
                    &[Some(&*market), None, None, None],
                    world.chain.now(),
                );
                let health = health.unwrap();
                assert!(!health.is_liquidatable(), "{options:?} {seconds} {bps}: {health:?}");
            }
        }
    }
}
