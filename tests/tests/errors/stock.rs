//! What a dollar market needs of its stock, and what the administrator may not say of it.

use perpetua::{ShortDay, StockParameters};
use perpetua_client::{
    instruction::{self, MarketKeys},
    price::PriceAccount,
};
use perpetua_tests::{
    World, actor,
    parameters::stock_parameters,
    price::{self, SHARE_FEED, usd},
    stock::{IN_SESSION, SESSION_ENDS, set_multiplier},
    token::{self, ONE},
    world::{Outcome, call},
};

/// The day of the session that tests are in: Tuesday 2026-01-06.
const TUESDAY: i64 = IN_SESSION / 86_400;

/// Opens a position in a dollar market after `change` altered the world.
fn open_after(change: impl FnOnce(&mut World)) -> Outcome {
    let mut world = World::with_dollar_market(0);
    let trader = world.trader("trader", 10 * ONE);
    change(&mut world);
    world.open(&trader, call(0), 10_000)
}

/// Cranks the stock with a price of the share that `change` altered.
fn crank_with(change: impl FnOnce(&mut PriceAccount)) -> Outcome {
    let mut world = World::with_dollar_market(0);
    world.chain.wait(10);
    let mut update = price::fresh(&world.chain, SHARE_FEED, usd(400));
    change(&mut update);
    let address = world.stock_prices[0];
    price::post(&mut world.chain, &address, &update);
    let crank = world.crank_stock_instruction();
    world.chain.send(&[crank])
}

/// Enters days of the calendar, each counted from the Tuesday of the tests.
fn shorten(days: impl IntoIterator<Item = (i64, u16)>) -> Outcome {
    let mut world = World::with_dollar_market(0);
    let days = days.into_iter().map(|(day, close_minute)| {
        let day = u16::try_from(TUESDAY + day).unwrap();
        ShortDay { day, close_minute }
    });
    let shorten = instruction::shorten_sessions(&world.admin, &world.vault, days.collect());
    world.chain.send(&[shorten])
}

