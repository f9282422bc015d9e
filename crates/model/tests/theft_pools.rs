//! Thefts that an audit tried with pools, claims and losses: to be paid before others, instead of others, or out of what
//! others are owed. Each test states the promise that one of its thieves went against.

mod common;

use common::{desk::*, *};
use perpetua_model::{pricing::*, *};

const BTC_CALL: SeriesKey = SeriesKey { market: 0, side: Side::Call, tick: 0 };
const BTC_PUT: SeriesKey = SeriesKey { market: 0, side: Side::Put, tick: 0 };
const BITCOIN: u64 = 1_000_000;
const HOUR: i64 = 3_600;

/// A dollar market in which the first account holds an option.
fn world_with(option: SeriesKey, size: u64) -> World {
    let mut world = World::dollar(2);
    world.step(1);
    world.open(0, option, size).unwrap();
    world
}

/// Cranks every hour until `end`.
fn crank_hourly_until(world: &mut World, end: i64) {
    while world.now < end {
        world.step((end - world.now).min(HOUR));
    }
}

/// The first account buys puts when half of the insurance pool has asked to leave and may. Returns the ticket, too.
fn half_of_insurance_may_leave(mut world: World, puts: u64) -> (World, usize) {
    world.step(1);
    let half = world.vault.insurance.shares.0 / 2;
    let ticket = world.request(PoolKind::Insurance, half).unwrap();
    crank_hourly_until(&mut world, IN_SESSION + 14 * DAY + 60);
    world.open(0, BTC_PUT, puts).unwrap();
    (world, ticket)
}

/// Bitcoin falls to the cap of its puts and the stock by 70%, which insurance has to pay for.
fn crash_both(world: &mut World) {
    world.set_price(BTC, 4_800_000);
    world.share_cents = Some(SHARE_CENTS * 3 / 10);
}

/// Tokens that a withdrawal of the owner's own paid, none if it was refused.
fn paid_on_withdrawal(execution: Result<Execution>) -> u64 {
    match execution {
        Ok(Execution::Paid { tokens, .. }) => tokens.0,
        Ok(Execution::Returned) | Err(_) => 0,
    }
}

fn received(report: &CloseReport) -> u64 {
    report.paid.received().unwrap().0
}

/// At night puts are at their cap, and the feed that runs at night shows what the stock will open at. The thief, an insurer,
/// leaves before the morning's claims.
#[test]
fn an_insurer_does_not_leave_at_night_before_the_claims_that_the_morning_brings() {
    for (token, refusal) in [(12_000, ModelError::StockFarFromAverage), (31_000, ModelError::MarkAtBounds)] {
        let mut world = World::dollar(1);
        world.stock.config = with_token_feed();
        world.token_cents = Some(SHARE_CENTS);
        let (mut world, ticket) = half_of_insurance_may_leave(world, 30 * BITCOIN);
        crank_hourly_until(&mut world, CLOSES + 14 * DAY);
        world.set_price(BTC, 4_500_000);
        world.token_cents = Some(token);
        crank_hourly_until(&mut world, CLOSES + 14 * DAY + 6 * HOUR);
        assert_eq!(world.execute(ticket), Err(refusal));
        (world.share_cents, world.token_cents) = (Some(12_000), Some(12_000));
        crank_hourly_until(&mut world, IN_SESSION + 17 * DAY);
        assert_eq!(world.value(PoolKind::Insurance).unwrap().low, Tokens::ZERO);
        assert_eq!(paid_on_withdrawal(world.execute(ticket)), 0);
    }
}

/// Insurance owes for one position. The thief, an insurer, has an accomplice buy options far out of the money, whose
/// reserves would hide that in the sum over all positions, and leaves.
#[test]
fn what_insurance_owes_for_one_position_is_not_paid_by_the_reserve_of_another() {
    let (mut world, _) = half_of_insurance_may_leave(World::dollar(2), 3 * BITCOIN);
    crash_both(&mut world);
    world.step(HOUR);
    let before = world.value(PoolKind::Insurance).unwrap().low.0;
    let lowest = (-78..).find(|tick| world.quote_open(key(0, Side::Put, *tick), 8 * BITCOIN).is_ok()).unwrap();
    for tick in [lowest, lowest + 1] {
        world.open(1, key(0, Side::Put, tick), 8 * BITCOIN).unwrap();
    }
    let after = world.value(PoolKind::Insurance).unwrap().low.0;
    assert!(after <= before + before / 10, "{after} against {before}");
}

