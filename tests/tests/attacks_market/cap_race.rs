//! Settling somebody's option at its cap at the moment that suits the stranger, against an owner who would close or hold. A
//! known class: liquidations and settlements that race the owner at a price that flickers.

use perpetua_client::instruction;
use perpetua_tests::{
    World,
    attacker::{Attacker, Search, profit},
    token::ONE,
    world::{call, put},
};

use crate::desk::*;

#[test]
fn being_settled_at_the_cap_never_pays_less_than_closing_oneself() {
    let (mut world, ..) = world_with_attacker();
    let owner = world.trader("owner", 500 * ONE);
    let owners = Attacker::trading(&[owner]);
    for series in [call(0), put(0), call(-9), put(9)] {
        world.open(&owner, series, BITCOIN).unwrap();
    }
    let (mut settled, mut refused) = (0, 0);
    for series in [call(0), put(0), call(-9), put(9)] {
        for bps in
            [-6_000, -5_100, -5_010, -5_000, -4_990, -4_500, 3_300, 3_400, 4_900, 4_990, 5_000, 5_010, 5_100, 9_000]
        {
            let mut world = world.clone();
            world.spot[0] = moved(SPOT, bps);
            settle_down(&mut world).unwrap();
            let own = {
                let mut world = world.clone();
                world.close(&owner, series, BITCOIN).unwrap();
                world.margin(&owner).collateral.0
            };
            world.crank_first().unwrap();
            let market = world.markets[0];
            let settle = instruction::settle_capped(&world.vault, &owner.account, &market, series);
            match world.chain.send(&[settle]) {
                Ok(_) => {
                    settled += 1;
                    assert!(world.margin(&owner).collateral.0 >= own, "{series:?} at {bps}");
                    assert!(owners.wealth(&world) > 0);
                }
                Err(refusal) => {
                    refused += 1;
                    assert_eq!(refusal.name(), "NotCapped", "{series:?} at {bps}");
                }
            }
        }
    }
    assert!(settled >= 12 && refused >= 12, "{settled} settled, {refused} refused");
}

/// Between the middle of the range and its worse end nobody settles; the owner who touches the cap for a moment and closes
/// within the window gets the worse end, so flickering around the cap earns him nothing either.
#[test]
fn flickering_around_the_cap_pays_nobody() {
    let (mut world, trader, attacker) = world_with_attacker();
    let market = world.markets[0];
    // The nearest to its cap that a call may be opened: 28 ticks in the money.
    settle_down(&mut world).unwrap();
    let mut search = Search::default();
    for series in [call(-28), call(-27), call(-26)] {
        for peak in [104_000, 105_900, 106_100, 108_000, 115_000] {
            for (wait, settles) in [(1, false), (1, true), (29, false), (29, true)] {
                let earned = profit(&world, &attacker, |world: &mut World| {
                    world.open(&trader, series, BITCOIN)?;
                    world.chain.wait(wait);
                    world.spot[0] = peak;
                    world.crank_first()?;
                    if settles {
                        let settle = instruction::settle_capped(&world.vault, &trader.account, &market, series);
                        world.chain.send(&[settle]).map(drop)
                    } else {
                        world.close(&trader, series, BITCOIN).map(drop)
                    }
                });
                search.note((series, peak, wait, settles), earned);
            }
        }
    }
    search.assert_unprofitable(30);
}
