//! Playing the stock's price at the hours in which it stands: the night, the weekend, the opening bell. Mirror Protocol's
//! attacker of May 2022 waited for the feeds of stocks to resume at the market's opening to drain the next pools.

use perpetua_tests::{
    Failure, Trader, World,
    attacker::{Attacker, Search, advantage},
    parameters::{stock_parameters, stock_parameters_with_token_feed},
    price::usd,
    stock::{NEXT_BELL, SESSION_ENDS},
    world::call,
};

use crate::desk::*;

/// A holder of a dollar call at one in the night; the share closed at 400 dollars.
fn night(with_token_feed: bool) -> (World, Trader, Attacker) {
    let stock = if with_token_feed { stock_parameters_with_token_feed() } else { stock_parameters() };
    let (mut world, trader, attacker) = with_attacker(World::with_stock(0, stock));
    world.open(&trader, call(-8), 2 * BITCOIN).unwrap();
    world.run(SESSION_ENDS - world.chain.now(), 300);
    world.run(NEXT_BELL - 3_600 - world.chain.now(), 1_800);
    (world, trader, attacker)
}

/// What the token feed shows, if there is one, before the exchange opens there.
fn show(world: &mut World, bps: i64) {
    if world.token.is_some() {
        world.token = Some(usd(400) + usd(400) * bps / 10_000);
    }
}

/// Waits for the first prices of the session and closes as anybody would.
fn close_in_the_morning(world: &mut World, trader: &Trader, bps: i64) -> Result<(), Failure> {
    show(world, bps);
    world.run(NEXT_BELL + 300 - world.chain.now(), 300);
    world.share = Some(usd(400) + usd(400) * bps / 10_000);
    settle_down(world)?;
    settle_down(world)?;
    world.close(trader, call(-8), 2 * BITCOIN).map(drop)
}

/// Closes so many seconds before the bell, knowing where the stock will open.
fn close_before_the_bell(world: &mut World, trader: &Trader, bps: i64, before: i64) -> Result<(), Failure> {
    show(world, bps);
    world.run(NEXT_BELL - before - world.chain.now(), 300);
    world.close(trader, call(-8), 2 * BITCOIN)?;
    world.run(NEXT_BELL + 600 - world.chain.now(), 300);
    Ok(())
}

/// What closing at the best moment before the bell earns over waiting for the first price of the morning.
fn search_gaps(token_feed: bool, gaps_bps: &[i64]) -> Search {
    let (world, trader, attacker) = night(token_feed);
    let mut search = Search::default();
    for bps in gaps_bps.iter().copied() {
        for before in [1, 60, 3_000] {
            let earned = advantage(
                &world,
                &attacker,
                |world| close_before_the_bell(world, &trader, bps, before),
                |world| close_in_the_morning(world, &trader, bps),
            );
            search.note((bps, before), earned);
        }
    }
    search
}

#[test]
fn with_the_token_feed_no_opening_gap_pays_who_closes_before_it() {
    let gaps = [-2_000, -1_000, -500, -100, 0, 100, 300, 500, 526, 800, 1_500, 2_400];
    search_gaps(true, &gaps).assert_unprofitable(30);
}

/// Without it the haircut of 5% covers gaps up to 5%, less what the price range takes (docs/mechanism.md, known limits).
#[test]
fn without_the_token_feed_gaps_up_to_the_haircut_pay_nothing() {
    search_gaps(false, &[-2_000, -500, 0, 100, 300, 450, 500]).assert_unprofitable(21);
}

#[test]
fn nobody_opens_while_the_exchange_is_closed_nor_before_its_first_price() {
    let (mut world, trader, _) = night(true);
    let mut moments = 0;
    for second in [-3_000, -600, -1, 0, 1, 30, 300] {
        let seconds = NEXT_BELL + second - world.chain.now();
        world.chain.wait(seconds);
        world.share = None;
        let refusal = world.open(&trader, call(0), BITCOIN).unwrap_err().name();
        assert!(["StockMarketClosed", "StockPriceStale"].contains(&refusal.as_str()), "{second}: {refusal}");
        if second >= 0 {
            let refusal = world.close(&trader, call(-8), BITCOIN).unwrap_err().name();
            assert_eq!(refusal, "StockPriceStale", "{second}");
        }
        moments += 1;
    }
    assert_eq!(moments, 7);
}
