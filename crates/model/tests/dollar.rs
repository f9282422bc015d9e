//! Dollar markets: what is worth a dollar is paid with a dollar's worth of tokens, and nobody gains from the stock's moves
//! but what they are.

mod common;

use common::*;
use num_bigint::BigInt;
use num_rational::BigRational;
use perpetua_model::{pricing::*, *};
use proptest::prelude::*;

const CALL: SeriesKey = SeriesKey { market: 0, side: Side::Call, tick: 0 };
const PUT: SeriesKey = SeriesKey { market: 0, side: Side::Put, tick: 0 };
const BITCOIN: u64 = 1_000_000;
/// The Friday's close.
const CLOSES: i64 = IN_SESSION + 14_400;

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

/// `q / 10^6 X (1 + w) (K / (u T) + carry K + rent c K) h`, and a dollar of fee, from the published formula in floats.
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
        let period = 7.0 / 365.0;
        let u = (1.0 + 8.0 / (sigma * sigma * period)).sqrt();
        let strike = 100_000.0 * 1.0125f64.powi(i32::from(key.tick));
        let yearly = strike * (1.0 / u / period + 0.10 + 0.04 * 0.5);
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
    world.open(0, PUT, BITCOIN).unwrap();
    world.set_price(BTC, 4_000_000);
    world.share_cents = Some(SHARE_CENTS / 2);
    world.step(120);
    let value = world.value(PoolKind::Insurance).unwrap();
    let mark = world.markets[0].mark;
    assert_eq!(mark.liability_high, world.vault.reserves);
    let worst = tokens(BITCOIN, world.markets[0].units.high, Usd::from_integer(50_000)).ceil();
    let above = worst - whole(world.vault.reserves.0);
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

fn dollar_without_fees(strike: u64) -> MarketConfig {
    MarketConfig { fee_notional_bps: 0, ..dollar_config(strike) }
}

fn quanto_without_fees(strike: u64) -> MarketConfig {
    MarketConfig { fee_notional_bps: 0, ..market_config(strike) }
}

#[derive(Clone, Debug)]
enum Trade {
    Open {
        account: usize,
        market: u8,
        put: bool,
        tick: i16,
        size: u64,
    },
    Close {
        account: usize,
        position: usize,
        part: u64,
    },
    /// The stock is cranked at its last price and the markets are not.
    Stock,
    Join {
        amount: u64,
    },
    Execute,
}

fn trade() -> impl Strategy<Value = Trade> {
    let market = prop_oneof![4 => Just(0u8), 1 => Just(1)];
    let size = prop_oneof![100..10_000u64, 10_000..60_000_000u64];
    prop_oneof![
        6 => (0..3usize, market, any::<bool>(), -28..=28i16, size)
            .prop_map(|(account, market, put, tick, size)| Trade::Open { account, market, put, tick, size }),
        4 => (0..3usize, 0..16usize, 1..=100u64)
            .prop_map(|(account, position, part)| Trade::Close { account, position, part }),
        1 => Just(Trade::Stock),
        1 => (1..10_000_000_000_000u64).prop_map(|amount| Trade::Join { amount }),
        1 => Just(Trade::Execute),
    ]
}

/// On a copy, so that a refusal leaves no trace, as on the chain.
fn attempt(world: &mut World, trade: &Trade) -> Result<()> {
    let before = world.clone();
    let done = match *trade {
        Trade::Open { account, market, put, tick, size } => {
            let spot = world.indices[usize::from(market) % 2].feed.price.into();
            let near = world.markets[usize::from(market)].config.grid().unwrap().nearest_tick(spot);
            let size = if market == 1 { size * 20 } else { size };
            world.open(account, key(market, side(put), near.saturating_add(tick)), size).map(drop)
        }
        Trade::Close { account, position, part } => {
            let count = world.accounts[account].open_positions().count().max(1);
            let held = world.accounts[account].open_positions().nth(position % count).map(|(_, position)| *position);
            held.ok_or(ModelError::PositionNotFound)
                .and_then(|held| world.close(account, held.key(), (held.size.0 * part / 100).max(1)).map(drop))
        }
        Trade::Stock => world.crank_stock(),
        Trade::Join { amount } => world.join(PoolKind::Main, amount).map(drop),
        Trade::Execute => world.execute(0).map(drop),
    };
    if done.is_err() {
        *world = before;
    }
    done
}

