//! The pools: fair shares, an orderly queue, and marks that let nobody in or out too well.

mod common;

use common::*;
use perpetua_model::{pricing::*, *};
use proptest::prelude::*;

const DAY: i64 = 86_400;

fn kind(insurance: bool) -> PoolKind {
    KINDS[usize::from(insurance)]
}

/// Open interest on both sides, some funding not collected yet.
fn busy(size: u64, seconds: i64, change: i64) -> World {
    let mut world = World::new(2, 1);
    world.step(30);
    for (market, side, tick, size) in
        [(0, Side::Call, 3, size), (0, Side::Put, -2, size / 2 + 100), (1, Side::Call, 0, 10 * size)]
    {
        world.open(0, key(market, side, tick), size).unwrap();
    }
    world.cents = world.cents.map(|cents| cents * u64::try_from(10_000 + change).unwrap() / 10_000);
    world.step(seconds);
    world
}

/// Value of a share at one end: `(NAV + 1) / (shares + S0)` as a fraction.
fn price(world: &World, kind: PoolKind, value: Tokens) -> (u128, u128) {
    (u128::from(value.0) + 1, u128::from(world.vault.pool(kind).shares.0) + 100_000)
}

fn not_below(left: (u128, u128), right: (u128, u128)) -> bool {
    use num_bigint::BigUint;
    let product = |a: u128, b: u128| BigUint::from(a) * BigUint::from(b);
    product(left.0, right.1) >= product(right.0, left.1)
}

