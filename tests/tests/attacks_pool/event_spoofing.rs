//! Events that never happened, to fool who pays or reports by them.
//!
//! a known class: events that another program or another signer makes up. The program takes an event only with the signature of an
//! address that it alone can sign for, so no transaction can call for one; whoever reads events looks at calls of this program.

use perpetua_client::{address, event, instruction};
use perpetua_tests::{World, actor, token::ONE};
use solana_instruction::{AccountMeta, Instruction};
use solana_pubkey::Pubkey;

/// The data of a real event's call, "deposited a token".
fn recorded(world: &mut World) -> Vec<u8> {
    let trader = world.trader("trader", ONE);
    let deposited = perpetua::events::Deposited {
        vault: world.vault.vault,
        account: trader.account,
        amount: u64::MAX,
        collateral: u64::MAX,
    };
    let body = anchor_lang::Event::data(&deposited);
    [anchor_lang::event::EVENT_IX_TAG_LE, &body].concat()
}

#[test]
fn nobody_but_the_program_records_an_event() {
    let mut world = World::new();
    let data = recorded(&mut world);
    assert!(event::decode(&data).is_some(), "it reads as an event");
    let authority = Pubkey::find_program_address(&[b"__event_authority"], &address::PROGRAM).0;
    let thief = actor("thief");
    world.chain.fund(&thief);
    let accounts: [Vec<AccountMeta>; 5] = [
        vec![],
        vec![AccountMeta::new_readonly(authority, false)],
        vec![AccountMeta::new_readonly(thief, true)],
        vec![AccountMeta::new_readonly(thief, true), AccountMeta::new_readonly(authority, false)],
        vec![AccountMeta::new_readonly(world.vault.vault, false)],
    ];
    for accounts in accounts {
        let call = Instruction { program_id: address::PROGRAM, accounts, data: data.clone() };
        world.chain.send(&[call]).unwrap_err();
    }
}

#[test]
fn an_event_authority_of_ones_own_is_refused() {
    let mut world = World::new();
    let trader = world.trader("trader", ONE);
    let real = Pubkey::find_program_address(&[b"__event_authority"], &address::PROGRAM).0;
    let mut deposit = instruction::deposit(&trader.owner, &world.vault, &trader.account, &trader.tokens, 1);
    let mut swapped = 0;
    for meta in &mut deposit.accounts {
        if meta.pubkey == real {
            meta.pubkey = actor("thief");
            swapped += 1;
        }
    }
    assert_eq!(swapped, 1);
    world.chain.send(&[deposit]).unwrap_err();
}
