//! Every account of every instruction, made wrong in every way: the instruction must refuse, and change nothing.
//!
//! The signature or the right to write is taken away, the bytes are given to another owner, the account is closed, and it
//! is replaced by every other account of a crowded world, of the same kind and of others. What may go through is listed
//! with its reason in [`harmless`].

use std::ops::Range;

use perpetua_tests::{
    World,
    ledger::number,
    scenes::{self, Scene},
    token::{SPL_TOKEN, TOKEN_2022},
};
use solana_account::Account;
use solana_instruction::Instruction;
use solana_pubkey::Pubkey;

/// What is done to one account of an instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    NotSigned,
    ReadOnly,
    OtherOwner,
    Closed,
    Replaced,
}

fn is_wallet(account: &Account) -> bool {
    account.owner == Pubkey::default() && account.data.is_empty()
}

/// The mint of a token account.
fn mint_of(account: &Account) -> Option<&[u8]> {
    let tokens = account.owner == SPL_TOKEN || account.owner == TOKEN_2022;
    (tokens && account.data.len() >= 165 && number(&account.data, 0) != 0).then(|| account.data.get(..32)).flatten()
}

/// Where an index's data names its exchange.
const EXCHANGE_OF_INDEX: Range<usize> = 8..40;
/// Where a market's data names its index.
const INDEX_OF_MARKET: Range<usize> = 40..72;
/// Where a margin account's data names its vault.
const VAULT_OF_ACCOUNT: Range<usize> = 8..40;
/// Where a ticket's data names vault, owner and pool.
const OWNER_AND_POOL_OF_TICKET: Range<usize> = 8..73;

/// Whether two accounts of the program are of one kind and agree in these bytes.
fn same_fields(one: &Account, other: &Account, fields: Range<usize>) -> bool {
    let same = |range: Range<usize>| one.data.get(range.clone()) == other.data.get(range);
    one.owner == other.owner && same(0..8) && same(fields)
}

/// Why a fault may go through, if it may.
fn harmless(
    scene: &Scene,
    place: usize,
    fault: Fault,
    right: &Account,
    wrong: Option<&Account>,
) -> Option<&'static str> {
    let role = scene.account(place);
    let other_wallet = wrong.is_some_and(is_wallet);
    match (scene.name, role, fault) {
        (_, "payer", Fault::Replaced) if other_wallet => Some("anyone may pay the rent"),
        ("execute_withdrawal", "caller", Fault::Replaced) => Some("anyone may execute a withdrawal"),
        ("withdraw" | "claim_withdrawal", "destination", Fault::Replaced) if mint_of(wrong?) == mint_of(right) => {
            Some("the owner chooses where his tokens go")
        }
        ("join_pool" | "cancel_withdrawal", "shares_destination", Fault::Replaced)
            if mint_of(wrong?) == mint_of(right) =>
        {
            Some("the owner chooses where his shares go")
        }
        ("crank_funding" | "mark_market", "market", Fault::Replaced) if same_fields(right, wrong?, INDEX_OF_MARKET) => {
            Some("anyone may crank and mark any market of the index")
        }
        (
            "settle_funding" | "settle_capped" | "retire_far" | "settle_abandoned" | "sync_account",
            "account",
            Fault::Replaced,
        ) if same_fields(right, wrong?, VAULT_OF_ACCOUNT) => Some("anyone may settle any account of the vault"),
        ("crank_funding", "price_update", Fault::Replaced) if wrong?.executable => Some(
            "the program's own address says that there is no update: the last price goes on as long as it is fresh",
        ),
        (_, "program", Fault::Replaced) if scene.names_program_twice() => {
            Some("an absent account names the program, too, so that its events reach it")
        }
        ("crank_stock", "share_update" | "token_update", Fault::Replaced) if wrong?.executable => {
            Some("the program's own address says that there is no update: the stock goes on without it, never better")
        }
        ("cancel_withdrawal", "ticket", Fault::Replaced) if same_fields(right, wrong?, OWNER_AND_POOL_OF_TICKET) => {
            Some("the owner may cancel any of his withdrawals from the pool")
        }
        ("set_opening_paused", "authority", Fault::Replaced) if other_wallet => Some("the guardian may pause, too"),
        ("cancel_change" | "tighten", "authority", Fault::Replaced) if other_wallet => {
            Some("the administrator may do what the guardian may")
        }
        ("tighten", "index", Fault::Replaced) if same_fields(right, wrong?, EXCHANGE_OF_INDEX) => {
            Some("the guardian may tighten any index")
        }
        ("apply_change" | "cancel_change", "admin", Fault::Closed | Fault::OtherOwner) => {
            Some("the rent goes to an address; the program asks nothing of its account")
        }
        (_, "owner" | "authority" | "caller" | "keeper", Fault::Closed | Fault::OtherOwner) => {
            Some("a signer is an address; the program asks nothing of its account")
        }
        (
            "acknowledge_mint" | "shorten_sessions" | "acknowledge_multiplier" | "name_admin" | "accept_admin",
            "admin" | "next_admin",
            Fault::Closed | Fault::OtherOwner,
        ) => Some("a signer is an address; the program asks nothing of its account"),
        _ => None,
    }
}

