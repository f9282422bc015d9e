//! What liquidity providers are refused.

use perpetua::Pool;
use perpetua_client::instruction;
use perpetua_tests::{
    Trader, World,
    token::{self, ONE},
    world::{Outcome, Provider, call},
};
use solana_pubkey::Pubkey;

const MAIN_WAIT: i64 = 3 * 86_400;

fn joining() -> (World, Provider) {
    let mut world = World::new();
    let provider = world.provider("second provider", world.vault, 100 * ONE);
    // A market without positions has nothing to mark.
    let trader = world.trader("holder", 10 * ONE);
    world.open(&trader, call(0), 10_000).unwrap();
    let markets = world.markets.clone();
    world.mark(&markets).unwrap();
    (world, provider)
}

fn join(world: &mut World, who: &Provider, amount: u64, least: u64) -> Outcome {
    let join = world.join(who, &world.markets, Pool::Main, amount, least);
    world.chain.send(&[join])
}

/// A provider whose withdrawal of half of his shares waits.
fn leaving() -> (World, Provider, Pubkey) {
    let (mut world, provider) = joining();
    join(&mut world, &provider, 10 * ONE, 0).unwrap();
    let half = token::balance(&world.chain, &provider.shares[0]) / 2;
    let ticket = world.request(&provider, Pool::Main, half).unwrap();
    (world, provider, ticket)
}

/// The same, ready to be executed, with the market marked.
fn ready() -> (World, Provider, Pubkey) {
    let (mut world, provider, ticket) = leaving();
    world.chain.wait(MAIN_WAIT);
    let markets = world.markets.clone();
    world.mark(&markets).unwrap();
    (world, provider, ticket)
}

fn execute(world: &mut World, ticket: &Pubkey) -> Outcome {
    let execute = instruction::execute_withdrawal(&world.guardian, &world.vault, ticket, &world.markets);
    world.chain.send(&[execute])
}

fn claim(world: &mut World, who: &Provider, ticket: &Pubkey) -> Outcome {
    let claim = instruction::claim_withdrawal(&who.owner, &world.vault, ticket, &who.tokens);
    world.chain.send(&[claim])
}

/// The main pool after prices leapt again and again, each time by more than the cap of every call that was open.
fn ruined() -> (World, Provider) {
    let (mut world, provider) = joining();
    for _ in 0..10 {
        let gambler = world.trader(&format!("gambler at {}", world.spot[0]), 5_000 * ONE);
        lose_to(&mut world, &gambler);
    }
    let markets = world.markets.clone();
    world.mark(&markets).unwrap();
    (world, provider)
}

fn lose_to(world: &mut World, gambler: &Trader) {
    let spot = world.spot[0].unsigned_abs();
    // Ticks of 1.25% from the first price to this one: five calls around the money.
    let above = (0i16..).find(|tick| 1.0125f64.powi((*tick).into()) * 100_000.0 >= spot as f64).unwrap();
    for tick in above..above + 5 {
        // Just under a tenth of the pool each: half the strike is reserved, and 400 USD are one token.
        let dollars = u128::from(world.ledgers().main.assets.0) * 400 / u128::from(ONE) * 95 / 1_000;
        let size = dollars * 1_000_000 / (u128::from(spot) * 109 / 200);
        world.open(gambler, call(tick), u64::try_from(size).unwrap().max(100)).unwrap();
    }
    world.spot[0] = world.spot[0] * 165 / 100;
    for _ in 0..2 {
        world.chain.wait(90);
        world.crank_first().unwrap();
    }
    for position in world.margin(gambler).positions.into_iter().filter(|position| position.size.0 > 0) {
        let settle = instruction::settle_capped(&world.vault, &gambler.account, &world.markets[0], call(position.tick));
        world.chain.send(&[settle]).unwrap();
    }
}

