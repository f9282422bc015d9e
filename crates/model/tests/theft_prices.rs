//! Thefts that an audit tried with prices: left out, posted in an order of the thief's choice, from before or after a split.
//! Each test states the promise that one of its thieves went against.

mod common;

use common::{desk::*, *};
use perpetua_model::{pricing::*, *};

const BTC_CALL: SeriesKey = SeriesKey { market: 0, side: Side::Call, tick: 0 };
const BTC_PUT: SeriesKey = SeriesKey { market: 0, side: Side::Put, tick: 0 };
const BITCOIN: u64 = 1_000_000;
const HOUR: i64 = 3_600;

/// A dollar market in which the first account holds a call on one bitcoin.
fn world_with_a_call() -> World {
    let mut world = World::dollar(2);
    world.step(1);
    world.open(0, BTC_CALL, BITCOIN).unwrap();
    world
}

/// Cranks every hour until `end`.
fn crank_hourly_until(world: &mut World, end: i64) {
    while world.now < end {
        world.step((end - world.now).min(HOUR));
    }
}

/// Announces and acknowledges an hour from the start that one token will be `multiplier` shares; returns when it will.
fn announce_split(world: &mut World, multiplier: f64) -> i64 {
    let (split, from) = (Multiplier::from_bits(multiplier.to_bits()).unwrap(), IN_SESSION + HOUR);
    world.mint = ScaledUi { next: split.0, next_from: from, ..world.mint };
    world.stock.acknowledge(split);
    from
}

/// The feed shows a third of the price ten seconds before the mint shows three times the shares. The thief posts that price
/// in between, so that it would count three times over, and closes once the market moves again.
#[test]
fn a_feed_that_splits_seconds_before_the_mint_pays_nobody_three_dollars_for_one() {
    let mut world = world_with_a_call();
    let from = announce_split(&mut world, 3.0);
    crank_hourly_until(&mut world, from - 10);
    let honest = world.markets[0].units.last.0;
    world.share_cents = Some(SHARE_CENTS / 3);
    world.step(5);
    crank_hourly_until(&mut world, from + 2_401);
    world.close(0, BTC_CALL, BITCOIN).unwrap();
    let units = world.markets[0].units;
    assert!(units.high.0 <= honest + honest / 100, "{units:?} against {honest}");
    assert!(units.low.0 >= honest - honest / 100, "{units:?} against {honest}");
}

/// The mint splits five for four and the feed goes on with the old price, which then counts a quarter too much, still within
/// the value band. The thief buys while a dollar is worth too few tokens, to sell when the feed follows.
#[test]
fn nobody_opens_at_the_price_of_a_feed_that_learns_late_of_a_split_of_five_for_four() {
    let mut world = world_with_a_call();
    let honest = world.markets[0].units.last.0;
    let from = announce_split(&mut world, 1.25);
    crank_hourly_until(&mut world, from + 1_900);
    assert_eq!(world.open(1, BTC_CALL, BITCOIN).map(drop), Err(ModelError::StockFarFromAverage));
    world.share_cents = Some(SHARE_CENTS * 4 / 5);
    world.step(60);
    world.close(0, BTC_CALL, BITCOIN).unwrap();
    assert!(world.markets[0].units.last.0.abs_diff(honest) <= honest / 100);
}

/// The token feed is there to narrow what closing pays at night, when it shows more than the last price of the exchange.
/// Nobody posted it for a quarter of an hour; the thief cranks without it and closes at the exchange's price.
#[test]
fn nobody_closes_at_night_without_the_token_feed_that_publishes() {
    let mut world = world_with_a_call();
    world.stock.config = with_token_feed();
    world.token_cents = Some(SHARE_CENTS);
    crank_hourly_until(&mut world, CLOSES - 1);
    world.token_cents = Some(SHARE_CENTS * 115 / 100);
    world.step(2);
    world.advance(900);
    let mut honest = world.clone();
    honest.crank_all();
    honest.close(0, BTC_CALL, BITCOIN).unwrap();
    world.token_cents = None;
    world.crank_all();
    assert_eq!(world.close(0, BTC_CALL, BITCOIN).map(drop), Err(ModelError::StockPriceStale));
}

/// Nobody cranked for an hour of a session, so the stock looks as if it were halted. The thief cranks without the price,
/// which has risen, and closes as in a halt.
#[test]
fn nobody_closes_at_the_last_price_during_a_session_because_nobody_cranked_for_an_hour() {
    let mut world = world_with_a_call();
    world.advance(HOUR);
    world.share_cents = None;
    world.crank_all();
    assert_eq!(world.close(0, BTC_CALL, BITCOIN).map(drop), Err(ModelError::StockPriceStale));
}

