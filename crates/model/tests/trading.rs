//! Trading: nobody gains by opening and closing, and every limit holds.

mod common;

use common::*;
use perpetua_model::{pricing::*, *};
use proptest::prelude::*;

/// Without fees the promise is the stronger.
fn without_fees(strike: u64) -> MarketConfig {
    MarketConfig { fee_notional_bps: 0, ..market_config(strike) }
}

#[derive(Clone, Debug)]
enum Act {
    Open { account: usize, market: u8, put: bool, tick: i16, size: u64 },
    Close { account: usize, position: usize, part: u64 },
    Join { amount: u64 },
    Execute,
    Nothing,
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        6 => (0..3usize, 0..2u8, any::<bool>(), -28..=28i16, prop_oneof![100..10_000u64, 10_000..80_000_000u64])
            .prop_map(|(account, market, put, tick, size)| Act::Open { account, market, put, tick, size }),
        4 => (0..3usize, 0..16usize, 1..=100u64)
            .prop_map(|(account, position, part)| Act::Close { account, position, part }),
        1 => (1..10_000_000_000_000u64).prop_map(|amount| Act::Join { amount }),
        1 => Just(Act::Execute),
        1 => Just(Act::Nothing),
    ]
}

fn perform(world: &mut World, act: &Act) -> Result<()> {
    match *act {
        Act::Open { account, market, put, tick, size } => {
            let spot = world.indices[usize::from(market) % 2].feed.price.into();
            let near = world.markets[usize::from(market)].config.grid()?.nearest_tick(spot);
            let size = if market == 1 { size * 20 } else { size };
            world.open(account, key(market, side(put), near.saturating_add(tick)), size).map(drop)
        }
        Act::Close { account, position, part } => {
            let count = world.accounts[account].open_positions().count().max(1);
            let held = world.accounts[account].open_positions().nth(position % count).map(|(_, position)| *position);
            let held = held.ok_or(ModelError::PositionNotFound)?;
            world.close(account, held.key(), (held.size.0 * part / 100).max(1)).map(drop)
        }
        Act::Join { amount } => world.join(PoolKind::Main, amount).map(drop),
        Act::Execute => world.execute(0).map(drop),
        Act::Nothing => Ok(()),
    }
}

/// On a copy, so that a refusal leaves no trace, as on the chain.
fn attempt(world: &mut World, act: &Act) -> bool {
    let before = world.clone();
    let done = perform(world, act).is_ok();
    if !done {
        *world = before;
    }
    done
}

fn collateral(world: &World) -> u64 {
    world.accounts.iter().map(|account| account.collateral.0).sum()
}

/// Moves one price at `now`, or only lets a second or two pass.
fn tick(world: &mut World, wait: i64, moves: [i64; 2]) {
    world.now += wait;
    world.slot += 1;
    for (cents, bps) in world.cents.iter_mut().zip(moves) {
        *cents = (*cents * u64::try_from(10_000 + bps).unwrap() / 10_000).max(1_000);
    }
    if moves != [0, 0] && wait > 0 {
        world.publish();
    }
    world.crank_all();
}

