//! Cranking at chosen moments, to pay less funding or to make others pay more. Derive fixed that funding could be sandwiched
//! around an update of the index (derivexyz/v2-core, pull request 294, September 2023).

use perpetua_client::{instruction, price::PriceAccount};
use perpetua_tests::{
    Failure, Trader, World,
    attacker::{Attacker, Search, advantage, profit},
    price,
    world::call,
};

use crate::desk::*;

/// Six hours at one price with cranks after the given seconds each hour.
fn hours(world: &mut World, moments: &[i64]) -> Result<(), Failure> {
    for _ in 0..6 {
        let start = world.chain.now();
        for moment in moments.iter().chain(&[3_600]) {
            let seconds = start + moment - world.chain.now();
            world.chain.wait(seconds);
            world.crank_first()?;
        }
    }
    Ok(())
}

/// A world at the least volatility, so that no rate changes while the price stands.
fn at_least_volatility() -> (World, Trader, Attacker) {
    with_attacker(World::with_variance(1, 1 << 40))
}

/// Every pattern lets the same samples of variance pass, at the hours, so that only the cranks differ.
#[test]
fn at_one_price_no_pattern_of_cranks_makes_funding_cheaper() {
    let (mut world, trader, attacker) = at_least_volatility();
    world.run(3_600, 300);
    let patterns: [&[i64]; 6] = [&[1], &[1, 2, 3, 4, 5], &[1_800], &[1_799, 1_801], &[3_599], &[7, 77, 777, 3_333]];
    let mut search = Search::default();
    for series in options(&[-20, -5, 0, 5, 20]) {
        for size in [100, 10_007, BITCOIN] {
            for pattern in patterns {
                let hold = |pattern: &'static [i64]| {
                    move |world: &mut World| {
                        world.open(&trader, series, size)?;
                        hours(world, pattern)?;
                        world.close(&trader, series, size).map(drop)
                    }
                };
                let pattern: &'static [i64] = Box::leak(pattern.to_vec().into_boxed_slice());
                search.note((series, size, pattern), advantage(&world, &attacker, hold(pattern), hold(&[])));
            }
        }
    }
    search.assert_unprofitable(144);
}

/// Having one's funding collected at every moment, so that fractions would be lost, changes nothing for the better.
#[test]
fn collecting_funding_often_is_not_cheaper() {
    let (mut world, trader, attacker) = world_with_attacker();
    world.run(3_600, 300);
    let mut search = Search::default();
    for series in options(&[-5, 0, 5]) {
        for size in [100, 1_003, 99_991] {
            for step in [10, 60, 300] {
                let hold = |collects: bool| {
                    move |world: &mut World| {
                        world.open(&trader, series, size)?;
                        for _ in 0..3_600 / step {
                            world.chain.wait(step);
                            world.crank_first()?;
                            if collects {
                                let settle = instruction::settle_funding(&world.vault, &trader.account, &world.markets);
                                // Refused where no whole unit is owed.
                                let _ = world.chain.send(&[settle]);
                            }
                        }
                        world.close(&trader, series, size).map(drop)
                    }
                };
                search.note((series, size, step), advantage(&world, &attacker, hold(true), hold(false)));
            }
        }
    }
    search.assert_unprofitable(54);
}

/// Holding an option only between two cranks of others: each trade cranks itself, so every second is paid.
#[test]
fn holding_between_the_cranks_of_others_is_not_free() {
    let (mut world, trader, attacker) = world_with_attacker();
    world.run(3_600, 300);
    let mut search = Search::default();
    for series in options(&[-20, 0, 20]) {
        for (after, before) in [(1, 1), (1, 299), (150, 150), (299, 1)] {
            let earned = profit(&world, &attacker, |world| {
                world.chain.wait(after);
                world.open(&trader, series, 4 * BITCOIN)?;
                let index = world.market(0).slots.map(|slot| slot.series[series.side as usize].funding_index);
                world.chain.wait(before);
                world.close(&trader, series, 4 * BITCOIN)?;
                let later = world.market(0).slots.map(|slot| slot.series[series.side as usize].funding_index);
                assert_ne!(index, later, "the time was charged");
                Ok(())
            });
            search.note((series, after, before), earned);
        }
    }
    search.assert_unprofitable(24);
}

