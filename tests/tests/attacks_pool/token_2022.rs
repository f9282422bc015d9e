//! What an issuer, or who stole his key, can switch on in a token that was listed.
//!
//! a known class: extensions of Token-2022 that are switched on later (permanent delegate, transfer hook, transfer fee, pause, freeze,
//! close authority), described in many audits' guides. Tokens that are gone are gone, but nobody turns that into a gain.

use perpetua::Pool;
use perpetua_client::instruction;
use perpetua_tests::{
    Trader, World,
    attacker::{Attacker, Search},
    stock::set_multiplier,
    token::{self, ONE, extension},
    world::{Provider, call},
};

use super::lp::{claim, execute, join, pass, shares};

/// A change of the mint, and its name.
type Switch = (&'static str, fn(&mut World));

fn edit(world: &mut World, kind: u16, change: impl FnOnce(&mut [u8])) {
    let mint = world.vault.stock_mint;
    token::edit_extension(&mut world.chain, &mint, kind, change);
}

fn add(world: &mut World, kind: u16, value: &[u8]) {
    let mint = world.vault.stock_mint;
    token::add_extension(&mut world.chain, &mint, kind, value);
}

/// A fee of one percent, in force now and later.
fn fee() -> [u8; 108] {
    let mut value = [0; 108];
    value[88..90].copy_from_slice(&100u16.to_le_bytes());
    value[106..108].copy_from_slice(&100u16.to_le_bytes());
    value
}

const SWITCHES: &[Switch] = &[
    ("a hook", |world| edit(world, extension::TRANSFER_HOOK, |value| value[32..64].fill(7))),
    ("a fee", |world| add(world, extension::TRANSFER_FEE, &fee())),
    ("a new delegate", |world| edit(world, extension::PERMANENT_DELEGATE, |value| value[..32].fill(9))),
    ("accounts that start frozen", |world| edit(world, extension::DEFAULT_STATE, |value| value[0] = 2)),
    ("a close authority", |world| add(world, extension::CLOSE_AUTHORITY, &[1; 32])),
    ("interest", |world| add(world, extension::INTEREST, &[0; 52])),
    ("a hook's new authority", |world| edit(world, extension::TRANSFER_HOOK, |value| value[..32].fill(7))),
    ("approval of confidential accounts", |world| edit(world, extension::CONFIDENTIAL, |value| value[32] = 1)),
    ("a pause", |world| {
        let mint = world.vault.stock_mint;
        token::pause(&mut world.chain, &mint, true);
    }),
];

/// A trader with a position and an LP whose withdrawal is executed.
fn scene() -> (World, Trader, Provider, solana_pubkey::Pubkey) {
    let mut world = World::new();
    let (trader, lp) = (world.trader("trader", 50 * ONE), world.provider("lp", world.vault, 200 * ONE));
    join(&mut world, &lp, Pool::Main, 100 * ONE).unwrap();
    let half = shares(&world, &lp, Pool::Main) / 2;
    let place = world.request(&lp, Pool::Main, half).unwrap();
    pass(&mut world, 3 * 86_400);
    execute(&mut world, &lp.owner, &place).unwrap();
    world.open(&trader, call(0), 100_000).unwrap();
    (world, trader, lp, place)
}

#[test]
fn whatever_the_issuer_switches_on_no_token_moves_and_closing_goes_on() {
    for (name, switch) in SWITCHES {
        let (mut world, trader, lp, place) = scene();
        switch(&mut world);
        let held = token::balance(&world.chain, &world.vault.tokens());
        let markets = world.markets.clone();
        world.mark(&markets).unwrap();
        let join = world.join(&lp, &markets, Pool::Main, ONE, 0);
        assert!(world.chain.send(&[join]).is_err(), "{name}: joined");
        assert!(world.deposit(&trader, ONE).is_err(), "{name}: deposited");
        assert!(world.withdraw(&trader, 1).is_err(), "{name}: withdrew");
        assert!(claim(&mut world, &lp, &place).is_err(), "{name}: claimed");
        assert!(world.open(&trader, call(0), 1_000).is_err(), "{name}: opened");
        world.close(&trader, call(0), 100_000).unwrap_or_else(|refusal| panic!("{name}: {}", refusal.name()));
        assert_eq!(token::balance(&world.chain, &world.vault.tokens()), held, "{name}");
    }
}

#[test]
fn a_frozen_vault_lets_nothing_in_or_out_but_settles_in_its_ledgers() {
    let (mut world, trader, lp, place) = scene();
    let tokens = world.vault.tokens();
    token::freeze(&mut world.chain, &tokens, true);
    assert!(world.deposit(&trader, ONE).is_err());
    assert_eq!(world.withdraw(&trader, 1).unwrap_err().name(), "TokensFrozen");
    assert_eq!(claim(&mut world, &lp, &place).unwrap_err().name(), "TokensFrozen");
    world.close(&trader, call(0), 100_000).unwrap();
    token::freeze(&mut world.chain, &tokens, false);
    claim(&mut world, &lp, &place).unwrap();
}

#[test]
fn a_frozen_destination_stops_its_owner_alone_who_may_name_another() {
    let (mut world, _, lp, place) = scene();
    token::freeze(&mut world.chain, &lp.tokens, true);
    claim(&mut world, &lp, &place).unwrap_err();
    let friend = world.provider("friend", world.vault, 0);
    let elsewhere = instruction::claim_withdrawal(&lp.owner, &world.vault, &place, &friend.tokens);
    world.chain.send(&[elsewhere]).unwrap();
    assert!(token::balance(&world.chain, &friend.tokens) > 0);
}

/// The issuer is the thief: he seizes, trades or joins meanwhile, and gives everything back.
#[test]
fn seizing_and_giving_back_earns_its_issuer_nothing() {
    let mut search = Search::default();
    for seized in [ONE, 2_000 * ONE, 12_000 * ONE, 21_000 * ONE] {
        for (days, recognise) in [(0, false), (2, true)] {
            for stake in [ONE, 1_000 * ONE] {
                let mut world = World::new();
                let (trader, lp) = (world.trader("thief", 50 * ONE), world.provider("thief", world.vault, 2_000 * ONE));
                world.open(&trader, call(0), 100_000).unwrap();
                let attacker = Attacker::new(&[trader], &[lp]);
                let before = attacker.wealth(&world);
                let tokens = world.vault.tokens();
                token::seize(&mut world.chain, &tokens, seized);
                world.chain.send_while_short(&[instruction::note_shortage(&world.vault)]).unwrap();
                if recognise {
                    world.chain.wait(days * 86_400);
                    world.chain.send_while_short(&[instruction::recognise_loss(&world.vault)]).unwrap();
                    // He buys shares of the poorer pool, if anybody may.
                    world.run(600, 300);
                    let _ = join(&mut world, &lp, Pool::Main, stake);
                }
                token::give_back(&mut world.chain, &tokens, seized);
                let back = if recognise { instruction::repay_losses } else { instruction::note_shortage };
                world.chain.send(&[back(&world.vault)]).unwrap();
                world.run(600, 300);
                search.note((seized, days, stake), Ok(attacker.cash_out(&mut world) - before));
            }
        }
    }
    search.assert_unprofitable(16);
}

#[test]
fn a_change_of_the_multiplier_moves_nothing_in_a_quanto_vault() {
    let (mut world, trader, ..) = scene();
    let before = (world.ledgers(), world.margin(&trader));
    let mint = world.vault.stock_mint;
    for multiplier in [0.5, 2.0, 1e6] {
        set_multiplier(&mut world.chain, &mint, multiplier, multiplier, 0);
        assert_eq!((world.ledgers(), world.margin(&trader)), before);
        world.deposit(&trader, 1_000).unwrap();
        world.withdraw(&trader, 1_000).unwrap();
        assert_eq!((world.ledgers(), world.margin(&trader)), before);
    }
}
