//! When the world is not normal: what goes on in each state. What each state refuses is in the tests of errors.

use dashu_float::ops::SquareRoot;
use perpetua::Pool;
use perpetua_client::{address, event::Event, instruction, price::PriceAccount};
use perpetua_tests::{
    Trader, World,
    parameters::{UNITS_PER_USD, guards, market_parameters},
    price::usd,
    reference::{big, fixed, ratio, years},
    token::{self, ONE},
    world::{DECLARED_VARIANCE, call},
};

const SIZE: u64 = 100_000;

fn holding(tick: i16) -> (World, Trader) {
    let mut world = World::new();
    let trader = world.trader("trader", 100 * ONE);
    world.open(&trader, call(tick), SIZE).unwrap();
    (world, trader)
}

#[test]
fn a_pause_stops_neither_closing_nor_withdrawing_nor_leaving() {
    let (mut world, trader) = holding(0);
    let provider = world.provider("first provider", world.vault, 0);
    let ticket = world.request(&provider, Pool::Main, 1_000_000_000).unwrap();
    world.chain.send(&[instruction::set_opening_paused(&world.guardian, true)]).unwrap();
    world.close(&trader, call(0), SIZE / 2).unwrap();
    world.withdraw(&trader, ONE).unwrap();
    world.chain.wait(3 * 86_400);
    let markets = world.markets.clone();
    world.mark(&markets).unwrap();
    world.chain.send(&[instruction::execute_withdrawal(&trader.owner, &world.vault, &ticket, &markets)]).unwrap();
    let claim = instruction::claim_withdrawal(&provider.owner, &world.vault, &ticket, &provider.tokens);
    world.chain.send(&[claim]).unwrap();
}

#[test]
fn a_paused_mint_stops_neither_closing_nor_funding() {
    let (mut world, trader) = holding(0);
    let mint = world.vault.stock_mint;
    token::pause(&mut world.chain, &mint, true);
    world.run(600, 300);
    world.close(&trader, call(0), SIZE / 2).unwrap();
    let settle = instruction::settle_funding(&world.vault, &trader.account, &world.markets);
    world.run(600, 300);
    world.chain.send(&[settle]).unwrap();
    assert_eq!(world.withdraw(&trader, 1).unwrap_err().name(), "MintPaused");
    assert_eq!(world.open(&trader, call(0), SIZE).unwrap_err().name(), "MintPaused");
}

#[test]
fn a_seizure_stops_neither_closing_nor_funding() {
    let (mut world, trader) = holding(0);
    let tokens = world.vault.tokens();
    world.run(600, 300);
    token::seize(&mut world.chain, &tokens, 5 * ONE);
    let settle = instruction::settle_funding(&world.vault, &trader.account, &world.markets);
    world.chain.send_while_short(&[settle]).unwrap();
    let close =
        instruction::close_position(&trader.owner, &world.vault, &trader.account, &world.markets[0], call(0), SIZE, 0);
    world.chain.send_while_short(&[close]).unwrap();
}

#[test]
fn closing_pays_the_intrinsic_value_while_variance_is_stale() {
    let (mut world, trader) = holding(-8);
    // Between two marks, over an hour after the last sample: funding goes on at the last rate, halving each hour.
    world.chain.wait(3_720);
    world.crank_first().unwrap();
    let owed = world.market(0).receivable().0 + 1;
    let held = world.margin(&trader).collateral.0;
    world.close(&trader, call(-8), SIZE).unwrap();
    let received = world.margin(&trader).collateral.0 + owed - held;

    let width = big(10) + ratio(3, 2) * fixed(DECLARED_VARIANCE.into(), 48).sqrt() * big(100_000) * years(2).sqrt();
    let strike = perpetua_tests::reference::strike(&big(100_000), &ratio(10_125, 10_000), -8);
    let intrinsic = big(100_000) - width - strike;
    let units = i64::try_from(UNITS_PER_USD * SIZE / 1_000_000).unwrap();
    let payout = intrinsic * big(units);
    // Five bps of the notional of 10,000 USD.
    let fee = 5 * UNITS_PER_USD;
    let exact = payout.to_f64().value() - f64::from(u32::try_from(fee).unwrap());
    let off = (received as f64 - exact).abs();
    assert!(off <= 2.0, "received {received}, exactly {exact}");
}

#[test]
fn closing_pays_the_lower_of_both_values_while_spot_is_far_from_its_average() {
    let (world, trader) = holding(0);
    let proceeds = |average: i64| {
        let mut world = world.clone();
        world.chain.wait(90);
        let price = PriceAccount { average: usd(average), ..world.price(0) };
        world.post(0, &price);
        let crank = world.crank_instruction(&world.markets[0]);
        world.chain.send(&[crank]).unwrap();
        let market = world.markets[0];
        let close =
            instruction::close_position(&trader.owner, &world.vault, &trader.account, &market, call(0), SIZE, 0);
        let done = world.chain.send(&[close]).unwrap();
        let [Event::PositionClosed(closed)] = done.events[..] else { panic!("{:?}", done.events) };
        closed.payout
    };
    let normal = proceeds(100_000);
    assert!(proceeds(90_000) < normal, "a lower average lowers what a call pays");
    assert!(proceeds(110_000) <= normal, "a higher one does not raise it");
}

#[test]
fn a_real_price_account_of_the_oracle_is_accepted() {
    let mut world = World::new();
    let real = include_bytes!("../data/pyth/sol_usd_2026-10-07.bin");
    let price = PriceAccount::decode(real).unwrap();
    world.chain.set_clock(price.publish_time, world.chain.slot() + 1);
    let create = instruction::create_index(&world.admin, price.feed_id, guards(), Some(DECLARED_VARIANCE));
    world.chain.send(&[create]).unwrap();
    let market = world.vault.market(address::index(&price.feed_id));
    let list = instruction::create_market(&world.admin, &world.vault, &market, market_parameters(200));
    world.chain.send(&[list]).unwrap();
    let account = world.prices[0];
    world.post(0, &price);
    world.chain.edit(&account, |data| *data = real.to_vec());
    world.chain.send(&[instruction::crank_funding(&market, Some(&account))]).unwrap();
    let index = world.read::<perpetua::state::Index>(&market.index).state;
    assert_eq!(index.feed.publish_time, price.publish_time);
    // Dollars and cents: the price has 10^8 in a dollar.
    let cents = (index.feed.price.get() * 100) >> 64;
    assert_eq!(cents, u128::from(price.price.unsigned_abs() / 1_000_000));
}
