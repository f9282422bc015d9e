//! A feed that shows a wrong price for minutes: Pyth's bitcoin price fell to 5,402 dollars on 20 September 2021 with a wide
//! confidence interval, and programs that ignored it liquidated; Synthetix's oracle showed the Korean won a thousand times too
//! high on 25 June 2019, and a bot traded into and out of it.

use perpetua_client::{instruction, price::PriceAccount};
use perpetua_tests::{
    Failure, World,
    attacker::{Search, profit},
    price::usd,
    token::ONE,
    world::{call, put},
};

use crate::desk::*;

/// Cranks a wrong price whose moving average is still right.
fn crash(world: &mut World, dollars: i64, confidence: i64) -> Result<(), Failure> {
    world.chain.wait(10);
    let wrong = PriceAccount {
        confidence: usd(confidence).unsigned_abs(),
        average: usd(SPOT),
        ..update(world, dollars, world.chain.now())
    };
    let crank = crank_of(world, "wrong", &wrong);
    world.chain.send(&[crank]).map(drop)
}

#[test]
fn a_wrong_price_with_an_honest_confidence_is_refused() {
    let (world, ..) = world_with_attacker();
    for (dollars, confidence) in [(5_402, 20_000), (40_000, 1_000), (100_000_000 / 6, 5_000_000), (99_000, 500)] {
        assert_eq!(crash(&mut world.clone(), dollars, confidence).unwrap_err().name(), "PriceUncertain");
    }
}

#[test]
fn nobody_gains_from_a_wrong_price_that_claims_to_be_certain() {
    let (mut world, trader, attacker) = world_with_attacker();
    world.run(300, 300);
    let mut search = Search::default();
    for dollars in [5_402, 20_000, 60_000, 94_000, 106_000, 150_000, 1_000_000, 16_000_000] {
        for series in options(&[-28, -8, 0, 8, 28]) {
            for repair in [false, true] {
                let earned = profit(&world, &attacker, |world| {
                    world.open(&trader, series, BITCOIN)?;
                    settle_down(world)?;
                    crash(world, dollars, dollars / 10_000)?;
                    if repair {
                        settle_down(world)?;
                    }
                    let close = closing(world, &trader, series, BITCOIN);
                    world.chain.send(&[close]).map(drop)
                });
                search.note((series, dollars, repair), earned);
            }
        }
    }
    search.assert_unprofitable(128);
}

#[test]
fn nobody_is_liquidated_at_a_wrong_price() {
    let (mut world, ..) = world_with_attacker();
    let (victim, keeper) = (world.trader("victim", 500 * ONE), world.trader("keeper", 0));
    for series in [call(0), put(0)] {
        world.open(&victim, series, 4 * BITCOIN).unwrap();
    }
    world.withdraw_most(&victim);
    for dollars in [5_402, 60_000, 94_000, 106_000, 200_000, 16_000_000] {
        let mut world = world.clone();
        crash(&mut world, dollars, dollars / 10_000).unwrap();
        let liquidate =
            instruction::liquidate(&keeper.owner, &world.vault, &victim.account, &keeper.account, &world.markets);
        let refusal = world.chain.send(&[liquidate]).unwrap_err().name();
        assert!(["PriceFarFromAverage", "AccountHealthy"].contains(&refusal.as_str()), "{dollars}: {refusal}");
        assert_eq!(world.margin(&keeper).collateral.0, 0);
    }
}