proptest! {
    #![proptest_config(cases(10_000))]

    #[test]
    fn no_deposit_or_exit_lowers_what_a_share_is_worth(
        size in 100..60_000_000u64, seconds in 1..9_000i64, change in -1_500..1_500i64, insurance: bool, joins: bool,
        amount in 1..100_000_000_000_000u64, shares in 1..1_000_000_000_000_000_000u64,
    ) {
        let kind = kind(insurance);
        let mut world = busy(size, seconds, change);
        let ticket = world.request(kind, shares.min(world.vault.pool(kind).shares.0)).unwrap();
        world.step(14 * DAY);
        world.step(60);
        let before = world.value(kind).unwrap();
        prop_assert!(before.low <= before.high);
        let prices = [before.low, before.high].map(|value| price(&world, kind, value));
        let done = if joins { world.join(kind, amount).map(drop) } else { world.execute(ticket).map(drop) };
        prop_assert!(done.is_ok() || joins);
        let after = world.value(kind).unwrap();
        for (before, after) in prices.into_iter().zip([after.low, after.high]) {
            prop_assert!(not_below(price(&world, kind, after), before));
        }
        world.check();
    }

    #[test]
    fn coming_and_going_at_once_never_gains(size in 100..60_000_000u64, change in -900..900i64, amount in 1..1_000_000_000_000u64) {
        let mut world = busy(size, 60, change);
        let Ok(shares) = world.join(PoolKind::Main, amount) else { return Ok(()) };
        let value = world.value(PoolKind::Main).unwrap();
        let back = world.vault.tokens_for(PoolKind::Main, value, shares).unwrap();
        prop_assert!(back.0 <= amount);
    }

    /// Nobody can move the pool's value by trading, to join it too cheaply or to have others leave it too cheaply.
    #[test]
    fn no_trade_lowers_what_the_pool_is_worth(
        size in 100..20_000_000u64, change in -900..900i64, seconds in 1..9_000i64,
        trades in prop::collection::vec((any::<bool>(), any::<bool>(), -20..=20i16, 100..20_000_000u64), 1..8),
    ) {
        let mut world = busy(size, seconds, change);
        let mut value = world.value(PoolKind::Main).unwrap();
        for (closes, put, tick, size) in trades {
            let before = world.clone();
            let held = world.accounts[0].open_positions().next().map(|(_, position)| *position);
            let done = match held.filter(|_| closes) {
                Some(held) => world.close(0, held.key(), size.min(held.size.0)).map(drop),
                None => world.open(0, key(0, side(put), tick), size).map(drop),
            };
            if done.is_err() {
                world = before;
                continue;
            }
            let after = world.value(PoolKind::Main).unwrap();
            // Two markets and a receivable each round by a unit.
            prop_assert!(after.low.0 + 4 >= value.low.0 && after.high.0 + 4 >= value.high.0, "{value:?} {after:?}");
            value = after;
        }
    }

    /// An attacker mints the first shares, makes them dear by a gift to the pool, and waits for a victim.
    #[test]
    fn inflating_the_first_share_costs_more_than_it_takes(
        first in 1..1_000_000_000u64, gift in 0..1_000_000_000_000u64, victim in 1..1_000_000_000_000u64,
    ) {
        let mut vault = Vault::new(vault_config()).unwrap();
        let value = |vault: &Vault| NetAssetValue { low: vault.main.assets, high: vault.main.assets, at_bounds: false, has_sessions: false };
        let join = |vault: &mut Vault, amount| {
            vault.join_pool(PoolKind::Main, value(vault), Tokens(amount), Shares(0), Conditions::NORMAL)
        };
        let mine = join(&mut vault, first).unwrap();
        // The only gifts are fees and funding; a transfer to the vault changes no ledger.
        vault.main.assets = Tokens(vault.main.assets.0 + gift);
        let gained = join(&mut vault, victim);
        let worth = vault.tokens_for(PoolKind::Main, value(&vault), mine).unwrap();
        prop_assert!(worth.0 <= first + gift, "the attacker gains");
        if let Ok(theirs) = gained {
            let kept = vault.tokens_for(PoolKind::Main, value(&vault), theirs).unwrap();
            // What the victim can lose to rounding is one share.
            let share = (vault.main.assets.0 / (vault.main.shares.0 + 100_000)) + 2;
            prop_assert!(kept.0 + share >= victim);
        } else {
            prop_assert_eq!(gained, Err(ModelError::AmountZero));
        }
    }

    #[test]
    fn tickets_leave_in_order_within_capacity_and_every_share_is_burned_or_returned(
        size in 1_000_000..60_000_000u64,
        parts in prop::collection::vec((1..60u64, any::<bool>(), 0..3i64), 1..8),
    ) {
        let mut world = busy(size, 60, 0);
        let all = world.vault.main.shares.0;
        let mut asked = 0;
        for (part, ..) in &parts {
            let shares = (all / 100 * part).min(all - world.vault.main.queued_shares.0).max(1);
            asked += shares;
            if asked > all {
                return Ok(());
            }
            world.request(PoolKind::Main, shares).unwrap();
        }
        prop_assert_eq!(world.vault.main.queued_shares.0, asked);
        world.step(3 * DAY - 61);
        prop_assert_eq!(world.execute(0), Err(ModelError::TicketNotReady));
        world.step(61);
        let (mut burned, mut returned) = (0, 0);
        for (number, (_, cancels, days)) in parts.iter().enumerate() {
            if number + 1 < parts.len() {
                prop_assert_eq!(world.execute(number + 1), Err(ModelError::TicketOutOfOrder));
            }
            if *cancels {
                returned += world.cancel(number).unwrap().0;
                prop_assert_eq!(world.cancel(number), Err(ModelError::TicketNotQueued));
                continue;
            }
            world.step(days * DAY + 1);
            let capacity = world.vault.exit_capacity(PoolKind::Main).unwrap();
            match world.execute(number).unwrap() {
                Execution::Paid { shares, tokens, left } => {
                    prop_assert!(tokens <= capacity);
                    burned += shares.0;
                    if !left.is_zero() {
                        prop_assert!(world.vault.exit_capacity(PoolKind::Main).unwrap().0 <= 2 * (capacity.0 / 1_000 + 1_000));
                        returned += world.cancel(number).unwrap().0;
                    }
                }
                Execution::Returned => {
                    prop_assert!(*days >= 1, "only after a day");
                    returned += world.cancel(number).unwrap().0;
                }
            }
            world.check();
        }
        prop_assert_eq!(burned + returned, asked);
        prop_assert_eq!(world.vault.main.shares.0, all - burned);
        prop_assert_eq!(world.vault.main.queued_shares, Shares(0));
        prop_assert_eq!(world.vault.main.head_ticket, world.vault.main.next_ticket);
        prop_assert!(u128::from(world.vault.reserves.0) * 10_000 <= u128::from(world.vault.main.assets.0) * 8_500);
    }
}

#[test]
fn a_ticket_that_nobody_executes_for_a_day_returns_to_its_owner() {
    let mut world = busy(1_000_000, 60, 0);
    let ticket = world.request(PoolKind::Main, 1_000_000).unwrap();
    let shares = world.vault.main.shares;
    world.step(3 * DAY + TICKET_LIFETIME + 1);
    assert_eq!(world.execute(ticket), Ok(Execution::Returned));
    assert_eq!(world.execute(ticket), Err(ModelError::TicketNotQueued));
    let kept = world.tickets[ticket].1;
    assert_eq!(world.vault.require_finished(PoolKind::Main, &kept), Err(ModelError::TicketStillOpen));
    assert_eq!(world.cancel(ticket), Ok(Shares(1_000_000)));
    let emptied = world.tickets[ticket].1;
    assert_eq!(world.vault.require_finished(PoolKind::Main, &emptied), Ok(()));
    assert_eq!((world.vault.main.shares, world.vault.main.queued_shares), (shares, Shares(0)));
}

