//! Prices that the guard refuses, and states of the world in which an action waits.

use perpetua_client::{
    instruction,
    price::{OWNER, PriceAccount},
};
use perpetua_tests::{
    World,
    price::{FEEDS, usd},
    token::{self, ONE},
    world::{Outcome, call},
};
use solana_account::Account;

/// Cranks the first market with a price that `change` altered.
fn crank_with(change: impl FnOnce(&mut PriceAccount)) -> Outcome {
    let mut world = World::new();
    world.chain.wait(10);
    let mut price = world.price(0);
    change(&mut price);
    world.post(0, &price);
    let crank = world.crank_instruction(&world.markets[0]);
    world.chain.send(&[crank])
}

/// Cranks the first market with any account as its price.
fn crank_with_account(change: impl FnOnce(&mut Account)) -> Outcome {
    let mut world = World::new();
    world.chain.wait(10);
    world.post(0, &world.price(0));
    let mut account = world.chain.account(&world.prices[0]);
    change(&mut account);
    let address = world.prices[0];
    world.chain.set(&address, account);
    let crank = world.crank_instruction(&world.markets[0]);
    world.chain.send(&[crank])
}

/// A BTC price of another program's deployment, real bytes: partially verified, so its fields lie one byte further.
const PARTIALLY_VERIFIED: &[u8] = include_bytes!("../../data/pyth/btc_usd_partially_verified.bin");

