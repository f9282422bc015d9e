//! Trading at a price that stands still while the market moves on: Venus lost 11.2 million dollars in May 2022 when the LUNA
//! feed was paused at 0.107 dollars and nobody looked at its age.

use perpetua_tests::attacker::{Search, profit};

use crate::desk::*;

#[test]
fn a_price_that_stands_still_cannot_be_traded_at() {
    let (mut world, trader, attacker) = world_with_attacker();
    world.run(300, 300);
    let mut search = Search::default();
    for series in options(&[-12, 0, 12]) {
        for silent in [11, 30, 60, 61, 600, 3_600, 86_400, 6 * 86_400] {
            for bps in [-5_000, -1_000, 1_000, 5_000] {
                let earned = profit(&world, &attacker, |world| {
                    world.chain.wait(silent);
                    // A crank without a new price goes on with the last one.
                    let crank = world.crank_instruction(&world.markets[0].clone());
                    let open = opening(world, &trader, series, BITCOIN);
                    world.chain.send(&[crank, open])?;
                    world.spot[0] = moved(SPOT, bps);
                    settle_down(world)?;
                    world.close(&trader, series, BITCOIN).map(drop)
                });
                assert_eq!(earned, Err("PriceStale".into()), "{series:?} after {silent} seconds");
                search.note((series, silent, bps), earned);
            }
        }
    }
    assert_eq!(search.refused()["PriceStale"], 6 * 8 * 4);
}

/// A holder who sees the true price elsewhere cannot close at the frozen one either.
#[test]
fn nor_closed_at() {
    let (mut world, trader, _) = world_with_attacker();
    for series in options(&[-12, 0, 12]) {
        world.open(&trader, series, BITCOIN).unwrap();
    }
    for silent in [11, 61, 3_600, 6 * 86_400] {
        let mut world = world.clone();
        world.chain.wait(silent);
        for series in options(&[-12, 0, 12]) {
            let crank = world.crank_instruction(&world.markets[0].clone());
            let close = closing(&world, &trader, series, BITCOIN);
            assert_eq!(world.chain.send(&[crank, close]).unwrap_err().name(), "PriceStale");
        }
    }
}
