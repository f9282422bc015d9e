//! The two pools: joining, asking to leave, leaving in order.

use perpetua::{Pool, state};
use perpetua_client::instruction;
use perpetua_tests::{
    World,
    token::{self, ONE},
    world::{MAIN_POOL, Outcome, Provider, call},
};
use solana_pubkey::Pubkey;

/// `S0` of the starting parameters.
const VIRTUAL_SHARES: u128 = 100_000;
const MAIN_WAIT: i64 = 3 * 86_400;

fn join(world: &mut World, who: &Provider, pool: Pool, amount: u64, least: u64) -> Outcome {
    let markets = world.markets.clone();
    world.mark(&markets)?;
    let join = world.join(who, &markets, pool, amount, least);
    world.chain.send(&[join])
}

fn execute(world: &mut World, ticket: &Pubkey) -> Outcome {
    let markets = world.markets.clone();
    world.mark(&markets)?;
    let caller = world.guardian;
    world.chain.send(&[instruction::execute_withdrawal(&caller, &world.vault, ticket, &markets)])
}

#[test]
fn the_first_provider_gets_shares_at_the_starting_price() {
    let world = World::new();
    // floor(d (0 + S0) / (0 + 1))
    let expected = u128::from(MAIN_POOL) * VIRTUAL_SHARES;
    assert_eq!(u128::from(world.ledgers().main.shares.0), expected);
    assert_eq!(world.ledgers().main.assets.0, MAIN_POOL);
}

#[test]
fn shares_are_minted_at_the_pools_value_rounded_down() {
    let mut world = World::new();
    let provider = world.provider("second provider", world.vault, 1_000 * ONE);
    let before = world.ledgers().main;
    join(&mut world, &provider, Pool::Main, 333_333_333, 0).unwrap();
    let shares = 333_333_333 * (u128::from(before.shares.0) + VIRTUAL_SHARES) / (u128::from(before.assets.0) + 1);
    assert_eq!(u128::from(token::balance(&world.chain, &provider.shares[0])), shares);
    assert_eq!(token::balance(&world.chain, &provider.tokens), 1_000 * ONE - 333_333_333);
    let after = world.ledgers().main;
    assert_eq!(after.assets.0, before.assets.0 + 333_333_333);
    assert_eq!(u128::from(after.shares.0 - before.shares.0), shares);
}

#[test]
fn leaving_waits_then_pays_the_value_of_that_moment_less_the_exit_fee() {
    let mut world = World::new();
    let provider = world.provider("second provider", world.vault, 100 * ONE);
    join(&mut world, &provider, Pool::Main, 100 * ONE, 0).unwrap();
    let shares = token::balance(&world.chain, &provider.shares[0]);
    let ticket = world.request(&provider, Pool::Main, shares).unwrap();
    assert_eq!(token::balance(&world.chain, &provider.shares[0]), 0, "the shares are given up");
    assert_eq!(world.ledgers().main.queued_shares.0, shares);

    assert_eq!(execute(&mut world, &ticket).unwrap_err().name(), "TicketNotReady");
    world.chain.wait(MAIN_WAIT);
    world.run(600, 300);
    let pool = world.ledgers().main;
    execute(&mut world, &ticket).unwrap();

    let worth = u128::from(shares) * (u128::from(pool.assets.0) + 1) / (u128::from(pool.shares.0) + VIRTUAL_SHARES);
    let worth = u64::try_from(worth).unwrap();
    let payable = worth - (worth * 30).div_ceil(10_000);
    let stored: state::WithdrawalTicket = world.read(&ticket);
    assert_eq!((stored.state.payable.0, stored.state.shares.0), (payable, 0));
    assert_eq!(world.ledgers().payable.0, payable);

    let own = token::balance(&world.chain, &provider.tokens);
    let claim = instruction::claim_withdrawal(&provider.owner, &world.vault, &ticket, &provider.tokens);
    world.chain.send(&[claim]).unwrap();
    assert_eq!(token::balance(&world.chain, &provider.tokens), own + payable);
    assert_eq!(world.ledgers().payable.0, 0);

    let lamports = world.chain.account(&provider.owner).lamports;
    let rent = world.chain.account(&ticket).lamports;
    world.chain.send(&[instruction::close_ticket(&provider.owner, &world.vault, &ticket)]).unwrap();
    assert_eq!(world.chain.account(&provider.owner).lamports, lamports + rent);
}

#[test]
fn a_cancelled_withdrawal_gives_all_shares_back() {
    let mut world = World::new();
    let provider = world.provider("second provider", world.vault, 100 * ONE);
    join(&mut world, &provider, Pool::Insurance, 10 * ONE, 0).unwrap();
    let shares = token::balance(&world.chain, &provider.shares[1]);
    let ticket = world.request(&provider, Pool::Insurance, shares).unwrap();
    let cancel =
        instruction::cancel_withdrawal(&provider.owner, &world.vault, Pool::Insurance, &ticket, &provider.shares[1]);
    world.chain.send(&[cancel]).unwrap();
    assert_eq!(token::balance(&world.chain, &provider.shares[1]), shares);
    assert_eq!(world.ledgers().insurance.queued_shares.0, 0);
    assert_eq!(world.ledgers().insurance.head_ticket, 1);
    world.chain.send(&[instruction::close_ticket(&provider.owner, &world.vault, &ticket)]).unwrap();
}