proptest! {
    #![proptest_config(cases(10_000))]

    #[test]
    fn opening_and_closing_within_thirty_seconds_never_gains(
        history in prop::collection::vec((60..4_000i64, -800..800i64), 1..4),
        offset in 0..30i64,
        steps in prop::collection::vec((0..4i64, -250..250i64, -250..250i64, act()), 1..14),
        lag in 0..10i64,
    ) {
        let mut world = World::with_config(2, 3, without_fees);
        world.request(PoolKind::Main, 2_000_000_000_000).unwrap();
        for (seconds, bps) in history {
            tick_history(&mut world, seconds, bps);
        }
        world.advance(3 * 86_400 + offset);
        world.advance(60);
        world.crank_all();
        let start = collateral(&world);
        let end = world.now + WINDOW_SECONDS;
        for (wait, btc, eth, act) in &steps {
            if world.now + wait >= end {
                break;
            }
            tick(&mut world, *wait, [*btc, *eth]);
            attempt(&mut world, act);
        }
        // The last trade may come as late as the last price allows.
        let lag = lag.min(world.indices[BTC].feed.publish_time + 10 - world.now).max(0);
        tick(&mut world, lag, [0, 0]);
        for account in 0..3 {
            while world.accounts[account].open_positions().next().is_some() {
                let close = Act::Close { account, position: 0, part: 100 };
                prop_assert!(attempt(&mut world, &close), "anything can be closed");
            }
        }
        prop_assert!(collateral(&world) <= start, "gained {}", collateral(&world) - start);
        world.check();
    }

    #[test]
    fn limits_hold_after_every_open(steps in prop::collection::vec((0..3usize, any::<bool>(), -3..=3i16, 1..200_000_000u64), 1..40)) {
        let mut world = World::new(1, 3);
        for account in 0..3 {
            world.deposit(account, 10_000_000_000_000).unwrap();
        }
        world.request(PoolKind::Main, 300_000_000_000_000_000).unwrap();
        for (account, put, tick, size) in steps {
            let key = key(0, side(put), tick);
            if !attempt(&mut world, &Act::Open { account, market: 0, put, tick, size }) {
                continue;
            }
            let assets = world.vault.main.assets.0;
            let (shares, queued) = (world.vault.main.shares.0, world.vault.main.queued_shares.0);
            let (shares, staying) = (u128::from(shares), u128::from(shares - queued));
            prop_assert!(u128::from(world.vault.reserves.0) * 10_000 * shares <= u128::from(assets) * 8_500 * staying);
            prop_assert!(world.markets[0].series(key.side, tick).unwrap().1.reserve.0 <= assets / 10);
            prop_assert!(world.markets[0].reserves[usize::from(put)].0 <= assets / 2);
            prop_assert!(world.health(account).require_initial().is_ok());
        }
    }

    /// The cap is all that a position can ever be worth, and it is there.
    #[test]
    fn a_capped_position_pays_exactly_its_cap_and_no_fee(put: bool, tick_at in -20..=20i16, size in 100..5_000_000u64) {
        let mut world = World::new(1, 1);
        let key = key(0, side(put), tick_at);
        if world.open(0, key, size).is_err() {
            return Ok(());
        }
        prop_assert_eq!(world.settle_capped(0, key).err(), Some(ModelError::NotCapped));
        world.set_price(BTC, if put { 2_000_000 } else { 30_000_000 });
        world.step(120);
        let strike = Usd::from(world.markets[0].series(key.side, tick_at).unwrap().0.strike);
        let report = world.settle_capped(0, key).unwrap();
        // q / 10^6 * X * K / 2 in whole numbers; the strike has 64 fraction bits.
        let half = strike.bits() / 2;
        let exact = wide::mul_div(half, u128::from(size) * 250_000, 1_000_000 << 64, Rounding::Down).unwrap();
        prop_assert_eq!(u128::from(report.quote.payout.0), exact);
        prop_assert_eq!(report.quote.fee, Tokens(0));
        world.check();
    }
}

fn tick_history(world: &mut World, seconds: i64, bps: i64) {
    world.cents[BTC] = world.cents[BTC] * u64::try_from(10_000 + bps).unwrap() / 10_000;
    world.step(seconds);
}

#[test]
fn the_price_range_must_stay_below_the_cap_to_open() {
    let mut world = World::new(1, 1);
    world.set_price(BTC, 14_160_000);
    world.step(300);
    // 28 ticks below the money is 41.6% in the money, short of the cap; a jump puts the range past it.
    let near = world.markets[0].config.grid().unwrap().nearest_tick(Usd::from_cents(14_160_000));
    assert!(world.quote_open(key(0, Side::Call, near - 28), 1_000).is_ok());
    assert_eq!(world.quote_open(key(0, Side::Call, near - 29), 1_000), Err(ModelError::TickTooFar));
    world.now += 5;
    world.set_price(BTC, 15_200_000);
    world.publish();
    world.now += 3;
    world.set_price(BTC, 14_160_000);
    world.publish();
    world.crank_all();
    assert_eq!(world.quote_open(key(0, Side::Call, near - 28), 1_000), Err(ModelError::PriceTouchesCap));
}