/// All that the accounts have or are owed.
fn wealth(world: &World) -> u64 {
    world.accounts.iter().map(|account| account.collateral.0).sum::<u64>() + world.vault.claims.outstanding.0
}

/// Seconds until the market trades next, the moves of bitcoin, ether, the share and the token, and a trade.
type Step = (i64, [i64; 4], Trade);

fn moved(cents: u64, bps: i64) -> u64 {
    (cents * u64::try_from(10_000 + bps).unwrap() / 10_000).clamp(1_000, 1_000_000_000)
}

fn step(world: &mut World, wait: i64, [btc, eth, share, token]: [i64; 4]) {
    world.now += wait;
    world.slot += 1;
    if wait > 0 {
        world.cents = [moved(world.cents[BTC], btc), moved(world.cents[ETH], eth)];
        world.share_cents = world.share_cents.map(|cents| moved(cents, share));
        world.token_cents = world.share_cents.map(|cents| moved(cents, token));
        world.publish();
    }
    world.crank_all();
}

proptest! {
    #![proptest_config(cases(10_000))]

    /// Tokens, whatever the index, the stock and the token do meanwhile, in any split over accounts, markets and trades, in
    /// the middle of a session, or across its end if the stock falls less in that time than the haircut.
    #[test]
    fn opening_and_closing_within_thirty_seconds_never_gains_a_token(
        history in prop::collection::vec((60..2_000i64, -800..800i64, -800..800i64), 1..4),
        offset in 0..30i64, across_the_close: bool, token_feed: bool,
        steps in prop::collection::vec((0..4i64, [-250..250i64, -250..250i64, -300..300i64, -700..700i64], trade()), 1..14),
        lag in 0..10i64,
    ) {
        let mut world = World::with_markets(3, &[&dollar_without_fees, &quanto_without_fees], IN_SESSION);
        world.request(PoolKind::Main, 2_000_000_000_000).unwrap();
        world.stock.config.has_token_feed = u8::from(token_feed);
        for (seconds, btc, share) in history {
            world.cents[BTC] = moved(world.cents[BTC], btc);
            world.share_cents = world.share_cents.map(|cents| moved(cents, share));
            world.advance(seconds);
            world.crank_all();
        }
        let start = if across_the_close { CLOSES - 15 } else { IN_SESSION + 9_000 } + 3 * 86_400 + offset / 2;
        world.advance(start - 60 - world.now);
        world.crank_all();
        world.advance(60);
        world.crank_all();
        let (before, share) = (wealth(&world), world.share_cents.unwrap());
        let end = world.now + WINDOW_SECONDS;
        for (wait, moves, trade) in &steps as &[Step] {
            if world.now + wait >= end {
                break;
            }
            step(&mut world, *wait, *moves);
            if across_the_close {
                world.share_cents = Some(world.share_cents.unwrap().clamp(share * 98 / 100, share * 102 / 100));
            }
            let _ = attempt(&mut world, trade);
        }
        // The last trade may come as late as the last prices allow.
        let lag = lag.min(world.indices[BTC].feed.publish_time + 10 - world.now);
        let share_lag = world.stock.share.publish_time + 10 - world.now;
        world.now += if share_lag < 0 { lag } else { lag.min(share_lag) }.max(0);
        world.slot += 1;
        world.share_cents = None;
        world.token_cents = None;
        world.crank_all();
        for account in 0..3 {
            while world.accounts[account].open_positions().next().is_some() {
                let closed = attempt(&mut world, &Trade::Close { account, position: 0, part: 100 });
                prop_assert_eq!(closed, Ok(()), "anything can be closed");
            }
        }
        prop_assert!(wealth(&world) <= before, "gained {}", wealth(&world) - before);
        world.check();
    }

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

/// What random histories do to a world with two dollar markets and a quanto market.
#[derive(Clone, Debug)]
enum Act {
    Advance {
        seconds: i64,
        moves: [i64; 3],
    },
    /// The exchange opens, if it is closed.
    Bell {
        moves: [i64; 3],
    },
    /// The share's feed falls silent, or speaks again and says how long it was silent.
    Silence {
        seconds: i64,
    },
    Split {
        by: u64,
        wait: i64,
        acknowledged: bool,
    },
    Trade {
        trade: Trade,
    },
    SettleCapped {
        account: usize,
    },
    SettleFunding {
        account: usize,
    },
    Liquidate {
        account: usize,
    },
    WithdrawAllowed {
        account: usize,
    },
    JoinInsurance {
        amount: u64,
    },
    ServeClaims,
}

fn act() -> impl Strategy<Value = Act> {
    let account = 0..3usize;
    let seconds = prop_oneof![4 => 1..60i64, 4 => 60..7_200i64, 1 => 7_200..100_000i64];
    let moves = || prop_oneof![4 => -200..200i64, 1 => -6_000..6_000i64];
    prop_oneof![
        5 => (seconds, [moves(), moves(), moves()]).prop_map(|(seconds, moves)| Act::Advance { seconds, moves }),
        5 => [moves(), moves(), moves()].prop_map(|moves| Act::Bell { moves }),
        1 => (1..2_000i64).prop_map(|seconds| Act::Silence { seconds }),
        1 => (prop::sample::select(vec![2, 3, 10]), 0..7_200i64, any::<bool>())
            .prop_map(|(by, wait, acknowledged)| Act::Split { by, wait, acknowledged }),
        16 => trade().prop_map(|trade| Act::Trade { trade }),
        2 => account.clone().prop_map(|account| Act::SettleCapped { account }),
        1 => account.clone().prop_map(|account| Act::SettleFunding { account }),
        2 => account.clone().prop_map(|account| Act::Liquidate { account }),
        1 => account.prop_map(|account| Act::WithdrawAllowed { account }),
        1 => (1..10_000_000_000u64).prop_map(|amount| Act::JoinInsurance { amount }),
        1 => Just(Act::ServeClaims),
    ]
}

fn split(world: &mut World, by: u64, wait: i64, acknowledged: bool) {
    let current = f64::from_bits(world.mint.at(world.now).unwrap().0);
    let next = current * float(by);
    let Ok(multiplier) = Multiplier::from_bits(next.to_bits()) else { return };
    if next > 100.0 {
        return;
    }
    world.mint = ScaledUi { current: current.to_bits(), next: multiplier.0, next_from: world.now + wait };
    if acknowledged {
        world.stock.acknowledge(multiplier);
    }
    world.crank_all();
    world.advance(wait);
    world.share_cents = world.share_cents.map(|cents| (cents / by).max(100));
    world.crank_all();
    world.step(wait.max(1));
}

fn perform(world: &mut World, act: &Act) -> Result<()> {
    match *act {
        Act::Advance { seconds, moves: [btc, eth, share] } => {
            world.cents = [moved(world.cents[BTC], btc), moved(world.cents[ETH], eth)];
            world.share_cents = Some(moved(world.share_cents.unwrap_or(SHARE_CENTS), share).clamp(5_000, 1_000_000));
            world.step(seconds);
        }
        Act::Bell { moves } => {
            let opens = (0..400).map(|half_hour| world.now / 1_800 * 1_800 + 1_801 + half_hour * 1_800);
            let opens = opens.into_iter().find(|at| world.stock.calendar.session_at(*at).is_some()).unwrap();
            perform(world, &Act::Advance { seconds: opens - world.now, moves })?;
        }
        Act::Silence { seconds } => {
            let since = world.now;
            let cents = world.share_cents.take().unwrap_or(SHARE_CENTS);
            world.step(seconds);
            let update = update(cents, 2, world.now, since);
            world.stock.crank(&world.mint, Some(&update), None, world.moment())?;
            world.share_cents = Some(cents);
        }
        Act::Split { by, wait, acknowledged } => split(world, by, wait, acknowledged),
        Act::Trade { ref trade } => attempt(world, trade)?,
        Act::SettleCapped { account } => {
            let keys: Vec<_> = world.accounts[account].open_positions().map(|(_, position)| position.key()).collect();
            for key in keys {
                let before = world.clone();
                match world.settle_capped(account, key) {
                    Ok(_) => return Ok(()),
                    Err(ModelError::MathOverflow) => return Err(ModelError::MathOverflow),
                    Err(_) => *world = before,
                }
            }
            return Err(ModelError::NotCapped);
        }
        Act::SettleFunding { account } => drop(world.settle_funding(account)?),
        Act::Liquidate { account } => {
            let health = world.health(account);
            let free = health.equity() - i128::from(health.initial().0) - i128::from(health.unaccrued.0);
            if let Ok(free) = u64::try_from(free) {
                let before = world.clone();
                if world.withdraw(account, free).is_err() {
                    *world = before;
                }
            }
            for _ in 0..16 {
                world.step(3 * 3_600);
            }
            world.liquidate(account, (account + 1) % 3)?;
        }
        Act::WithdrawAllowed { account } => {
            let health = world.health(account);
            let free = health.equity() - i128::from(health.initial().0) - i128::from(health.unaccrued.0);
            world.withdraw(account, u64::try_from(free).unwrap_or(0) / 2)?;
        }
        Act::JoinInsurance { amount } => drop(world.join(PoolKind::Insurance, amount)?),
        Act::ServeClaims => drop(world.vault.serve_claims(world.now)?),
    }
    Ok(())
}

fn eventful() -> World {
    // Little is reserved above the caps, so that insurance has to pay.
    let thin = |strike| MarketConfig { reserve_extra_bps: [0, 500], ..dollar_config(strike) };
    let mut world = World::with_markets(3, &[&thin, &thin, &market_config], IN_SESSION);
    world.request(PoolKind::Main, 2_000_000_000_000).unwrap();
    world
}

proptest! {
    #![proptest_config(cases(10_000))]

    #[test]
    fn every_token_is_somewhere_whatever_the_stock_its_mint_and_its_exchange_do(acts in prop::collection::vec(act(), 1..40)) {
        let mut world = eventful();
        for act in &acts {
            let before = world.clone();
            let owed = |world: &World| world.accounts.iter().map(|account| account.claim.left(world.vault.claims.scale).unwrap().0).sum::<u64>();
            if let Err(error) = perform(&mut world, act) {
                prop_assert!(error != ModelError::MathOverflow, "{act:?} failed for a number out of range");
                world = before;
            }
            world.check();
            // Each account's claim is rounded up.
            prop_assert!((0..=3).contains(&(i128::from(owed(&world)) - i128::from(world.vault.claims.outstanding.0))));
        }
    }
}

/// The random histories would prove nothing about an action that always fails in them, nor about claims that never come.
#[test]
fn random_histories_succeed_at_every_action_and_meet_every_state() {
    use proptest::strategy::ValueTree;
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let (mut successes, mut states) = (std::collections::BTreeMap::<String, u32>::new(), 0);
    for _ in 0..1_000 {
        let acts = prop::collection::vec(act(), 40).new_tree(&mut runner).unwrap().current();
        let mut world = eventful();
        for act in &acts {
            let before = world.clone();
            let name = format!("{act:?}").split(' ').next().unwrap().to_owned();
            let claims = world.vault.claims.outstanding;
            if perform(&mut world, act).is_ok() {
                *successes.entry(name).or_default() += 1;
            } else {
                world = before;
            }
            if world.vault.claims.outstanding > claims {
                *successes.entry("claimed".to_owned()).or_default() += 1;
            }
            states |= world.markets[0].conditions.bits();
        }
    }
    println!("{successes:?} {states:b}");
    assert_eq!(successes.len(), 12);
    assert!(successes.values().all(|count| *count >= 10), "{successes:?}");
    use Condition::{Grace, MultiplierChanging, StockClosed, StockStale};
    for state in [Grace, MultiplierChanging, StockClosed, StockStale] {
        assert_eq!(states >> state as u8 & 1, 1, "{state:?}");
    }
}
