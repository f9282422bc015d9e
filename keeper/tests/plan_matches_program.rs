//! The plan against the compiled program, in random worlds: what is planned goes through, and what is not planned is
//! refused.

mod support;

use perpetua_client::{
    instruction::{self, Series},
    perpetua::{Pool, Side},
};
use perpetua_keeper::{job::Kind, plan::Plan};
use perpetua_tests::{
    Trader, World,
    sequences::random::Random,
    token::ONE,
    world::{call, put},
};
use support::{due, send, view};

/// Worlds that are looked at.
const WORLDS: u64 = 12;
/// Moments of each world.
const MOMENTS: usize = 16;

/// A vault with two quanto markets and a dollar market, in which traders hold options with little margin.
fn world(random: &mut Random) -> (World, Trader, Vec<Trader>) {
    let mut world = World::with_dollar_market(2);
    let keeper = world.trader("keeper", 0);
    let mut traders = Vec::new();
    for number in 0..5 {
        let trader = world.trader(&format!("trader {number}"), 400 * ONE);
        for _ in 0..1 + random.below(5) {
            let (market, tick) =
                (usize::try_from(random.below(3)).unwrap(), i16::try_from(random.between(-20, 20)).unwrap());
            let series = if random.chance(50) { call(tick) } else { put(tick) };
            let size = if market == 1 { 2_000_000 } else { 100_000 };
            // Some strikes are too cheap or touch their cap.
            let _ = world.open_in(&trader, market, series, size, u64::MAX);
        }
        world.withdraw_most(&trader);
        traders.push(trader);
    }
    let provider = world.first_provider();
    world.request(&provider, Pool::Main, 1_000_000_000).unwrap();
    (world, keeper, traders)
}

/// Lets a random time pass, in which prices go a random way.
fn pass(world: &mut World, random: &mut Random) {
    let steps = 1 + random.below(40);
    let crash = random.chance(20);
    for _ in 0..steps {
        world.chain.wait(random.between(30, 3_600));
        for spot in &mut world.spot[..2] {
            let move_bps = if crash { random.between(-600, 200) } else { random.between(-100, 105) };
            *spot = (*spot + *spot * move_bps / 10_000).max(1_000);
        }
        let share = world.share.map(|share| share + share * random.between(-50, 50) / 10_000);
        world.share = share;
        if random.chance(90) {
            for market in world.markets.clone() {
                // Outside the exchange's hours the stock is closed, which is a state like others.
                let _ = world.crank(&market);
            }
        }
    }
    world.chain.wait(random.between(1, 90));
    if random.chance(80) {
        for index in 0..2 {
            let price = world.price(index);
            world.post(index, &price);
        }
    }
    if random.chance(80) {
        world.post_stock();
    }
}

/// All markets' cranks that can be made, as a keeper would make them.
fn cranked(world: &World, keeper: &Trader) -> World {
    let (view, mut cranked) = (view(world, keeper), world.clone());
    for number in 0..view.book.vault.market_count {
        let _ = cranked.chain.send_with_full_budget(&view.book.cranks(&[number]).unwrap());
    }
    cranked
}

/// Everything that was planned goes through, if it is done before anything else.
fn all_planned_goes_through(world: &World, plan: &Plan) {
    for job in &plan.jobs {
        let outcome = send(&mut world.clone(), job);
        assert!(outcome.is_ok(), "{:?} for {:?}: {}", job.key, job.reason, outcome.unwrap_err().name());
    }
}

/// What anyone may do to somebody's account and was not planned is refused.
fn all_else_is_refused(world: &World, keeper: &Trader, traders: &[Trader], plan: &Plan) {
    let cranked = cranked(world, keeper);
    let planned = |kind: Kind, trader: &Trader| {
        plan.jobs.iter().any(|job| job.key.kind == kind && job.key.target == trader.account)
    };
    for trader in traders {
        let (account, markets) = (cranked.margin(trader), &cranked.markets);
        let used = account.markets_used();
        let held: Vec<_> = markets.iter().zip(used).filter_map(|(keys, used)| used.then_some(*keys)).collect();
        if held.is_empty() {
            continue;
        }
        let liquidate = instruction::liquidate(&keeper.owner, &cranked.vault, &trader.account, &keeper.account, &held);
        let liquidated = cranked.clone().chain.send_with_full_budget(&[liquidate]);
        assert_eq!(planned(Kind::Liquidate, trader), liquidated.is_ok(), "{:?}", liquidated.err());
        if planned(Kind::Liquidate, trader) {
            continue;
        }
        for (_, position) in account.open_positions() {
            let keys = &markets[usize::from(position.market)];
            let side = if position.side == 0 { Side::Call } else { Side::Put };
            let series = Series { side, tick: position.tick };
            let of_position = |job: &&perpetua_keeper::job::Job| {
                job.key.target == trader.account
                    && job.key.position == Some((position.market, position.side, position.tick))
            };
            let ways = [
                (Kind::SettleCapped, instruction::settle_capped(&cranked.vault, &trader.account, keys, series)),
                (Kind::RetireFar, instruction::retire_far(&cranked.vault, &trader.account, keys, series)),
            ];
            for (kind, settle) in ways {
                let settled = cranked.clone().chain.send(&[settle]);
                let planned = plan.jobs.iter().filter(of_position).any(|job| job.key.kind == kind);
                assert_eq!(planned, settled.is_ok(), "{kind} of {position:?}: {:?}", settled.err());
            }
        }
    }
}

#[test]
fn what_is_planned_goes_through_and_what_is_not_is_refused() {
    let mut done = std::collections::BTreeMap::new();
    for seed in 0..WORLDS {
        let mut random = Random::new(seed);
        let (mut world, keeper, traders) = world(&mut random);
        for _ in 0..MOMENTS {
            pass(&mut world, &mut random);
            let plan = due(&world, &keeper);
            assert!(plan.unjudged.is_empty(), "{:?}", plan.unjudged);
            all_planned_goes_through(&world, &plan);
            all_else_is_refused(&world, &keeper, &traders, &plan);
            for job in &plan.jobs {
                *done.entry(job.key.kind.name()).or_insert(0) += 1;
                if random.chance(70) {
                    // A job before it may have done what this one would.
                    let _ = send(&mut world, job);
                }
            }
        }
    }
    for kind in
        [Kind::Crank, Kind::CrankStock, Kind::Liquidate, Kind::SettleCapped, Kind::RetireFar, Kind::ExecuteWithdrawal]
    {
        assert!(done.contains_key(kind.name()), "never due: {kind}, of {done:?}");
    }
}
