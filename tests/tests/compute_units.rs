//! What every instruction costs, typically and at worst, against ceilings and a committed table.

use perpetua::{Pool, Side};
use perpetua_client::instruction::{self, Series};
use perpetua_tests::{
    Trader, World,
    compute::Table,
    scenes,
    token::ONE,
    world::{call, put},
};
use solana_instruction::Instruction;

/// An annualised variance of 4, a volatility of 200%, at which options far from the money are worth opening.
const WILD: u64 = 4 << 48;
/// Four options of a market near the money.
const NEAR: [Series; 4] = [
    Series { side: Side::Call, tick: 4 },
    Series { side: Side::Call, tick: 6 },
    Series { side: Side::Call, tick: 8 },
    Series { side: Side::Call, tick: 10 },
];
/// The most that a crank may cost.
const CRANK_CEILING: u64 = 60_000;
/// The most that any other instruction may cost.
const CEILING: u64 = 100_000;

fn measure(table: &mut Table, name: &str, world: &mut World, instruction: Instruction) {
    let done = world.chain.send_with_full_budget(&[instruction]);
    let done = done.unwrap_or_else(|failure| panic!("{name}: {} {:#?}", failure.name(), failure.logs));
    table.note(name, done.compute[0]);
}

/// Each instruction as its scene shows it.
fn typical(table: &mut Table) {
    for mut scene in scenes::all() {
        let instruction = scene.instruction.clone();
        measure(table, scene.name, &mut scene.world, instruction);
    }
}

/// A call or a put at each of the 64 strikes that a ladder holds: 128 series with open interest.
fn full_ladder() -> World {
    let mut world = World::with_variance(1, WILD);
    let mut open: Vec<Series> = (-28..=28).flat_map(|tick| [call(tick), put(tick)]).collect();
    let mut traders = 0;
    let fill = |world: &mut World, open: &mut Vec<Series>, traders: &mut i32| {
        for sixteen in open.chunks(16) {
            *traders += 1;
            let trader = world.trader(&format!("trader {traders}"), 100 * ONE);
            for series in sixteen {
                world.open(&trader, *series, 1_000).unwrap();
            }
        }
    };
    fill(&mut world, &mut open, &mut traders);
    // Seven ticks higher, the rest of the 64 comes within reach.
    world.chain.wait(90);
    world.spot[0] = 109_100;
    open = (29..=35).flat_map(|tick| [call(tick), put(tick)]).collect();
    fill(&mut world, &mut open, &mut traders);
    let market = world.market(0);
    assert_eq!(market.active, u64::MAX);
    let series = market.slots.iter().flat_map(|slot| slot.series);
    assert_eq!(series.filter(|series| series.open_interest.0 > 0).count(), 128);
    world
}

fn ladders(table: &mut Table) {
    let mut empty = World::new();
    empty.chain.wait(60);
    empty.post(0, &empty.price(0));
    let crank = empty.crank_instruction(&empty.markets[0]);
    measure(table, "crank_funding", &mut empty, crank);

    let full = full_ladder();
    // Where strikes lie on both sides of spot, and where all lie on one side, after minutes, an hour and a day.
    for spot in [60_000, 80_000, 100_000, 109_100, 130_000, 180_000] {
        for wait in [300, 3_600, 86_400] {
            let mut world = full.clone();
            world.spot[0] = spot;
            // To a mark, at which the variance is sampled.
            world.chain.wait(wait - world.chain.now() % 300);
            world.post(0, &world.price(0));
            let (crank, market) = (world.crank_instruction(&world.markets[0]), world.markets[0]);
            measure(table, "crank_funding", &mut world, crank);
            measure(table, "mark_market", &mut world, instruction::mark_market(&market));
        }
    }
}

/// A trader with sixteen positions in four markets, and the world he trades in.
fn sixteen_positions() -> (World, Trader) {
    let mut world = World::with_variance(4, WILD);
    let trader = world.trader("trader", 500 * ONE);
    for market in 0..4 {
        for series in NEAR {
            world.open_in(&trader, market, series, 1_000_000 / 4, u64::MAX).unwrap();
        }
    }
    (world, trader)
}

