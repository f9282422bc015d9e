//! The judge finds what is wrong, on accounts of the compiled program.

// As a keeper reads them in its own tests.
#[path = "../../../keeper/tests/support/mod.rs"]
mod support;

use perpetua_client::perpetua::events::AccountLiquidated;
use perpetua_tests::{Trader, World, token::ONE, world::call};

use super::*;

const SIZE: u64 = 500_000;

/// A trader with little more margin than he must have.
fn stretched() -> (World, Trader, Trader) {
    let mut world = World::new();
    let (keeper, trader) = (world.trader("keeper", 0), world.trader("trader", 100 * ONE));
    world.open(&trader, call(0), SIZE).unwrap();
    world.withdraw_most(&trader);
    (world, keeper, trader)
}

fn seen(world: &World, keeper: &Trader) -> Seen {
    Seen { views: vec![support::view(world, keeper)] }
}

fn liquidated(world: &World, trader: &Trader, keeper: &Trader) -> Event {
    Event::AccountLiquidated(AccountLiquidated {
        vault: world.vault.vault,
        account: trader.account,
        keeper_account: keeper.account,
        closed: 1,
        proceeds: 0,
        from_insurance: 0,
        claimed: 0,
        funding: 0,
        keeper_reward: 0,
        insurance_reward: 0,
        written_off: 0,
        collateral: 0,
    })
}

fn cranked(world: &World, price: u128, publish_time: i64) -> Event {
    let (index, market) = (world.markets[0].index, world.markets[0].market);
    let (seconds, barred, conditions, middle) = (1, false, 0, [0; 2]);
    Event::FundingCranked(FundingCranked { index, market, price, publish_time, seconds, barred, conditions, middle })
}

/// What is found wrong where a keeper did this in one block, so many seconds after the step began.
fn found(world: &World, keeper: &Trader, after: i64, events: &[&[Event]]) -> Vec<String> {
    let before = seen(world, keeper);
    let (now, slot) = (world.chain.now(), world.chain.slot());
    let carried = |(number, events): (usize, &&[Event])| Carried {
        signature: number.to_string(),
        payer: keeper.owner.to_string(),
        fee: 5_000,
        failed: false,
        events: events.to_vec(),
    };
    let transactions = events.iter().enumerate().map(carried).collect();
    let blocks = [Block { slot, now, said: vec![], transactions }];
    let (began, keepers) = (now - after, [keeper.owner]);
    let mut findings = Findings::default();
    let step = Step { before: &before, began, able: began, faulty: false, keepers: &keepers, blocks: &blocks };
    findings.judge(&step).unwrap();
    findings.failures
}

#[test]
fn an_account_that_has_its_margin_was_liquidated_early_and_one_that_has_not_was_not() {
    let (mut world, keeper, trader) = stretched();
    let event = [liquidated(&world, &trader, &keeper)];
    let early = found(&world, &keeper, 3, &[&event]);
    assert!(early.len() == 1 && early[0].contains("liquidated early"), "{early:?}");

    let mut findings = Findings::default();
    findings.rest(&seen(&world, &keeper), &keeper.owner);
    assert_eq!(findings.failures, [] as [String; 0]);
    for _ in 0..2_000 {
        if support::due(&world, &keeper).below > 0 {
            break;
        }
        world.run(3_600, 300);
    }
    findings.rest(&seen(&world, &keeper), &keeper.owner);
    assert!(findings.failures.len() == 1 && findings.failures[0].contains("left below"), "{:?}", findings.failures);
    assert_eq!(found(&world, &keeper, 3, &[&event]), [] as [String; 0]);
    let twice = found(&world, &keeper, 3, &[&event, &event]);
    assert!(twice.len() == 1 && twice[0].contains("liquidated twice"), "{twice:?}");
    let late = found(&world, &keeper, INTERVAL + 1, &[&event]);
    assert!(late.len() == 1 && late[0].contains("below its margin for 301 seconds"), "{late:?}");
}

#[test]
fn a_market_cranked_again_without_a_reason_was_cranked_twice() {
    let (world, keeper, _) = stretched();
    let price = 1_000_000;
    let first = [cranked(&world, price, 1_000)];
    let [same, moved, marked] = [(price, 1_001), (price + price / 500, 1_001), (price, 1_200)]
        .map(|(price, time)| found(&world, &keeper, 3, &[&first, &[cranked(&world, price, time)]]));
    assert!(same.len() == 1 && same[0].contains("cranked twice"), "{same:?}");
    assert_eq!([moved, marked], [vec![], vec![]] as [Vec<String>; 2]);
}
