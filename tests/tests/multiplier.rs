//! Splits and dividends: the token's multiplier changes, and nobody gains or loses by it.

use std::collections::BTreeMap;

use perpetua::{PricedUnit, StockParameters};
use perpetua_client::{event::Event, instruction};
use perpetua_tests::{
    Trader, World,
    chain::Snapshot,
    parameters::stock_parameters,
    price::usd,
    stock::{IN_SESSION, NEXT_BELL, SESSION_ENDS, set_multiplier},
    token::ONE,
    world::{Outcome, call, put},
};
use solana_account::ReadableAccount;
use solana_pubkey::Pubkey;

const SIZE: u64 = 250_000;
/// Number of the dollar market; the first market is a quanto one of the same index.
const DOLLAR: usize = 1;
/// The multiplier of TSLAx before and after a dividend.
const BEFORE: f64 = 1.003_91;
const AFTER: f64 = 1.005_71;

fn open(world: &mut World, trader: &Trader) -> Outcome {
    world.open_in(trader, DOLLAR, call(0), 1_000, u64::MAX)
}

fn close(world: &mut World, trader: &Trader, size: u64) -> Outcome {
    world.close_in(trader, DOLLAR, call(0), size, 0)
}

/// Moves the clock, on the way sampling the index's variance, which needs no stock.
fn at(world: &mut World, time: i64) {
    let sampled = (time - time % 300).max(world.chain.now());
    let seconds = sampled - world.chain.now();
    world.chain.wait(seconds);
    world.crank_first().unwrap();
    world.chain.wait(time - sampled);
}

/// A trader with a call of a dollar market in the session, whose token has a multiplier from the start.
fn holding(stock: StockParameters, multiplier: f64) -> (World, Trader) {
    let mut world = World::with_stock(1, stock);
    let mint = world.vault.stock_mint;
    set_multiplier(&mut world.chain, &mint, multiplier, multiplier, 0);
    world.crank_stock().unwrap();
    // What it saw change was not announced, so that it waits half an hour.
    let later = world.chain.now() + 1_801;
    at(&mut world, later);
    let trader = world.trader("trader", 100 * ONE);
    world.open_in(&trader, DOLLAR, call(0), SIZE, u64::MAX).unwrap();
    (world, trader)
}

/// Announces a change of the mint's multiplier.
fn announce(world: &mut World, current: f64, next: f64, from: i64) {
    let mint = world.vault.stock_mint;
    set_multiplier(&mut world.chain, &mint, current, next, from);
}

fn acknowledge(world: &mut World, multiplier: f64) {
    let acknowledge = instruction::acknowledge_multiplier(&world.admin, &world.vault, multiplier.to_bits());
    world.chain.send(&[acknowledge]).unwrap();
}

/// A price in 10^-8 dollars of what is worth `dollars`.
fn price_of(dollars: f64) -> i64 {
    // Exact in a double: below 2^53.
    format!("{:.0}", dollars * 1e8).parse().unwrap()
}

/// The worth of a dollar in raw tokens as a number.
fn raw_units(units: u64) -> f64 {
    f64::from(u32::try_from(units >> 24).unwrap()) + f64::from(u32::try_from(units & 0xff_ffff).unwrap()) / 16_777_216.0
}

fn assert_near(value: f64, exact: f64, what: &str) {
    assert!((value / exact - 1.0).abs() < 1e-9, "{what}: {value}, exactly {exact}");
}

#[test]
fn a_share_is_worth_less_than_a_token_by_the_multiplier() {
    let token_unit = StockParameters { share_feed_unit: PricedUnit::Token, ..stock_parameters() };
    for (stock, token) in [(stock_parameters(), 400.0 * BEFORE), (token_unit, 400.0)] {
        let (mut world, _) = holding(stock, BEFORE);
        assert_near(raw_units(world.units()[1]), 1e8 / token, "a dollar");
    }
}

#[test]
fn a_dividend_changes_what_a_share_is_and_not_what_a_token_is_worth() {
    let (mut world, _) = holding(stock_parameters(), BEFORE);
    let before = world.units()[1];
    announce(&mut world, BEFORE, AFTER, SESSION_ENDS + 3_600);
    at(&mut world, NEXT_BELL + 60);
    // The share lost the dividend that the multiplier gained.
    world.share = Some(price_of(400.0 * BEFORE / AFTER));
    let after = world.units()[1];
    assert_near(raw_units(after), raw_units(before), "a dollar");
    world.chain.wait(60);
    world.share = Some(usd(400));
    assert_near(raw_units(world.units()[1]), 1e8 / (400.0 * AFTER), "a dollar");
}

