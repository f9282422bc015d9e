//! What an audit tried to steal with, move by move: each test states a promise that one of its thieves broke.
mod common;

use common::*;
use perpetua_model::{pricing::*, *};

const BTC_PUT: SeriesKey = SeriesKey { market: 0, side: Side::Put, tick: 0 };
const BTC_CALL: SeriesKey = SeriesKey { market: 0, side: Side::Call, tick: 0 };
const HOUR: i64 = 3_600;
/// 16:00 in New York on the day of IN_SESSION.
const CLOSES: i64 = IN_SESSION + 4 * HOUR;

fn with_token_feed(mut world: World) -> World {
    world.stock.config.has_token_feed = 1;
    world.stock.config.token_feed_unit = 1;
    world.token_cents = Some(SHARE_CENTS);
    world.step(1);
    world
}

fn until(world: &mut World, end: i64) {
    while world.now < end {
        world.step((end - world.now).min(HOUR));
    }
}

/// The feed shows a 3:1 split ten seconds before the mint does.
#[test]
fn a_feed_that_splits_seconds_before_the_mint_pays_nobody_three_dollars_for_one() {
    let mut world = World::dollar(2);
    world.step(1);
    world.open(0, BTC_CALL, 1_000_000).unwrap();
    let three = Multiplier::from_bits(3f64.to_bits()).unwrap();
    let from = IN_SESSION + HOUR;
    world.mint = ScaledUi { current: Multiplier::ONE.0, next: three.0, next_from: from };
    world.stock.acknowledge(three);
    until(&mut world, from - 10);
    let honest = world.markets[0].units.last.0;
    world.share_cents = Some(SHARE_CENTS / 3);
    world.step(5); // the attacker's crank in between
    until(&mut world, from + 1_801 + 600);
    let mut liquidated = world.clone();
    let _ = liquidated.liquidate(0, 1);
    let closed = world.close(0, BTC_CALL, 1_000_000);
    println!("close {:?}", closed.map(|c| (c.paid, c.quote.payout)));
    assert!(
        world.markets[0].units.low.0 <= honest + honest / 100 || closed.is_err(),
        "X is {} times what it was",
        world.markets[0].units.low.0 as f64 / honest as f64
    );
}

/// The token feed, which is there to tighten the exit at night, can be left out once nobody posted it for ten minutes.
#[test]
fn nobody_closes_at_night_without_the_token_feed_that_publishes() {
    let mut world = with_token_feed(World::dollar(1));
    world.open(0, BTC_CALL, 1_000_000).unwrap();
    until(&mut world, CLOSES - 1);
    world.token_cents = Some(SHARE_CENTS * 115 / 100);
    world.step(2);
    let mut honest = world.clone();
    honest.advance(900);
    let mut thief = honest.clone();
    honest.crank_all();
    thief.token_cents = None;
    thief.crank_all();
    let fair = honest.close(0, BTC_CALL, 1_000_000).unwrap().paid.received().unwrap().0;
    let stolen = thief.close(0, BTC_CALL, 1_000_000).map(|c| c.paid.received().unwrap().0);
    assert!(stolen.is_err() || stolen.unwrap() <= fair + 1);
}

/// The same in the middle of a session in which nobody had cranked for an hour.
#[test]
fn nobody_closes_at_the_last_price_during_a_session_because_nobody_cranked_for_an_hour() {
    let mut world = World::dollar(1);
    world.step(1);
    world.open(0, BTC_CALL, 1_000_000).unwrap();
    world.advance(HOUR);
    // The exchange trades at 15% more; whoever cranks leaves that out.
    world.share_cents = None;
    world.crank_all();
    assert!(world.close(0, BTC_CALL, 1_000_000).is_err(), "closed at X {}", world.markets[0].units.low.0);
}