#[test]
fn a_position_far_from_the_money_returns_its_slot_and_its_value() {
    let mut world = World::new(1, 1);
    let key = key(0, Side::Call, 20);
    world.open(0, key, 1_000_000).unwrap();
    assert_eq!(world.retire(0, key).err(), Some(ModelError::NotFar));
    for _ in 0..8 {
        world.set_price(BTC, world.cents[BTC] * 96 / 100);
        world.step(300);
    }
    let before = world.accounts[0].collateral;
    let report = world.retire(0, key).unwrap();
    assert_eq!(report.quote.fee, Tokens(0));
    assert_eq!(world.accounts[0].collateral.0 + report.funding.0, before.0 + report.quote.payout.0);
    assert_eq!(world.markets[0].active, 0);
    world.check();
}

#[test]
fn a_slot_goes_to_another_strike_only_when_nobody_holds_it() {
    let mut world = World::new(1, 2);
    let low = key(0, Side::Put, -24);
    world.open(0, low, 1_000_000).unwrap();
    for _ in 0..12 {
        world.set_price(BTC, world.cents[BTC] * 104 / 100);
        world.step(300);
    }
    let high = key(0, Side::Call, 40);
    assert_eq!(slot_of(40), slot_of(-24));
    assert_eq!(world.open(1, high, 1_000).err(), Some(ModelError::SlotOccupied));
    let index = world.markets[0].series(Side::Call, -24).unwrap().1.index();
    world.retire(0, low).unwrap();
    world.open(1, high, 1_000).unwrap();
    assert_eq!(world.markets[0].series(Side::Call, 40).unwrap().1.index(), index, "the funding index goes on");
    assert_eq!(world.close(0, low, 1).err(), Some(ModelError::PositionNotFound));
    world.check();
}

#[test]
fn adding_to_a_position_first_collects_what_it_owes() {
    let mut world = World::new(1, 1);
    let key = key(0, Side::Call, 0);
    world.open(0, key, 1_000_000).unwrap();
    world.step(3_600);
    let owed = world.health(0).owed;
    let report = world.open(0, key, 1_000_000).unwrap();
    assert_eq!((report.funding, report.size), (owed, Size(2_000_000)));
    assert_eq!(world.health(0).owed, Tokens(0));
}

#[test]
fn a_close_pays_its_funding_out_of_its_proceeds() {
    let mut world = World::new(1, 1);
    let key = key(0, Side::Call, 0);
    world.open(0, key, 1_000_000).unwrap();
    world.step(3_600);
    let rest = world.accounts[0].collateral;
    world.vault.release(&mut world.accounts[0], rest).unwrap();
    world.balance -= rest.0;
    let owed = world.health(0).owed;
    let report = world.close(0, key, 1_000_000).unwrap();
    assert_eq!(report.funding, owed);
    assert_eq!(world.accounts[0].collateral.0, report.quote.proceeds().unwrap().0 - owed.0);
}

#[test]
fn an_order_names_the_market_that_it_trades_in() {
    let mut world = World::new(2, 1);
    let (moment, index) = (world.moment(), world.indices[BTC]);
    let markets = trade_markets(&mut world.markets, 0);
    let order = (key(1, Side::Call, 0), Size(1_000));
    let conditions = Conditions::NORMAL;
    let (vault, account) = (&mut world.vault, &mut world.accounts[0]);
    let result = open_position(vault, account, markets, &index, order, Tokens(u64::MAX), conditions, moment);
    assert_eq!(result, Err(ModelError::MarketMissing));
}
