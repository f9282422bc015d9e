//! An update dated ahead of the chain's clock, which no later one can follow for some seconds: its price would stand while
//! the market moves on. A known class: publish times that a feed's consumer never compares with its own clock.

use perpetua_tests::attacker::{Search, profit};

use crate::desk::*;

#[test]
fn a_price_dated_ahead_freezes_nothing_worth_having() {
    let (mut world, trader, attacker) = world_with_attacker();
    world.run(300, 300);
    world.chain.wait(90);
    let mut search = Search::default();
    for series in options(&[-28, -12, 0, 12, 28]) {
        for ahead in 0..9 {
            for bps in [-16, -8, 8, 16] {
                for hold in [1, 5, 14] {
                    let earned = profit(&world, &attacker, |world| {
                        let dated = update(world, SPOT, world.chain.now() + ahead);
                        let crank = crank_of(world, "dated ahead", &dated);
                        world.chain.send(std::slice::from_ref(&crank))?;
                        // The market has moved; the price that stands is opened at as late as it goes.
                        world.chain.wait(hold);
                        world.spot[0] = moved(SPOT, bps);
                        let crank = crank_of(world, "dated ahead", &dated);
                        let open = opening(world, &trader, series, BITCOIN);
                        world.chain.send_with_full_budget(&[crank, open])?;
                        settle_down(world)?;
                        world.close(&trader, series, BITCOIN).map(drop)
                    });
                    search.note((series, ahead, bps, hold), earned);
                }
            }
        }
    }
    assert_eq!(search.refused().get("PriceFromFuture"), Some(&(10 * 3 * 4 * 3)), "more than five seconds ahead");
    search.assert_unprofitable(250);
}
