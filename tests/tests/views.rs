//! Quotes: what the program returns, what the client computes off the chain, and what a trade then costs are one number.

use anchor_lang::AnchorDeserialize;
use perpetua::{AccountHealth, Pool, Quote, events, state};
use perpetua_client::{event::Event, instruction, price::PriceAccount, quote};
use perpetua_model::{Moment, NetAssetValue, PoolKind, Shares, Size, Tokens};
use perpetua_tests::{
    World,
    token::{self, ONE},
    world::{call, put},
};

const SIZE: u64 = 123_457;

/// A world some time after START with positions, at a spot between two strikes.
fn lived_in() -> (World, perpetua_tests::Trader) {
    let mut world = World::with_markets(2);
    let trader = world.trader("trader", 200 * ONE);
    for series in [call(0), call(9), put(-4), put(3)] {
        world.open(&trader, series, SIZE).unwrap();
    }
    world.spot[0] = 100_777;
    world.run(4_000, 200);
    (world, trader)
}

#[test]
fn the_client_quotes_what_the_program_returns_and_then_charges() {
    for series in [call(0), call(9), put(-4), put(3), call(-11), put(17)] {
        let (mut world, trader) = lived_in();
        world.chain.wait(7);
        world.spot[0] = 100_913;
        let market = world.markets[0];

        // Off the chain, from the accounts before the crank and the price that will be posted.
        let price: PriceAccount = world.price(0);
        let moment = Moment { now: world.chain.now(), slot: world.chain.slot() };
        let (exchange, vault) = (world.read(&perpetua_client::address::exchange()), world.read(&world.vault.vault));
        let (index, stored) = (world.read(&market.index), Box::new(world.read::<state::Market>(&market.market)));
        let balance = Tokens(token::balance(&world.chain, &world.vault.tokens()));
        let trade =
            quote::Trade { exchange: &exchange, vault: &vault, balance, index: &index, market: &stored, stock: None };
        let cranked = trade.crank(Some(&price.update().unwrap()), moment).unwrap();
        let open = trade.open(&cranked, series, Size(SIZE), moment).unwrap();

        world.crank(&market).unwrap();
        let done = world.chain.send(&[instruction::view_quote(&world.vault, &market, series, SIZE)]).unwrap();
        let returned = Quote::try_from_slice(&done.returned).unwrap();
        let there = returned.open.unwrap();
        assert_eq!((there.premium, there.fee, there.reserve), (open.premium.0, open.fee.0, open.reserve.0));
        assert_eq!(there.value, open.value.get());
        if let Ok(close) = trade.close(&cranked, series, Size(SIZE), moment) {
            let there = returned.close.unwrap();
            assert_eq!((there.payout, there.fee, there.value), (close.payout.0, close.fee.0, close.value.get()));
        }

        let before = world.ledgers();
        let cost = open.cost().unwrap().0;
        let limit_below = world.open_instruction(&trader, 0, series, SIZE, cost - 1);
        assert_eq!(world.chain.send(&[limit_below]).unwrap_err().name(), "CostAboveLimit");
        let at_limit = world.open_instruction(&trader, 0, series, SIZE, cost);
        world.chain.send(&[at_limit]).unwrap();
        assert_eq!(world.ledgers().reserves.0 - before.reserves.0, open.reserve.0);
    }
}

#[test]
fn the_client_sees_an_account_as_the_program_does() {
    let (mut world, trader) = lived_in();
    // Not cranked now, so that what may have come due counts, too.
    world.chain.wait(500);
    let done = world.chain.send(&[instruction::view_health(&world.vault, &trader.account, &world.markets)]).unwrap();
    let there = AccountHealth::try_from_slice(&done.returned).unwrap();
    let account = world.read(&trader.account);
    let markets: Vec<state::Market> = world.markets.iter().map(|keys| world.read(&keys.market)).collect();
    let vault = world.read(&world.vault.vault);
    let here = quote::health(&vault, &account, &markets, world.chain.now()).unwrap();
    assert_eq!(
        (there.collateral, there.owed, there.unaccrued, there.maintenance, there.initial),
        (here.collateral.0, here.owed.0, here.unaccrued.0, here.maintenance.0, here.initial().0)
    );
    assert!(here.owed.0 > 0 && here.unaccrued.0 > 0);
}

/// The main pool as the client sees it, marked now.
fn marked_pool(world: &mut World) -> (state::Vault, NetAssetValue) {
    let keys = world.markets.clone();
    world.mark(&keys).unwrap();
    let markets: Vec<state::Market> = keys.iter().map(|keys| world.read(&keys.market)).collect();
    let vault = world.read(&world.vault.vault);
    let value = quote::pool_value(&vault, PoolKind::Main, &markets, world.chain.slot()).unwrap();
    (vault, value)
}

#[test]
fn the_client_quotes_the_shares_that_a_deposit_buys_and_the_tokens_that_they_return() {
    let mut world = World::new();
    let trader = world.trader("trader", 200 * ONE);
    world.open(&trader, call(0), SIZE).unwrap();
    let provider = world.provider("second provider", world.vault, 100 * ONE);
    let (vault, value) = marked_pool(&mut world);
    assert!(value.low < value.high, "open interest is worth more at the ask");
    let shares = quote::shares_for(&vault, PoolKind::Main, value, Tokens(100 * ONE)).unwrap();
    let join = world.join(&provider, &world.markets, Pool::Main, 100 * ONE, shares.0);
    world.chain.send(&[join]).unwrap();
    assert_eq!(token::balance(&world.chain, &provider.shares[0]), shares.0);

    let ticket = world.request(&provider, Pool::Main, shares.0).unwrap();
    world.chain.wait(3 * 86_400);
    let (vault, value) = marked_pool(&mut world);
    let worth = quote::tokens_for(&vault, PoolKind::Main, value, Shares(shares.0)).unwrap();
    let execute = instruction::execute_withdrawal(&provider.owner, &world.vault, &ticket, &world.markets);
    world.chain.send(&[execute]).unwrap();
    // 0.3% stays in the pool, rounded up.
    let paid = worth.0 - (worth.0 * 30).div_ceil(10_000);
    assert_eq!(world.read::<state::WithdrawalTicket>(&ticket).state.payable.0, paid);
}

#[test]
fn a_quote_that_a_trade_would_be_refused_for_is_missing() {
    let (mut world, _) = lived_in();
    world.crank_first().unwrap();
    let view = instruction::view_quote(&world.vault, &world.markets[0], call(60), SIZE);
    let done = world.chain.send(&[view]).unwrap();
    let returned = Quote::try_from_slice(&done.returned).unwrap();
    assert_eq!((returned.open, returned.close), (None, None));
}

#[test]
fn an_event_tells_what_the_ledgers_show() {
    let mut world = World::new();
    let trader = world.trader("trader", 200 * ONE);
    let done = world.deposit(&trader, 5).unwrap();
    let [Event::Deposited(deposited)] = done.events[..] else { panic!("{:?}", done.events) };
    let (vault, account) = (world.vault.vault, trader.account);
    assert_eq!(deposited, events::Deposited { vault, account, amount: 5, collateral: 200 * ONE + 5 });

    let (held, reserves) = (world.margin(&trader).collateral.0, world.ledgers().reserves.0);
    let done = world.open(&trader, call(2), SIZE).unwrap();
    let [Event::PositionOpened(opened)] = done.events[..] else { panic!("{:?}", done.events) };
    assert_eq!(opened.premium + opened.fee, held - world.margin(&trader).collateral.0);
    assert_eq!(opened.reserve, world.ledgers().reserves.0 - reserves);
}
