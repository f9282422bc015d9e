//! Numbers at the ends of their ranges must not stop a crank, a mark, a close, a liquidation or an exit.

mod common;

use bytemuck::Zeroable;
use common::*;
use perpetua_model::{pricing::*, *};
use proptest::prelude::*;

/// The dearest and the cheapest dollar, the longest and the shortest period, the highest rates.
fn config(reference: Usd, units: u64, corner: u8) -> MarketConfig {
    let high = |bit: u8| corner >> bit & 1 == 1;
    MarketConfig {
        units_per_usd: UnitsPerUsd(units),
        reference_strike: reference.into(),
        min_size: Size(1),
        dust_size: Size(0),
        period: if high(0) { 86_400 } else { 30 * 86_400 },
        margin_horizon: if high(1) { 7 * 86_400 } else { 3_600 },
        carry_bps: if high(2) { 5_000 } else { 0 },
        rent_bps: if high(3) { 5_000 } else { 0 },
        cap_bps: if high(4) { [9_000; 2] } else { [2_500; 2] },
        fee_notional_bps: 100,
        fee_value_bps: 2_500,
        series_limit_bps: 10_000,
        side_limit_bps: 10_000,
        utilisation_spread_bps: 0,
        ..market_config(1)
    }
}

/// A vault with as many tokens as there can be, a quarter of them in each place.
fn world(reference: Usd, units: u64, corner: u8) -> World {
    const QUARTER: u64 = 1 << 62;
    let mut world = World::new(0, 1);
    let cents = u64::try_from((reference.bits() * 100) >> 64).unwrap().clamp(1, 100 << 24);
    world.set_price(BTC, cents);
    world.advance(300);
    let mut market = Market::zeroed();
    market.initialize(config(reference, units, corner), &world.indices[BTC], world.now, world.now).unwrap();
    world.markets = vec![market];
    world.crank_all();
    world.vault.main.assets = Tokens(QUARTER);
    world.vault.main.shares = Shares(QUARTER);
    world.vault.margin = Tokens(QUARTER);
    world.accounts = vec![MarginAccount::zeroed(); 2];
    world.accounts[0].collateral = Tokens(QUARTER);
    world.balance = world.vault.total().unwrap().0;
    world
}

fn extreme_price() -> impl Strategy<Value = u64> {
    prop_oneof![Just(1), Just(100 << 24), (0..31u32).prop_map(|bits| 1 << bits)]
}

proptest! {
    #![proptest_config(cases(10_000))]

    #[test]
    fn no_number_of_the_supported_range_stops_what_must_go_on(
        reference in 0..31u32, units in 14..63u32, corner: u8, put: bool, tick in -5..=5i16, size in 0..40u32,
        later in prop::collection::vec((extreme_price(), prop_oneof![60..7_200i64, 86_400..400_000_000i64]), 1..4),
        funding in 0..127u32, poor: bool,
    ) {
        let mut world = world(Usd::from_cents(1u64 << reference).max(Usd::MIN_PRICE), 1 << units, corner);
        let key = key(0, side(put), tick);
        // A market that has been listed for as long as its index can count.
        world.markets[0].claim_slot(tick).ok();
        if let Ok(series) = world.markets[0].series_mut(key.side, tick) {
            series.funding_index = Wide::new(u128::MAX >> (funding + 1));
        }
        if world.open(0, key, (1u64 << size).min(MAX_SIZE - 1)).is_err() {
            return Ok(());
        }
        if poor {
            let taken = Tokens(world.accounts[0].collateral.0 / 100 * 99);
            world.vault.release(&mut world.accounts[0], taken).unwrap();
            world.balance -= taken.0;
        }
        world.check();
        for (cents, seconds) in later {
            world.set_price(BTC, cents);
            world.advance(seconds);
            prop_assert!(world.crank(BTC).is_ok());
            prop_assert!(world.value(PoolKind::Main).is_ok());
            prop_assert!(world.quote_open(key, 1) != Err(ModelError::MathOverflow));
            let health = health(&world.accounts[0], &refs(&world.markets), world.now);
            prop_assert!(health.is_ok_and(|health| health.require_initial() != Err(ModelError::MathOverflow)));
            for leave in [World::close as fn(&mut World, usize, SeriesKey, u64) -> Result<CloseReport>, settle, retire] {
                let mut copy = world.clone();
                let size = copy.accounts[0].positions[0].size.0;
                let left = leave(&mut copy, 0, key, size);
                prop_assert!(left != Err(ModelError::MathOverflow), "{left:?}");
                if left.is_ok() {
                    copy.check();
                }
            }
            // What funding asks for may exceed all tokens: liquidation takes what is there.
            let mut copy = world.clone();
            let liquidated = copy.liquidate(0, 1);
            prop_assert!(liquidated.is_ok() || liquidated == Err(ModelError::AccountHealthy), "{liquidated:?}");
            if liquidated.is_ok() {
                copy.check();
            }
            let collected = world.settle_funding(0);
            prop_assert!(collected != Err(ModelError::MathOverflow));
            world.check();
        }
    }
}

fn settle(world: &mut World, account: usize, key: SeriesKey, _: u64) -> Result<CloseReport> {
    world.settle_capped(account, key)
}

fn retire(world: &mut World, account: usize, key: SeriesKey, _: u64) -> Result<CloseReport> {
    world.retire(account, key)
}

#[test]
fn a_market_without_positions_is_cranked_at_any_price_and_after_any_time() {
    let mut world = World::new(2, 0);
    for (cents, seconds) in [(1, 1), (100 << 24, 10_000), (10_000_000, 1_000_000_000)] {
        world.set_price(BTC, cents);
        world.step(seconds);
        world.value(PoolKind::Main).unwrap();
    }
    assert_eq!(world.markets[0].active, 0);
    assert!(world.markets[0].slots.iter().all(|slot| *slot == Slot::zeroed()));
}
