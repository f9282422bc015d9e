//! Accounts closed and brought back within a transaction, or opened again at the same address, to find old data in them.
//!
//! account revival attacks, a class taught in Solana's program security courses: lamports sent back to a closed account keep it
//! alive until the transaction ends. What Anchor closes is empty and belongs to the system program.

use perpetua::Pool;
use perpetua_client::instruction;
use perpetua_tests::{World, parameters::guards, price::FEEDS, token::ONE, world::call};
use solana_account::Account;
use solana_instruction::{AccountMeta, Instruction};
use solana_pubkey::Pubkey;

use super::lp::{claim, execute, gained, join, pass, shares};

/// The system program's transfer.
fn send_lamports(from: &Pubkey, to: &Pubkey) -> Instruction {
    let data = [&2u32.to_le_bytes()[..], &100_000_000u64.to_le_bytes()].concat();
    let accounts = vec![AccountMeta::new(*from, true), AccountMeta::new(*to, false)];
    Instruction { program_id: Pubkey::default(), accounts, data }
}

#[test]
fn a_margin_account_revived_in_its_closing_transaction_holds_nothing() {
    let mut world = World::new();
    let thief = world.trader("thief", 10 * ONE);
    world.open(&thief, call(0), 1_000).unwrap();
    world.close(&thief, call(0), 1_000).unwrap();
    let close = instruction::close_account(&thief.owner, &thief.account);
    assert_eq!(world.chain.send(std::slice::from_ref(&close)).unwrap_err().name(), "AccountNotEmpty");
    let all = world.margin(&thief).collateral.0;
    let withdraw = instruction::withdraw(&thief.owner, &world.vault, &thief.account, &thief.tokens, &[], all);
    let revive = send_lamports(&thief.owner, &thief.account);
    let again = instruction::withdraw(&thief.owner, &world.vault, &thief.account, &thief.tokens, &[], 1);
    world.chain.send(&[withdraw.clone(), close.clone(), revive.clone(), again.clone()]).unwrap_err();
    world.chain.send(&[withdraw, close, revive]).unwrap();
    assert!(world.chain.account(&thief.account).data.is_empty());
    world.chain.send(&[again]).unwrap_err();
    // Opened again: empty. The virtual machine here does not create accounts where lamports lie.
    world.chain.set(&thief.account, Account::default());
    let open = instruction::open_account(&thief.owner, &thief.owner, &world.vault, 0);
    world.chain.send(&[open]).unwrap();
    assert_eq!(world.margin(&thief), perpetua_model::MarginAccount::default());
}

#[test]
fn an_account_that_owes_cannot_be_closed_to_begin_again() {
    let mut world = World::new();
    let thief = world.trader("thief", 3 * ONE);
    world.open(&thief, call(0), 100_000).unwrap();
    let close = instruction::close_account(&thief.owner, &thief.account);
    world.withdraw_most(&thief);
    assert_eq!(world.chain.send(&[close]).unwrap_err().name(), "AccountNotEmpty");
    let open = instruction::open_account(&thief.owner, &thief.owner, &world.vault, 0);
    world.chain.send(&[open]).unwrap_err();
    // Another sub-account is another account.
    let open = instruction::open_account(&thief.owner, &thief.owner, &world.vault, 1);
    world.chain.send(&[open]).unwrap();
}

#[test]
fn a_ticket_revived_after_its_claim_pays_nothing_and_its_place_is_not_given_again() {
    let mut world = World::new();
    let thief = world.provider("thief", world.vault, 10 * ONE);
    join(&mut world, &thief, Pool::Main, 10 * ONE).unwrap();
    let half = shares(&world, &thief, Pool::Main) / 2;
    let place = world.request(&thief, Pool::Main, half).unwrap();
    pass(&mut world, 3 * 86_400);
    execute(&mut world, &thief.owner, &place).unwrap();
    let close = instruction::close_ticket(&thief.owner, &world.vault, &place);
    assert_eq!(world.chain.send(std::slice::from_ref(&close)).unwrap_err().name(), "TicketStillOpen");
    let claim_once = instruction::claim_withdrawal(&thief.owner, &world.vault, &place, &thief.tokens);
    let revive = send_lamports(&thief.owner, &place);
    let all = [claim_once.clone(), close.clone(), revive.clone(), claim_once.clone()];
    world.chain.send(&all).unwrap_err();
    world.chain.send(&all[..3]).unwrap();
    claim(&mut world, &thief, &place).unwrap_err();
    assert!(gained(&world, &thief, 10 * ONE) <= 0);
    let next = world.request(&thief, Pool::Main, 1_000).unwrap();
    assert_ne!(next, place);
}

#[test]
fn a_cancelled_change_revived_cannot_be_applied() {
    let mut world = World::new();
    let changed = instruction::Changed::Index(perpetua_client::address::index(&FEEDS[0]));
    let looser = perpetua::NewParameters::Index(perpetua::GuardParameters { max_age_crank: 90, ..guards() });
    let (admin, guardian) = (world.admin, world.guardian);
    world.chain.send(&[instruction::propose_change(&admin, &changed, looser)]).unwrap();
    let cancel = instruction::cancel_change(&guardian, &admin, &changed);
    world.chain.send(&[cancel, send_lamports(&admin, &changed.proposal())]).unwrap();
    world.chain.wait(48 * 3_600);
    world.chain.send(&[instruction::apply_change(&admin, &changed)]).unwrap_err();
    // Proposed anew it waits anew.
    world.chain.set(&changed.proposal(), Account::default());
    world.chain.send(&[instruction::propose_change(&admin, &changed, looser)]).unwrap();
    let early = world.chain.send(&[instruction::apply_change(&admin, &changed)]).unwrap_err();
    assert_eq!(early.name(), "ChangeNotReady");
}