/// Half of the insurance pool has asked to leave and may; a trader holds 30 puts.
fn insured(world: World, size: u64) -> (World, usize) {
    let mut world = world;
    world.step(1);
    let half = world.vault.insurance.shares.0 / 2;
    let ticket = world.request(PoolKind::Insurance, half).unwrap();
    until(&mut world, IN_SESSION + 14 * 86_400 + 60);
    world.open(0, BTC_PUT, size).unwrap();
    (world, ticket)
}

fn paid(execution: Result<Execution>) -> u64 {
    match execution {
        Ok(Execution::Paid { tokens, .. }) => tokens.0,
        other => 0,
    }
}

/// Puts at their cap and the stock down 70% on the feed that runs at night: the insurer runs before the exchange opens.
#[test]
fn an_insurer_does_not_leave_at_night_before_the_claims_that_the_morning_brings() {
    let (mut world, ticket) = insured(with_token_feed(World::dollar(1)), 30_000_000);
    until(&mut world, CLOSES + 14 * 86_400);
    world.set_price(BTC, 4_500_000);
    world.token_cents = Some(12_000);
    until(&mut world, CLOSES + 15 * 86_400);
    let mut waits = world.clone();
    let ran = paid(world.execute(ticket));
    waits.share_cents = Some(12_000);
    until(&mut waits, IN_SESSION + 17 * 86_400);
    let monday = waits.value(PoolKind::Insurance);
    let stays = paid(waits.execute(ticket));
    let report = waits.close(0, BTC_PUT, 30_000_000).unwrap();
    assert!(ran <= stays);
}

/// In a session: other positions' unused reserves hide what insurance owes.
#[test]
fn what_insurance_owes_for_one_position_is_not_paid_by_the_reserve_of_another() {
    let (mut world, ticket) = insured(World::dollar(2), 3_000_000);
    world.set_price(BTC, 4_800_000);
    world.share_cents = Some(12_000);
    world.step(HOUR);
    // Somebody else's puts, far out of the money, fully reserved at today's X.
    let alone = world.value(PoolKind::Insurance).unwrap();
    let tick = (-58 - 20..).find(|tick| world.quote_open(key(0, Side::Put, *tick), 8_000_000).is_ok()).unwrap();
    for t in tick..tick + 2 {
        world.open(1, key(0, Side::Put, t), 8_000_000).unwrap();
    }
    let hidden = world.value(PoolKind::Insurance).unwrap();
    let ran = paid(world.execute(ticket));
    let report = world.close(0, BTC_PUT, 3_000_000).unwrap();
    assert!(hidden.low.0 <= alone.low.0 + alone.low.0 / 10 + 1_000_000);
}

/// The most restrictive cell: a closed exchange does not lift the ban of a changing multiplier or of a diverged stock.
#[test]
fn nobody_leaves_a_pool_while_the_multiplier_changes_at_night() {
    let mut world = World::dollar(1);
    world.step(1);
    world.open(0, BTC_CALL, 1_000_000).unwrap();
    let shares = world.vault.main.shares.0 / 2;
    let ticket = world.request(PoolKind::Main, shares).unwrap();
    until(&mut world, IN_SESSION + 3 * 86_400 + 12 * HOUR);
    world.mint = ScaledUi { current: Multiplier::ONE.0, next: 3f64.to_bits(), next_from: world.now + 600 };
    world.step(60);
    let states = world.markets[0].conditions;
    assert!(states.has(Condition::MultiplierChanging) && states.has(Condition::StockClosed));
    assert!(states.allow(Action::PoolOut).is_err());
    assert!(world.execute(ticket).is_err());
}

/// Two updates of one second: the second hides what the first proves.
#[test]
fn an_outage_counts_though_another_update_of_the_same_second_came_first() {
    let mut world = World::new(1, 1);
    let (start, end) = (world.now, world.now + 8 * HOUR);
    let index = &mut world.indices[0];
    index.accept(&update(10_000_000, 2, end, end), end + 1).unwrap();
    let _ = index.accept(&update(10_000_000, 2, end, start), end + 1);
    assert!(index.outage_seconds >= 8 * 3_600 - 1, "outage {}", index.outage_seconds);
}

