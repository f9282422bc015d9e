//! The stock exchange's hours, as the calendar, the clock and the feed's own age say: what a dollar market does outside
//! them.

use perpetua::ShortDay;
use perpetua_client::{event::Event, instruction, price::PriceAccount};
use perpetua_tests::{
    Trader, World,
    parameters::{stock_parameters, stock_parameters_with_token_feed},
    price::{self, SHARE_FEED, usd},
    stock::{IN_SESSION, NEXT_BELL, SESSION_ENDS},
    token::ONE,
    world::{Outcome, call},
};

const SIZE: u64 = 100_000;
/// A dollar in tokens of 400 dollars, Q40.24.
const AT_400: u64 = 250_000 << 24;
const DAY: i64 = 86_400;

/// A trader with a call of a dollar market in the session.
fn holding(stock: perpetua::StockParameters) -> (World, Trader) {
    let mut world = World::with_stock(1, stock);
    let trader = world.trader("trader", 100 * ONE);
    open(&mut world, &trader, SIZE).unwrap();
    (world, trader)
}

/// Number of the dollar market; the first market is a quanto one of the same index.
const DOLLAR: usize = 1;

fn open(world: &mut World, trader: &Trader, size: u64) -> Outcome {
    world.open_in(trader, DOLLAR, call(0), size, u64::MAX)
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

/// The name of the refusal.
fn refusal(outcome: Outcome) -> String {
    outcome.expect_err("it must be refused").name()
}

/// Closes half of the position and asserts that it pays 95% of its value at 400 dollars a token.
fn assert_closes_at_a_haircut(world: &mut World, trader: &Trader) {
    let done = close(world, trader, SIZE / 2).unwrap();
    let [Event::PositionClosed(closed)] = &done.events[..] else { panic!("{:?}", done.events) };
    // Size times value in millionths of a dollar, times raw units per dollar less 5%.
    let millionths = u128::from(SIZE / 2) * (closed.value >> 32);
    let exact = ((millionths * 237_500) >> 32) / 1_000_000;
    assert!(u128::from(closed.payout).abs_diff(exact) <= 1, "paid {}, exactly {exact}", closed.payout);
}

/// `units` is what a dollar is worth in tokens of `dollars`, to one in ten million.
fn assert_worth(units: u64, dollars: f64) {
    let exact = f64::from(250_000 << 7) / dollars * 400.0;
    let units = f64::from(u32::try_from(units >> 17).unwrap());
    assert!((units / exact - 1.0).abs() < 1e-7, "{units} units instead of {exact}");
}

#[test]
fn a_feed_that_stops_early_stops_trade_for_ten_minutes_and_then_closing_is_bounded() {
    let (mut world, trader) = holding(stock_parameters());
    let last = world.chain.now();
    world.set_share(None);
    at(&mut world, last + 10);
    close(&mut world, &trader, 1_000).unwrap();
    // Counted from when the first crank put it on record.
    for after in [11, 300, 600, 611] {
        at(&mut world, last + after);
        assert_eq!(refusal(close(&mut world, &trader, 1_000)), "StockPriceStale", "after {after} seconds");
        assert_eq!(refusal(open(&mut world, &trader, 1_000)), "StockPriceStale", "after {after} seconds");
    }
    at(&mut world, last + 612);
    assert_closes_at_a_haircut(&mut world, &trader);
    assert_eq!(refusal(open(&mut world, &trader, SIZE)), "StockMarketClosed");
}

#[test]
fn a_feed_that_goes_on_after_the_close_is_ignored() {
    let (mut world, trader) = holding(stock_parameters());
    at(&mut world, SESSION_ENDS - 1);
    open(&mut world, &trader, 1_000).unwrap();
    let last = world.stock().share;
    assert_eq!(last.publish_time, SESSION_ENDS - 1);
    for after in [0, 60, 3_600] {
        at(&mut world, SESSION_ENDS + after);
        world.set_share(Some(300));
        assert_eq!(refusal(open(&mut world, &trader, 1_000)), "StockMarketClosed");
        assert_eq!(world.stock().share, last, "{after} seconds after the close");
    }
    assert_eq!(world.units(), [AT_400 / 100 * 95, AT_400, AT_400]);
    assert_closes_at_a_haircut(&mut world, &trader);
}

#[test]
fn a_price_of_the_session_that_is_posted_after_it_is_ignored() {
    let (mut world, _) = holding(stock_parameters());
    let last = world.stock().share;
    at(&mut world, SESSION_ENDS + 10);
    let late = price::fresh(&world.chain, SHARE_FEED, usd(300));
    let late = PriceAccount { publish_time: SESSION_ENDS - 5, previous_publish_time: SESSION_ENDS - 6, ..late };
    let address = world.stock_prices[0];
    price::post(&mut world.chain, &address, &late);
    let crank = world.crank_stock_instruction();
    world.chain.send(&[crank]).unwrap();
    assert_eq!(world.stock().share, last);
}

#[test]
fn a_half_day_ends_early_and_a_holiday_never_starts() {
    let (mut world, trader) = holding(stock_parameters());
    let tuesday = u16::try_from(IN_SESSION / DAY).unwrap();
    // 13:00 in New York on Tuesday, nothing on Wednesday.
    let days = vec![ShortDay { day: tuesday, close_minute: 780 }, ShortDay { day: tuesday + 1, close_minute: 0 }];
    world.chain.send(&[instruction::shorten_sessions(&world.admin, &world.vault, days)]).unwrap();
    at(&mut world, IN_SESSION + 3 * 3_600 - 1);
    open(&mut world, &trader, 1_000).unwrap();
    at(&mut world, IN_SESSION + 3 * 3_600);
    assert_eq!(refusal(open(&mut world, &trader, 1_000)), "StockMarketClosed");
    at(&mut world, IN_SESSION + DAY);
    assert_eq!(refusal(open(&mut world, &trader, 1_000)), "StockMarketClosed");
    at(&mut world, IN_SESSION + 2 * DAY);
    open(&mut world, &trader, 1_000).unwrap();
}

#[test]
fn a_weekend_is_closed_although_the_feed_publishes() {
    let (mut world, trader) = holding(stock_parameters());
    for (days, trades) in [(1, true), (2, true), (3, true), (4, false), (5, false), (6, true)] {
        at(&mut world, IN_SESSION + days * DAY);
        let outcome = open(&mut world, &trader, 1_000);
        assert_eq!(outcome.is_ok(), trades, "{days} days after Tuesday");
    }
}

#[test]
fn daylight_saving_moves_the_bell_an_hour() {
    let (mut world, trader) = holding(stock_parameters());
    // 13:30 UTC is the bell on Monday 2026-03-09, the day after the clocks changed, and was not on the Friday before.
    for (day, opens) in [(20_518, false), (20_521, true)] {
        at(&mut world, day * DAY + 13 * 3_600 + 1_800);
        assert_eq!(open(&mut world, &trader, 1_000).is_ok(), opens, "day {day}");
    }
}

#[test]
fn at_the_opening_bell_nobody_trades_before_the_first_price_of_the_session() {
    let (mut world, trader) = holding(stock_parameters());
    at(&mut world, NEXT_BELL - 1);
    assert_eq!(refusal(open(&mut world, &trader, 1_000)), "StockMarketClosed");
    assert_closes_at_a_haircut(&mut world, &trader);
    world.set_share(None);
    at(&mut world, NEXT_BELL);
    assert_eq!(refusal(close(&mut world, &trader, 1_000)), "StockPriceStale");
    at(&mut world, NEXT_BELL + 600);
    assert_eq!(refusal(close(&mut world, &trader, 1_000)), "StockPriceStale");
    let mut silent = world.clone();
    at(&mut silent, NEXT_BELL + 601);
    close(&mut silent, &trader, 1_000).unwrap();
    // The exchange opens a tenth lower.
    world.set_share(Some(360));
    close(&mut world, &trader, 1_000).unwrap();
    assert_worth(world.units()[1], 360.0);
}

#[test]
fn a_price_from_before_the_bell_does_not_open_the_session() {
    let (mut world, trader) = holding(stock_parameters());
    at(&mut world, NEXT_BELL + 3);
    let early = price::fresh(&world.chain, SHARE_FEED, usd(300));
    let early = PriceAccount { publish_time: NEXT_BELL - 1, previous_publish_time: NEXT_BELL - 2, ..early };
    let address = world.stock_prices[0];
    price::post(&mut world.chain, &address, &early);
    let crank = world.crank_stock_instruction();
    world.chain.send(&[crank]).unwrap();
    world.set_share(None);
    assert_eq!(world.units()[1], AT_400, "the last price of Tuesday");
    assert_eq!(refusal(close(&mut world, &trader, 1_000)), "StockPriceStale");
}

/// Ends a halt of the share that began with its last price.
fn resume(world: &mut World) {
    let since = world.stock().share.publish_time;
    let update = price::fresh(&world.chain, SHARE_FEED, usd(400));
    let address = world.stock_prices[0];
    price::post(&mut world.chain, &address, &PriceAccount { previous_publish_time: since, ..update });
    let crank = world.crank_stock_instruction();
    world.chain.send(&[crank]).unwrap();
}

#[test]
fn after_a_halt_opening_and_funding_wait_half_an_hour_and_closing_does_not() {
    let (mut world, trader) = holding(stock_parameters());
    let halted = world.chain.now();
    at(&mut world, halted + 601);
    resume(&mut world);
    let funding = |world: &World| world.market(DOLLAR).slots[0].series[0].funding_index.get();
    let before = funding(&world);
    assert_eq!(refusal(open(&mut world, &trader, 1_000)), "RecoveringFromOutage");
    close(&mut world, &trader, 1_000).unwrap();
    for minute in 1..=5 {
        at(&mut world, halted + 601 + 359 * minute);
        close(&mut world, &trader, 1_000).unwrap();
    }
    assert_eq!(funding(&world), before, "the time from the halt's end is free");
    assert_eq!(refusal(open(&mut world, &trader, 1_000)), "RecoveringFromOutage");
    at(&mut world, halted + 601 + 1_800);
    open(&mut world, &trader, 1_000).unwrap();
    world.chain.wait(300);
    close(&mut world, &trader, 1_000).unwrap();
    assert!(funding(&world) > before);
}

#[test]
fn a_break_of_ten_minutes_is_no_halt() {
    let (mut world, trader) = holding(stock_parameters());
    let last = world.chain.now();
    at(&mut world, last + 600);
    resume(&mut world);
    open(&mut world, &trader, 1_000).unwrap();
}

#[test]
fn the_night_is_no_halt() {
    let (mut world, trader) = holding(stock_parameters());
    at(&mut world, SESSION_ENDS - 60);
    world.crank_stock().unwrap();
    at(&mut world, NEXT_BELL + 60);
    resume(&mut world);
    open(&mut world, &trader, 1_000).unwrap();
}

#[test]
fn within_the_session_the_token_feed_only_widens_the_range() {
    let (mut world, _) = holding(stock_parameters_with_token_feed());
    let [low, last, high] = world.units();
    assert_worth(last, 400.0);
    world.chain.wait(1);
    world.token = Some(usd(410));
    let with_dear = world.units();
    assert_worth(with_dear[0], 410.0);
    assert_eq!((with_dear[1], with_dear[2]), (last, high));
    world.chain.wait(1);
    world.token = Some(usd(390));
    let with_cheap = world.units();
    assert_worth(with_cheap[2], 390.0);
    assert_eq!(with_cheap[1], last);
    assert!(with_cheap[0] <= low);
}

#[test]
fn at_night_the_token_feed_lowers_what_closing_pays_and_never_raises_it() {
    let (mut world, _) = holding(stock_parameters_with_token_feed());
    at(&mut world, SESSION_ENDS);
    for (token, lowest, highest) in [(440, 440.0, 400.0), (400, 400.0, 400.0), (360, 400.0, 360.0)] {
        world.chain.wait(10);
        world.token = Some(usd(token));
        let [low, last, high] = world.units();
        assert_worth(low, lowest / 0.95);
        assert_worth(last, 400.0);
        assert_worth(high, highest);
    }
}

#[test]
fn a_token_feed_left_out_at_night_stops_closing_for_a_day_from_when_that_is_on_record() {
    let (mut world, trader) = holding(stock_parameters_with_token_feed());
    at(&mut world, SESSION_ENDS);
    world.crank_stock().unwrap();
    world.token = None;
    world.chain.wait(60);
    assert_closes_at_a_haircut(&mut world, &trader);
    for seconds in [61, 600, 12 * 3_600, 61 + DAY] {
        at(&mut world, SESSION_ENDS + seconds);
        assert_eq!(refusal(close(&mut world, &trader, 1_000)), "StockPriceStale", "{seconds}");
    }
    at(&mut world, SESSION_ENDS + 62 + DAY);
    close(&mut world, &trader, 1_000).unwrap();
}

#[test]
fn a_token_feed_far_from_the_share_lets_only_owners_close() {
    let (mut world, trader) = holding(stock_parameters_with_token_feed());
    world.chain.wait(10);
    world.token = Some(usd(501));
    assert_eq!(refusal(open(&mut world, &trader, 1_000)), "StockFarFromAverage");
    assert_eq!(refusal(world.withdraw(&trader, 1_000)), "StockFarFromAverage");
    close(&mut world, &trader, 1_000).unwrap();
}
