//! Choosing which update becomes the sample of a five-minute mark, to move the volatility that options are quoted at. A known
//! class: averages of prices whose sampling moments the caller chooses.

use perpetua_client::price::PriceAccount;
use perpetua_tests::{
    Failure, World,
    attacker::{Search, profit},
};

use crate::desk::*;

/// Raw units that the attacker's own transactions cost: at least 36 of them, 5,000 lamports each, of a token of 400 dollars
/// that is worth no more than 4 SOL, are 4,500. Cranks besides the marks make the trapezoids of funding finer; that is all.
const GOES_TO_THE_NETWORK: i128 = 4_500;

/// The true price at a second: it swings by `bps` with a period of ten minutes, so marks see both ends.
fn swing(second: i64, bps: i64) -> i64 {
    let phase = second.rem_euclid(600);
    let distance = if phase < 300 { phase } else { 600 - phase };
    moved(SPOT, bps * distance / 300)
}

/// The true update of a second: Pyth publishes one each second.
fn of_second(world: &World, second: i64, bps: i64) -> PriceAccount {
    update(world, swing(second, bps), second)
}

/// Three hours in which a keeper cranks each minute, and around each mark the attacker posts what he likes before him.
fn hours(world: &mut World, bps: i64, early: &[i64]) -> Result<(), Failure> {
    let start = world.chain.now();
    for minute in 1..=180 {
        let now = start + 60 * minute;
        for lag in early {
            // The attacker's updates around each mark, each posted a second after it was published.
            let at = now - 60 + lag;
            if now % 300 == 0 && at > world.chain.now() {
                let seconds = at - world.chain.now();
                world.chain.wait(seconds);
                let chosen = of_second(world, at - 1, bps);
                let crank = crank_of(world, "chosen", &chosen);
                world.chain.send(&[crank])?;
            }
        }
        // The keeper is half a minute late, and the attacker before him.
        let seconds = now + 31 - world.chain.now();
        world.chain.wait(seconds);
        let honest = of_second(world, now, bps);
        let crank = crank_of(world, "honest", &honest);
        world.chain.send(&[crank])?;
    }
    world.spot[0] = swing(world.chain.now(), bps);
    Ok(())
}

#[test]
fn posting_chosen_updates_around_each_mark_changes_no_sample() {
    let (mut world, trader, attacker) = world_with_attacker();
    world.run(300, 300);
    let mut search = Search::default();
    for bps in [30, 120] {
        let mut honest = world.clone();
        hours(&mut honest, bps, &[]).unwrap();
        for early in [&[45][..], &[62], &[59, 75, 89]] {
            let mut chosen = world.clone();
            hours(&mut chosen, bps, early).unwrap();
            let (index, fair) = (chosen.index(0), honest.index(0));
            assert_eq!((index.variances, index.sample_mark), (fair.variances, fair.sample_mark), "{bps} {early:?}");
            assert_eq!(index.sample_price, fair.sample_price);
            for series in options(&[0, 6]) {
                let earned = profit(&world, &attacker, |world| {
                    world.open(&trader, series, BITCOIN)?;
                    hours(world, bps, early)?;
                    world.spot[0] = SPOT;
                    settle_down(world)?;
                    world.close(&trader, series, BITCOIN).map(drop)
                });
                // What the price itself gave is the same for everybody; the rest is what the choice was worth.
                let fair = profit(&world, &attacker, |world| {
                    world.open(&trader, series, BITCOIN)?;
                    hours(world, bps, &[])?;
                    world.spot[0] = SPOT;
                    settle_down(world)?;
                    world.close(&trader, series, BITCOIN).map(drop)
                });
                let gained = earned.and_then(|earned| Ok(earned - fair? - GOES_TO_THE_NETWORK));
                search.note((bps, early, series), gained);
            }
        }
    }
    search.assert_unprofitable(24);
}
