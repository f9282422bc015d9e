//! What is due when, on accounts of the compiled program.

mod support;

use perpetua_client::{
    model::{PoolKind, Tokens},
    perpetua::Pool,
};
use perpetua_keeper::{
    config::Schedule,
    job::{Kind, Reason},
    plan::plan,
};
use perpetua_tests::{
    Trader, World, scenes,
    token::{self, ONE},
    world::{call, put},
};
use support::{due, identity, kinds, send, view};

const SIZE: u64 = 500_000;
const DAY: i64 = 86_400;

/// A world with a keeper, in which a trader holds a call.
fn traded() -> (World, Trader, Trader) {
    let mut world = World::new();
    let (keeper, trader) = (world.trader("keeper", 0), world.trader("trader", 100 * ONE));
    world.open(&trader, call(0), SIZE).unwrap();
    (world, keeper, trader)
}

/// Posts the price of now.
fn post(world: &mut World) {
    let price = world.price(0);
    world.post(0, &price);
}

#[test]
fn nothing_is_due_right_after_a_crank() {
    let (world, keeper, _) = traded();
    assert_eq!(kinds(&due(&world, &keeper)), []);
}

#[test]
fn a_margin_account_for_the_rewards_is_opened_where_there_is_none() {
    let (mut world, keeper, _) = traded();
    let stranger = Trader { owner: world.admin, account: world.vault.margin_account(&world.admin, 0), ..keeper };
    let plan = due(&world, &stranger);
    assert_eq!(kinds(&plan), [(Kind::OpenAccount, Reason::Missing)]);
    send(&mut world, &plan.jobs[0]).unwrap();
    assert_eq!(kinds(&due(&world, &stranger)), []);
}

#[test]
fn a_market_is_cranked_at_each_five_minute_mark_since_its_first_price_is_the_sample() {
    let (mut world, keeper, _) = traded();
    world.chain.wait(290);
    post(&mut world);
    assert_eq!(kinds(&due(&world, &keeper)), []);
    world.chain.wait(12);
    post(&mut world);
    let plan = due(&world, &keeper);
    assert_eq!(kinds(&plan), [(Kind::Crank, Reason::Sample)]);
    let before = world.index(0).sample_mark;
    send(&mut world, &plan.jobs[0]).unwrap();
    assert_eq!(world.index(0).sample_mark, before + 1);
    assert_eq!(kinds(&due(&world, &keeper)), []);
}

#[test]
fn a_market_is_cranked_when_the_price_moved_far_enough_and_not_for_less() {
    let (mut world, keeper, _) = traded();
    for (dollars, moved) in [(100_199, false), (100_200, true), (99_801, false), (99_800, true)] {
        let mut world = world.clone();
        world.chain.wait(6);
        world.spot[0] = dollars;
        post(&mut world);
        let expected: &[_] = if moved { &[(Kind::Crank, Reason::Moved)] } else { &[] };
        assert_eq!(kinds(&due(&world, &keeper)), expected, "{dollars}");
    }
    world.chain.wait(4);
    world.spot[0] = 110_000;
    post(&mut world);
    assert_eq!(kinds(&due(&world, &keeper)), [], "the last crank was four seconds ago");
}

#[test]
fn a_market_is_cranked_when_the_longest_time_has_passed_though_no_mark_has() {
    let (mut world, keeper, _) = traded();
    let schedule = Schedule { heartbeat: std::time::Duration::from_secs(60), ..Schedule::default() };
    world.chain.wait(59);
    post(&mut world);
    assert_eq!(kinds(&plan(&view(&world, &keeper), &identity(&keeper), &schedule)), []);
    world.chain.wait(1);
    post(&mut world);
    let plan = plan(&view(&world, &keeper), &identity(&keeper), &schedule);
    assert_eq!(kinds(&plan), [(Kind::Crank, Reason::Heartbeat)]);
    assert_eq!(plan.jobs[0].since, world.chain.now());
}

#[test]
fn nothing_is_cranked_while_the_feed_is_silent_and_the_first_price_after_it_proves_the_outage() {
    let (mut world, keeper, _) = traded();
    world.chain.wait(1_000);
    assert_eq!(kinds(&due(&world, &keeper)), []);
    let price =
        perpetua_client::price::PriceAccount { previous_publish_time: world.chain.now() - 999, ..world.price(0) };
    world.post(0, &price);
    let plan = due(&world, &keeper);
    assert_eq!(kinds(&plan), [(Kind::Crank, Reason::Outage)]);
    send(&mut world, &plan.jobs[0]).unwrap();
    assert_eq!(world.index(0).outage_seconds, 999);
}

