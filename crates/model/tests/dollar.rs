//! Dollar markets: what is worth a dollar is paid with a dollar's worth of tokens.

mod common;

use common::*;
use num_bigint::BigInt;
use num_rational::BigRational;
use perpetua_model::{pricing::*, *};
use proptest::prelude::*;

const CALL: SeriesKey = SeriesKey { market: 0, side: Side::Call, tick: 0 };
const PUT: SeriesKey = SeriesKey { market: 0, side: Side::Put, tick: 0 };
const BITCOIN: u64 = 1_000_000;

fn whole(number: u64) -> BigRational {
    BigInt::from(number).into()
}

/// Dollars, exact.
fn dollars(value: Usd) -> BigRational {
    BigRational::new(value.bits().into(), BigInt::from(1u8) << 64)
}

/// Tokens for `size` millionths of something that is worth `value`, with `X` as the market has it; exact.
fn tokens(size: u64, units: UnitsPerUsd, value: Usd) -> BigRational {
    whole(size) / whole(BITCOIN) * BigRational::new(units.0.into(), BigInt::from(1u8) << 24) * dollars(value)
}

fn float(number: impl std::fmt::Display) -> f64 {
    number.to_string().parse().unwrap()
}

/// `X` of the last price.
fn units(world: &World) -> f64 {
    float(world.markets[0].units.last.0) / 2f64.powi(24)
}

#[test]
fn opening_charges_the_dearer_dollar_and_reserves_the_cap_and_what_the_stock_may_fall() {
    for (key, extra) in [(CALL, 2_500), (PUT, 5_000)] {
        let mut world = World::dollar(1);
        let quote = world.open(0, key, 1_234_567).unwrap().quote;
        let range = world.markets[0].units;
        assert!(range.low < range.last && range.last < range.high);
        assert_eq!(whole(quote.premium.0), tokens(1_234_567, range.high, quote.value.into()).ceil());
        let cap = tokens(1_234_567, range.high, Usd::from_integer(50_000)).ceil();
        let above = (&cap * whole(extra) / whole(10_000)).ceil();
        assert_eq!(whole(quote.reserve.0), cap + above);
        assert_eq!(world.accounts[0].positions[0].reserve, quote.reserve);
        world.check();
    }
}

#[test]
fn closing_pays_the_options_dollars_at_the_stocks_dearest_price_rounded_down() {
    for (key, cents) in [(CALL, 11_000_000), (PUT, 9_000_000)] {
        for share in [20_000, 39_999, 40_000, 80_000] {
            let mut world = World::dollar(1);
            world.open(0, key, 1_234_567).unwrap();
            world.set_price(BTC, cents);
            world.share_cents = Some(share);
            world.step(120);
            let quote = world.close(0, key, 1_234_567).unwrap().quote;
            let exact = tokens(1_234_567, world.markets[0].units.low, quote.value.into());
            assert_eq!(whole(quote.payout.0), exact.floor());
            // In dollars, at a price of a token that is 10^8 units: the value, less than a thousandth below.
            let paid = whole(quote.payout.0) * whole(share) / whole(100) / whole(100_000_000);
            let owed = whole(1_234_567) / whole(BITCOIN) * dollars(quote.value.into());
            assert!(paid <= owed && &owed - &paid < &owed / whole(1_000), "{share}");
        }
    }
}

#[test]
fn a_put_at_its_cap_is_paid_in_dollars_whatever_the_stock_is_worth() {
    for share in [10_000, 26_700, 40_000, 400_000] {
        let mut world = World::dollar(1);
        // Enough to pay four times the reserve within a day.
        world.join(PoolKind::Insurance, 10_000_000_000_000).unwrap();
        world.open(0, PUT, BITCOIN).unwrap();
        world.set_price(BTC, 4_000_000);
        world.share_cents = Some(share);
        world.step(120);
        let report = world.settle_capped(0, PUT).unwrap();
        assert_eq!(
            whole(report.quote.payout.0),
            tokens(BITCOIN, world.markets[0].units.low, Usd::from_integer(50_000)).floor()
        );
        assert_eq!(report.quote.fee, Tokens(0));
        let paid = float(report.quote.payout.0) / 1e8 * float(share) / 100.0;
        assert!(paid <= 50_000.0 && paid > 49_950.0, "{paid}");
        world.check();
    }
}