#[test]
fn a_halt_counts_though_another_update_of_the_same_second_came_first() {
    let mut world = World::dollar(1);
    world.step(1);
    let (start, end) = (world.now, world.now + HOUR);
    let moment = Moment { now: end + 1, slot: 9_999_999 };
    world.stock.crank(&ScaledUi::NONE, Some(&update(SHARE_CENTS, 2, end, end)), None, moment).unwrap();
    world.stock.crank(&ScaledUi::NONE, Some(&update(SHARE_CENTS, 2, end, start)), None, moment).unwrap();
    assert!(world.stock.read(moment).unwrap().conditions.has(Condition::Grace));
}

/// Adding to a position that is worth more than its reserve makes the main pool pay what insurance owes.
#[test]
fn adding_to_a_position_does_not_make_the_main_pool_pay_above_its_reserve() {
    let mut world = World::dollar(2);
    world.step(1);
    world.open(0, BTC_CALL, 2_500_000).unwrap();
    world.set_price(BTC, 13_800_000);
    world.share_cents = Some(16_000);
    world.step(HOUR);
    world.step(10);
    let start = world.vault.main.assets.0;
    let mut thief = world.clone();
    let honest = world.close(0, BTC_CALL, 2_500_000).unwrap();
    let wealth = |w: &World| w.accounts[0].collateral.0 + w.accounts[0].claim.amount.0;
    let quote = thief.open(0, BTC_CALL, 2_500_000);
    println!("add {:?}", quote.map(|q| q.quote.cost()));
    if quote.is_err() {
        return;
    }
    let mut main = 0;
    for _ in 0..2 {
        let report = thief.close(0, BTC_CALL, 2_500_000).unwrap();
        main += report.paid.main.0;
    }
    assert!(thief.vault.main.assets.0 + start / 100_000 >= world.vault.main.assets.0);
}

/// A dust ticket in front of a queue whose market stays at its bounds.
#[test]
fn a_dust_ticket_does_not_hold_up_the_queue_while_a_stock_is_dead() {
    let mut world = World::dollar(1);
    world.step(1);
    world.open(0, BTC_CALL, 100_000).unwrap();
    let shares = world.vault.main.shares.0 / 2;
    for _ in 0..10 {
        world.request(PoolKind::Main, 1).unwrap();
    }
    let honest = world.request(PoolKind::Main, shares).unwrap();
    world.share_cents = None;
    until(&mut world, IN_SESSION + 4 * 86_400);
    let start = world.now;
    while world.vault.main.head_ticket < world.tickets[honest].1.number && world.now < start + 60 * 86_400 {
        world.step(HOUR);
        // What anyone can do about it: settle what has no price any more, and execute the front of the queue.
        let _ = world.settle_abandoned(0, BTC_CALL);
        let Ok(value) = world.value(PoolKind::Main) else { continue };
        let place = usize::try_from(world.vault.main.head_ticket).unwrap();
        let moment = world.moment();
        let (kind, ticket) = &mut world.tickets[place];
        let _ = world.vault.execute_withdrawal(*kind, ticket, value, false, Conditions::NORMAL, moment);
    }
    let days = (world.now - start) / 86_400;
    assert!(days < 7, "{days} days for ten tickets of one share");
}

/// While tokens are missing, whoever closes first is paid in full out of what the others will be cut for.
#[test]
fn closing_before_a_loss_is_recognised_pays_no_more_than_after() {
    let mut world = World::new(1, 2);
    let put = |tick| key(0, Side::Put, tick);
    for account in 0..2 {
        world.deposit(account, 10_000_000_000_000).unwrap();
        for tick in 0..8 {
            world.open(account, put(tick), 20_000_000).unwrap();
        }
    }
    world.set_price(BTC, 4_900_000);
    world.step(HOUR);
    let balance = world.vault.total().unwrap().0 - world.vault.main.assets.0 * 7 / 10;
    world.vault.observe_balance(Tokens(balance), world.now).unwrap();
    let mut got = [0; 2];
    for tick in 0..8 {
        got[0] += world.close(0, put(tick), 20_000_000).unwrap().paid.received().unwrap().0;
    }
    let due = world.now + LOSS_DELAY;
    until(&mut world, due);
    world.vault.recognise_loss(Tokens(balance), world.now).unwrap();
    for tick in 0..8 {
        got[1] += world.close(1, put(tick), 20_000_000).unwrap().paid.received().unwrap().0;
    }
    assert!(got[0] <= got[1] + got[1] / 100, "{got:?}");
}