#[test]
fn half_an_hour_on_both_sides_of_a_change_nothing_happens_in_a_dollar_market() {
    let (mut world, trader) = holding(stock_parameters(), BEFORE);
    let change = world.chain.now() + 7_200;
    announce(&mut world, BEFORE, AFTER, change);
    at(&mut world, change - 1_801);
    open(&mut world, &trader).unwrap();
    let index = |world: &World| world.market(DOLLAR).slots[0].series[0].funding_index.get();
    at(&mut world, change - 1_800);
    assert_eq!(open(&mut world, &trader).unwrap_err().name(), "MultiplierChanging");
    let dollar = world.markets[DOLLAR];
    world.crank(&dollar).unwrap();
    let before = index(&world);
    for after in [-1_000, -1, 0, 1_000, 1_800] {
        at(&mut world, change + after);
        assert_eq!(close(&mut world, &trader, 1_000).unwrap_err().name(), "MultiplierChanging", "{after}");
        assert_eq!(open(&mut world, &trader).unwrap_err().name(), "MultiplierChanging", "{after}");
        assert_eq!(world.withdraw(&trader, 1_000).unwrap_err().name(), "MultiplierChanging", "{after}");
        world.crank(&dollar).unwrap();
        assert_eq!(world.chain.send(&[instruction::mark_market(&dollar)]).unwrap_err().name(), "MultiplierChanging");
        assert_eq!(index(&world), before, "no funding {after} seconds after");
        // The quanto market takes no notice.
        world.open_in(&trader, 0, call(0), 1_000, u64::MAX).unwrap();
        world.close_in(&trader, 0, call(0), 1_000, 0).unwrap();
    }
    at(&mut world, change + 1_801);
    open(&mut world, &trader).unwrap();
    close(&mut world, &trader, 1_000).unwrap();
    assert!(index(&world) - before < before / 100, "only what a second costs");
}

#[test]
fn a_change_that_nobody_announced_counts_from_when_it_is_seen() {
    let (mut world, trader) = holding(stock_parameters(), BEFORE);
    announce(&mut world, AFTER, AFTER, 0);
    let seen = world.chain.now() + 10;
    at(&mut world, seen);
    assert_eq!(open(&mut world, &trader).unwrap_err().name(), "MultiplierChanging");
    world.crank_stock().unwrap();
    at(&mut world, seen + 1_800);
    assert_eq!(open(&mut world, &trader).unwrap_err().name(), "MultiplierChanging");
    at(&mut world, seen + 1_801);
    open(&mut world, &trader).unwrap();
}

#[test]
fn value_goes_through_a_split_of_three_to_one_unchanged() {
    let life = |split: bool| {
        let (mut world, trader) = holding(stock_parameters(), 1.0);
        let before = world.units();
        if split {
            acknowledge(&mut world, 3.0);
            announce(&mut world, 1.0, 3.0, SESSION_ENDS + 3_600);
            world.crank_stock().unwrap();
        }
        at(&mut world, SESSION_ENDS + 2 * 3_600);
        let night = world.units();
        let done = close(&mut world, &trader, SIZE / 4).unwrap();
        let [Event::PositionClosed(at_night)] = done.events[..] else { panic!("{:?}", done.events) };
        at(&mut world, NEXT_BELL + 60);
        if split {
            world.share = Some(price_of(400.0 / 3.0));
        }
        let morning = world.units();
        let done = close(&mut world, &trader, SIZE / 4).unwrap();
        let [Event::PositionClosed(by_day)] = done.events[..] else { panic!("{:?}", done.events) };
        let funding = u64::try_from(world.market(DOLLAR).slots[0].series[0].funding_index.get() >> 32).unwrap();
        let tokens = [at_night.payout, by_day.payout, world.margin(&trader).collateral.0, funding];
        ([before, night, morning], tokens)
    };
    let (units, amounts) = life(false);
    let (units_with_split, amounts_with_split) = life(true);
    for (without, with) in units.as_flattened().iter().zip(units_with_split.as_flattened()) {
        assert_near(raw_units(*with), raw_units(*without), "a dollar");
    }
    for (without, with) in amounts.into_iter().zip(amounts_with_split) {
        // The share's price has eight decimals: a part in 10^10. And a unit of rounding.
        assert!(with.abs_diff(without) <= 1 + without / 1_000_000_000, "{with} with the split, {without} without");
    }
}

#[test]
fn a_tenfold_change_that_nobody_acknowledged_closes_the_exchange() {
    let (mut world, trader) = holding(stock_parameters(), 1.0);
    let before = world.units()[1];
    let seen = world.chain.now() + 60;
    at(&mut world, seen);
    announce(&mut world, 10.0, 10.0, 0);
    world.share = Some(usd(40));
    assert_eq!(open(&mut world, &trader).unwrap_err().name(), "StockMarketClosed");
    let [low, last, high] = world.units();
    assert_eq!((low, last, high), (before / 100 * 95, before, before), "closing goes on at the last price's worth");
    close(&mut world, &trader, 1_000).unwrap();

    acknowledge(&mut world, 10.0);
    world.chain.wait(10);
    assert_eq!(open(&mut world, &trader).unwrap_err().name(), "MultiplierChanging");
    world.crank_stock().unwrap();
    let later = world.chain.now() + 1_801;
    at(&mut world, later);
    open(&mut world, &trader).unwrap();
    assert_near(raw_units(world.units()[1]), raw_units(before), "a dollar");
}

