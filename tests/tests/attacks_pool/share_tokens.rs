//! Pool shares spent twice: moved while queued, a ticket cancelled, executed or claimed twice or by another, shares of another mint.
//!
//! percolator-prog pull request 4 (a fake LP mint that would have drained the insurance fund): the withdrawal did not check whose
//! shares it burned. Here a request burns shares of the mint that the vault names, and the ticket is the only claim that is left.

use perpetua::Pool;
use perpetua_client::instruction;
use perpetua_tests::{
    World, actor,
    token::{self, ONE, SPL_TOKEN},
    world::Provider,
};
use solana_pubkey::Pubkey;

use super::lp::{POOLS, cancel_instruction, claim, execute, gained, join, leave_entirely, pass, shares, wait_of};

/// A thief with a hundred tokens' shares.
fn thief(pool: Pool) -> (World, Provider) {
    let mut world = World::new();
    let thief = world.provider("thief", world.vault, 100 * ONE);
    join(&mut world, &thief, pool, 100 * ONE).unwrap();
    (world, thief)
}

fn executed(pool: Pool) -> (World, Provider, Pubkey) {
    let (mut world, thief) = thief(pool);
    let all = shares(&world, &thief, pool);
    let place = world.request(&thief, pool, all).unwrap();
    pass(&mut world, wait_of(pool));
    execute(&mut world, &thief.owner, &place).unwrap();
    (world, thief, place)
}

#[test]
fn shares_that_were_given_up_cannot_be_moved_or_given_up_again() {
    for pool in POOLS {
        let (mut world, thief) = thief(pool);
        let all = shares(&world, &thief, pool);
        world.request(&thief, pool, all).unwrap();
        let accomplice = world.provider("accomplice", world.vault, 0);
        let (from, to) = (thief.shares[pool as usize], accomplice.shares[pool as usize]);
        let transfer =
            spl_token_interface::instruction::transfer(&SPL_TOKEN, &from, &to, &thief.owner, &[], 1).unwrap();
        world.chain.send(&[transfer]).unwrap_err();
        world.request(&thief, pool, 1).unwrap_err();
    }
}

#[test]
fn a_ticket_is_executed_claimed_and_cancelled_once_and_one_of_them_excludes_the_others() {
    for pool in POOLS {
        let (mut world, thief, place) = executed(pool);
        let cancel = cancel_instruction(&world, &thief, pool, &place);
        assert_eq!(world.chain.send(std::slice::from_ref(&cancel)).unwrap_err().name(), "TicketNotQueued");
        assert_eq!(execute(&mut world, &thief.owner, &place).unwrap_err().name(), "TicketNotQueued");
        claim(&mut world, &thief, &place).unwrap();
        assert_eq!(claim(&mut world, &thief, &place).unwrap_err().name(), "NothingToCollect");
        assert!(gained(&world, &thief, 100 * ONE) <= 0);

        let (mut world, thief) = self::thief(pool);
        let all = shares(&world, &thief, pool);
        let place = world.request(&thief, pool, all).unwrap();
        let cancel = cancel_instruction(&world, &thief, pool, &place);
        let twice = [cancel.clone(), cancel.clone()];
        assert_eq!(world.chain.send(&twice).unwrap_err().name(), "TicketNotQueued");
        world.chain.send(&[cancel]).unwrap();
        assert_eq!(shares(&world, &thief, pool), all);
        pass(&mut world, wait_of(pool));
        assert_eq!(execute(&mut world, &thief.owner, &place).unwrap_err().name(), "TicketNotQueued");
        assert_eq!(claim(&mut world, &thief, &place).unwrap_err().name(), "NothingToCollect");
    }
}

#[test]
fn nobody_claims_or_cancels_anothers_ticket() {
    for pool in POOLS {
        let (mut world, _, place) = executed(pool);
        let other = world.provider("other", world.vault, 0);
        assert_eq!(claim(&mut world, &other, &place).unwrap_err().name(), "Unauthorized");
        let cancel = cancel_instruction(&world, &other, pool, &place);
        assert_eq!(world.chain.send(&[cancel]).unwrap_err().name(), "Unauthorized");
    }
}

#[test]
fn a_ticket_of_one_pool_mints_no_shares_of_the_other() {
    let (mut world, thief) = thief(Pool::Insurance);
    let all = shares(&world, &thief, Pool::Insurance);
    let place = world.request(&thief, Pool::Insurance, all).unwrap();
    let cancel = cancel_instruction(&world, &thief, Pool::Main, &place);
    assert_eq!(world.chain.send(&[cancel]).unwrap_err().name(), "WrongAccount");
}

#[test]
fn shares_of_a_mint_of_ones_own_are_worth_nothing() {
    let (mut world, thief) = thief(Pool::Main);
    let fake = actor("fake mint");
    token::create_spl(&mut world.chain, &fake);
    let source = token::issue(&mut world.chain, &thief.owner, &fake, &SPL_TOKEN, u64::MAX / 2);
    for pool in POOLS {
        let number = world.ledgers().pool(pool.into()).next_ticket;
        let (owner, vault) = (thief.owner, world.vault);
        let mut request = instruction::request_withdrawal(&owner, &owner, &vault, pool, number, &source, 1_000_000);
        world.chain.send(std::slice::from_ref(&request)).unwrap_err();
        let real = vault.share_mint(pool.into());
        for meta in &mut request.accounts {
            if meta.pubkey == real {
                meta.pubkey = fake;
            }
        }
        assert_eq!(world.chain.send(&[request]).unwrap_err().name(), "WrongAccount");
    }
}

#[test]
fn shares_burned_outside_the_program_are_a_gift_that_nobody_can_take() {
    for pool in POOLS {
        let (mut world, thief) = thief(pool);
        let (all, mint) = (shares(&world, &thief, pool), world.vault.share_mint(pool.into()));
        let source = thief.shares[pool as usize];
        let burn =
            spl_token_interface::instruction::burn(&SPL_TOKEN, &source, &mint, &thief.owner, &[], all / 2).unwrap();
        let before = world.ledgers();
        // The supply is less than the ledger's shares now, which the check of sums would not accept.
        world.chain.try_unchecked(&[burn]).unwrap();
        assert_eq!(world.ledgers(), before, "the ledger goes on counting them: nobody's share is worth more");
        let number = before.pool(pool.into()).next_ticket;
        let (owner, vault) = (thief.owner, world.vault);
        let request = instruction::request_withdrawal(&owner, &owner, &vault, pool, number, &source, all / 2);
        world.chain.try_unchecked(&[request]).unwrap();
    }
}

#[test]
fn moving_shares_to_a_second_owner_who_leaves_earns_nothing() {
    for pool in POOLS {
        let (mut world, thief) = thief(pool);
        let accomplice = world.provider("accomplice", world.vault, 0);
        let (from, to) = (thief.shares[pool as usize], accomplice.shares[pool as usize]);
        let half = shares(&world, &thief, pool) / 2;
        let transfer =
            spl_token_interface::instruction::transfer(&SPL_TOKEN, &from, &to, &thief.owner, &[], half).unwrap();
        world.chain.send(&[transfer]).unwrap();
        leave_entirely(&mut world, &accomplice, pool).unwrap();
        leave_entirely(&mut world, &thief, pool).unwrap();
        assert!(gained(&world, &thief, 100 * ONE) + gained(&world, &accomplice, 0) <= 0);
    }
}