/// The exchange is closed, and a closed exchange lets a pool's owner leave. The thief leaves in the minutes in which a split
/// is announced, when the feed and the mint may disagree.
#[test]
fn nobody_leaves_a_pool_while_the_multiplier_changes_at_night() {
    let mut world = world_with(BTC_CALL, BITCOIN);
    let half = world.vault.main.shares.0 / 2;
    let ticket = world.request(PoolKind::Main, half).unwrap();
    crank_hourly_until(&mut world, IN_SESSION + 3 * DAY + 12 * HOUR);
    assert!(paid_on_withdrawal(world.clone().execute(ticket)) > 0);
    world.mint = ScaledUi { next: 3f64.to_bits(), next_from: world.now + 600, ..world.mint };
    world.step(60);
    assert!(world.markets[0].conditions.has(Condition::StockClosed));
    assert_eq!(world.execute(ticket), Err(ModelError::MultiplierChanging));
}

/// A position is worth more than was reserved for it, which insurance has to pay. The thief adds to it, so that the new
/// reserve, the main pool's, pays for the old part.
#[test]
fn adding_to_a_position_does_not_make_the_main_pool_pay_above_its_reserve() {
    let size = 5 * BITCOIN / 2;
    let mut world = world_with(BTC_CALL, size);
    world.set_price(BTC, 13_800_000);
    world.share_cents = Some(SHARE_CENTS * 2 / 5);
    world.step(HOUR);
    world.step(10);
    assert_eq!(world.open(0, BTC_CALL, size).map(drop), Err(ModelError::ReserveOutgrown));
    let reserve = world.accounts[0].positions[0].reserve;
    let paid = world.close(0, BTC_CALL, size).unwrap().paid;
    assert!(paid.main <= reserve && !paid.insurance.is_zero(), "{paid:?} of {reserve:?}");
}

/// Executes the withdrawal at the front of the main pool's queue, as anybody may.
fn execute_front_for_its_owner(world: &mut World) -> Result<Execution> {
    let value = world.value(PoolKind::Main)?;
    let (place, moment) = (usize::try_from(world.vault.main.head_ticket).unwrap(), world.moment());
    let (kind, ticket) = &mut world.tickets[place];
    world.vault.execute_withdrawal(*kind, ticket, value, false, world.conditions, moment)
}

/// A stock has no price any more, so that only owners may execute their withdrawals. The thief has put ten of one share each
/// in front of the queue and does not.
#[test]
fn dust_in_front_of_the_queue_does_not_hold_it_up_for_a_week_while_a_stock_is_dead() {
    let mut world = world_with(BTC_CALL, BITCOIN / 10);
    for _ in 0..10 {
        world.request(PoolKind::Main, 1).unwrap();
    }
    let half = world.vault.main.shares.0 / 2;
    let honest = world.request(PoolKind::Main, half).unwrap();
    world.share_cents = None;
    crank_hourly_until(&mut world, IN_SESSION + 4 * DAY);
    execute_front_for_its_owner(&mut world.clone()).unwrap_err();
    let start = world.now;
    while world.vault.main.head_ticket < world.tickets[honest].1.number && world.now < start + 60 * DAY {
        world.step(HOUR);
        // Refused until a week has passed without a price, and once nothing is left to do.
        let _ = world.settle_abandoned(0, BTC_CALL);
        let _ = execute_front_for_its_owner(&mut world);
    }
    let days = (world.now - start) / DAY;
    assert!(days < 7, "{days} days");
}

/// Sells all puts of an account and returns what it received.
fn sell_puts(world: &mut World, account: usize, ticks: core::ops::Range<i16>) -> u64 {
    ticks.map(|tick| received(&world.close(account, key(0, Side::Put, tick), 20 * BITCOIN).unwrap())).sum()
}

