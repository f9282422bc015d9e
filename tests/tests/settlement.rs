//! Positions that anyone may settle: those at the cap, and those far out of the money.

use perpetua_client::instruction;
use perpetua_tests::{
    World,
    parameters::UNITS_PER_USD,
    token::ONE,
    world::{Outcome, call, put},
};

const SIZE: u64 = 500_000;

fn settle(world: &mut World, account: &solana_pubkey::Pubkey, series: perpetua_client::instruction::Series) -> Outcome {
    world.crank_first()?;
    let market = world.markets[0];
    world.chain.send(&[instruction::settle_capped(&world.vault, account, &market, series)])
}

fn retire(world: &mut World, account: &solana_pubkey::Pubkey, series: perpetua_client::instruction::Series) -> Outcome {
    world.crank_first()?;
    let market = world.markets[0];
    world.chain.send(&[instruction::retire_far(&world.vault, account, &market, series)])
}

#[test]
fn a_call_past_its_cap_pays_exactly_the_cap_without_a_fee() {
    let mut world = World::new();
    let trader = world.trader("trader", 100 * ONE);
    world.open(&trader, call(0), SIZE).unwrap();
    let held = world.margin(&trader).collateral.0;
    world.chain.wait(90);
    world.spot[0] = 160_000;
    // A minute later the lower end of the price range has left the old price behind.
    world.crank_first().unwrap();
    world.chain.wait(90);
    let before = world.ledgers();
    let funding = {
        world.crank_first().unwrap();
        perpetua_client::model::Tokens(world.market(0).receivable().0 + 1)
    };
    settle(&mut world, &trader.account, call(0)).unwrap();
    // Half of the strike of 100,000 USD.
    let most = 50_000 * UNITS_PER_USD / 1_000_000 * SIZE;
    let received = world.margin(&trader).collateral.0 + funding.0 - held;
    assert!((most..=most + 1).contains(&received), "{received} of {most}");
    assert_eq!(world.ledgers().reserves.0, 0);
    assert!(world.ledgers().main.assets < before.main.assets);
}

#[test]
fn a_position_that_is_not_certain_to_be_at_its_cap_cannot_be_settled() {
    let mut world = World::new();
    let trader = world.trader("trader", 100 * ONE);
    world.open(&trader, call(0), SIZE).unwrap();
    world.chain.wait(10);
    world.spot[0] = 160_000;
    // The price of ten seconds ago is still in the range.
    assert_eq!(settle(&mut world, &trader.account, call(0)).unwrap_err().name(), "NotCapped");
}

#[test]
fn a_far_position_is_closed_at_its_value_to_its_owner_and_its_slot_returns() {
    let mut world = World::new();
    let trader = world.trader("trader", 100 * ONE);
    world.open(&trader, put(0), SIZE).unwrap();
    assert_eq!(retire(&mut world, &trader.account, put(0)).unwrap_err().name(), "NotFar");
    world.chain.wait(90);
    world.spot[0] = 170_000;
    let before = world.margin(&trader).collateral.0;
    retire(&mut world, &trader.account, put(0)).unwrap();
    assert_eq!(world.market(0).active, 0);
    assert_eq!(world.ledgers().reserves.0, 0);
    let account = world.margin(&trader);
    assert_eq!(account.open_positions().count(), 0);
    assert!(account.collateral.0 < before + ONE, "it was worth little");
}
