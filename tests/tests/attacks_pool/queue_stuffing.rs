//! A thousand tiny withdrawals in front of everybody's.
//!
//! AffineLabs/contracts pull request 248 (bogus requests that stop withdrawals). Here each request locks its sender's rent until
//! it is finished, and anyone executes many in one transaction: an ordinary LP clears the way at his own cost of a fee for each.

use perpetua::Pool;
use perpetua_tests::{World, attacker::Search, token::ONE, world::MAIN_POOL};

use super::lp::{claim, execute_instruction, gained, join, pass, shares, ticket};

/// Withdrawals that fit one transaction behind a mark.
const IN_ONE: usize = 8;
const STUFFED: usize = 40;

#[test]
fn what_a_stuffer_puts_into_the_queue_others_clear_in_a_few_transactions_and_he_gains_nothing() {
    let mut world = World::new();
    let (stuffer, lp) = (world.provider("stuffer", world.vault, ONE), world.provider("lp", world.vault, 100 * ONE));
    join(&mut world, &stuffer, Pool::Main, ONE).unwrap();
    join(&mut world, &lp, Pool::Main, 100 * ONE).unwrap();
    let lamports = world.chain.account(&stuffer.owner).lamports;
    let stuffed: Vec<_> = (0..STUFFED).map(|_| world.request(&stuffer, Pool::Main, 1).unwrap()).collect();
    let rent = (lamports - world.chain.account(&stuffer.owner).lamports) / STUFFED as u64;
    assert!(rent > 1_000_000);
    let all = shares(&world, &lp, Pool::Main);
    let place = world.request(&lp, Pool::Main, all).unwrap();
    pass(&mut world, 3 * 86_400);
    let markets = world.markets.clone();
    let mut transactions = 0;
    let queue: Vec<_> = stuffed.iter().chain([&place]).collect();
    for part in queue.chunks(IN_ONE) {
        world.mark(&markets).unwrap();
        let executions: Vec<_> = part.iter().map(|place| execute_instruction(&world, &lp.owner, place)).collect();
        assert!(world.chain.fits_a_packet(&executions), "{} bytes", world.chain.wire_size(&executions));
        world.chain.send_with_full_budget(&executions).unwrap();
        transactions += 1;
    }
    assert_eq!(transactions, (STUFFED + 1).div_ceil(IN_ONE));
    claim(&mut world, &lp, &place).unwrap();
    assert!(gained(&world, &lp, 0) > i128::from(99 * ONE));
    let mut search = Search::default();
    let worth: u64 = stuffed.iter().map(|place| ticket(&world, place).payable.0).sum();
    let kept = perpetua_tests::attacker::Attacker::new(&[], &[stuffer]).wealth(&world);
    // What the other paid for leaving is any LP's in part.
    let exit_fee = i128::from(100 * ONE * 30 / 10_000);
    search.note(worth, Ok(kept - i128::from(ONE) - exit_fee * i128::from(ONE) / i128::from(MAIN_POOL)));
    search.assert_unprofitable(1);
}