#[test]
fn a_position_past_its_cap_is_settled_once_that_is_certain() {
    let (mut world, keeper, trader) = traded();
    world.chain.wait(10);
    world.spot[0] = 160_000;
    world.crank_first().unwrap();
    assert!(!kinds(&due(&world, &keeper)).contains(&(Kind::SettleCapped, Reason::Capped)));
    world.chain.wait(90);
    world.crank_first().unwrap();
    let plan = due(&world, &keeper);
    assert_eq!(kinds(&plan), [(Kind::SettleCapped, Reason::Capped)]);
    send(&mut world, &plan.jobs[0]).unwrap();
    assert_eq!(world.margin(&trader).open_positions().count(), 0);
}

#[test]
fn a_position_far_out_of_the_money_is_retired() {
    let (mut world, keeper, _) = traded();
    let other = world.trader("other", 100 * ONE);
    world.open(&other, put(0), SIZE).unwrap();
    world.leap(166_000, 400);
    let plan = due(&world, &keeper);
    assert_eq!(kinds(&plan), [(Kind::SettleCapped, Reason::Capped), (Kind::RetireFar, Reason::Far)]);
    for job in &plan.jobs {
        send(&mut world, job).unwrap();
    }
    assert_eq!(world.ledgers().reserves, Tokens::ZERO);
}

#[test]
fn a_position_whose_feed_is_dead_for_a_week_is_settled() {
    let (mut world, keeper, trader) = traded();
    world.chain.wait(7 * DAY);
    assert_eq!(kinds(&due(&world, &keeper)), []);
    world.chain.wait(60);
    let plan = due(&world, &keeper);
    assert!(kinds(&plan).contains(&(Kind::SettleAbandoned, Reason::Abandoned)), "{:?}", kinds(&plan));
    let settle = plan.jobs.iter().find(|job| job.key.kind == Kind::SettleAbandoned).unwrap();
    send(&mut world, settle).unwrap();
    assert_eq!(world.margin(&trader).open_positions().count(), 0);
}

#[test]
fn a_withdrawal_is_executed_when_its_time_has_come_and_not_before() {
    let (mut world, keeper, _) = traded();
    let provider = world.first_provider();
    world.request(&provider, Pool::Main, 1_000_000_000).unwrap();
    world.run(3 * DAY - 300, 300);
    assert_eq!(kinds(&due(&world, &keeper)), []);
    world.run(300, 300);
    let plan = due(&world, &keeper);
    assert_eq!(kinds(&plan), [(Kind::ExecuteWithdrawal, Reason::Due)]);
    send(&mut world, &plan.jobs[0]).unwrap();
    assert_eq!(world.ledgers().pool(PoolKind::Main).head_ticket, 1);
    assert_eq!(kinds(&due(&world, &keeper)), []);
}

#[test]
fn a_withdrawal_without_capacity_keeps_its_place_by_being_asked_for() {
    let mut world = World::new();
    let keeper = world.trader("keeper", 0);
    let provider = world.first_provider();
    let whales: Vec<_> = (0..6).map(|who| world.trader(&format!("whale {who}"), 2_000 * ONE)).collect();
    let shares = token::balance(&world.chain, &provider.shares[0]);
    let mut tick = -14;
    for whale in &whales {
        for _ in 0..5 {
            // As much as one strike may hold.
            let _ = world.open(whale, call(tick), 14_000_000);
            let _ = world.open(whale, put(tick), 14_000_000);
            tick += 1;
        }
    }
    world.request(&provider, Pool::Main, shares).unwrap();
    world.run(3 * DAY, 300);
    let ticket = || Kind::ExecuteWithdrawal;
    // What capacity there is pays a part; then there is none.
    for _ in 0..5 {
        let plan = due(&world, &keeper);
        let Some(job) = plan.jobs.iter().find(|job| job.key.kind == ticket()) else { break };
        send(&mut world, job).unwrap();
    }
    assert_eq!(
        world.ledgers().pool(PoolKind::Main).head_ticket,
        0,
        "the whole pool cannot leave while it owes options"
    );
    world.run(6 * 3_600 - 300, 300);
    assert!(!due(&world, &keeper).jobs.iter().any(|job| job.key.kind == ticket()));
    world.run(600, 300);
    let plan = due(&world, &keeper);
    let job = plan.jobs.iter().find(|job| job.key.kind == ticket()).expect("it would lose its place");
    assert!(matches!(job.reason, Reason::KeepPlace | Reason::Due));
    let before = world.ledgers().pool(PoolKind::Main).head_since;
    send(&mut world, job).unwrap();
    assert!(world.ledgers().pool(PoolKind::Main).head_since > before);
}

