//! The first to join makes one share so dear that the next one's deposit rounds to nothing, which he then takes.
//!
//! Hundred Finance, April 2023; Sonne Finance, May 2024 (donations to an empty market). Both had markets of Compound's kind, whose
//! price of a share counted donated tokens. Here donations change no ledger, so the thief inflates with what leaving costs him:
//! he joins with much, and leaves but for a share or a few.

use perpetua::Pool;
use perpetua_tests::{
    World,
    attacker::Search,
    token::{self, ONE},
};

use super::lp::{POOLS, empty_vault, gained, join, leave, leave_entirely, shares, transfer};

/// What the thief earns who joins with `first`, keeps `kept` shares, and donates `gift` before the victim joins.
fn inflate(world: &World, pool: Pool, first: u64, kept: u64, gift: u64, victim: u64) -> Result<i128, String> {
    let mut world = world.clone();
    let thief = world.provider("thief", world.vault, 10_000 * ONE);
    let prey = world.provider("prey", world.vault, victim);
    let before = token::balance(&world.chain, &thief.tokens);
    join(&mut world, &thief, pool, first).map_err(|refusal| refusal.name())?;
    let most = shares(&world, &thief, pool).saturating_sub(kept);
    leave(&mut world, &thief, pool, most).map_err(|refusal| refusal.name())?;
    if gift > 0 {
        let tokens = world.vault.tokens();
        transfer(&mut world, &thief, &tokens, gift);
    }
    // Who would get no share at all is refused and loses nothing.
    let joined = join(&mut world, &prey, pool, victim);
    assert!(joined.is_ok() || joined.unwrap_err().name() == "AmountZero");
    leave_entirely(&mut world, &thief, pool).map_err(|refusal| refusal.name())?;
    Ok(gained(&world, &thief, before))
}

fn search(world: &World, pool: Pool) {
    let mut search = Search::default();
    for first in [1, 1_000, ONE, 5_000 * ONE] {
        for kept in [1, 100_000] {
            for gift in [0, 1_000 * ONE] {
                for victim in [1, 1_000_000, 100 * ONE] {
                    let variant = (first, kept, gift, victim);
                    search.note(variant, inflate(world, pool, first, kept, gift, victim));
                }
            }
        }
    }
    search.assert_unprofitable(18);
}

#[test]
fn inflating_the_first_share_of_a_new_pool_earns_nothing() {
    for pool in POOLS {
        search(&empty_vault(), pool);
    }
}

#[test]
fn inflating_the_first_share_after_everyone_left_earns_nothing() {
    for pool in POOLS {
        let mut world = World::new();
        let first = world.first_provider();
        leave_entirely(&mut world, &first, pool).unwrap();
        assert_eq!(world.ledgers().pool(pool.into()).shares.0, 0);
        search(&world, pool);
    }
}

#[test]
fn who_joins_behind_an_inflated_share_loses_less_than_a_hundredth_of_a_token() {
    for pool in POOLS {
        let mut world = empty_vault();
        let (thief, prey) =
            (world.provider("thief", world.vault, 10_000 * ONE), world.provider("prey", world.vault, ONE));
        join(&mut world, &thief, pool, 10_000 * ONE).unwrap();
        let most = shares(&world, &thief, pool) - 1;
        leave(&mut world, &thief, pool, most).unwrap();
        join(&mut world, &prey, pool, ONE).unwrap();
        leave_entirely(&mut world, &prey, pool).unwrap();
        // 0.3% of it is what leaving costs.
        let lost = -gained(&world, &prey, ONE) - i128::from(ONE * 30 / 10_000);
        assert!((0..i128::from(ONE / 100)).contains(&lost), "{lost}");
    }
}
