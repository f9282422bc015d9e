//! A trade voids the mark that an LP's transaction needs, so that he can neither join nor leave.
//!
//! a known class: blocking another's transaction by changing the state that it needs. Here crank, mark and action fit one
//! transaction, and a blocker pays spread and fee for each mark that he voids, while he voids none of an LP who sends these.

use perpetua::Pool;
use perpetua_client::instruction;
use perpetua_tests::{
    World,
    attacker::{Attacker, profit},
    parameters::UNITS_PER_USD,
    token::ONE,
    world::call,
};

use super::lp::{execute_instruction, pass, shares, ticket};

/// Cranks and marks of all markets, and an action.
fn in_one(world: &World, action: solana_instruction::Instruction) -> Vec<solana_instruction::Instruction> {
    let cranks = world.markets.iter().flat_map(|market| {
        let stock = market.stock.map(|_| world.crank_stock_instruction());
        stock.into_iter().chain([world.crank_instruction(market), instruction::mark_market(market)])
    });
    cranks.chain([action]).collect()
}

#[test]
fn an_lp_who_sends_crank_mark_and_action_together_always_gets_through() {
    let mut world = World::with_markets(4);
    let blocker = world.trader("blocker", 500 * ONE);
    let lp = world.provider("lp", world.vault, 100 * ONE);
    for market in 0..4 {
        world.open_in(&blocker, market, call(0), 1_000, u64::MAX).unwrap();
    }
    let join = world.join(&lp, &world.markets, Pool::Main, 100 * ONE, 0);
    let markets = world.markets.clone();
    world.mark(&markets).unwrap();
    world.open(&blocker, call(1), 100).unwrap();
    assert_eq!(world.chain.send(std::slice::from_ref(&join)).unwrap_err().name(), "MarkStale");
    // In the blocker's own slot.
    let together = in_one(&world, join);
    assert!(world.chain.fits_a_packet(&together), "{} bytes", world.chain.wire_size(&together));
    let done = world.chain.send_with_full_budget(&together).unwrap();
    assert!(done.compute.iter().sum::<u64>() < 400_000, "{:?}", done.compute);

    let all = shares(&world, &lp, Pool::Main);
    let place = world.request(&lp, Pool::Main, all).unwrap();
    pass(&mut world, 3 * 86_400);
    world.mark(&markets).unwrap();
    world.open(&blocker, call(1), 100).unwrap();
    let together = in_one(&world, execute_instruction(&world, &lp.owner, &place));
    assert!(world.chain.fits_a_packet(&together), "{} bytes", world.chain.wire_size(&together));
    world.chain.send_with_full_budget(&together).unwrap();
    assert!(ticket(&world, &place).payable.0 > 0);
}

#[test]
fn each_void_mark_costs_the_blocker_and_pays_the_pool() {
    let mut world = World::new();
    let blocker = world.trader("blocker", 100 * ONE);
    let attacker = Attacker::trading(&[blocker]);
    // The smallest trade there is, 0.0001 bitcoin, to and fro.
    let cost = -profit(&world, &attacker, |world| {
        world.open(&blocker, call(0), 100)?;
        world.close(&blocker, call(0), 100).map(drop)
    })
    .unwrap();
    // Two cents and a half.
    assert!(cost > i128::from(UNITS_PER_USD) / 50, "{cost}");
    world.crank_first().unwrap();
}
