//! Every token is somewhere, whatever anybody does in whatever order.

mod common;

use common::*;
use perpetua_model::{pricing::Side, *};
use proptest::{prelude::*, strategy::ValueTree};

#[derive(Clone, Debug)]
enum Act {
    Advance { seconds: i64, moves: [i64; 2] },
    Crank { market: usize },
    Deposit { account: usize, amount: u64 },
    Withdraw { account: usize, part: u64 },
    WithdrawAllowed { account: usize },
    Open { account: usize, market: usize, put: bool, tick: i16, size: u64 },
    Close { account: usize, position: usize, part: u64 },
    Settle { account: usize },
    Retire { account: usize },
    SettleFunding { account: usize },
    Liquidate { account: usize },
    Join { insurance: bool, amount: u64 },
    Request { insurance: bool, part: u64 },
    Execute { insurance: bool },
    Cancel { ticket: usize },
    Claim,
    CollectFees,
}

fn act() -> impl Strategy<Value = Act> {
    let account = 0..3usize;
    let seconds = prop_oneof![Just(0), 1..60i64, 60..7_200i64, 86_400..400_000i64];
    let moves = prop_oneof![4 => -200..200i64, 1 => -3_000..6_000i64];
    prop_oneof![
        4 => (seconds, [moves.clone(), moves]).prop_map(|(seconds, moves)| Act::Advance { seconds, moves }),
        1 => (0..3usize).prop_map(|market| Act::Crank { market }),
        1 => (account.clone(), 1..1_000_000_000u64).prop_map(|(account, amount)| Act::Deposit { account, amount }),
        1 => (account.clone(), 1..=100u64).prop_map(|(account, part)| Act::Withdraw { account, part }),
        2 => account.clone().prop_map(|account| Act::WithdrawAllowed { account }),
        6 => (account.clone(), 0..3usize, any::<bool>(), -30..30i16, prop_oneof![100..100_000u64, 100_000..60_000_000u64])
            .prop_map(|(account, market, put, tick, size)| Act::Open { account, market, put, tick, size }),
        2 => (account.clone(), 0..16usize, 1..=100u64)
            .prop_map(|(account, position, part)| Act::Close { account, position, part }),
        1 => account.clone().prop_map(|account| Act::Settle { account }),
        1 => account.clone().prop_map(|account| Act::Retire { account }),
        1 => account.clone().prop_map(|account| Act::SettleFunding { account }),
        2 => account.prop_map(|account| Act::Liquidate { account }),
        1 => (any::<bool>(), 1..10_000_000_000u64).prop_map(|(insurance, amount)| Act::Join { insurance, amount }),
        2 => (any::<bool>(), 1..=100u64).prop_map(|(insurance, part)| Act::Request { insurance, part }),
        3 => any::<bool>().prop_map(|insurance| Act::Execute { insurance }),
        1 => (0..8usize).prop_map(|ticket| Act::Cancel { ticket }),
        1 => Just(Act::Claim),
        1 => Just(Act::CollectFees),
    ]
}

fn kind(insurance: bool) -> PoolKind {
    KINDS[usize::from(insurance)]
}

fn position(world: &World, account: usize, nth: usize) -> Result<(SeriesKey, u64)> {
    let count = world.accounts[account].open_positions().count().max(1);
    let (_, position) =
        world.accounts[account].open_positions().nth(nth % count).ok_or(ModelError::PositionNotFound)?;
    Ok((position.key(), position.size.0))
}

/// The first of an account's positions that `act` accepts.
fn any_position(
    world: &mut World,
    account: usize,
    act: impl Fn(&mut World, usize, SeriesKey) -> Result<CloseReport>,
) -> Result<()> {
    let keys: Vec<_> = world.accounts[account].open_positions().map(|(_, position)| position.key()).collect();
    for key in keys {
        let before = world.clone();
        match act(world, account, key) {
            Ok(_) => return Ok(()),
            Err(ModelError::MathOverflow) => return Err(ModelError::MathOverflow),
            Err(_) => *world = before,
        }
    }
    Err(ModelError::PositionNotFound)
}

/// All of an account's collateral above its initial margin, so that funding soon brings it to liquidation.
fn withdraw_allowed(world: &mut World, account: usize) -> Result<()> {
    let health = world.health(account);
    let free = health.equity() - i128::from(health.initial().0) - i128::from(health.unaccrued.0);
    world.withdraw(account, u64::try_from(free).map_err(|_| ModelError::BelowInitialMargin)?).map(drop)
}

/// Lets funding eat the margin that the account cannot withdraw.
fn starve(world: &mut World, account: usize) {
    let before = world.clone();
    if withdraw_allowed(world, account).is_err() {
        *world = before;
    }
    for _ in 0..8 {
        world.step(3 * 3_600);
    }
}