#[test]
fn a_shortage_is_noted_again_when_it_is_gone_recognised_after_two_days_and_repaid() {
    let (mut world, keeper, _) = traded();
    let tokens = world.vault.tokens();
    let act = |world: &mut World, expected: Kind| {
        let plan = due(world, &keeper);
        let job = plan.jobs.iter().find(|job| job.key.kind == expected).unwrap_or_else(|| panic!("{:?}", kinds(&plan)));
        world.chain.send_while_short(&job.instructions).unwrap();
        assert!(!due(world, &keeper).jobs.iter().any(|job| job.key.kind == expected), "it is done");
    };
    token::seize(&mut world.chain, &tokens, 5 * ONE);
    act(&mut world, Kind::NoteShortage);
    token::give_back(&mut world.chain, &tokens, 5 * ONE);
    act(&mut world, Kind::NoteShortage);
    assert_eq!(world.ledgers().short_since, 0);
    token::seize(&mut world.chain, &tokens, 5 * ONE);
    act(&mut world, Kind::NoteShortage);
    world.chain.wait(2 * DAY);
    act(&mut world, Kind::RecogniseLoss);
    token::give_back(&mut world.chain, &tokens, 2 * ONE);
    act(&mut world, Kind::RepayLosses);
}

#[test]
fn claims_are_served_when_the_days_limit_allows() {
    let (mut world, _) = scenes::with_claim();
    let keeper = world.trader("keeper", 0);
    assert!(!due(&world, &keeper).jobs.iter().any(|job| job.key.kind == Kind::ServeClaims));
    world.chain.wait(DAY);
    let plan = due(&world, &keeper);
    let serve = plan.jobs.iter().find(|job| job.key.kind == Kind::ServeClaims).expect("a new day");
    let owed = world.ledgers().claims.outstanding;
    send(&mut world, serve).unwrap();
    assert!(world.ledgers().claims.outstanding < owed);
}

#[test]
fn an_account_is_liquidated_as_soon_as_it_may_be_and_the_keeper_is_rewarded() {
    let (mut world, keeper, trader) = traded();
    world.withdraw_most(&trader);
    for _ in 0..40_000 {
        world.run(300, 300);
        let plan = due(&world, &keeper);
        assert_eq!(plan.below, usize::from(!plan.jobs.is_empty()));
        let Some(job) = plan.jobs.first() else { continue };
        assert_eq!((job.key.kind, job.reason), (Kind::Liquidate, Reason::BelowMaintenance));
        send(&mut world, job).unwrap();
        assert!(world.margin(&keeper).collateral > Tokens::ZERO);
        assert_eq!(due(&world, &keeper).below, 0);
        return;
    }
    panic!("funding never brought the account below its maintenance margin");
}

#[test]
fn an_account_whose_market_has_no_price_is_counted_and_not_sent_for() {
    let (mut world, keeper, trader) = traded();
    world.withdraw_most(&trader);
    while due(&world, &keeper).below == 0 {
        world.run(3_600, 300);
    }
    world.chain.wait(61);
    let plan = due(&world, &keeper);
    assert_eq!((kinds(&plan), plan.below, plan.barred), (vec![], 1, 1));
}

#[test]
fn the_stock_goes_in_front_of_a_dollar_markets_crank_and_is_looked_at_alone_when_its_price_is_missing() {
    let mut world = World::with_dollar_market(0);
    let (keeper, trader) = (world.trader("keeper", 0), world.trader("trader", 100 * ONE));
    world.open(&trader, call(0), SIZE).unwrap();
    world.chain.wait(12);
    post(&mut world);
    let plan = due(&world, &keeper);
    assert_eq!(kinds(&plan), [(Kind::CrankStock, Reason::State)], "the share's price is missing");
    send(&mut world, &plan.jobs[0]).unwrap();
    assert_eq!(world.stock().missing_since[0], world.chain.now());
    world.chain.wait(288);
    post(&mut world);
    world.post_stock();
    let plan = due(&world, &keeper);
    assert_eq!(kinds(&plan), [(Kind::Crank, Reason::Sample)]);
    assert_eq!(plan.jobs[0].instructions.len(), 2);
    send(&mut world, &plan.jobs[0]).unwrap();
}