#[test]
fn a_withdrawal_that_nobody_executed_for_a_day_returns_its_shares() {
    let mut world = World::new();
    let provider = world.provider("second provider", world.vault, 100 * ONE);
    join(&mut world, &provider, Pool::Main, 10 * ONE, 0).unwrap();
    let shares = token::balance(&world.chain, &provider.shares[0]);
    let ticket = world.request(&provider, Pool::Main, shares).unwrap();
    world.chain.wait(MAIN_WAIT + 86_400);
    world.run(600, 300);
    execute(&mut world, &ticket).unwrap();
    assert_eq!(world.ledgers().payable.0, 0, "it pays nothing");
    assert_eq!(world.ledgers().main.queued_shares.0, 0);
    let cancel =
        instruction::cancel_withdrawal(&provider.owner, &world.vault, Pool::Main, &ticket, &provider.shares[0]);
    world.chain.send(&[cancel]).unwrap();
    assert_eq!(token::balance(&world.chain, &provider.shares[0]), shares);
}

#[test]
fn withdrawals_are_executed_in_the_order_of_their_requests() {
    let mut world = World::new();
    let first = world.provider("second provider", world.vault, 100 * ONE);
    join(&mut world, &first, Pool::Main, 10 * ONE, 0).unwrap();
    let half = token::balance(&world.chain, &first.shares[0]) / 2;
    let early = world.request(&first, Pool::Main, half).unwrap();
    world.chain.wait(60);
    let late = world.request(&first, Pool::Main, half).unwrap();
    world.chain.wait(MAIN_WAIT);
    world.run(600, 300);
    assert_eq!(execute(&mut world, &late).unwrap_err().name(), "TicketOutOfOrder");
    execute(&mut world, &early).unwrap();
    execute(&mut world, &late).unwrap();
}

#[test]
fn what_reserves_need_stays_in_the_main_pool() {
    let mut world = World::new();
    let provider = world.provider("first provider", world.vault, 0);
    let trader = world.trader("trader", 1_000 * ONE);
    for tick in 0..7 {
        world.open(&trader, call(tick), 10_000_000).unwrap();
    }
    let shares = token::balance(&world.chain, &provider.shares[0]);
    let ticket = world.request(&provider, Pool::Main, shares).unwrap();
    world.chain.wait(MAIN_WAIT);
    world.run(600, 300);
    execute(&mut world, &ticket).unwrap();
    let (vault, stored) = (world.ledgers(), world.read::<state::WithdrawalTicket>(&ticket));
    assert!(stored.state.shares.0 > 0, "a part still waits");
    assert!(stored.state.payable.0 > 0, "a part is paid");
    let needed = u128::from(vault.reserves.0) * 10_000;
    assert!(u128::from(vault.main.assets.0) * 8_500 >= needed, "85% of what stays covers the reserves");

    // New positions yield to the queue.
    assert_eq!(world.open(&trader, call(9), 10_000).unwrap_err().name(), "UtilisationTooHigh");
}

#[test]
fn a_pool_without_a_price_can_be_left_by_its_owner_only() {
    let mut world = World::new();
    let provider = world.provider("second provider", world.vault, 100 * ONE);
    join(&mut world, &provider, Pool::Main, 10 * ONE, 0).unwrap();
    let trader = world.trader("trader", 10 * ONE);
    world.open(&trader, call(0), 10_000).unwrap();
    let shares = token::balance(&world.chain, &provider.shares[0]);
    let ticket = world.request(&provider, Pool::Main, shares).unwrap();
    world.chain.wait(MAIN_WAIT);
    let market = world.markets[0];
    // Nothing is cranked: without a price the mark is at the bounds.
    world.chain.send(&[instruction::mark_market(&market)]).unwrap();
    let by = |caller: &Pubkey, world: &World| instruction::execute_withdrawal(caller, &world.vault, &ticket, &[market]);
    let stranger = by(&world.guardian, &world);
    assert_eq!(world.chain.send(&[stranger]).unwrap_err().name(), "MarkAtBounds");
    let owner = by(&provider.owner, &world);
    world.chain.send(&[owner]).unwrap();
}

#[test]
fn fees_go_to_the_recipient_and_nowhere_else() {
    let mut world = World::new();
    let trader = world.trader("trader", 100 * ONE);
    world.open(&trader, call(0), 1_000_000).unwrap();
    let fees = world.ledgers().protocol_fees.0;
    assert!(fees > 0);
    let (mint, program) = (world.vault.stock_mint, world.vault.token_program);
    let recipient = world.fee_recipient;
    let destination = token::open(&mut world.chain, &recipient, &mint, &program);
    let wrong = instruction::collect_fees(&world.vault, &trader.tokens);
    world.chain.send(&[wrong]).unwrap_err();
    world.chain.send(&[instruction::collect_fees(&world.vault, &destination)]).unwrap();
    assert_eq!(token::balance(&world.chain, &destination), fees);
    assert_eq!(world.ledgers().protocol_fees.0, 0);
}