#[test]
fn a_payout_is_the_reserves_then_the_insurance_pools_up_to_its_day_and_then_a_claim() {
    let mut world = World::dollar(1);
    let reserve = world.open(0, PUT, 8 * BITCOIN).unwrap().quote.reserve;
    world.set_price(BTC, 4_000_000);
    world.share_cents = Some(SHARE_CENTS / 2);
    world.step(120);
    let insurance = world.vault.insurance.assets;
    let before = world.accounts[0].collateral;
    let report = world.close(0, PUT, 8 * BITCOIN).unwrap();
    let (paid, payout) = (report.paid, report.quote.payout);
    assert_eq!(paid.main, reserve);
    assert_eq!(paid.insurance.0, insurance.0 / 4);
    assert_eq!(paid.main.0 + paid.insurance.0 + paid.claimed.0, payout.0);
    assert!(paid.claimed.0 > 0);
    // The insurance pool's part of the fee and of the funding served some of it at once.
    let collected = world.accounts[0].claim.collected;
    assert_eq!(world.vault.claims.outstanding.0 + world.vault.claims.funded.0 + collected.0, paid.claimed.0);
    let received = payout.0 - paid.claimed.0 + collected.0;
    assert_eq!(world.accounts[0].collateral.0 + report.funding.0 + report.quote.fee.0, before.0 + received);
    assert_eq!(world.vault.reserves, Tokens(0));
    world.check();

    let mut small = World::dollar(1);
    small.open(0, PUT, BITCOIN).unwrap();
    small.set_price(BTC, 4_000_000);
    small.share_cents = Some(SHARE_CENTS / 2);
    small.step(120);
    let paid = small.close(0, PUT, BITCOIN).unwrap().paid;
    assert!(paid.insurance.0 > 0 && paid.claimed == Tokens(0), "{paid:?}");
}

#[test]
fn a_claim_counts_for_no_proceeds_that_the_trader_asks_for() {
    let mut world = World::dollar(1);
    world.open(0, PUT, 8 * BITCOIN).unwrap();
    world.set_price(BTC, 4_000_000);
    world.share_cents = Some(SHARE_CENTS / 2);
    world.step(120);
    let report = world.clone().close(0, PUT, 8 * BITCOIN).unwrap();
    let received = report.quote.payout.0 - report.paid.claimed.0 - report.quote.fee.0;
    assert_eq!(
        world.clone().close_within(0, PUT, 8 * BITCOIN, received + 1).err(),
        Some(ModelError::ProceedsBelowLimit)
    );
    assert!(world.close_within(0, PUT, 8 * BITCOIN, received).is_ok());
}

/// Half of a position is worth half of what its reserve covers: no part of it draws on another's.
#[test]
fn a_part_of_a_position_is_paid_from_its_part_of_the_reserve() {
    let mut world = World::dollar(1);
    let reserve = world.open(0, PUT, 4 * BITCOIN).unwrap().quote.reserve;
    world.set_price(BTC, 4_000_000);
    world.share_cents = Some(SHARE_CENTS / 2);
    world.step(120);
    let first = world.close(0, PUT, BITCOIN).unwrap().paid;
    assert!(first.main.0 <= reserve.0 / 4 && first.main.0 + 1 >= reserve.0 / 4);
    let second = world.close(0, PUT, 3 * BITCOIN).unwrap().paid;
    assert_eq!(first.main.0 + second.main.0, reserve.0);
    world.check();
}