#[test]
fn a_ticket_cancelled_in_the_middle_is_passed_over() {
    let mut world = busy(1_000_000, 60, 0);
    for _ in 0..3 {
        world.request(PoolKind::Main, 1_000_000_000).unwrap();
    }
    world.cancel(1).unwrap();
    world.step(3 * DAY);
    assert!(matches!(world.execute(0), Ok(Execution::Paid { .. })));
    assert_eq!(world.execute(2), Err(ModelError::TicketOutOfOrder));
    assert_eq!(world.execute(1), Ok(Execution::Returned));
    assert!(matches!(world.execute(2), Ok(Execution::Paid { .. })));
    world.check();
}

#[test]
fn a_ticket_that_lacks_capacity_stays_at_the_front_and_starts_its_day_anew() {
    let mut world = busy(60_000_000, 60, 0);
    let all = world.vault.main.shares.0;
    let ticket = world.request(PoolKind::Main, all).unwrap();
    world.step(3 * DAY);
    for _ in 0..3 {
        assert!(matches!(world.execute(ticket), Ok(Execution::Paid { left, .. }) if !left.is_zero()));
        world.step(TICKET_LIFETIME);
    }
    // It could not have been executed, so it keeps its place.
    world.step(TICKET_LIFETIME + 1);
    assert!(matches!(world.execute(ticket), Ok(Execution::Paid { left, .. }) if !left.is_zero()));
    world.check();
}

#[test]
fn queued_shares_reduce_what_may_be_reserved() {
    let mut world = World::new(1, 1);
    let all = world.vault.reservable().unwrap();
    let shares = world.vault.main.shares.0;
    world.request(PoolKind::Main, shares / 4).unwrap();
    assert_eq!(world.vault.reservable().unwrap().0, all.0 / 4 * 3);
    world.request(PoolKind::Main, shares - shares / 4).unwrap();
    assert_eq!(world.vault.reservable(), Ok(Tokens(0)));
    assert_eq!(world.open(0, key(0, Side::Call, 0), 1_000).err(), Some(ModelError::UtilisationTooHigh));
}

#[test]
fn a_market_without_positions_is_worth_nothing_without_a_price_or_a_crank() {
    let mut world = World::new(4, 1);
    world.now += 5_000;
    world.slot += 10_000;
    let value = world.value(PoolKind::Main).unwrap();
    let assets = world.vault.main.assets;
    assert_eq!(value, NetAssetValue { low: assets, high: assets, at_bounds: false, has_sessions: false });
    world.join(PoolKind::Main, 1_000_000).unwrap();
}

#[test]
fn without_a_price_for_ten_minutes_a_market_counts_with_its_bounds() {
    let mut world = busy(1_000_000, 60, 0);
    world.now += 601;
    world.slot += 1_500;
    let value = world.value(PoolKind::Main).unwrap();
    let (assets, reserves) = (world.vault.main.assets.0, world.vault.reserves.0);
    let receivable: u64 = world.markets.iter().map(|market| market.receivable().0).sum();
    assert!(value.at_bounds && receivable > 0);
    assert_eq!(value.high.0, assets + (receivable * 8_000).div_ceil(10_000));
    assert_eq!(value.low.0, assets + receivable * 8_000 / 10_000 * 9_000 / 10_000 - reserves);
    // Only the owner may leave at that.
    let ticket = world.request(PoolKind::Main, 1_000).unwrap();
    world.now += 3 * DAY;
    let value = world.value(PoolKind::Main).unwrap();
    let (moment, ticket) = (world.moment(), &mut world.tickets[ticket].1);
    let stranger = world.vault.execute_withdrawal(PoolKind::Main, ticket, value, false, Conditions::NORMAL, moment);
    assert_eq!(stranger, Err(ModelError::MarkAtBounds));
    assert!(world.execute(0).is_ok());
}

#[test]
fn between_a_stale_price_and_ten_minutes_nothing_is_marked() {
    let mut world = busy(1_000_000, 60, 0);
    world.now += 61;
    assert_eq!(world.value(PoolKind::Main), Err(ModelError::PriceStale));
    world.slot += 1;
    assert_eq!(world.value(PoolKind::Main), Err(ModelError::MarketNotAccrued));
}

