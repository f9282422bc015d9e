//! Liquidating somebody who could not help it: right after an outage, at a frozen price, or through one market while another
//! is silent. Reported for Perennial (Sherlock 2023-05, issue 190) and Flat Money (Sherlock 2023-12, issue 206).

use perpetua_client::{instruction, price::PriceAccount};
use perpetua_model::{MARKETS, MarketRefs};
use perpetua_tests::{
    Trader, World,
    attacker::Attacker,
    token::ONE,
    world::{call, put},
};

use crate::desk::*;

/// A victim who took out all that he may, some hours before he is due, and a keeper who waits for him.
fn hunted(mut world: World) -> (World, Trader, Trader) {
    let (victim, keeper) = (world.trader("victim", 300 * ONE), world.trader("keeper", ONE));
    for market in 0..world.markets.len() {
        for series in [call(0), put(3)] {
            world.open_in(&victim, market, series, BITCOIN, u64::MAX).unwrap();
        }
    }
    world.withdraw_most(&victim);
    (world, victim, keeper)
}

fn is_due(world: &World, victim: &Trader) -> bool {
    let markets: Vec<_> = (0..world.markets.len()).map(|number| world.market(number)).collect();
    let mut given: MarketRefs<'_> = [None; MARKETS];
    for (place, market) in markets.iter().enumerate() {
        given[place] = Some(market);
    }
    perpetua_model::health(&world.margin(victim), &given, world.chain.now()).unwrap().is_liquidatable()
}

/// Tries to liquidate; what goes through must have been due by all that was accrued.
fn hunt(world: &mut World, victim: &Trader, keeper: &Trader) -> Result<(), String> {
    let due = is_due(world, victim);
    let vault = world.vault;
    let markets = world.markets.clone();
    let liquidate = instruction::liquidate(&keeper.owner, &vault, &victim.account, &keeper.account, &markets);
    let outcome = world.chain.send_with_full_budget(&[liquidate]).map(drop).map_err(|refusal| refusal.name());
    assert!(outcome.is_err() || due, "liquidated although healthy");
    outcome
}

/// Lets time pass until the victim is due, to the minute.
fn until_due(world: &mut World, victim: &Trader) {
    for step in [3_600, 300] {
        for _ in 0..400 {
            let mut next = world.clone();
            next.run(step, 300);
            if is_due(&next, victim) {
                break;
            }
            *world = next;
        }
    }
}

#[test]
fn after_any_outage_the_victim_has_half_an_hour_to_deposit() {
    let (mut world, victim, keeper) = hunted(World::new());
    until_due(&mut world, &victim);
    for outage in [601, 900, 3_600, 86_400] {
        let mut world = world.clone();
        let start = world.chain.now();
        world.chain.wait(outage);
        let first = PriceAccount { previous_publish_time: start, ..update(&world, SPOT, world.chain.now()) };
        let crank = crank_of(&mut world, "first", &first);
        world.chain.send(&[crank]).unwrap();
        let resumed = world.chain.now();
        assert_eq!(hunt(&mut world, &victim, &keeper), Err("RecoveringFromOutage".into()), "after {outage}");
        for spot in [1, 10, 300, 900, 1_500, 1_799] {
            let seconds = resumed + spot - world.chain.now();
            world.chain.wait(seconds);
            world.crank_first().unwrap();
            assert_eq!(hunt(&mut world, &victim, &keeper), Err("RecoveringFromOutage".into()), "{spot} after {outage}");
        }
        world.deposit(&victim, 50 * ONE).unwrap();
        world.chain.wait(60);
        world.crank_first().unwrap();
        assert_eq!(hunt(&mut world, &victim, &keeper), Err("AccountHealthy".into()));
        let keeper = Attacker::trading(&[keeper]);
        assert_eq!(keeper.wealth(&world), i128::from(2 * ONE), "the keeper earned nothing");
    }
}

#[test]
fn a_silent_index_makes_nobody_due() {
    let (world, victim, keeper) = hunted(World::new());
    for silence in [1, 11, 61, 601, 3_600, 43_200, 6 * 86_400] {
        let mut world = world.clone();
        world.chain.wait(silence);
        let refusal = hunt(&mut world, &victim, &keeper).unwrap_err();
        assert!(["MarketNotAccrued", "PriceStale"].contains(&refusal.as_str()), "{silence}: {refusal}");
        // Nor does a crank without a price, nor the old one.
        let crank = world.crank_instruction(&world.markets[0].clone());
        let bare = instruction::crank_funding(&world.markets[0], None);
        for crank in [crank, bare] {
            let _ = world.chain.send(&[crank]);
            let refusal = hunt(&mut world, &victim, &keeper).unwrap_err();
            let expected = ["MarketNotAccrued", "PriceStale", "AccountHealthy"];
            assert!(expected.contains(&refusal.as_str()), "{silence}: {refusal}");
        }
    }
}

/// The keeper cranks one market and lets the other go silent, at every age: what the silent one owes by its last crank counts,
/// what it may owe since does not.
#[test]
fn a_silent_market_beside_a_live_one_makes_nobody_due_early() {
    let (world, victim, keeper) = hunted(World::with_markets(2));
    for silence in [120, 600, 3_600, 10_800] {
        let mut world = world.clone();
        for _ in 0..silence / 60 {
            world.chain.wait(60);
            world.crank(&world.markets[1].clone()).unwrap();
        }
        let refusal = hunt(&mut world, &victim, &keeper).unwrap_err();
        assert_eq!(refusal, "AccountHealthy", "after {silence}");
        assert_eq!(world.margin(&keeper).collateral.0, ONE);
    }
}