refusals! {
    a_dollar_market_without_its_stock_is_not_cranked: StockMissing = {
        let mut world = World::with_dollar_market(0);
        let market = MarketKeys { stock: None, ..world.markets[0] };
        world.chain.send(&[instruction::crank_funding(&market, None)])
    };
    a_dollar_market_whose_stock_was_cranked_in_an_earlier_slot_is_not_cranked: StockNotCranked = {
        let mut world = World::with_dollar_market(0);
        world.crank_stock().unwrap();
        world.chain.wait(1);
        let crank = world.crank_instruction(&world.markets[0]);
        world.chain.send(&[crank])
    };
    a_stock_of_another_vault_is_refused: WrongAccount = {
        let mut world = World::with_dollar_market(0);
        let (other, _) = world.add_spl_vault();
        world.chain.send(&[instruction::create_stock(&world.admin, &other, stock_parameters())]).unwrap();
        let market = MarketKeys { stock: Some(other.stock()), ..world.markets[0] };
        world.chain.send(&[instruction::crank_funding(&market, None)])
    };
    opening_while_a_share_has_no_price_within_the_session_is_refused: StockPriceStale = open_after(|world| {
        world.chain.wait(11);
        world.set_share(None);
    });
    opening_after_the_exchange_closed_is_refused: StockMarketClosed =
        open_after(|world| world.chain.wait(SESSION_ENDS - IN_SESSION));
    opening_far_from_the_shares_average_is_refused: StockFarFromAverage = {
        let mut world = World::with_dollar_market(0);
        let trader = world.trader("trader", 10 * ONE);
        world.chain.wait(30);
        let update = PriceAccount { average: usd(376), ..price::fresh(&world.chain, SHARE_FEED, usd(400)) };
        let address = world.stock_prices[0];
        price::post(&mut world.chain, &address, &update);
        world.post(0, &world.price(0));
        let (stock, market) = (world.crank_stock_instruction(), world.crank_instruction(&world.markets[0]));
        let open = world.open_instruction(&trader, 0, call(0), 10_000, u64::MAX);
        world.chain.send(&[stock, market, open])
    };
    opening_half_an_hour_before_the_multiplier_changes_is_refused: MultiplierChanging = open_after(|world| {
        let (mint, at) = (world.vault.stock_mint, world.chain.now() + 1_800);
        set_multiplier(&mut world.chain, &mint, 1.0, 1.01, at);
    });
    a_price_of_another_feed_does_not_price_the_share: WrongFeed = crank_with(|update| update.feed_id = [5; 32]);
    a_price_of_the_share_from_the_future_is_refused: PriceFromFuture = crank_with(|update| update.publish_time += 6);
    a_price_of_the_share_older_than_a_minute_is_refused: PriceStale = {
        let mut world = World::with_dollar_market(0);
        world.chain.wait(200);
        let update = price::fresh(&world.chain, SHARE_FEED, usd(400));
        let update = PriceAccount { publish_time: update.publish_time - 61, ..update };
        let address = world.stock_prices[0];
        price::post(&mut world.chain, &address, &update);
        let crank = world.crank_stock_instruction();
        world.chain.send(&[crank])
    };
    an_uncertain_price_of_the_share_is_refused: PriceUncertain =
        crank_with(|update| update.confidence = update.price.unsigned_abs() * 51 / 10_000);
    a_negative_price_of_the_share_is_refused: PriceNotPositive = crank_with(|update| update.price = -1);
    a_weekend_is_no_entry_of_the_calendar: CalendarInvalid = shorten([(4, 0)]);
    a_day_that_is_past_is_no_entry_of_the_calendar: CalendarInvalid = shorten([(-1, 0)]);
    a_day_over_two_years_ahead_is_no_entry_of_the_calendar: CalendarInvalid = shorten([(735, 0)]);
    a_session_cannot_be_prolonged: CalendarInvalid = shorten([(1, 961)]);
    a_thirty_third_exception_is_refused: CalendarFull = {
        let mondays = (0..33).map(|week| (6 + 7 * week, 0));
        shorten(mondays)
    };
    an_absurd_multiplier_cannot_be_acknowledged: MultiplierInvalid = {
        let mut world = World::with_dollar_market(0);
        world.chain.send(&[instruction::acknowledge_multiplier(&world.admin, &world.vault, f64::NAN.to_bits())])
    };
    a_stock_cannot_be_listed_while_its_multiplier_is_absurd: MultiplierInvalid = {
        let mut world = World::new();
        let mint = world.vault.stock_mint;
        set_multiplier(&mut world.chain, &mint, -1.0, -1.0, 0);
        world.create_stock(stock_parameters())
    };
    only_the_administrator_can_list_a_stock: Unauthorized = {
        let mut world = World::new();
        let thief = actor("thief");
        world.chain.fund(&thief);
        world.chain.send(&[instruction::create_stock(&thief, &world.vault, stock_parameters())])
    };
    only_the_administrator_can_shorten_sessions: Unauthorized = {
        let mut world = World::with_dollar_market(0);
        let day = ShortDay { day: u16::try_from(TUESDAY).unwrap(), close_minute: 0 };
        world.chain.send(&[instruction::shorten_sessions(&world.guardian, &world.vault, vec![day])])
    };
    only_the_administrator_can_acknowledge_a_multiplier: Unauthorized = {
        let mut world = World::with_dollar_market(0);
        world.chain.send(&[instruction::acknowledge_multiplier(&world.guardian, &world.vault, 3f64.to_bits())])
    };
    a_haircut_above_the_bounds_is_refused: ParameterOutOfRange = {
        let mut world = World::new();
        world.create_stock(StockParameters { closed_haircut_bps: 2_001, ..stock_parameters() })
    };
    a_dollar_market_takes_no_units_of_its_own: ParameterOutOfRange = {
        let mut world = World::new();
        let keys = world.vault.dollar_market(world.markets[0].index);
        let wrong = perpetua::MarketParameters {
            units_per_usd: 1 << 24,
            ..perpetua_tests::parameters::dollar_parameters(100_000)
        };
        world.chain.send(&[instruction::create_market(&world.admin, &world.vault, &keys, wrong)])
    };
    an_index_with_a_price_within_seven_days_is_not_abandoned: NotAbandoned = {
        let mut world = World::new();
        let trader = world.trader("trader", 10 * ONE);
        world.open(&trader, call(0), 10_000).unwrap();
        world.chain.wait(7 * 86_400 - 60);
        world.crank_first().unwrap();
        let settle = instruction::settle_abandoned(&world.vault, &trader.account, &world.markets[0], call(0));
        world.chain.send(&[settle])
    };
    adding_to_a_position_that_outgrew_its_reserve_is_refused: ReserveOutgrown = {
        let mut world = World::with_dollar_market(0);
        let trader = world.trader("trader", 100 * ONE);
        world.open(&trader, call(0), 10_000).unwrap();
        // 35% above the cap is reserved at 400 dollars.
        world.leap(100_000, 290);
        world.open(&trader, call(0), 10_000)
    };
    opening_while_the_vaults_tokens_are_frozen_is_refused: TokensFrozen = {
        let mut world = World::new();
        let trader = world.trader("trader", 10 * ONE);
        let tokens = world.vault.tokens();
        token::freeze(&mut world.chain, &tokens, true);
        world.open(&trader, call(0), 10_000)
    };
    withdrawing_while_the_vaults_tokens_are_frozen_is_refused: TokensFrozen = {
        let mut world = World::new();
        let trader = world.trader("trader", 10 * ONE);
        let tokens = world.vault.tokens();
        token::freeze(&mut world.chain, &tokens, true);
        world.withdraw(&trader, ONE)
    };
}

#[test]
fn a_holiday_that_gave_way_to_time_makes_room_for_another() {
    let mut world = World::with_dollar_market(0);
    let day = |week: i64| ShortDay { day: u16::try_from(TUESDAY + 6 + 7 * week).unwrap(), close_minute: 0 };
    let enter = |world: &World, days: Vec<ShortDay>| instruction::shorten_sessions(&world.admin, &world.vault, days);
    let full = enter(&world, (0..32).map(day).collect());
    world.chain.send(&[full]).unwrap();
    let one_more = enter(&world, vec![day(32)]);
    assert_eq!(world.chain.send(std::slice::from_ref(&one_more)).unwrap_err().name(), "CalendarFull");
    world.chain.wait(17 * 86_400);
    world.chain.send(&[one_more]).unwrap();
}
