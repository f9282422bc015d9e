//! Buying options while the quoted volatility still climbs after a jump of the price, to sell them once it has arrived. A known
//! class: option makers on chain whose volatility follows the market's with a delay.

use perpetua_tests::{
    Failure, World,
    attacker::{Search, profit},
};

use crate::desk::*;

/// The price jumps away and back within two marks, so that nothing but volatility is left of it.
fn jump_and_return(world: &mut World, bps: i64) -> Result<(), Failure> {
    for spot in [moved(SPOT, bps), SPOT] {
        world.spot[0] = spot;
        world.chain.wait(300);
        world.crank_first()?;
    }
    Ok(())
}

#[test]
fn buying_right_after_a_jump_of_volatility_never_pays() {
    let (mut world, trader, attacker) = world_with_attacker();
    world.run(3_600, 300);
    let mut search = Search::default();
    for bps in [100, 300, 700, 1_500] {
        let mut jumped = world.clone();
        jump_and_return(&mut jumped, bps).unwrap();
        for series in options(&[-12, -2, 0, 2, 12]) {
            for (wait, hold) in [(0, 1), (0, 3), (0, 12), (0, 48), (2, 6)] {
                let earned = profit(&jumped, &attacker, |world| {
                    world.run(wait * 3_600, 900);
                    world.open(&trader, series, BITCOIN)?;
                    world.run(hold * 3_600, 900);
                    world.close(&trader, series, BITCOIN).map(drop)
                });
                search.note((series, bps, wait, hold), earned);
            }
        }
    }
    search.assert_unprofitable(190);
}

/// In between two marks the return since the last sample counts provisionally: the quote knows of the jump at once.
#[test]
fn buying_within_the_mark_of_a_jump_never_pays() {
    let (mut world, trader, attacker) = world_with_attacker();
    world.run(3_600, 300);
    let mut search = Search::default();
    for bps in [50, 100, 300, 700] {
        for series in options(&[-4, 0, 12]) {
            for (second, hold) in [(100, 0), (100, 1), (250, 1), (250, 8)] {
                let earned = profit(&world, &attacker, |world| {
                    world.spot[0] = moved(SPOT, bps);
                    world.chain.wait(second);
                    world.open(&trader, series, BITCOIN)?;
                    // The price stays where it was bought at.
                    world.chain.wait(300 - second);
                    world.crank_first()?;
                    world.run(hold * 3_600, 300);
                    settle_down(world)?;
                    world.close(&trader, series, BITCOIN).map(drop)
                });
                search.note((series, bps, second, hold), earned);
            }
        }
    }
    search.assert_unprofitable(90);
}