/// A 5:4 split that the feed learns of late is within the value band.
#[test]
fn a_split_of_five_for_four_that_the_feed_learns_late_moves_no_value() {
    let mut world = World::dollar(1);
    world.step(1);
    let split = Multiplier::from_bits(1.25f64.to_bits()).unwrap();
    let from = IN_SESSION + HOUR;
    world.mint = ScaledUi { current: Multiplier::ONE.0, next: split.0, next_from: from };
    world.stock.acknowledge(split);
    until(&mut world, from + 1_900);
    let cheap = world.open(0, BTC_CALL, 1_000_000).map(|r| r.quote.premium.0);
    world.share_cents = Some(SHARE_CENTS * 4 / 5);
    world.step(60);
    let closed = world.close(0, BTC_CALL, 1_000_000).map(|r| r.quote.payout.0);
    assert!(cheap.is_err() || closed.is_err() || closed.unwrap() <= cheap.unwrap());
}

/// Debt is written off though the debtor is owed more.
#[test]
fn a_debt_is_not_written_off_while_its_debtor_has_a_claim() {
    let mut world = World::dollar(2);
    world.step(1);
    let (excess, now) = (world.vault.insurance.assets.0, world.now);
    world.vault.pay_out(&mut world.accounts[0], Tokens(excess), Tokens(0), now).unwrap();
    world.open(0, BTC_CALL, 10_000_000).unwrap();
    let free = world.accounts[0].collateral.0 - world.health(0).initial().0 - 10;
    world.withdraw(0, free).unwrap();
    until(&mut world, now + 3 * 86_400);
    world.set_price(BTC, 6_000_000);
    until(&mut world, now + 3 * 86_400 + HOUR);
    let report = world.liquidate(0, 1);
    let report = report.unwrap();
    assert!(
        report.written_off.is_zero() || world.accounts[0].claim.amount.is_zero(),
        "{} written off",
        report.written_off.0
    );
}

/// An outage that is proved a second after the market was cranked is charged all the same.
#[test]
fn an_outage_costs_nothing_though_somebody_cranked_before_it_was_proved() {
    let mut world = World::new(1, 1);
    world.step(1);
    world.open(0, BTC_CALL, 1_000_000).unwrap();
    let mut honest = world.clone();
    let (start, end) = (world.now, world.now + 50 * 60);
    let first = update(10_000_000, 2, end, start);
    let second = update(10_000_000, 2, end + 1, end);
    let run = |world: &mut World, updates: [&PriceUpdate; 2]| {
        world.now = end + 1;
        world.slot += 10;
        for update in updates {
            world.indices[0].accept(update, world.now).unwrap();
            world.crank(0).unwrap();
        }
        for _ in 0..30 {
            world.step(300);
        }
        world.health(0).owed.0
    };
    let fair = run(&mut honest, [&first, &second]);
    let charged = run(&mut world, [&second, &first]);
    // Half an hour of it may fall into the grace period.
    assert!(charged <= fair + fair / 4 + fair / 100, "charged {charged}, fair {fair}");
}

