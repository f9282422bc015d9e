//! Liquidation: when, how much, and who gets what.

use perpetua_client::instruction;
use perpetua_model::{Health, MARKETS, MarketRefs};
use perpetua_tests::{
    Trader, World,
    parameters::UNITS_PER_USD,
    token::ONE,
    world::{Outcome, call, put},
};

const SIZE: u64 = 1_000_000;

fn health(world: &World, trader: &Trader) -> Health {
    let markets: Vec<_> = (0..world.markets.len()).map(|number| world.market(number)).collect();
    let mut given: MarketRefs<'_> = [None; MARKETS];
    for (place, market) in markets.iter().enumerate() {
        given[place] = Some(market);
    }
    perpetua_model::health(&world.margin(trader), &given, world.chain.now()).unwrap()
}

/// A trader who withdrew all that the initial margin lets him.
fn stretched(world: &mut World, name: &str) -> Trader {
    let trader = world.trader(name, 200 * ONE);
    world.open(&trader, call(0), SIZE).unwrap();
    world.open(&trader, put(4), SIZE).unwrap();
    let health = health(world, &trader);
    let free = u64::try_from(health.equity()).unwrap() - 4 * health.maintenance.0;
    world.withdraw(&trader, free).unwrap();
    trader
}

fn liquidate(world: &mut World, trader: &Trader, keeper: &Trader) -> Outcome {
    for market in world.markets.clone() {
        world.crank(&market)?;
    }
    let markets = world.markets.clone();
    let liquidate = instruction::liquidate(&keeper.owner, &world.vault, &trader.account, &keeper.account, &markets);
    world.chain.send(&[liquidate])
}

fn until_liquidatable(world: &mut World, trader: &Trader) {
    for _ in 0..400 {
        world.run(3_600, 300);
        if health(world, trader).is_liquidatable() {
            return;
        }
    }
    panic!("funding never brought the account below its maintenance margin");
}

#[test]
fn an_account_at_its_maintenance_margin_cannot_be_liquidated_and_one_below_can() {
    let mut world = World::new();
    let (trader, keeper) = (stretched(&mut world, "trader"), world.trader("keeper", 0));
    assert_eq!(liquidate(&mut world, &trader, &keeper).unwrap_err().name(), "AccountHealthy");
    until_liquidatable(&mut world, &trader);
    liquidate(&mut world, &trader, &keeper).unwrap();
}

#[test]
fn liquidation_restores_the_initial_margin_and_no_token_is_lost() {
    let mut world = World::new();
    let (trader, keeper) = (stretched(&mut world, "trader"), world.trader("keeper", 0));
    until_liquidatable(&mut world, &trader);
    let before = (world.ledgers(), world.margin(&trader), health(&world, &trader));
    liquidate(&mut world, &trader, &keeper).unwrap();
    let after = (world.ledgers(), world.margin(&trader), health(&world, &trader));

    assert!(after.2.equity() >= i128::from(4 * after.2.maintenance.0), "the initial margin is restored");
    assert_eq!(after.2.owed.0, 0, "what was owed is paid");
    assert_eq!(before.0.total().unwrap(), after.0.total().unwrap(), "no token came or went");
    let closed = before.1.positions.iter().zip(&after.1.positions).filter(|(old, new)| old.size > new.size);
    assert!(closed.count() >= 1);
    assert!(after.1.open_positions().count() >= 1, "it closes no more than needed");

    // The penalty is 1% of the proceeds and at least 25 cents, half of it the keeper's.
    let reward = world.margin(&keeper).collateral.0;
    let cents = UNITS_PER_USD / 100;
    assert!(reward >= 25 * cents / 2, "the keeper got {reward}");
}

#[test]
fn an_empty_account_is_closed_whole_and_what_nobody_can_pay_is_written_off() {
    let mut world = World::new();
    let (trader, keeper) = (stretched(&mut world, "trader"), world.trader("keeper", 0));
    // Long after a keeper should have come, the account owes more than it has.
    world.run(12 * 86_400, 1_800);
    assert!(health(&world, &trader).equity() < 0);
    liquidate(&mut world, &trader, &keeper).unwrap();
    let account = world.margin(&trader);
    let health = health(&world, &trader);
    assert!(health.owed.0 == 0 && health.equity() >= 0);
    assert!(account.open_positions().count() == 0 || health.equity() >= i128::from(4 * health.maintenance.0));
}

#[test]
fn a_pause_and_a_paused_mint_do_not_stop_liquidation() {
    let mut world = World::new();
    let (trader, keeper) = (stretched(&mut world, "trader"), world.trader("keeper", 0));
    until_liquidatable(&mut world, &trader);
    world.chain.send(&[instruction::set_opening_paused(&world.guardian, true)]).unwrap();
    let mint = world.vault.stock_mint;
    perpetua_tests::token::pause(&mut world.chain, &mint, true);
    liquidate(&mut world, &trader, &keeper).unwrap();
}
