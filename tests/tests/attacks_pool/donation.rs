//! Tokens given to the vault, to have a ledger count them, a shortage vanish or one's own account liquidated at a gain.
//!
//! Euler Finance, March 2023 (a donation that made the donor liquidatable at a gain). Here no instruction gives collateral away,
//! and what is sent to the vault's token account is nobody's: it can only ever repay a loss, in the order of losses.

use perpetua_client::instruction;
use perpetua_tests::{
    World,
    attacker::{Attacker, Search},
    token::{self, ONE},
    world::call,
};

use super::lp::{POOLS, gained, join, leave_entirely, transfer};

#[test]
fn a_gift_to_the_vault_changes_no_ledger_and_no_price() {
    let mut world = World::new();
    let thief = world.provider("thief", world.vault, 1_000 * ONE);
    let before = world.chain.account(&world.vault.vault).data;
    let tokens = world.vault.tokens();
    transfer(&mut world, &thief, &tokens, 1_000 * ONE);
    assert_eq!(world.chain.account(&world.vault.vault).data, before);
    let refused = world.chain.send(&[instruction::repay_losses(&world.vault)]).unwrap_err();
    assert_eq!(refused.name(), "NothingToRepay");
}

#[test]
fn giving_between_joining_and_leaving_earns_nothing() {
    let mut search = Search::default();
    for pool in POOLS {
        for gift in [1, ONE, 1_000 * ONE] {
            for stake in [1_000, ONE, 5_000 * ONE] {
                let mut world = World::new();
                let thief = world.provider("thief", world.vault, 10_000 * ONE);
                join(&mut world, &thief, pool, stake).unwrap();
                let tokens = world.vault.tokens();
                transfer(&mut world, &thief, &tokens, gift);
                leave_entirely(&mut world, &thief, pool).unwrap();
                search.note((pool, gift, stake), Ok(gained(&world, &thief, 10_000 * ONE)));
            }
        }
    }
    search.assert_unprofitable(18);
}

#[test]
fn who_covers_a_shortage_himself_is_not_paid_for_it() {
    let mut search = Search::default();
    for missing in [1, 10 * ONE, 500 * ONE] {
        let mut world = World::new();
        let (trader, thief) =
            (world.trader("thief", 50 * ONE), world.provider("thief's other", world.vault, 600 * ONE));
        world.open(&trader, call(0), 100_000).unwrap();
        let attacker = Attacker::new(&[trader], &[thief]);
        let before = attacker.wealth(&world);
        let tokens = world.vault.tokens();
        token::seize(&mut world.chain, &tokens, missing);
        world.chain.send_while_short(&[instruction::note_shortage(&world.vault)]).unwrap();
        transfer(&mut world, &thief, &tokens, missing);
        world.chain.send(&[instruction::note_shortage(&world.vault)]).unwrap();
        search.note(missing, Ok(attacker.cash_out(&mut world) - before));
    }
    search.assert_unprofitable(3);
}
