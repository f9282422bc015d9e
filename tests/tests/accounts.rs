//! Every account of every instruction, made wrong in every way: the instruction must refuse, and change nothing.
//!
//! The signature or the right to write is taken away, the bytes are given to another owner, the account is closed, its data
//! is zeroed or given another kind's first bytes, a copy of it stands at an address that the program never chose, it is left
//! out, and it is replaced by every other account of a crowded world, of the same kind and of others, those of the
//! instruction itself among them. What may go through is listed with its reason in [`harmless`].
//!
//! What an instruction's accounts are called, and which sign and are written, is the IDL's to say.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    ops::Range,
    path::Path,
};

use perpetua_tests::{
    World,
    ledger::number,
    scenes::{self, Scene},
    token::{SPL_TOKEN, TOKEN_2022},
};
use serde_json::{Value, json};
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
    Zeroed,
    OtherDiscriminator,
    Forged,
    Missing,
    Replaced,
}

/// What needs no other account.
const ALONE: [Fault; 8] = [
    Fault::NotSigned,
    Fault::ReadOnly,
    Fault::OtherOwner,
    Fault::Closed,
    Fault::Zeroed,
    Fault::OtherDiscriminator,
    Fault::Forged,
    Fault::Missing,
];

/// An address that nothing derives.
const FORGED: Pubkey = Pubkey::new_from_array([7; 32]);

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
        ("tighten", "target", Fault::Replaced) if same_fields(right, wrong?, EXCHANGE_OF_INDEX) => {
            Some("the guardian may tighten any index")
        }
        ("crank_funding", "price_update", Fault::Forged)
        | ("crank_stock", "share_update" | "token_update", Fault::Forged) => {
            Some("a price is known by the oracle's program and its feed, and may be at any address")
        }
        (_, "source" | "destination" | "shares_source" | "shares_destination", Fault::Forged) => {
            Some("a token account of the user may be at any address")
        }
        (_, _, Fault::Forged) if right.owner == perpetua::ID => {
            Some("the program alone writes accounts that it owns, and makes them at addresses that it derives")
        }
        ("view_health", "account", Fault::Replaced) if same_fields(right, wrong?, VAULT_OF_ACCOUNT) => {
            Some("anyone may look at any account of the vault")
        }
        ("view_quote", "tokens", Fault::Zeroed) => Some("a view says what the vault would do if it held nothing"),
        ("note_shortage" | "recognise_loss", "tokens", Fault::Zeroed) => {
            Some("the token program alone writes there; no tokens are what the instruction is for")
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
        Fault::Zeroed if !account.data.is_empty() && !account.executable => {
            account.data.fill(0);
            world.chain.set(&meta.pubkey.clone(), account);
        }
        Fault::OtherDiscriminator if account.owner == perpetua::ID && account.data.len() >= 8 => {
            account.data[0] ^= 1;
            world.chain.set(&meta.pubkey.clone(), account);
        }
        Fault::Forged if account.lamports > 0 && !account.executable && !is_wallet(&account) => {
            world.chain.set(&FORGED, account);
            meta.pubkey = FORGED;
        }
        // What follows moves up, as where somebody forgets an account.
        Fault::Missing if place < scene.accounts.len() => {
            instruction.accounts.remove(place);
        }
        _ => return None,
    }
    Some((world, instruction))
}

/// What was tried and what came of it.
#[derive(Default)]
struct Report {
    /// What went through and must not.
    wrong: Vec<String>,
    by_fault: BTreeMap<String, u64>,
    by_instruction: BTreeMap<&'static str, u64>,
    /// How often each reason let a case through.
    allowed: BTreeMap<&'static str, u64>,
}

impl Report {
    /// Notes a case, and whether it went through for a reason.
    fn note(&mut self, scene: &Scene, fault: &str, case: impl Fn() -> String, reason: Option<Option<&'static str>>) {
        *self.by_fault.entry(fault.to_owned()).or_default() += 1;
        *self.by_instruction.entry(scene.name).or_default() += 1;
        match reason {
            Some(Some(reason)) => *self.allowed.entry(reason).or_default() += 1,
            Some(None) => self.wrong.push(format!("{}: {}", scene.name, case())),
            None => {}
        }
    }

    fn tried(&self) -> u64 {
        self.by_instruction.values().sum()
    }

    /// Writes the numbers to `target/assurance/substitution.json`.
    fn write(&self) {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/assurance");
        fs::create_dir_all(&folder).expect("the workspace is writable");
        let numbers = json!({
            "total": self.tried(),
            "by_fault": self.by_fault,
            "by_instruction": self.by_instruction,
            "allowed": self.allowed,
        });
        fs::write(folder.join("substitution.json"), format!("{numbers:#}\n")).expect("the workspace is writable");
    }
}