#[test]
fn a_multiplier_that_is_no_number_closes_the_exchange() {
    for absurd in [f64::NAN, f64::INFINITY, 0.0, -1.0, 1e-300, 1e300] {
        let (mut world, trader) = holding(stock_parameters(), 1.0);
        announce(&mut world, absurd, absurd, 0);
        world.chain.wait(10);
        assert_eq!(open(&mut world, &trader).unwrap_err().name(), "StockMarketClosed", "{absurd}");
        close(&mut world, &trader, 1_000).unwrap();
    }
}

/// Every account of the program but a few, byte for byte.
fn ledger_bytes(accounts: &Snapshot, except: &[Pubkey]) -> BTreeMap<Pubkey, Vec<u8>> {
    let ours =
        accounts.iter().filter(|(address, account)| *account.owner() == perpetua::ID && !except.contains(address));
    ours.map(|(address, account)| (*address, account.data().to_vec())).collect()
}

#[test]
fn in_a_quanto_market_a_multiplier_change_alters_no_ledger_byte() {
    let mut world = World::with_markets(2);
    let (alice, bob) = (world.trader("alice", 100 * ONE), world.trader("bob", 50 * ONE));
    let keeper = world.trader("keeper", ONE);
    world.open(&alice, call(0), SIZE).unwrap();
    world.open_in(&alice, 1, put(2), SIZE, u64::MAX).unwrap();
    world.open(&bob, put(-3), SIZE).unwrap();
    let mint = world.vault.stock_mint;
    let change = world.chain.now() + 3_600;
    let announced = |world: &mut World| set_multiplier(&mut world.chain, &mint, 1.0, 10.0, change);

    // The announcement and the activation touch nothing.
    let before = ledger_bytes(&world.chain.snapshot(), &[]);
    assert!(before.len() >= 9, "exchange, indices, vault, markets, margin accounts");
    let mut split = world.clone();
    announced(&mut split);
    assert_eq!(ledger_bytes(&split.chain.snapshot(), &[]), before);
    split.chain.wait(3_601);
    assert_eq!(ledger_bytes(&split.chain.snapshot(), &[]), before);

    // And whatever is done across it leaves the same bytes as without it.
    let live = |world: &mut World| {
        for _ in 0..8 {
            world.run(900, 300);
            world.open(&alice, call(0), 1_000).unwrap();
            world.close_in(&alice, 1, put(2), 1_000, 0).unwrap();
            world.deposit(&bob, 1_000).unwrap();
            world.withdraw(&bob, 999).unwrap();
            let markets = world.markets.clone();
            world.mark(&markets).unwrap();
            let settle = instruction::settle_funding(&world.vault, &bob.account, &markets);
            world.chain.send(&[settle]).unwrap();
            let liquidate =
                instruction::liquidate(&keeper.owner, &world.vault, &alice.account, &keeper.account, &markets);
            assert_eq!(world.chain.send(&[liquidate]).unwrap_err().name(), "AccountHealthy");
        }
        ledger_bytes(&world.chain.snapshot(), &[])
    };
    let mut with_split = world.clone();
    announced(&mut with_split);
    let (without, with) = (live(&mut world), live(&mut with_split));
    let differing: Vec<_> = without.keys().filter(|address| without[*address] != with[*address]).collect();
    assert_eq!(differing, Vec::<&Pubkey>::new());
    assert_eq!(without.len(), with.len());
}

#[test]
fn a_quanto_market_beside_a_dollar_market_stays_byte_for_byte_the_same() {
    let life = |split: bool| {
        let mut world = World::with_dollar_market(1);
        let trader = world.trader("trader", 100 * ONE);
        world.open_in(&trader, 0, call(0), SIZE, u64::MAX).unwrap();
        if split {
            acknowledge(&mut world, 3.0);
            announce(&mut world, 1.0, 3.0, IN_SESSION + 3_600);
        }
        for _ in 0..24 {
            world.chain.wait(300);
            world.crank_first().unwrap();
            world.crank_stock().unwrap();
            world.close_in(&trader, 0, call(0), 1_000, 0).unwrap();
        }
        let stock = world.vault.stock();
        ledger_bytes(&world.chain.snapshot(), &[stock])
    };
    assert!(life(true) == life(false));
}
