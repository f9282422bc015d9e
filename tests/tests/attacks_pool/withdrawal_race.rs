//! Leaving before the others bear a loss that one sees coming.
//!
//! Tokemak, sherlock-audit/2023-06-tokemak-judging issue 591 (losses are not distributed equally): who withdrew first left the
//! losses to the others. Here an exit is paid at a price of that moment, with the options at what they cost. What is left to a
//! racer is that a mark stays good for 25 slots, ten seconds: it is measured here.

use perpetua::Pool;
use perpetua_client::instruction;
use perpetua_tests::{
    World,
    token::ONE,
    world::{MAIN_POOL, Provider, call, put},
};
use solana_pubkey::Pubkey;

use super::lp::{execute, execute_instruction, join, pass, shares, ticket};

const STAKE: u64 = 2_000 * ONE;

/// A pool that sold `side`s on 60 bitcoins, and a racer whose withdrawal is ready.
fn racer(puts: bool) -> (World, Provider, Pubkey) {
    let mut world = World::new();
    let racer = world.provider("racer", world.vault, STAKE);
    join(&mut world, &racer, Pool::Main, STAKE).unwrap();
    let trader = world.trader("trader", 3_000 * ONE);
    for tick in -3..3 {
        let series = if puts { put(tick) } else { call(tick) };
        world.open(&trader, series, 10_000_000).unwrap();
    }
    let all = shares(&world, &racer, Pool::Main);
    let ticket = world.request(&racer, Pool::Main, all).unwrap();
    pass(&mut world, 3 * 86_400);
    (world, racer, ticket)
}

/// What the racer gets, raw units, if the price moves by `bps` and he leaves at a mark of before or of after it.
fn paid((world, racer, place): &(World, Provider, Pubkey), bps: i64, old_mark: bool) -> u64 {
    let mut world = world.clone();
    let moved = world.spot[0] + world.spot[0] * bps / 10_000;
    if old_mark {
        let markets = world.markets.clone();
        world.mark(&markets).unwrap();
        // Nine seconds later everybody sees the new price.
        world.chain.wait(9);
        world.spot[0] = moved;
        world.crank_first().unwrap();
        let execute = execute_instruction(&world, &racer.owner, place);
        world.chain.send(&[execute]).unwrap();
    } else {
        // The old price has left the range of prices.
        world.spot[0] = moved;
        for _ in 0..2 {
            world.chain.wait(31);
            world.crank_first().unwrap();
        }
        execute(&mut world, &racer.owner, place).unwrap();
    }
    ticket(&world, place).payable.0
}

#[test]
fn a_racer_with_a_mark_of_before_a_move_gains_nothing_by_moves_of_the_usual_size() {
    for puts in [false, true] {
        let scene = racer(puts);
        // Ten seconds' standard deviation at 60% of volatility is 3.4 bps; five of them.
        for bps in [0, 3, 10, 17] {
            let bps = if puts { -bps } else { bps };
            let (raced, fair) = (paid(&scene, bps, true), paid(&scene, bps, false));
            // What leaving costs is in both; without the race he would have stayed, at no cost.
            let gain = i128::from(raced) - i128::from(fair) - i128::from(STAKE) * 30 / 10_000;
            assert!(gain <= 0, "{bps} bps: {gain}");
        }
    }
}

#[test]
fn a_mark_is_worth_nothing_after_ten_seconds_or_a_trade() {
    let (mut world, racer, place) = racer(false);
    let markets = world.markets.clone();
    world.mark(&markets).unwrap();
    world.chain.wait(11);
    let execute = execute_instruction(&world, &racer.owner, &place);
    assert_eq!(world.chain.send(std::slice::from_ref(&execute)).unwrap_err().name(), "MarkStale");
    world.mark(&markets).unwrap();
    let trader = world.trader("another", 100 * ONE);
    world.open(&trader, call(5), 1_000).unwrap();
    assert_eq!(world.chain.send(&[execute]).unwrap_err().name(), "MarkStale");
}

/// The measure of docs/mechanism.md, Known limits: how far the price must jump within ten seconds for the race to pay.
#[test]
fn a_race_pays_only_if_the_price_jumps_by_more_than_fifty_basis_points_within_ten_seconds() {
    let scene = racer(false);
    let gain = |bps: i64| {
        i128::from(paid(&scene, bps, true)) - i128::from(paid(&scene, bps, false)) - i128::from(STAKE) * 30 / 10_000
    };
    assert!(gain(50) <= 0, "{}", gain(50));
    // By a jump of two percent he saves less than one percent of his stake.
    let most = gain(200);
    assert!(most < i128::from(STAKE) / 100, "{most}");
}

#[test]
fn who_leaves_pays_his_part_of_a_loss_that_the_price_shows() {
    let (mut world, racer, place) = racer(false);
    let before = world.ledgers().main;
    world.spot[0] = 130_000;
    for _ in 0..2 {
        world.chain.wait(31);
        world.crank_first().unwrap();
    }
    execute(&mut world, &racer.owner, &place).unwrap();
    let mark = world.market(0).mark;
    let liability = mark.liability_high;
    assert!(liability.0 > 2_000 * ONE, "{liability:?}");
    let worth = u128::from(before.assets.0 + mark.receivable.0 - liability.0);
    let part = worth * u128::from(STAKE) / u128::from(MAIN_POOL + STAKE);
    let got = u128::from(ticket(&world, &place).payable.0);
    assert!(got <= part, "{got} of {part}");
    let crank = instruction::mark_market(&world.markets[0]);
    world.chain.send(&[crank]).unwrap();
}