/// Of two updates of one second, the thief posts the one that says nothing of the eight hours before.
#[test]
fn an_outage_counts_though_another_update_of_the_same_second_came_first() {
    let mut world = World::new(1, 1);
    let (start, end) = (world.now, world.now + 8 * HOUR);
    let index = &mut world.indices[0];
    index.accept(&update(10_000_000, 2, end, end), end + 1).unwrap();
    assert_eq!(index.outage_seconds, 0);
    index.accept(&update(10_000_000, 2, end, start), end + 1).unwrap();
    assert!(index.outage_seconds >= 8 * 3_600 - 1, "{}", index.outage_seconds);
}

/// The same with a stock that was halted for an hour, after which nobody is liquidated for a while.
#[test]
fn a_halt_counts_though_another_update_of_the_same_second_came_first() {
    let mut world = World::dollar(1);
    world.step(1);
    let (start, end) = (world.now, world.now + HOUR);
    let moment = Moment { now: end + 1, slot: world.slot + 9_000 };
    let mut in_grace_after = |previous| {
        let update = update(SHARE_CENTS, 2, end, previous);
        world.stock.crank(&world.mint, Some(&update), None, moment).unwrap();
        world.stock.read(moment).unwrap().conditions.has(Condition::Grace)
    };
    assert!(!in_grace_after(end));
    assert!(in_grace_after(start));
}

/// What a holder of a call owes two hours and a half after an outage of fifty minutes, whose first two updates were posted
/// in the order given, with a crank after each.
fn owed_after_an_outage(mut world: World, end: i64, updates: [&PriceUpdate; 2]) -> u64 {
    world.now = end + 1;
    world.slot += 10;
    for update in updates {
        world.indices[0].accept(update, world.now).unwrap();
        world.crank(0).unwrap();
    }
    for _ in 0..30 {
        world.step(300);
    }
    world.health(0).owed.0
}

/// A thief who earns funding posts the second update after an outage and cranks, so that the outage is charged before the
/// first update proves it.
#[test]
fn an_outage_costs_nothing_though_somebody_cranked_before_it_was_proved() {
    let mut world = World::new(1, 1);
    world.step(1);
    world.open(0, BTC_CALL, BITCOIN).unwrap();
    let (start, end) = (world.now, world.now + 50 * 60);
    let (first, second) = (update(10_000_000, 2, end, start), update(10_000_000, 2, end + 1, end));
    let fair = owed_after_an_outage(world.clone(), end, [&first, &second]);
    let charged = owed_after_an_outage(world, end, [&second, &first]);
    // The half hour of grace was charged instead of the outage: a quarter of the two hours that are charged anyhow.
    assert!(fair > 0 && charged <= fair + fair / 4 + fair / 100, "charged {charged}, fair {fair}");
}

/// The actions of anyone's that overflow now.
fn actions_that_overflow(world: &World) -> Vec<&'static str> {
    let copy = || world.clone();
    let outcomes = [
        ("crank", copy().crank(0).err()),
        ("close a call", copy().close(0, BTC_CALL, 20 * BITCOIN).err()),
        ("close a put", copy().close(0, BTC_PUT, 20 * BITCOIN).err()),
        ("value the main pool", copy().value(PoolKind::Main).err()),
        ("value the insurance pool", copy().value(PoolKind::Insurance).err()),
        ("liquidate", copy().liquidate(0, 1).err()),
        ("settle a capped call", copy().settle_capped(0, BTC_CALL).err()),
        ("settle a capped put", copy().settle_capped(0, BTC_PUT).err()),
        ("retire a call", copy().retire(0, BTC_CALL).err()),
        ("settle funding", copy().settle_funding(0).err()),
    ];
    outcomes
        .into_iter()
        .filter(|(_, error)| *error == Some(ModelError::MathOverflow))
        .map(|(action, _)| action)
        .collect()
}

/// The thief waits for a price, or moves one, at which an action that would cost him is refused for its arithmetic.
#[test]
fn no_price_of_stock_or_index_makes_an_action_overflow() {
    let mut world = world_with_a_call();
    world.open(0, BTC_CALL, 19 * BITCOIN).unwrap();
    world.open(0, BTC_PUT, 20 * BITCOIN).unwrap();
    for decimals in [0, 6, 8, 9] {
        for share in [1, 2, 100, SHARE_CENTS, 100_000_000, 1_600_000_000] {
            for btc in [1, 100, 4_000_000, 10_000_000, 100_000_000, 1_600_000_000] {
                let mut world = world.clone();
                world.stock.config.decimals = decimals;
                world.share_cents = Some(share);
                world.set_price(BTC, btc);
                for _ in 0..3 {
                    world.advance(3_000);
                    world.crank(0).unwrap();
                    let overflow = actions_that_overflow(&world);
                    assert!(overflow.is_empty(), "{overflow:?}: {decimals} decimals, share {share}, bitcoin {btc}");
                }
            }
        }
    }
}
