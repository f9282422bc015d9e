//! Pumping the price for some minutes and closing at the top: Mango Markets lost more than 110 million dollars in October
//! 2022 to a pumped MNGO, GMX some 565,000 on AVAX in September 2022. Further from its moving average than the band, a price
//! pays the lower of both values; within it, whoever can move the oracle is paid by the limits on open interest at most.

use perpetua_client::price::PriceAccount;
use perpetua_tests::{
    Failure, World,
    attacker::{Attacker, Search, profit},
    world::{call, put},
};

use crate::desk::*;

/// Posts prices `bps` from the start for some minutes; the oracle's average has followed by `followed` percent of the way.
fn pump(world: &mut World, bps: i64, followed: i64, minutes: i64) -> Result<(), Failure> {
    for _ in 0..minutes {
        world.chain.wait(60);
        let (spot, average) = (moved(SPOT, bps), moved(SPOT, bps * followed / 100));
        let published = PriceAccount {
            average: perpetua_tests::price::usd(average),
            previous_publish_time: world.chain.now() - 60,
            ..update(world, spot, world.chain.now())
        };
        let crank = crank_of(world, "pumped", &published);
        world.chain.send(&[crank])?;
    }
    Ok(())
}

#[test]
fn a_pump_beyond_the_band_pays_nothing() {
    let (mut world, trader, attacker) = world_with_attacker();
    world.run(300, 300);
    let mut search = Search::default();
    for bps in [-4_000, -2_000, -1_000, -600, 600, 1_000, 2_000, 6_000] {
        for ticks in [-28, -12, -4, 0, 4, 12, 28] {
            for (followed, minutes) in [(0, 1), (0, 3), (0, 10)] {
                let series = if bps > 0 { call(ticks) } else { put(ticks) };
                let earned = profit(&world, &attacker, |world| {
                    world.open(&trader, series, BITCOIN)?;
                    pump(world, bps, followed, minutes)?;
                    let close = closing(world, &trader, series, BITCOIN);
                    world.chain.send(&[close]).map(drop)
                });
                search.note((series, bps, minutes), earned);
            }
        }
    }
    search.assert_unprofitable(144);
}

/// While the price is pumped nothing opens, so nobody buys what the pump made cheap.
#[test]
fn nothing_opens_at_a_pumped_price() {
    let (mut world, trader, _) = world_with_attacker();
    world.run(300, 300);
    for bps in [-2_000, -600, 600, 2_000] {
        for series in options(&[-12, 0, 12]) {
            let mut world = world.clone();
            pump(&mut world, bps, 0, 2).unwrap();
            let open = opening(&world, &trader, series, BITCOIN);
            assert_eq!(world.chain.send(&[open]).unwrap_err().name(), "PriceFarFromAverage");
        }
    }
}

/// What is left: a pump just inside the band pays its own size, as any oracle price does. The most that all positions can
/// gain by it is the band times their notional, which the limits on reserves bound.
#[test]
fn a_pump_within_the_band_pays_no_more_than_the_band_of_what_the_limits_let_in() {
    let (mut world, ..) = world_with_attacker();
    let trader = world.trader("whale", 10 * STAKE);
    let attacker = Attacker::trading(&[trader]);
    world.run(300, 300);
    let mut best = Search::default();
    for ticks in [-28, -20, -12] {
        let mut reserved = 0;
        let earned = profit(&world, &attacker, |world| {
            // One series takes at most a tenth of the main pool, one side a half.
            for tick in ticks..ticks + 6 {
                while world.open(&trader, call(tick), 2 * BITCOIN).is_ok() {}
            }
            reserved = i128::from(world.ledgers().reserves.0);
            pump(world, 490, 0, 2)?;
            attacker.close_all(world);
            Ok(())
        });
        // The reserve is half of the strike; at the lowest strike it is 35% of the notional.
        let most = reserved * 49 / 1_000 * 1_000 / 353;
        let pool = i128::from(world.ledgers().main.assets.0);
        assert!(earned.clone().is_ok_and(|earned| earned < most && earned < pool / 9), "{ticks}: {earned:?} of {most}");
        best.note(ticks, earned);
    }
    assert!(best.best() > Some(0), "{best:?}: this is what is left, else its bound is out of date");
}
