//! Dollar markets on random paths: nobody gains within a window, and no token is lost whatever the stock, its mint and its
//! exchange do.

mod common;

use common::*;
use perpetua_model::*;
use proptest::prelude::*;

/// The Friday's close.
const CLOSES: i64 = IN_SESSION + 14_400;

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
    let next = current * f64::from(u32::try_from(by).unwrap());
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
    assert!(successes.values().all(|count| *count >= 5), "{successes:?}");
    use Condition::{Grace, MultiplierChanging, StockClosed, StockStale};
    for state in [Grace, MultiplierChanging, StockClosed, StockStale] {
        assert_eq!(states >> state as u8 & 1, 1, "{state:?}");
    }
}