/// `q / 10^6 X (1 + w) (K sigma_cap / sqrt(8 T) + carry K + rent c K) h`, and a dollar of fee, from the published formula in floats.
#[test]
fn maintenance_margin_counts_what_the_stock_may_fall() {
    let held = [(key(0, Side::Call, 4), 3_000_000u64, 1.25), (key(0, Side::Put, -9), 700_000, 1.5)];
    let mut world = World::dollar(1);
    let mut expected = 0.0;
    for (key, size, _) in held {
        world.open(0, key, size).unwrap();
    }
    world.share_cents = Some(31_415);
    world.step(600);
    for (key, size, falls) in held {
        let middle = float(world.markets[0].middle[key.side as usize].0) / 2f64.powi(48);
        let sigma = (middle * 1.1f64.powi(6)).min(2.5);
        let period: f64 = 7.0 / 365.0;
        let strike = 100_000.0 * 1.0125f64.powi(i32::from(key.tick));
        let yearly = strike * (sigma / (8.0 * period).sqrt() + 0.10 + 0.04 * 0.5);
        expected += float(size) / 1e6 * 1e8 / 314.15 * falls * yearly * 6.0 / (24.0 * 365.0);
    }
    let found = float(world.health(0).maintenance.0) - 1e8 / 314.15;
    assert!((found - expected).abs() <= 2.0 + expected * 1e-8, "{found} {expected}");
}

/// `F` moves by the mean of `X` and of the rate at both ends, and beyond the longest gap by the lower rate.
#[test]
fn funding_is_charged_at_the_mean_of_what_a_dollar_was_and_is_worth() {
    for (seconds, share) in [(600, 32_000), (600, 64_000), (3_600, 40_000), (9_000, 20_000)] {
        let mut world = World::dollar(1);
        world.open(0, CALL, BITCOIN).unwrap();
        world.crank_all();
        let series = |world: &World| *world.markets[0].series(Side::Call, 0).unwrap().1;
        let (before, units_before) = (series(&world), units(&world));
        world.share_cents = Some(share);
        // One accrual over all of it, at other rates.
        world.now += seconds;
        world.slot += 1_000;
        world.set_price(BTC, 10_500_000);
        world.publish();
        world.crank_all();
        let (after, units_after) = (series(&world), units(&world));
        assert!((units_after - 1e10 / float(share)).abs() < 1e-6);
        let rate = |series: &Series| float(series.rate.0) / 2f64.powi(32);
        let (within, excess) = (float(seconds.min(3_600)), float((seconds - 3_600).max(0)));
        let dollars = (rate(&before) + rate(&after)) / 2.0 * within + rate(&before).min(rate(&after)) * excess;
        let expected = (units_before + units_after) / 2.0 / 1e6 * dollars / 31_536_000.0;
        let moved = float(after.index().0 - before.index().0) / 2f64.powi(64);
        assert!((moved - expected).abs() < 1e-9 * expected, "{moved} {expected}");
    }
}

#[test]
fn a_market_is_marked_at_its_bounds_while_the_exchange_is_closed_and_worth_its_range_while_it_trades() {
    let mut world = World::dollar(1);
    world.open(0, CALL, BITCOIN).unwrap();
    let moment = world.moment();
    let open = world.markets[0].mark(&world.indices[BTC], moment).unwrap();
    assert_eq!(open.at_bounds, 0);
    assert!(open.liability_low > Tokens(0) && open.liability_low < open.liability_high);
    assert!(open.liability_high < world.vault.reserves);
    world.step(8 * 3_600);
    let moment = world.moment();
    let closed = world.markets[0].mark(&world.indices[BTC], moment).unwrap();
    assert_eq!((closed.at_bounds, closed.liability_low, closed.liability_high), (1, Tokens(0), world.vault.reserves));
}

#[test]
fn what_insurance_would_have_to_pay_is_in_the_mark_and_in_its_pools_value() {
    let mut world = World::dollar(1);
    let reserved_at = world.markets[0].units.high;
    world.open(0, PUT, BITCOIN).unwrap();
    world.set_price(BTC, 4_000_000);
    world.share_cents = Some(SHARE_CENTS / 2);
    world.step(120);
    let value = world.value(PoolKind::Insurance).unwrap();
    let mark = world.markets[0].mark;
    assert_eq!(mark.liability_high, world.vault.reserves);
    let worst = tokens(BITCOIN, world.markets[0].units.high, Usd::from_integer(50_000)).ceil();
    // The position was reserved at the `X` of its opening and half as much again, the w of puts.
    let reserved = whole(reserved_at.0) * whole(15_000) / whole(10_000);
    assert_eq!(whole(world.markets[0].least_reserved.0), reserved.floor());
    let above = &worst - &worst * reserved / whole(world.markets[0].units.high.0);
    // Marking rounds each value against the pool by a few units.
    assert!((whole(mark.above_reserve.0) - &above) <= whole(8) && whole(mark.above_reserve.0) >= above);
    assert!(value.low.0 <= world.vault.insurance.assets.0 + mark.receivable.0 - mark.above_reserve.0);
}