/// Tokens are missing, which will be recognised as a loss in two days. The thief sells at once, to be paid in full out of
/// what the others will be cut for.
#[test]
fn closing_before_a_loss_is_recognised_pays_no_more_than_after() {
    let (mut world, ticks) = (World::new(1, 2), 0..8);
    for account in 0..2 {
        world.deposit(account, 10_000_000_000_000).unwrap();
        for tick in ticks.clone() {
            world.open(account, key(0, Side::Put, tick), 20 * BITCOIN).unwrap();
        }
    }
    world.set_price(BTC, 4_900_000);
    world.step(HOUR);
    let balance = Tokens(world.vault.total().unwrap().0 - world.vault.main.assets.0 * 7 / 10);
    world.vault.observe_balance(balance, world.now).unwrap();
    let early = sell_puts(&mut world, 0, ticks.clone());
    let due = world.now + LOSS_DELAY;
    crank_hourly_until(&mut world, due);
    world.vault.recognise_loss(balance, world.now).unwrap();
    let late = sell_puts(&mut world, 1, ticks);
    assert!(late > 0 && early <= late + late / 100, "{early} against {late}");
}

/// As many tokens are missing as insurance has, which will bear the loss. The thief has his claims on it served before.
#[test]
fn nobody_is_served_ahead_of_a_loss_that_is_known() {
    let mut world = World::dollar(1);
    let (start, assets) = (world.now, world.vault.insurance.assets);
    world.vault.pay_out(&mut world.accounts[0], Tokens(2 * assets.0), Tokens::ZERO, start).unwrap();
    let day_after = start + DAY;
    assert!(world.clone().vault.serve_claims(day_after).unwrap() > Tokens::ZERO);
    let balance = world.vault.total().unwrap().less(assets);
    world.vault.observe_balance(balance, start).unwrap();
    for now in [day_after, day_after + DAY] {
        assert_eq!(world.vault.serve_claims(now), Ok(Tokens::ZERO));
    }
}

/// A debtor who is owed more than he owes has his debt written off by a liquidation, and takes the claim later.
#[test]
fn a_debt_is_not_written_off_while_its_debtor_has_a_claim() {
    let mut world = World::dollar(2);
    world.step(1);
    let (start, owed) = (world.now, world.vault.insurance.assets);
    world.vault.pay_out(&mut world.accounts[0], owed, Tokens::ZERO, start).unwrap();
    world.open(0, BTC_CALL, 10 * BITCOIN).unwrap();
    let free = world.accounts[0].collateral.0 - world.health(0).initial().0 - 10;
    world.withdraw(0, free).unwrap();
    crank_hourly_until(&mut world, start + 3 * DAY);
    world.set_price(BTC, 6_000_000);
    crank_hourly_until(&mut world, start + 3 * DAY + HOUR);
    let report = world.liquidate(0, 1).unwrap();
    assert_eq!(report.written_off, Tokens::ZERO);
    assert!(world.accounts[0].debt > Tokens::ZERO && world.accounts[0].claim.amount > Tokens::ZERO);
}

/// Insurance cannot pay all of a payout today. The thief, a stranger, settles the capped put of somebody who would have
/// waited, and leaves him with a claim for the rest.
#[test]
fn a_stranger_does_not_turn_anybodys_payout_into_a_claim() {
    let mut world = world_with(BTC_PUT, 3 * BITCOIN);
    crash_both(&mut world);
    world.step(HOUR);
    assert_eq!(world.clone().settle_capped(0, BTC_PUT), Err(ModelError::PayoutUncovered));
    let by_owner = world.close(0, BTC_PUT, 3 * BITCOIN).unwrap();
    assert!(!by_owner.paid.claimed.is_zero());
}

/// The thief, a stranger who stays insured, executes another's withdrawal in the minutes of a crash in which the pool may
/// have nothing left, so that its shares burn for nothing.
#[test]
fn nobody_has_anothers_withdrawal_executed_for_nothing() {
    let (mut world, ticket) = half_of_insurance_may_leave(World::dollar(1), 30 * BITCOIN);
    crash_both(&mut world);
    world.step(600);
    let value = world.value(PoolKind::Insurance).unwrap();
    let (moment, mut others) = (world.moment(), world.tickets[ticket].1);
    let mut vault = world.vault;
    let execution =
        vault.execute_withdrawal(PoolKind::Insurance, &mut others, value, false, Conditions::NORMAL, moment);
    assert_eq!(execution, Err(ModelError::MarkAtBounds));
    world.set_price(BTC, 10_000_000);
    world.share_cents = Some(SHARE_CENTS);
    world.step(600);
    assert!(paid_on_withdrawal(world.execute(ticket)) > 0);
}