refusals! {
    a_price_account_of_another_program_is_refused: WrongOracleOwner =
        crank_with_account(|account| account.owner = token::TOKEN_2022);
    a_price_account_that_does_not_exist_is_refused: WrongOracleOwner =
        crank_with_account(|account| *account = Account::default());
    a_real_price_of_another_deployment_is_refused: WrongOracleOwner = crank_with_account(|account| {
        account.data = PARTIALLY_VERIFIED.to_vec();
        account.owner = solana_pubkey::Pubkey::from_str_const("G6EoTTTgpkNBtVXo96EQp2m6uwwVh2Kt6YidjkmQqoha");
    });
    a_partially_verified_price_is_refused: PriceNotVerified = crank_with_account(|account| {
        account.data = PARTIALLY_VERIFIED.to_vec();
        account.owner = OWNER;
    });
    an_account_that_is_no_price_is_refused: MalformedPrice = crank_with_account(|account| account.data[0] ^= 1);
    a_price_account_cut_short_is_refused: MalformedPrice = crank_with_account(|account| account.data.truncate(100));
    an_empty_price_account_is_refused: MalformedPrice = crank_with_account(|account| account.data.clear());
    a_price_of_another_feed_is_refused: WrongFeed = crank_with(|price| price.feed_id = FEEDS[1]);
    a_price_of_zero_is_refused: PriceNotPositive = crank_with(|price| price.price = 0);
    a_negative_price_is_refused: PriceNotPositive = crank_with(|price| price.price = -price.price);
    the_lowest_number_is_no_price: PriceNotPositive = crank_with(|price| price.price = i64::MIN);
    a_negative_average_is_refused: PriceNotPositive = crank_with(|price| price.average = -price.average);
    a_price_above_what_markets_support_is_refused: PriceOutOfRange = crank_with(|price| price.price = i64::MAX);
    a_price_below_a_cent_is_refused: PriceOutOfRange = crank_with(|price| price.price = 1);
    an_absurd_exponent_is_refused: PriceOutOfRange = crank_with(|price| price.exponent = i32::MAX);
    an_absurdly_small_exponent_is_refused: PriceOutOfRange = crank_with(|price| price.exponent = i32::MIN);
    a_price_older_than_a_minute_is_refused: PriceStale = {
        let mut world = World::new();
        world.post(0, &world.price(0));
        world.chain.wait(100);
        let mut price = world.price(0);
        price.publish_time -= 61;
        world.post(0, &price);
        let crank = world.crank_instruction(&world.markets[0]);
        world.chain.send(&[crank])
    };
    a_price_from_the_future_is_refused: PriceFromFuture = crank_with(|price| price.publish_time += 6);
    a_price_from_the_end_of_time_is_refused: PriceFromFuture = crank_with(|price| price.publish_time = i64::MAX);
    an_uncertain_price_is_refused: PriceUncertain =
        crank_with(|price| price.confidence = price.price.unsigned_abs() * 51 / 10_000);
    the_largest_confidence_is_refused: PriceUncertain = crank_with(|price| price.confidence = u64::MAX);
    a_trade_at_a_price_older_than_ten_seconds_is_refused: PriceStale = {
        let mut world = World::new();
        let trader = world.trader("trader", 10 * ONE);
        world.chain.wait(30);
        let mut price = world.price(0);
        price.publish_time -= 11;
        price.previous_publish_time = price.publish_time - 1;
        world.post(0, &price);
        let crank = world.crank_instruction(&world.markets[0]);
        world.chain.send(&[crank]).unwrap();
        world.chain.send(&[world.open_instruction(&trader, 0, call(0), 10_000, u64::MAX)])
    };
    opening_far_from_the_moving_average_is_refused: PriceFarFromAverage = {
        let mut world = World::new();
        let trader = world.trader("trader", 10 * ONE);
        world.chain.wait(30);
        let mut price = world.price(0);
        price.average = usd(94_000);
        world.post(0, &price);
        let crank = world.crank_instruction(&world.markets[0]);
        world.chain.send(&[crank]).unwrap();
        world.chain.send(&[world.open_instruction(&trader, 0, call(0), 10_000, u64::MAX)])
    };
    opening_without_a_recent_variance_is_refused: VarianceStale = {
        let mut world = World::new();
        let trader = world.trader("trader", 10 * ONE);
        // Between two marks, an hour after the last sample.
        world.chain.wait(3_720);
        world.open(&trader, call(0), 10_000)
    };
    opening_on_a_young_index_is_refused: VarianceTooYoung = {
        let mut world = World::new();
        let trader = world.trader("trader", 10 * ONE);
        let feed = [7; 32];
        world.chain.send(&[instruction::create_index(&world.admin, feed, perpetua_tests::parameters::guards(), None)]).unwrap();
        let market = world.vault.market(perpetua_client::address::index(&feed));
        let parameters = perpetua_tests::parameters::market_parameters(100_000);
        world.chain.send(&[instruction::create_market(&world.admin, &world.vault, &market, parameters)]).unwrap();
        let previous_publish_time = world.chain.now() - 1;
        let price = PriceAccount { feed_id: feed, previous_publish_time, ..world.price(0) };
        world.post(1, &price);
        world.chain.send(&[instruction::crank_funding(&market, Some(&world.prices[1]))]).unwrap();
        world.chain.send(&[instruction::open_position(
            &trader.owner, &world.vault, &trader.account, &market, &[], call(0), 10_000, u64::MAX,
        )])
    };
    opening_during_a_pause_is_refused: OpeningPaused = {
        let mut world = World::new();
        let trader = world.trader("trader", 10 * ONE);
        world.chain.send(&[instruction::set_opening_paused(&world.guardian, true)]).unwrap();
        world.open(&trader, call(0), 10_000)
    };
    opening_without_a_crank_in_the_slot_is_refused: MarketNotAccrued = {
        let mut world = World::new();
        let trader = world.trader("trader", 10 * ONE);
        world.crank_first().unwrap();
        world.chain.wait(1);
        world.chain.send(&[world.open_instruction(&trader, 0, call(0), 10_000, u64::MAX)])
    };
    opening_while_tokens_are_missing_is_refused: VaultShort = {
        let mut world = World::new();
        let trader = world.trader("trader", 10 * ONE);
        world.crank_first().unwrap();
        let open = world.open_instruction(&trader, 0, call(0), 10_000, u64::MAX);
        let tokens = world.vault.tokens();
        token::seize(&mut world.chain, &tokens, 1);
        world.chain.send(&[open])
    };
}

#[test]
fn a_price_that_is_not_newer_than_the_last_one_is_ignored() {
    let mut world = World::new();
    world.chain.wait(10);
    world.crank_first().unwrap();
    let index = world.index(0);
    let mut price = world.price(0);
    price.price = usd(90_000);
    world.post(0, &price);
    let slot = world.chain.slot();
    let now = world.chain.now();
    world.chain.set_clock(now, slot + 1);
    let crank = world.crank_instruction(&world.markets[0]);
    world.chain.send(&[crank]).unwrap();
    assert_eq!(world.index(0), index);
}

#[test]
fn closing_goes_on_when_tokens_are_missing() {
    let mut world = World::new();
    let trader = world.trader("trader", 10 * ONE);
    world.open(&trader, call(0), 10_000).unwrap();
    world.crank_first().unwrap();
    let tokens = world.vault.tokens();
    token::seize(&mut world.chain, &tokens, 1);
    let close = instruction::close_position(
        &trader.owner,
        &world.vault,
        &trader.account,
        &world.markets[0],
        call(0),
        10_000,
        0,
    );
    world.chain.send_while_short(&[close]).unwrap();
}
