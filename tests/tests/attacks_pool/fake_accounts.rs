//! Accounts that look right: a ticket, a market, a vault or a price of the thief's own making.
//!
//! Cashio, March 2022 (a chain of fake accounts); Crema Finance, July 2022 (a fake tick account); Wormhole, February 2022 (a fake
//! sysvar). `tests/tests/accounts.rs` replaces every account of every instruction; these are the thefts themselves.

use perpetua::{Pool, state};
use perpetua_client::{address, instruction};
use perpetua_tests::{
    World, actor,
    token::{self, ONE, TOKEN_2022},
    world::call,
};
use serde_json::Value;
use solana_account::Account;

use super::lp::{claim, join, pass, shares};

#[test]
fn a_made_up_ticket_that_says_it_is_payable_pays_nothing() {
    let mut world = World::new();
    let thief = world.provider("thief", world.vault, ONE);
    join(&mut world, &thief, Pool::Main, ONE).unwrap();
    let place = world.request(&thief, Pool::Main, 1_000).unwrap();
    let mut forged = world.chain.account(&place);
    let payable = 8
        + std::mem::offset_of!(state::WithdrawalTicket, state)
        + std::mem::offset_of!(perpetua_model::Ticket, payable);
    forged.data[payable..payable + 8].copy_from_slice(&(1_000 * ONE).to_le_bytes());
    let fake = actor("fake ticket");
    // Anybody can create an account of another program with any bytes.
    for owner in [TOKEN_2022, actor("thief's program"), thief.owner] {
        world.chain.set(&fake, Account { owner, ..forged.clone() });
        claim(&mut world, &thief, &fake).unwrap_err();
    }
    assert_eq!(token::balance(&world.chain, &thief.tokens), 0);
}

#[test]
fn a_made_up_market_with_a_mark_to_ones_liking_prices_no_shares() {
    let mut world = World::new();
    let (trader, thief) = (world.trader("trader", 500 * ONE), world.provider("thief", world.vault, 2_000 * ONE));
    world.open(&trader, call(0), 10_000_000).unwrap();
    let markets = world.markets.clone();
    world.mark(&markets).unwrap();
    let mut forged = world.chain.account(&markets[0].market);
    let liability = 8
        + std::mem::offset_of!(state::Market, state)
        + std::mem::offset_of!(perpetua_model::Market, mark)
        + std::mem::offset_of!(perpetua_model::Mark, liability_low);
    forged.data[liability..liability + 8].copy_from_slice(&(19_000 * ONE).to_le_bytes());
    let fake = actor("fake market");
    world.chain.set(&fake, Account { owner: actor("thief's program"), ..forged });
    let mut join = world.join(&thief, &markets, Pool::Main, 1_000 * ONE, 0);
    for meta in &mut join.accounts {
        if meta.pubkey == markets[0].market {
            meta.pubkey = fake;
        }
    }
    world.chain.send(&[join]).unwrap_err();
    assert_eq!(shares(&world, &thief, Pool::Main), 0);
}

#[test]
fn markets_left_out_or_given_twice_price_no_shares() {
    let mut world = World::with_markets(2);
    let (trader, thief) = (world.trader("trader", 500 * ONE), world.provider("thief", world.vault, 2_000 * ONE));
    world.open(&trader, call(0), 10_000_000).unwrap();
    join(&mut world, &thief, Pool::Main, 1_000 * ONE).unwrap();
    let place = world.request(&thief, Pool::Main, 1_000_000_000).unwrap();
    pass(&mut world, 3 * 86_400);
    let markets = world.markets.clone();
    world.mark(&markets).unwrap();
    let [first, second] = [markets[0], markets[1]];
    for (given, reason) in [
        (vec![second], "MarketsIncomplete"),
        (vec![second, second], "WrongAccount"),
        (vec![first], "MarketsIncomplete"),
    ] {
        let execute = instruction::execute_withdrawal(&thief.owner, &world.vault, &place, &given);
        assert_eq!(world.chain.send(&[execute]).unwrap_err().name(), reason);
        let join = world.join(&thief, &given, Pool::Main, ONE, 0);
        assert_eq!(world.chain.send(&[join]).unwrap_err().name(), reason);
    }
}

#[test]
fn no_instruction_asks_an_account_for_the_time_or_for_its_instructions() {
    let idl: Value = serde_json::from_str(include_str!("../../../idl/perpetua.json")).unwrap();
    let mut seen = 0;
    for instruction in idl["instructions"].as_array().unwrap() {
        for account in instruction["accounts"].as_array().unwrap() {
            let name = account["name"].as_str().unwrap();
            let address = account["address"].as_str().unwrap_or_default();
            assert!(!name.contains("sysvar") && !name.contains("clock") && !address.starts_with("Sysvar"), "{name}");
            seen += 1;
        }
    }
    assert!(seen > 100);
    assert_eq!(address::PROGRAM, perpetua::ID);
}