#[test]
fn a_trade_voids_the_mark_and_so_do_25_slots() {
    let mut world = busy(1_000_000, 60, 0);
    world.value(PoolKind::Main).unwrap();
    let value = |world: &World, slot| world.vault.net_asset_value(PoolKind::Main, world.markets.iter(), slot);
    assert!(value(&world, world.slot + MARK_SLOTS).is_ok());
    assert_eq!(value(&world, world.slot + MARK_SLOTS + 1), Err(ModelError::MarkStale));
    world.open(0, key(0, Side::Call, 0), 1_000).unwrap();
    assert_eq!(value(&world, world.slot), Err(ModelError::MarkStale));
}

#[test]
fn a_mark_is_the_sum_of_what_each_position_is_worth() {
    let mut world = busy(3_000_000, 600, 100);
    let moment = world.moment();
    let market = &mut world.markets[0];
    let mark = market.mark(&world.indices[BTC], moment).unwrap();
    let reading = world.indices[BTC].read(world.now, 60).unwrap();
    let (mut low, mut high, mut owed) = (0, 0, 0u128);
    for (_, position) in world.accounts[0].open_positions().filter(|(_, position)| position.market == 0) {
        let key = position.key();
        let (slot, series) = market.series(key.side, key.tick).unwrap();
        let (better, worse) = match key.side {
            Side::Call => (reading.low, reading.high),
            Side::Put => (reading.high, reading.low),
        };
        let value = |volatility, spot, rounding| {
            let value = market.config.curve(key.side, volatility).unwrap().value(spot, slot.strike.into());
            token_value(position.size, market.units.last, value.value(rounding), rounding).unwrap().0
        };
        low += value(market.bid_volatility(key.side), better, Rounding::Down);
        high += value(market.ask_volatility(key.side, Real::ZERO), worse, Rounding::Up);
        owed += u128::from(position.size.0) * (series.index().0 - position.entry().0);
    }
    assert!(mark.liability_low.0.abs_diff(low) <= 2, "{mark:?} {low}");
    assert!(mark.liability_high.0.abs_diff(high) <= 2, "{mark:?} {high}");
    assert_eq!(u128::from(mark.receivable.0), owed >> 64);
}

#[test]
fn when_no_share_is_left_the_rest_goes_to_insurance() {
    let mut world = World::new(1, 1);
    let all = world.vault.main.shares.0;
    let ticket = world.request(PoolKind::Main, all).unwrap();
    world.step(3 * DAY);
    let before = world.vault.insurance.assets.0 + world.vault.main.assets.0;
    let Ok(Execution::Paid { tokens, .. }) = world.execute(ticket) else { panic!("not paid") };
    assert_eq!(world.vault.main.assets, Tokens(0));
    assert_eq!(world.vault.insurance.assets.0, before - tokens.0);
    world.check();
    // And the pool starts again as on its first day.
    assert_eq!(world.join(PoolKind::Main, 1_000), Ok(Shares(1_000 * 100_000)));
}

#[test]
fn a_worthless_pool_takes_no_deposit_but_lets_its_shares_go() {
    let mut vault = Vault::new(vault_config()).unwrap();
    let value = NetAssetValue { low: Tokens(0), high: Tokens(0), at_bounds: false, has_sessions: false };
    // A first deposit into an empty pool is at the starting price.
    assert_eq!(vault.shares_for(PoolKind::Main, value, Tokens(7)), Ok(Shares(700_000)));
    vault.main.shares = Shares(10_000_000);
    assert_eq!(vault.shares_for(PoolKind::Main, value, Tokens(7)), Err(ModelError::SharePriceTooLow));
    let mut ticket = vault.request_withdrawal(PoolKind::Main, Shares(10_000_000), 0).unwrap();
    let moment = Moment { now: 3 * DAY, slot: 1 };
    let paid = vault.execute_withdrawal(PoolKind::Main, &mut ticket, value, false, Conditions::NORMAL, moment);
    assert_eq!(paid, Ok(Execution::Paid { shares: Shares(10_000_000), tokens: Tokens(0), left: Shares(0) }));
}

#[test]
fn who_asked_to_leave_pays_the_exit_fee_of_then_or_a_lower_one() {
    let paid = |exit_bps: u16| {
        let mut world = busy(1_000_000, 60, 0);
        let ticket = world.request(PoolKind::Main, 1_000_000).unwrap();
        world.vault.config.main.exit_bps = exit_bps;
        world.step(3 * DAY + 60);
        match world.execute(ticket) {
            Ok(Execution::Paid { tokens, left: Shares(0), .. }) => tokens,
            other => panic!("{other:?}"),
        }
    };
    let as_asked = paid(30);
    assert_eq!(paid(500), as_asked);
    assert!(paid(0) > as_asked);
}