/// Claims served while tokens are missing are not cut by the loss.
#[test]
fn nobody_is_served_ahead_of_a_loss_that_is_known() {
    let mut world = World::dollar(1);
    let now = world.now;
    let assets = world.vault.insurance.assets.0;
    world.vault.pay_out(&mut world.accounts[0], Tokens(2 * assets), Tokens(0), now).unwrap();
    let balance = world.vault.total().unwrap().0 - assets;
    world.vault.observe_balance(Tokens(balance), now).unwrap();
    let mut served = 0;
    for day in 1..=2 {
        served += world.vault.serve_claims(now + day * 86_400).map_or(0, |served| served.0);
    }
    let loss = world.vault.recognise_loss(Tokens(balance), now + 2 * 86_400).unwrap();
    assert_eq!(served, 0, "{loss:?}");
}

/// A stranger turns a payout in tokens into a claim.
#[test]
fn a_stranger_does_not_turn_anybodys_payout_into_a_claim() {
    let mut world = World::dollar(1);
    world.step(1);
    world.open(0, BTC_PUT, 3_000_000).unwrap();
    world.set_price(BTC, 4_800_000);
    world.share_cents = Some(12_000);
    world.step(HOUR);
    let report = world.settle_capped(0, BTC_PUT);
    assert!(report.is_err() || report.unwrap().paid.claimed.is_zero(), "{report:?}");
}

/// No price that the feeds accept stops a market.
#[test]
fn no_price_of_stock_or_index_makes_an_action_overflow() {
    let mut bad = std::collections::BTreeSet::new();
    for decimals in [0, 6, 8, 9] {
        for share in [1u64, 2, 100, 40_000, 100_000_000, 1_600_000_000] {
            for btc in [1u64, 100, 4_000_000, 10_000_000, 100_000_000, 1_600_000_000] {
                let mut world = World::dollar(2);
                world.step(1);
                if world.open(0, BTC_CALL, 20_000_000).is_err() {
                    continue;
                }
                world.open(0, BTC_PUT, 20_000_000).unwrap();
                world.stock.config.decimals = decimals;
                world.share_cents = Some(share);
                world.set_price(BTC, btc);
                for _ in 0..3 {
                    world.advance(3_000);
                    let mut note = |what: &str, error: Option<ModelError>| {
                        if let Some(error) = error.filter(|e| *e == ModelError::MathOverflow) {
                            bad.insert(format!("{what} dec {decimals} share {share} btc {btc}: {error:?}"));
                        }
                    };
                    note("crank", world.crank(0).err());
                    let w = || world.clone();
                    note("close", w().close(0, BTC_CALL, 20_000_000).err());
                    note("close put", w().close(0, BTC_PUT, 20_000_000).err());
                    note("value", w().value(PoolKind::Main).err());
                    note("ins", w().value(PoolKind::Insurance).err());
                    note("liq", w().liquidate(0, 1).err());
                    note("capped", w().settle_capped(0, BTC_PUT).err());
                    note("capped", w().settle_capped(0, BTC_CALL).err());
                    note("retire", w().retire(0, BTC_CALL).err());
                    note("funding", w().settle_funding(0).err());
                }
            }
        }
    }
    for line in &bad {
        println!("{line}");
    }
    assert!(bad.is_empty());
}

/// A stranger executes an insurer's withdrawal in the hour in which its pool's lower value is nothing.
#[test]
fn nobody_has_anothers_withdrawal_executed_for_nothing() {
    let (mut world, ticket) = insured(World::dollar(1), 30_000_000);
    world.set_price(BTC, 4_800_000);
    world.share_cents = Some(12_000);
    world.step(600);
    let mut calm = world.clone();
    let value = world.value(PoolKind::Insurance).unwrap();
    let (moment, mut own) = (world.moment(), world.tickets[ticket].1);
    let done = world.vault.execute_withdrawal(PoolKind::Insurance, &mut own, value, false, Conditions::NORMAL, moment);
    calm.set_price(BTC, 10_000_000);
    calm.share_cents = Some(SHARE_CENTS);
    calm.step(600);
    let fair = paid(calm.execute(ticket));
    assert!(done.is_err(), "{done:?} {value:?}, ten minutes later {fair}");
}