/// How a candidate relates to the right account, for the count of cases.
fn relation(scene: &Scene, candidate: &Pubkey, right: &Account, other: &Account) -> &'static str {
    if scene.instruction.accounts.iter().any(|meta| meta.pubkey == *candidate) {
        return "the same account twice";
    }
    let kind = |account: &Account| (account.owner, account.data.get(..8).map(<[u8]>::to_vec), account.data.len());
    let program = right.owner == perpetua::ID;
    let same = if program {
        kind(right) == kind(other)
    } else {
        (right.owner, right.data.len()) == (other.owner, other.data.len())
    };
    if same { "another of the same type" } else { "another of another type" }
}

fn try_faults(scene: &Scene, report: &mut Report) {
    let candidates: Vec<Pubkey> = scene.world.chain.snapshot().into_keys().collect();
    let mut chain = scene.world.chain.clone();
    for (place, meta) in scene.instruction.accounts.iter().enumerate() {
        let role = scene.account(place);
        let right = scene.world.chain.account(&meta.pubkey);
        for fault in ALONE {
            let Some((mut world, instruction)) = spoil(scene, place, fault) else { continue };
            let went_through = world.chain.try_unchecked(&[instruction]).is_ok();
            let reason = went_through.then(|| harmless(scene, place, fault, &right, None));
            report.note(scene, &format!("{fault:?}"), || format!("{role}: {fault:?}"), reason);
        }
        for candidate in candidates.iter().filter(|candidate| **candidate != meta.pubkey) {
            let mut instruction = scene.instruction.clone();
            instruction.accounts[place].pubkey = *candidate;
            let other = chain.account(candidate);
            let went_through = chain.try_unchecked(&[instruction]).is_ok();
            if went_through {
                chain = scene.world.chain.clone();
            }
            let reason = went_through.then(|| harmless(scene, place, Fault::Replaced, &right, Some(&other)));
            let fault = relation(scene, candidate, &right, &other);
            report.note(scene, fault, || format!("{role}: replaced by {candidate}"), reason);
        }
    }
}

/// The accounts of each instruction as the IDL lists them: name, whether it signs, whether it is written, whether it may be
/// absent.
fn roles() -> BTreeMap<String, Vec<(String, bool, bool, bool)>> {
    fn flat(accounts: &Value, into: &mut Vec<(String, bool, bool, bool)>) {
        for account in accounts.as_array().expect("accounts are a list") {
            if let Some(nested) = account.get("accounts") {
                flat(nested, into);
                continue;
            }
            let flag = |name: &str| account.get(name).and_then(Value::as_bool).unwrap_or(false);
            let name = account["name"].as_str().expect("accounts have names").to_owned();
            into.push((name, flag("signer"), flag("writable"), flag("optional")));
        }
    }
    let idl: Value = serde_json::from_str(include_str!("../../idl/perpetua.json")).expect("the IDL is JSON");
    let instructions = idl["instructions"].as_array().expect("instructions are a list").iter();
    let named = instructions.map(|instruction| {
        let mut accounts = Vec::new();
        flat(&instruction["accounts"], &mut accounts);
        (instruction["name"].as_str().expect("instructions have names").to_owned(), accounts)
    });
    named.collect()
}

#[test]
fn scenes_give_every_account_that_the_idl_lists_with_its_rights() {
    let roles = roles();
    for scene in scenes::all() {
        let listed = &roles[scene.name];
        let names: Vec<&str> = listed.iter().map(|(name, ..)| name.as_str()).collect();
        assert_eq!(scene.accounts, names, "{}", scene.name);
        for ((name, signer, writable, optional), meta) in listed.iter().zip(&scene.instruction.accounts) {
            let absent = *optional && meta.pubkey == perpetua::ID;
            let rights = (meta.is_signer, meta.is_writable);
            assert!(absent || rights == (*signer, *writable), "{}: {name} has {rights:?}", scene.name);
        }
    }
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
    let mut report = Report::default();
    for scene in scenes::all() {
        try_faults(&scene, &mut report);
    }
    report.write();
    assert_eq!(report.wrong, Vec::<String>::new());
    assert!(report.tried() > 15_000, "only {} faults were tried", report.tried());
    let used: BTreeSet<&str> = report.allowed.keys().copied().collect();
    assert_eq!(used, listed_reasons(), "every listed reason is needed");
}

/// Every reason that [`harmless`] gives, as it is spelled there.
fn listed_reasons() -> BTreeSet<&'static str> {
    let source = include_str!("accounts.rs");
    let body = source.split_once("fn harmless(").expect("it is in this file").1;
    let body = body.split_once("\n}\n").expect("it ends").0;
    // A reason is the only kind of string there that holds spaces.
    body.split('"').skip(1).step_by(2).filter(|text| text.contains(' ')).collect()
}

#[test]
fn every_instruction_has_a_scene() {
    let covered: Vec<&str> = scenes::all().iter().map(|scene| scene.name).collect();
    for name in roles().into_keys() {
        assert!(covered.contains(&name.as_str()), "{name} has no scene");
    }
}