refusals! {
    joining_without_a_mark_is_refused: MarkStale = {
        let (mut world, provider) = joining();
        world.chain.wait(11);
        join(&mut world, &provider, ONE, 0)
    };
    joining_after_a_trade_without_a_new_mark_is_refused: MarkStale = {
        let (mut world, provider) = joining();
        let trader = world.trader("trader", 10 * ONE);
        world.open(&trader, call(0), 10_000).unwrap();
        join(&mut world, &provider, ONE, 0)
    };
    joining_with_nothing_is_refused: AmountZero = {
        let (mut world, provider) = joining();
        join(&mut world, &provider, 0, 0)
    };
    joining_for_more_shares_than_fit_64_bits_is_refused: MathOverflow = {
        let mut world = World::new();
        let provider = world.provider("whale", world.vault, 2_000_000 * ONE);
        let markets = world.markets.clone();
        world.mark(&markets).unwrap();
        join(&mut world, &provider, 2_000_000 * ONE, 0)
    };
    joining_for_fewer_shares_than_asked_is_refused: SharesBelowMinimum = {
        let (mut world, provider) = joining();
        join(&mut world, &provider, ONE, u64::MAX)
    };
    joining_without_all_markets_is_refused: MarketsIncomplete = {
        let (mut world, provider) = joining();
        let join = world.join(&provider, &[], Pool::Main, ONE, 0);
        world.chain.send(&[join])
    };
    joining_with_a_market_given_twice_is_refused: WrongAccount = {
        let (mut world, provider) = joining();
        let markets = [world.markets[0], world.markets[0]];
        let join = world.join(&provider, &markets, Pool::Main, ONE, 0);
        world.chain.send(&[join])
    };
    joining_during_a_pause_is_refused: OpeningPaused = {
        let (mut world, provider) = joining();
        world.chain.send(&[instruction::set_opening_paused(&world.guardian, true)]).unwrap();
        join(&mut world, &provider, ONE, 0)
    };
    joining_a_ruined_pool_is_refused: SharePriceTooLow = {
        let (mut world, provider) = ruined();
        join(&mut world, &provider, ONE, 0)
    };
    marking_while_spot_is_far_from_its_average_is_refused: PriceFarFromAverage = {
        let (mut world, _) = joining();
        world.chain.wait(30);
        let mut price = world.price(0);
        price.average = price.average / 100 * 94;
        world.post(0, &price);
        let crank = world.crank_instruction(&world.markets[0]);
        world.chain.send(&[crank]).unwrap();
        world.chain.send(&[instruction::mark_market(&world.markets[0])])
    };
    marking_without_a_crank_is_refused: MarketNotAccrued = {
        let (mut world, _) = joining();
        world.chain.wait(5);
        world.chain.send(&[instruction::mark_market(&world.markets[0])])
    };
    requesting_nothing_is_refused: AmountZero = {
        let (mut world, provider) = joining();
        world.request(&provider, Pool::Main, 0).map(|_| unreachable!())
    };
    a_withdrawal_that_has_not_waited_is_refused: TicketNotReady = {
        let (mut world, _, ticket) = leaving();
        execute(&mut world, &ticket)
    };
    a_withdrawal_before_its_turn_is_refused: TicketOutOfOrder = {
        let (mut world, provider, _) = leaving();
        let rest = token::balance(&world.chain, &provider.shares[0]);
        let second = world.request(&provider, Pool::Main, rest).unwrap();
        execute(&mut world, &second)
    };
    a_withdrawal_that_was_executed_cannot_be_again: TicketNotQueued = {
        let (mut world, _, ticket) = ready();
        execute(&mut world, &ticket).unwrap();
        execute(&mut world, &ticket)
    };
    a_withdrawal_without_a_mark_is_refused: MarkStale = {
        let (mut world, _, ticket) = ready();
        world.chain.wait(11);
        execute(&mut world, &ticket)
    };
    a_stranger_cannot_make_an_owner_leave_at_the_bounds: MarkAtBounds = {
        let (mut world, _, ticket) = leaving();
        world.chain.wait(MAIN_WAIT);
        let market = world.markets[0];
        world.chain.send(&[instruction::mark_market(&market)]).unwrap();
        execute(&mut world, &ticket)
    };
    leaving_while_tokens_are_missing_is_refused: VaultShort = {
        let (mut world, _, ticket) = ready();
        let tokens = world.vault.tokens();
        token::seize(&mut world.chain, &tokens, 1);
        execute(&mut world, &ticket)
    };
    a_ticket_that_still_waits_cannot_be_closed: TicketStillOpen = {
        let (mut world, provider, ticket) = leaving();
        world.chain.send(&[instruction::close_ticket(&provider.owner, &world.vault, &ticket)])
    };
    a_ticket_with_tokens_cannot_be_closed: TicketStillOpen = {
        let (mut world, provider, ticket) = ready();
        execute(&mut world, &ticket).unwrap();
        world.chain.send(&[instruction::close_ticket(&provider.owner, &world.vault, &ticket)])
    };
    a_ticket_that_was_executed_has_nothing_to_cancel: TicketNotQueued = {
        let (mut world, provider, ticket) = ready();
        execute(&mut world, &ticket).unwrap();
        let cancel =
            instruction::cancel_withdrawal(&provider.owner, &world.vault, Pool::Main, &ticket, &provider.shares[0]);
        world.chain.send(&[cancel])
    };
    a_ticket_that_waits_has_nothing_to_claim: NothingToCollect = {
        let (mut world, provider, ticket) = leaving();
        claim(&mut world, &provider, &ticket)
    };
    claiming_while_tokens_are_missing_is_refused: VaultShort = {
        let (mut world, provider, ticket) = ready();
        execute(&mut world, &ticket).unwrap();
        let tokens = world.vault.tokens();
        token::seize(&mut world.chain, &tokens, 1);
        claim(&mut world, &provider, &ticket)
    };
}

#[test]
fn more_shares_or_tokens_than_are_held_cannot_be_given() {
    let (mut world, provider) = joining();
    for amount in [101 * ONE, u64::MAX] {
        let failure = join(&mut world, &provider, amount, 0).unwrap_err();
        // The token program's own error for insufficient funds.
        assert_eq!(failure.name(), "Custom1");
    }
    join(&mut world, &provider, ONE, 0).unwrap();
    let shares = token::balance(&world.chain, &provider.shares[0]);
    for shares in [shares + 1, u64::MAX] {
        assert_eq!(world.request(&provider, Pool::Main, shares).unwrap_err().name(), "Custom1");
    }
}
