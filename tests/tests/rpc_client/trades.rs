//! Trades that are built and quoted from a book.

use perpetua_client::{
    event::Event,
    instruction::Series,
    model::{ModelError, PoolKind, Shares, Size, Tokens},
    perpetua::{Pool, Side},
    rpc::SendOptions,
};
use perpetua_tests::token::ONE;

use crate::{COLLATERAL, Network};

/// 0.01 BTC.
const SIZE: Size = Size(10_000);
const QUANTO: u8 = 0;
const DOLLAR: u8 = 1;

fn call(tick: i16) -> Series {
    Series { side: Side::Call, tick }
}

fn send(network: &Network, instructions: &[solana_instruction::Instruction]) -> Vec<Event> {
    let sent = network.client.send(instructions, &network.owner(), &[&network.trader], &SendOptions::default());
    let signature = sent.unwrap_or_else(|error| panic!("{error}")).signature;
    network.client.happened_in(&signature).unwrap().into_iter().map(|happened| happened.event).collect()
}

/// Opens at the quote and not above it; returns what it cost.
fn open(network: &Network, number: u8, series: Series) -> u64 {
    let book = network.client.book(&network.vault(), &network.prices()).unwrap();
    let quote = book.quote_open(number, series, SIZE).unwrap();
    let cost = quote.cost().unwrap();
    let account = network.margin_account();
    let events = send(network, &book.open(&account, number, series, SIZE, cost).unwrap());
    let opened = events.iter().find_map(|event| match event {
        Event::PositionOpened(opened) => Some(opened),
        _ => None,
    });
    let opened = opened.unwrap();
    assert_eq!((opened.premium, opened.fee, opened.value), (quote.premium.0, quote.fee.0, quote.value.get()));
    assert_eq!(opened.premium + opened.fee, cost.0);
    cost.0
}

#[test]
fn what_a_trade_costs_and_pays_is_what_the_book_quoted_in_quanto_and_in_dollar_markets() {
    for (number, other) in [(QUANTO, DOLLAR), (DOLLAR, QUANTO)] {
        let network = Network::with_account();
        let paid = open(&network, number, call(0)) + open(&network, other, call(2));
        assert_eq!(network.margin_account().account.state.collateral, Tokens(COLLATERAL - paid));
        network.server.chain().wait(300);
        network.post();
        let book = network.client.book(&network.vault(), &network.prices()).unwrap();
        let quote = book.quote_close(number, call(0), SIZE).unwrap();
        let account = network.margin_account();
        let positions = book.positions(&account.account).unwrap();
        let held = positions.iter().find(|position| position.market == number).unwrap();
        assert_eq!((held.close, held.size, held.series), (Ok(quote), SIZE, call(0)));
        let close = book.close(&account, number, call(0), SIZE, quote.proceeds().unwrap()).unwrap();
        let events = send(&network, &close);
        let Some(Event::PositionClosed(closed)) = events.last() else { panic!("{events:?}") };
        assert_eq!((closed.payout, closed.fee), (quote.payout.0, quote.fee.0));
        assert_eq!(closed.funding, held.owed.0, "what the book says that it owes is what is collected");
    }
}

#[test]
fn health_and_what_may_be_taken_out_are_what_the_program_says() {
    let network = Network::with_account();
    open(&network, QUANTO, call(0));
    open(&network, DOLLAR, call(1));
    network.server.chain().wait(3_600);
    network.post();
    let book = network.client.book(&network.vault(), &network.prices()).unwrap();
    let account = network.margin_account();
    let health = book.health(&account.account).unwrap();
    assert!(health.owed.0 > 0 && health.maintenance.0 > 0 && !health.is_liquidatable());
    let spare = u64::try_from(health.equity()).unwrap() - health.initial().0;
    let too_much = book.withdraw(&account, &network.wallet(), Tokens(spare + 1)).unwrap();
    let owner = network.owner();
    let refused = network.client.send(&too_much, &owner, &[&network.trader], &SendOptions::default()).unwrap_err();
    assert_eq!(refused.explanation().unwrap().name, "BelowInitialMargin");
    send(&network, &book.withdraw(&account, &network.wallet(), Tokens(spare)).unwrap());
}

#[test]
fn every_strike_of_the_ladder_that_has_an_ask_can_be_bought_at_it() {
    let network = Network::with_account();
    let book = network.client.book(&network.vault(), &network.prices()).unwrap();
    for number in [QUANTO, DOLLAR] {
        let ladder = book.ladder(number).unwrap();
        assert_eq!(ladder.len(), 57);
        let size = book.market(number).unwrap().market.state.config.min_size;
        for row in &ladder {
            for (side, quoted) in [(Side::Call, row.call), (Side::Put, row.put)] {
                let series = Series { side, tick: row.tick };
                assert_eq!(quoted.ask, book.quote_open(number, series, size), "{series:?}");
                assert!(quoted.funding.unwrap().0 > 0);
                let (Ok(ask), Ok(bid)) = (quoted.ask, quoted.bid) else { continue };
                assert!(bid.value.get() <= ask.value.get(), "{series:?}");
            }
        }
        let sellable = ladder.iter().filter(|row| row.call.ask.is_ok() && row.put.ask.is_ok()).count();
        assert!(sellable > 20, "{sellable} strikes");
    }
}

#[test]
fn a_price_that_is_about_to_be_too_old_is_left_out_instead_of_failing_the_crank() {
    let network = Network::with_account();
    network.server.chain().wait(1);
    network.post();
    network.server.chain().wait(55);
    let book = network.client.book(&network.vault(), &network.prices()).unwrap();
    let listed = book.market(QUANTO).unwrap();
    assert!(book.index_price(listed).is_none());
    assert!(matches!(book.quote_open(QUANTO, call(0), SIZE), Err(ModelError::PriceStale)));
    network.post();
    let book = network.client.refresh(&book, &network.prices()).unwrap();
    assert!(book.index_price(book.market(QUANTO).unwrap()).is_some());
    assert!(book.quote_open(QUANTO, call(0), SIZE).is_ok());
    assert!(matches!(book.quote_open(7, call(0), SIZE), Err(ModelError::MarketMissing)));
}

#[test]
fn joining_a_pool_mints_the_shares_that_the_book_said_and_they_are_worth_no_more_than_what_was_paid() {
    let network = Network::with_account();
    open(&network, QUANTO, call(0));
    let owner = network.owner();
    let shares = perpetua_client::token::associated(
        &owner,
        &network.world.vault.share_mint(PoolKind::Main),
        &perpetua_tests::token::SPL_TOKEN,
    );
    let create = perpetua_client::token::create_associated(
        &owner,
        &owner,
        &network.world.vault.share_mint(PoolKind::Main),
        &perpetua_tests::token::SPL_TOKEN,
    );
    send(&network, &[create]);
    let book = network.client.book(&network.vault(), &network.prices()).unwrap();
    let amount = Tokens(50 * ONE);
    let bought = book.shares_for(PoolKind::Main, amount).unwrap();
    assert!(book.worth_of(PoolKind::Main, bought).unwrap() < amount);
    let join = book.join(&owner, Pool::Main, &network.wallet(), &shares, amount, bought).unwrap();
    send(&network, &join);
    assert_eq!(Shares(network.client.token_account(&shares).unwrap().amount), bought);
    let status = network.client.book(&network.vault(), &network.prices()).unwrap().pool(PoolKind::Main).unwrap();
    assert!(status.value.is_ok() && status.income_per_day.0 > 0);
    assert!(status.funding_yield_bps().is_some());
}