fn positions(table: &mut Table) {
    let (mut world, trader) = sixteen_positions();
    let markets = world.markets.clone();
    world.run(3_600, 300);
    for market in &markets {
        world.crank(market).unwrap();
    }
    let (vault, account) = (world.vault, trader.account);
    let settle = instruction::settle_funding(&vault, &account, &markets);
    measure(table, "settle_funding", &mut world.clone(), settle);
    measure(table, "view_health", &mut world.clone(), instruction::view_health(&world.vault, &account, &markets));
    let withdraw = instruction::withdraw(&trader.owner, &vault, &account, &trader.tokens, &markets, ONE);
    measure(table, "withdraw", &mut world.clone(), withdraw);
    for (market, keys) in markets.iter().enumerate() {
        for series in NEAR {
            let open = world.open_instruction(&trader, market, series, 1_000, u64::MAX);
            measure(table, "open_position", &mut world.clone(), open);
            let close = instruction::close_position(&trader.owner, &vault, &account, keys, series, 1_000, 0);
            measure(table, "close_position", &mut world.clone(), close);
            let close = instruction::close_position(&trader.owner, &vault, &account, keys, series, 250_000, 0);
            measure(table, "close_position", &mut world.clone(), close);
            let quote = instruction::view_quote(&vault, keys, series, 1_000);
            measure(table, "view_quote", &mut world.clone(), quote);
        }
    }
}

fn liquidations(table: &mut Table) {
    let (mut world, trader) = sixteen_positions();
    let keeper = world.trader("keeper", 0);
    world.withdraw_most(&trader);
    let markets = world.markets.clone();
    let liquidate = instruction::liquidate(&keeper.owner, &world.vault, &trader.account, &keeper.account, &markets);
    // The longer they are held near the money, the more is owed; once the price fell, nothing is left to pay it.
    let mut closed = 0;
    for _ in 0..10 {
        world.run(86_400, 1_800);
        for fall in [100, 90, 70] {
            let mut world = world.clone();
            world.spot = world.spot.map(|price| price * fall / 100);
            world.chain.wait(300);
            for market in &markets {
                world.crank(market).unwrap();
            }
            if let Ok(done) = world.chain.send_with_full_budget(std::slice::from_ref(&liquidate)) {
                table.note("liquidate", done.compute[0]);
                closed = closed.max(16 - world.margin(&trader).open_positions().count());
            }
        }
    }
    assert_eq!(closed, 16, "the worst liquidation closes every position");
}

fn pools(table: &mut Table) {
    let mut world = World::with_markets(4);
    let markets = world.markets.clone();
    let provider = world.provider("second provider", world.vault, 100 * ONE);
    world.mark(&markets).unwrap();
    let join = world.join(&provider, &markets, Pool::Main, ONE, 0);
    measure(table, "join_pool", &mut world, join);
    let ticket = world.request(&provider, Pool::Main, 1_000_000_000).unwrap();
    world.chain.wait(3 * 86_400);
    world.mark(&markets).unwrap();
    let execute = instruction::execute_withdrawal(&provider.owner, &world.vault, &ticket, &markets);
    measure(table, "execute_withdrawal", &mut world, execute);
}

#[test]
fn every_instruction_stays_below_its_ceiling_and_as_the_committed_table_says() {
    let mut table = Table::default();
    typical(&mut table);
    ladders(&mut table);
    positions(&mut table);
    liquidations(&mut table);
    pools(&mut table);
    let known = perpetua_tests::instruction_names();
    let measured: Vec<&str> = table.iter().map(|(name, ..)| name).collect();
    assert!(known.iter().all(|name| measured.contains(&name.as_str())), "every instruction is measured");
    table.compare_with_committed();
    for (name, _, worst) in table.iter() {
        let ceiling = if name == "crank_funding" { CRANK_CEILING } else { CEILING };
        assert!(worst <= ceiling, "{name} costs {worst}, more than {ceiling}");
    }
}

#[test]
fn four_cranks_and_the_action_that_needs_them_fit_one_transaction() {
    let (mut world, trader) = sixteen_positions();
    let keeper = world.trader("keeper", 0);
    let markets = world.markets.clone();
    let liquidate = instruction::liquidate(&keeper.owner, &world.vault, &trader.account, &keeper.account, &markets);
    let cranked = instruction::with_crank(markets.iter().zip(&world.prices), liquidate);
    assert!(world.chain.fits_a_packet(&cranked), "liquidate: {}", world.chain.wire_size(&cranked));

    let provider = world.provider("second provider", world.vault, 100 * ONE);
    let join = world.join(&provider, &markets, Pool::Main, ONE, 0);
    let cranks =
        markets.iter().zip(&world.prices).map(|(market, price)| instruction::crank_funding(market, Some(price)));
    let marks = markets.iter().map(instruction::mark_market);
    let whole: Vec<_> = cranks.chain(marks).chain([join]).collect();
    assert!(world.chain.fits_a_packet(&whole), "join: {}", world.chain.wire_size(&whole));
}