/// Nobody forces funding up by cranking often: each crank rounds up one unit in the last of 64 fraction bits.
#[test]
fn a_provider_who_cranks_every_second_charges_no_more() {
    let (mut world, victim, _) = at_least_volatility();
    world.open(&victim, call(0), 4 * BITCOIN).unwrap();
    // The first rate of a series comes from another formula than those of cranks, equal but for its last places.
    world.run(300, 300);
    let charged = |step: i64| {
        let mut world = world.clone();
        world.run(1_800, step);
        world.market(0).slots[0].series[0].funding_index.get()
    };
    let rarely = charged(300);
    for step in [1, 5, 60] {
        let often = charged(step);
        let cranks = u128::try_from(1_800 / step).unwrap();
        assert!(often >= rarely && often - rarely <= cranks + (rarely >> 58), "{often} against {rarely}");
    }
}

/// A price that swings within five minutes, of which a keeper sees only the ends: the holder adds a crank at the moment at
/// which funding is cheapest. What he saves is bounded by how much the rate really fell for that moment.
#[test]
fn cranking_at_the_cheapest_moments_saves_less_than_the_rate_really_fell() {
    let (mut world, trader, attacker) = at_least_volatility();
    world.run(3_600, 300);
    let hold = |bps: i64, second: i64| {
        move |world: &mut World| {
            world.open(&trader, call(0), BITCOIN)?;
            for _ in 0..24 {
                if second > 0 {
                    world.chain.wait(second);
                    world.spot[0] = moved(SPOT, bps);
                    world.crank_first()?;
                    world.spot[0] = SPOT;
                }
                world.chain.wait(300 - second);
                world.crank_first()?;
            }
            settle_down(world)?;
            world.close(&trader, call(0), BITCOIN).map(drop)
        }
    };
    let paid = -profit(&world, &attacker, hold(0, 0)).unwrap();
    let round_trip = -profit(&world, &attacker, |world| {
        world.open(&trader, call(0), BITCOIN)?;
        settle_down(world)?;
        world.close(&trader, call(0), BITCOIN).map(drop)
    })
    .unwrap();
    let funding = paid - round_trip;
    for bps in [-20, -6, 6, 20] {
        for second in [1, 150, 299] {
            let saved = advantage(&world, &attacker, hold(bps, second), hold(0, 0)).unwrap();
            assert!(saved * 100 < funding * 5, "{bps} {second}: saved {saved} of {funding}");
        }
    }
}

/// While the price is far from its average funding stops, and an interval is free if it is so at either end. The holder makes it
/// so at one crank an hour, by a price that lasts a second; a keeper who cranks each five minutes loses two intervals by it.
#[test]
fn a_price_that_is_far_from_its_average_for_a_second_frees_two_intervals_of_the_keepers() {
    let (mut world, trader, attacker) = at_least_volatility();
    world.run(3_600, 300);
    let hold = |spikes: bool| {
        move |world: &mut World| {
            world.open(&trader, call(0), BITCOIN)?;
            for five_minutes in 0..48 {
                world.chain.wait(299);
                if spikes && five_minutes % 12 == 0 {
                    let now = world.chain.now();
                    let spike = PriceAccount { average: price::usd(SPOT * 94 / 100), ..update(world, SPOT, now) };
                    let crank = crank_of(world, "spike", &spike);
                    world.chain.send(&[crank])?;
                }
                world.chain.wait(1);
                world.crank_first()?;
            }
            settle_down(world)?;
            world.close(&trader, call(0), BITCOIN).map(drop)
        }
    };
    let owed = |hold: &dyn Fn(&mut World) -> Result<(), Failure>| -profit(&world, &attacker, hold).unwrap();
    let (freed, honest) = (owed(&hold(true)), owed(&hold(false)));
    let round_trip = owed(&|world| {
        world.open(&trader, call(0), BITCOIN)?;
        settle_down(world)?;
        world.close(&trader, call(0), BITCOIN).map(drop)
    });
    let (saved, funding) = (honest - freed, honest - round_trip);
    assert!(saved > 0 && saved * 12 < funding * 2, "saved {saved} of {funding}");
}
