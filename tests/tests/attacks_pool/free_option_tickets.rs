//! Withdrawals kept ready for ever, to be used or let go as the market moves.
//!
//! keep-network/coverage-pools issue 60 (a withdrawal that reached the timeout can be reset): an underwriter could stay ready to
//! leave at no cost. Here a withdrawal that could be executed for a day is returned, by anybody, and the wait starts again.

use perpetua::Pool;
use perpetua_client::instruction;
use perpetua_tests::{
    World,
    attacker::Search,
    token::{self, ONE},
    world::{Provider, call},
};

use super::lp::{DAY, cancel_instruction, claim, execute, gained, join, pass, shares, ticket};

fn provider(stake: u64) -> (World, Provider) {
    let mut world = World::new();
    let thief = world.provider("thief", world.vault, stake);
    join(&mut world, &thief, Pool::Main, stake).unwrap();
    (world, thief)
}

#[test]
fn a_withdrawal_that_waited_a_day_too_long_pays_nothing_whoever_calls() {
    for by_owner in [true, false] {
        let (mut world, thief) = provider(100 * ONE);
        let all = shares(&world, &thief, Pool::Main);
        let place = world.request(&thief, Pool::Main, all).unwrap();
        pass(&mut world, 4 * DAY + 300);
        let caller = if by_owner { thief.owner } else { world.guardian };
        execute(&mut world, &caller, &place).unwrap();
        assert_eq!(ticket(&world, &place).payable.0, 0);
        let cancel = cancel_instruction(&world, &thief, Pool::Main, &place);
        world.chain.send(&[cancel]).unwrap();
        // The next one waits its three days.
        let next = world.request(&thief, Pool::Main, all).unwrap();
        pass(&mut world, 3 * DAY - 60);
        assert_eq!(execute(&mut world, &caller, &next).unwrap_err().name(), "TicketNotReady");
    }
}

#[test]
fn anybody_executes_what_is_ready_so_that_nobody_waits_for_a_better_moment() {
    let (mut world, thief) = provider(100 * ONE);
    let all = shares(&world, &thief, Pool::Main);
    let place = world.request(&thief, Pool::Main, all).unwrap();
    pass(&mut world, 3 * DAY);
    let stranger = world.guardian;
    execute(&mut world, &stranger, &place).unwrap();
    assert!(ticket(&world, &place).payable.0 > 0);
    let cancel = cancel_instruction(&world, &thief, Pool::Main, &place);
    assert_eq!(world.chain.send(&[cancel]).unwrap_err().name(), "TicketNotQueued");
}

#[test]
fn asking_cancelling_and_asking_again_earns_nothing() {
    let mut search = Search::default();
    for parts in [1, 2, 7] {
        for cancel_before in [1, 3 * DAY] {
            let (mut world, thief) = provider(100 * ONE);
            let part = shares(&world, &thief, Pool::Main) / parts;
            for _ in 0..parts {
                let place = world.request(&thief, Pool::Main, part).unwrap();
                pass(&mut world, cancel_before.max(900));
                let cancel = cancel_instruction(&world, &thief, Pool::Main, &place);
                world.chain.send(&[cancel]).unwrap();
            }
            let all = shares(&world, &thief, Pool::Main);
            let place = world.request(&thief, Pool::Main, all).unwrap();
            pass(&mut world, 3 * DAY);
            execute(&mut world, &thief.owner, &place).unwrap();
            claim(&mut world, &thief, &place).unwrap();
            search.note((parts, cancel_before), Ok(gained(&world, &thief, 100 * ONE)));
        }
    }
    search.assert_unprofitable(6);
}

/// A pool with every token reserved that may be, and a victim at the front of the queue who cannot leave for that reason.
fn stuck() -> (World, perpetua_tests::Trader, Provider, solana_pubkey::Pubkey) {
    let mut world = World::new();
    let holder = world.trader("holder", 10_000 * ONE);
    for tick in -3..5 {
        world.open(&holder, call(tick), 16_000_000).unwrap_or_else(|refusal| panic!("{tick}: {}", refusal.name()));
        if tick == 1 {
            break;
        }
    }
    for tick in -3..2 {
        while world.open(&holder, perpetua_tests::world::put(tick), 2_000_000).is_ok() {}
    }
    let victim = world.first_provider();
    let place = world.request(&victim, Pool::Main, 1_000_000_000_000).unwrap();
    (world, holder, victim, place)
}

/// Known limit: if nobody looks for a day, who frees capacity can have the withdrawal behind it returned in the same breath.
/// One call a day, by anybody, keeps its place.
#[test]
fn one_call_a_day_keeps_the_place_of_a_withdrawal_that_lacks_capacity() {
    let (mut world, holder, victim, place) = stuck();
    let tighten =
        perpetua::VaultParameters { max_utilisation_bps: 1_000, ..perpetua_tests::parameters::vault_parameters() };
    let changed = instruction::Changed::Vault(world.vault.vault);
    let tighten = instruction::tighten(&world.guardian, &changed, perpetua::NewParameters::Vault(tighten));
    world.chain.send(&[tighten]).unwrap();
    pass(&mut world, 3 * DAY);
    assert_eq!(world.ledgers().exit_capacity(perpetua_model::PoolKind::Main).unwrap().0, 0);
    for _ in 0..3 {
        execute(&mut world, &victim.owner, &place).unwrap();
        assert_eq!(ticket(&world, &place).payable.0, 0);
        pass(&mut world, DAY - 3_600);
    }
    let held: Vec<_> = world.margin(&holder).open_positions().map(|(_, held)| *held).collect();
    for held in held {
        let side = if held.side == 0 { perpetua::Side::Call } else { perpetua::Side::Put };
        world.close(&holder, instruction::Series { side, tick: held.tick }, held.size.0).unwrap();
    }
    let stranger = world.guardian;
    execute(&mut world, &stranger, &place).unwrap();
    assert!(ticket(&world, &place).payable.0 > 0, "it is paid, not returned");
    assert!(token::balance(&world.chain, &victim.tokens) < ONE * 1_000_000);
}