fn perform(world: &mut World, act: &Act) -> Result<()> {
    match *act {
        Act::Advance { seconds, moves } => {
            for (cents, bps) in world.cents.iter_mut().zip(moves) {
                let factor = u64::try_from(10_000 + bps).unwrap();
                *cents = (*cents * factor / 10_000).clamp(10_000, 1_000_000_000);
            }
            world.step(seconds);
            Ok(())
        }
        Act::Crank { market } => world.crank(market).map(drop),
        Act::Deposit { account, amount } => world.deposit(account, amount),
        Act::Withdraw { account, part } => {
            let amount = world.accounts[account].collateral.0 / 100 * part;
            world.withdraw(account, amount).map(drop)
        }
        Act::WithdrawAllowed { account } => withdraw_allowed(world, account),
        Act::Open { account, market, put, tick, size } => {
            let near =
                world.markets[market].config.grid()?.nearest_tick(pricing::Usd::from_cents(world.cents[market % 2]));
            let key = key(u8::try_from(market).unwrap(), side(put), near + tick);
            world.open(account, key, if market == ETH { size * 20 } else { size }).map(drop)
        }
        Act::Close { account, position: nth, part } => {
            let (key, size) = position(world, account, nth)?;
            world.close(account, key, (size * part / 100).max(1)).map(drop)
        }
        Act::Settle { account } => any_position(world, account, World::settle_capped),
        Act::Retire { account } => any_position(world, account, World::retire),
        Act::SettleFunding { account } => world.settle_funding(account).map(drop),
        Act::Liquidate { account } => {
            starve(world, account);
            world.liquidate(account, (account + 1) % 3).map(drop)
        }
        Act::Join { insurance, amount } => world.join(kind(insurance), amount).map(drop),
        Act::Request { insurance, part } => {
            let pool = world.vault.pool(kind(insurance));
            let free = pool.shares.0 - pool.queued_shares.0;
            let shares = if part == 100 { free } else { free / 100 * part };
            world.request(kind(insurance), shares).map(drop)
        }
        Act::Execute { insurance } => {
            let head = world.vault.pool(kind(insurance)).head_ticket;
            let front = |(of, ticket): &(PoolKind, Ticket)| *of == kind(insurance) && ticket.number == head;
            let front = world.tickets.iter().position(front).ok_or(ModelError::TicketNotQueued)?;
            world.execute(front).map(drop)
        }
        Act::Cancel { ticket } if ticket < world.tickets.len() => world.cancel(ticket).map(drop),
        Act::Cancel { .. } => Err(ModelError::TicketNotQueued),
        Act::Claim => {
            let payable = world.tickets.iter().position(|(_, ticket)| !ticket.payable.is_zero());
            world.claim(payable.ok_or(ModelError::NothingToCollect)?).map(drop)
        }
        Act::CollectFees => world.collect_fees().map(drop),
    }
}

/// The funding indices of every slot of every market.
fn funding_indices(world: &World) -> Vec<u128> {
    let series = world.markets.iter().flat_map(|market| market.slots).flat_map(|slot| slot.series);
    series.map(|series| series.funding_index.get()).collect()
}

/// What an account's exit, an LP's exit and a crank may be refused for: reasons, never numbers.
fn is_reason(error: ModelError) -> bool {
    error != ModelError::MathOverflow
}

proptest! {
    #![proptest_config(cases(10_000))]

    #[test]
    fn ledgers_change_by_the_tokens_that_move_and_every_sum_matches(acts in prop::collection::vec(act(), 1..40)) {
        let mut world = World::new(3, 3);
        world.check();
        for act in &acts {
            let before = world.clone();
            let indices = funding_indices(&world);
            if let Err(error) = perform(&mut world, act) {
                prop_assert!(is_reason(error), "{act:?} failed for a number out of range");
                world = before;
            }
            world.check();
            for (old, new) in indices.iter().zip(funding_indices(&world)) {
                prop_assert!(new >= *old, "a funding index fell");
            }
        }
    }
}

#[test]
fn a_protocol_fee_leaves_the_vault_once() {
    let mut world = World::new(1, 1);
    world.open(0, key(0, Side::Call, 0), 1_000_000).unwrap();
    let fees = world.vault.protocol_fees;
    assert_eq!(world.collect_fees(), Ok(fees));
    assert_eq!(world.collect_fees(), Err(ModelError::NothingToCollect));
    world.check();
}

/// The random sequences above would prove nothing about an action that always fails in them.
#[test]
fn random_sequences_succeed_at_every_action() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let mut successes = std::collections::BTreeMap::new();
    for _ in 0..1_000 {
        let acts = prop::collection::vec(act(), 40).new_tree(&mut runner).unwrap().current();
        let mut world = World::new(3, 3);
        for act in &acts {
            let before = world.clone();
            let name = format!("{act:?}").split(' ').next().unwrap().to_owned();
            let count: &mut (u32, u32) = successes.entry(name).or_default();
            match perform(&mut world, act) {
                Ok(()) => count.0 += 1,
                Err(_) => {
                    world = before;
                    count.1 += 1;
                }
            }
        }
    }
    println!("{successes:?}");
    assert_eq!(successes.len(), 17);
    for (name, (succeeded, _)) in successes {
        assert!(succeeded >= 10, "{name} succeeded {succeeded} times");
    }
}