/// The worst path: the option stays at the money while volatility rises as fast as it may, the stock falls at once as far
/// as margin counts on, and nobody looks for the whole horizon.
#[test]
fn equity_at_the_maintenance_margin_outlasts_the_steepest_rise_of_volatility_and_the_fall_of_the_stock() {
    for (key, share) in [(CALL, SHARE_CENTS * 4 / 5), (PUT, SHARE_CENTS * 2 / 3 + 1)] {
        let mut world = World::with_markets(2, &[&dollar_config], IN_SESSION - 9_000);
        world.open(0, key, 10 * BITCOIN).unwrap();
        world.step(300);
        let health = world.health(0);
        let taken = world.accounts[0].collateral.0 - health.owed.0 - health.maintenance.0;
        world.vault.release(&mut world.accounts[0], Tokens(taken)).unwrap();
        world.balance -= taken;
        world.share_cents = Some(share);
        let end = world.now + 6 * 3_600;
        let mut up = false;
        while world.now < end {
            up = !up;
            world.set_price(BTC, if up { 10_950_000 } else { 10_000_000 });
            world.step(300);
        }
        let after = world.health(0);
        assert!(after.equity() >= 0, "{after:?}");
        // The bound is no waste: more than half of it was needed.
        let used = u128::from(after.owed.0 - health.owed.0);
        assert!(used * 2 > u128::from(health.maintenance.0), "{used} of {health:?}");
        assert_eq!(world.liquidate(0, 1).unwrap().written_off, Tokens(0));
        world.check();
    }
}

fn moved(cents: u64, bps: i64) -> u64 {
    (cents * u64::try_from(10_000 + bps).unwrap() / 10_000).clamp(1_000, 1_000_000_000)
}

proptest! {
    #![proptest_config(cases(10_000))]

    /// The condition: the account is touched within the horizon of six hours, and the stock does not fall in between to less
    /// than `1 / (1 + w)`.
    #[test]
    fn equity_never_goes_negative_unless_the_stock_falls_further_than_margin_counts(
        positions in prop::collection::vec((0..2u8, any::<bool>(), -28..=28i16, prop_oneof![300..100_000u64, 100_000..20_000_000u64]), 1..5),
        path in prop::collection::vec(
            (1..=21_600i64, prop_oneof![-300..300i64, -6_000..9_000i64], -500..500i64, -2_000..4_000i64), 1..20),
    ) {
        let mut world = World::with_markets(2, &[&dollar_config, &dollar_config], IN_SESSION);
        world.deposit(0, 1_000_000_000_000).unwrap();
        for (market, put, tick, size) in positions {
            let before = world.clone();
            if world.open(0, key(market, side(put), tick), size).is_err() {
                world = before;
            }
        }
        let health = world.health(0);
        let taken = world.accounts[0].collateral.0.saturating_sub(health.owed.0 + health.initial().0);
        world.vault.release(&mut world.accounts[0], Tokens(taken)).unwrap();
        world.balance -= taken;
        for (seconds, btc, eth, share) in path {
            world.cents = [moved(world.cents[BTC], btc), moved(world.cents[ETH], eth)];
            // From the last price that the market knows, so that a night adds nothing to the fall.
            let known = Real::from(Usd::from(world.stock.share.price)).mul(Real::from_u64(100)).to_fixed(0, Rounding::Up);
            world.share_cents = Some(moved(known.unwrap(), share));
            world.step(seconds);
            let health = world.health(0);
            prop_assert!(health.equity() >= 0, "{health:?}");
            if health.is_liquidatable() {
                let report = world.liquidate(0, 1).unwrap();
                prop_assert_eq!(report.written_off, Tokens(0));
            }
        }
        world.check();
    }
}
