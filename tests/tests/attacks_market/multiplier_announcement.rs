//! Trading around a split that everybody knows of in advance, when the feed and the mint may learn of it at different
//! times. A known class: rebasing and splitting tokens whose price and amount are read at different moments.

use perpetua_client::instruction;
use perpetua_tests::{
    Trader, World,
    attacker::{Attacker, Search, profit},
    price::usd,
    stock::set_multiplier,
    world::call,
};

use crate::desk::*;

/// Seconds into the session at which the split happens; it is announced an hour before.
const SPLIT: i64 = 7_200;

/// A session in which a token becomes `multiplier` shares, announced and acknowledged.
fn announced(multiplier: f64) -> (World, Trader, Attacker) {
    let (mut world, trader, attacker) = with_attacker(World::with_dollar_market(0));
    let (mint, from) = (world.vault.stock_mint, world.chain.now() + SPLIT);
    world.run(SPLIT - 3_600, 300);
    set_multiplier(&mut world.chain, &mint, 1.0, multiplier, from);
    world.chain.send(&[instruction::acknowledge_multiplier(&world.admin, &world.vault, multiplier.to_bits())]).unwrap();
    (world, trader, attacker)
}

/// Lets time pass until `at` seconds after `old` shares became `new` while the feed shows that `lag` seconds late; cranks every
/// hundred seconds.
fn until(world: &mut World, at: i64, split: i64, lag: i64, (new, old): (i64, i64)) {
    let after = usd(400) * old / new;
    while world.chain.now() < split + at {
        let seconds = 100.min(split + at - world.chain.now());
        world.chain.wait(seconds);
        world.share = Some(if world.chain.now() >= split + lag { after } else { usd(400) });
        // Refused prices are part of what the attacker waits out.
        let _ = world.crank_first();
    }
}

#[test]
fn no_round_trip_around_an_announced_split_pays_whichever_of_feed_and_mint_is_late() {
    let mut search = Search::default();
    for (new, old) in [(3u32, 1u32), (5, 4), (1, 2)] {
        let (world, trader, attacker) = announced(f64::from(new) / f64::from(old));
        let ratio = (i64::from(new), i64::from(old));
        let split = world.chain.now() + 3_600;
        for lag in [-1_200, -60, 0, 60, 1_200, 4_000] {
            for (opens, closes) in
                [(-3_000, 2_100), (-1_900, 1_900), (-1_900, 4_300), (1_860, 2_100), (1_860, 4_300), (4_100, 4_300)]
            {
                let earned = profit(&world, &attacker, |world| {
                    until(world, opens, split, lag, ratio);
                    world.open(&trader, call(-4), BITCOIN)?;
                    until(world, closes, split, lag, ratio);
                    world.close(&trader, call(-4), BITCOIN).map(drop)
                });
                search.note((ratio, lag, opens, closes), earned);
            }
        }
    }
    search.assert_unprofitable(40);
}