/// The world and the instruction with a fault.
fn spoil(scene: &Scene, place: usize, fault: Fault) -> Option<(World, Instruction)> {
    let (mut world, mut instruction) = (scene.world.clone(), scene.instruction.clone());
    let meta = &mut instruction.accounts[place];
    let mut account = world.chain.account(&meta.pubkey);
    match fault {
        Fault::NotSigned if meta.is_signer => meta.is_signer = false,
        Fault::ReadOnly if meta.is_writable => meta.is_writable = false,
        Fault::OtherOwner if account.lamports > 0 && !account.executable => {
            account.owner = if account.owner == perpetua::ID { TOKEN_2022 } else { perpetua::ID };
            world.chain.set(&meta.pubkey.clone(), account);
        }
        Fault::Closed if account.lamports > 0 && !account.executable => {
            world.chain.set(&meta.pubkey.clone(), Account::default());
        }
        _ => return None,
    }
    Some((world, instruction))
}

/// What went through and must not; and how many faults were tried.
fn try_faults(scene: &Scene) -> (Vec<String>, usize) {
    let mut wrong = Vec::new();
    let mut tried = 0;
    let candidates: Vec<Pubkey> = scene.world.chain.snapshot().into_keys().collect();
    let mut chain = scene.world.chain.clone();
    for (place, meta) in scene.instruction.accounts.iter().enumerate() {
        let role = scene.account(place);
        let right = scene.world.chain.account(&meta.pubkey);
        for fault in [Fault::NotSigned, Fault::ReadOnly, Fault::OtherOwner, Fault::Closed] {
            let Some((mut world, instruction)) = spoil(scene, place, fault) else { continue };
            tried += 1;
            let went_through = world.chain.try_unchecked(&[instruction]).is_ok();
            if went_through && harmless(scene, place, fault, &right, None).is_none() {
                wrong.push(format!("{}: {role}: {fault:?}", scene.name));
            }
        }
        for candidate in candidates.iter().filter(|candidate| **candidate != meta.pubkey) {
            let mut instruction = scene.instruction.clone();
            instruction.accounts[place].pubkey = *candidate;
            tried += 1;
            if chain.try_unchecked(&[instruction]).is_err() {
                continue;
            }
            chain = scene.world.chain.clone();
            let other = chain.account(candidate);
            if harmless(scene, place, Fault::Replaced, &right, Some(&other)).is_none() {
                wrong.push(format!("{}: {role}: replaced by {candidate}", scene.name));
            }
        }
    }
    (wrong, tried)
}

#[test]
fn every_scene_works_before_it_is_spoiled() {
    for mut scene in scenes::all() {
        let outcome = scene.world.chain.send(&[scene.instruction.clone()]);
        outcome.unwrap_or_else(|failure| panic!("{}: {} {:#?}", scene.name, failure.name(), failure.logs));
    }
}

#[test]
fn no_instruction_accepts_a_wrong_account() {
    let mut wrong = Vec::new();
    let mut tried = 0;
    for scene in scenes::all() {
        let (here, count) = try_faults(&scene);
        wrong.extend(here);
        tried += count;
    }
    assert_eq!(wrong, Vec::<String>::new());
    assert!(tried > 5_000, "only {tried} faults were tried");
}

#[test]
fn every_instruction_that_changes_anything_has_a_scene() {
    let idl_names = perpetua_tests::instruction_names();
    let mut covered: Vec<&str> = scenes::all().iter().map(|scene| scene.name).collect();
    covered.extend(["view_quote", "view_health"]);
    for name in idl_names {
        assert!(covered.contains(&name.as_str()), "{name} has no scene");
    }
}
