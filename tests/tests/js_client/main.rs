//! What the TypeScript client is tested with: accounts, instructions, events and quotes of the compiled program, as Rust
//! reads and makes them. The files are committed; `cargo xtask test --bless` renews them.

mod plain;
mod quotes;

use std::{collections::BTreeMap, env, fs, path::Path};

use base64::{Engine, prelude::BASE64_STANDARD};
use perpetua::{
    Pool, Side,
    state::{Exchange, Index, MarginAccount, Market, Proposal, Stock, Vault, WithdrawalTicket},
};
use perpetua_client::{
    account::{Stored, read_copy},
    address, event,
    instruction::Series,
    model::PoolKind,
};
use perpetua_tests::{
    chain::Snapshot,
    price::FEEDS,
    scenes::{self, Scene},
};
use plain::plain;
use serde_json::{Value, json};
use solana_account::ReadableAccount;
use solana_instruction::Instruction;
use solana_message::Message;
use solana_pubkey::Pubkey;
use solana_transaction::Transaction;

/// Compares a file with what it should hold, or writes it. Each record has a line, so that a change shows.
fn check(name: &str, records: &[Value]) {
    assert!(!records.is_empty());
    let lines: Vec<String> = records.iter().map(Value::to_string).collect();
    let content = format!("[\n{}\n]\n", lines.join(",\n"));
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../clients/js/tests/fixtures").join(name);
    if env::var_os("BLESS").is_some() {
        fs::write(&path, content).unwrap();
        return;
    }
    let committed = fs::read_to_string(&path).unwrap_or_default();
    let differs = committed.lines().zip(content.lines()).position(|(old, new)| old != new);
    assert!(
        committed == content,
        "clients/js/tests/fixtures/{name} is out of date from line {}; if the change is meant, run `cargo xtask test --bless`",
        differs.map_or(0, |line| line + 1)
    );
}

fn base64(bytes: &[u8]) -> String {
    BASE64_STANDARD.encode(bytes)
}

/// The account of a kind that has the most to say.
fn account<T: Stored + std::fmt::Debug>(name: &str, worlds: &[Snapshot]) -> Value {
    let stored = worlds.iter().flat_map(|world| world.values());
    let of_kind = stored.filter(|account| read_copy::<T>(account.owner(), account.data()).is_ok());
    let fullest = of_kind.max_by_key(|account| {
        let data = account.data();
        (data.iter().filter(|byte| **byte != 0).count(), data.to_vec())
    });
    let data = fullest.unwrap_or_else(|| panic!("no scene has a {name}")).data();
    let value: T = read_copy(&address::PROGRAM, data).unwrap();
    json!({ "kind": name, "data": base64(data), "fields": plain(&value) })
}

#[test]
fn accounts_of_every_kind_are_read_in_typescript_as_in_rust() {
    let worlds: Vec<Snapshot> = scenes::all().iter().map(|scene| scene.world.chain.snapshot()).collect();
    check(
        "accounts.json",
        &[
            account::<Exchange>("Exchange", &worlds),
            account::<Index>("PriceIndex", &worlds),
            account::<Vault>("Vault", &worlds),
            account::<Market>("Market", &worlds),
            account::<MarginAccount>("MarginAccount", &worlds),
            account::<WithdrawalTicket>("WithdrawalTicket", &worlds),
            account::<Stock>("Stock", &worlds),
            account::<Proposal>("Proposal", &worlds),
        ],
    );
}

fn instruction_json(instruction: &Instruction) -> Value {
    let metas = instruction.accounts.iter().map(
        |meta| json!({ "address": meta.pubkey.to_string(), "signer": meta.is_signer, "writable": meta.is_writable }),
    );
    let accounts: Vec<Value> = metas.collect();
    json!({ "program": instruction.program_id.to_string(), "accounts": accounts, "data": base64(&instruction.data) })
}

#[test]
fn every_instruction_is_built_in_typescript_as_in_rust() {
    let records = scenes::all().into_iter().map(|Scene { name, accounts, instruction, .. }| {
        json!({ "name": name, "names": accounts, "instruction": instruction_json(&instruction) })
    });
    check("instructions.json", &records.collect::<Vec<_>>());
}

#[test]
fn every_event_of_a_scene_is_read_in_typescript_as_in_rust() {
    let mut records = BTreeMap::new();
    for Scene { mut world, instruction, .. } in scenes::all() {
        let chain = &mut world.chain;
        let transaction = Transaction::new_unsigned(Message::new(&[instruction], Some(&chain.payer)));
        let done = chain.svm.send_transaction(transaction).unwrap();
        for inner in done.inner_instructions.into_iter().flatten() {
            let data = inner.instruction.data;
            let Some(happened) = event::decode(&data) else { continue };
            records.entry(happened.name()).or_insert_with(
                || json!({ "name": happened.name(), "data": base64(&data), "fields": plain(&happened) }),
            );
        }
    }
    assert!(records.len() > 30, "{} kinds of events", records.len());
    check("events.json", &records.into_values().collect::<Vec<_>>());
}

#[test]
fn every_address_is_found_in_typescript_where_rust_finds_it() {
    let mint = Pubkey::new_from_array(FEEDS[1]);
    let (feed, vault, owner) = (FEEDS[0], address::vault(&mint), address::exchange());
    let index = address::index(&feed);
    let found = |name: &str, seeds: Value, address: Pubkey| json!({ "name": name, "seeds": seeds, "address": address.to_string() });
    let [vault_text, owner_text, index_text] = [vault, owner, index].map(|address| address.to_string());
    check(
        "addresses.json",
        &[
            found("Exchange", json!({}), address::exchange()),
            found("PriceIndex", json!({ "feedId": base64(&feed) }), index),
            found("Vault", json!({ "stockMint": mint.to_string() }), vault),
            found("VaultTokens", json!({ "vault": vault_text }), address::vault_tokens(&vault)),
            found(
                "ShareMint",
                json!({ "vault": vault_text, "pool": 1 }),
                address::share_mint(&vault, PoolKind::Insurance),
            ),
            found("Stock", json!({ "vault": vault_text }), address::stock(&vault)),
            found(
                "Market",
                json!({ "vault": vault_text, "index": index_text, "settlement": 1 }),
                address::market(&vault, &index, 1),
            ),
            found(
                "MarginAccount",
                json!({ "vault": vault_text, "owner": owner_text, "subAccount": 0x0102 }),
                address::margin_account(&vault, &owner, 0x0102),
            ),
            found(
                "Ticket",
                json!({ "vault": vault_text, "pool": 0, "number": 0x0102_0304 }),
                address::ticket(&vault, Pool::Main.into(), 0x0102_0304),
            ),
            found("Proposal", json!({ "target": vault_text }), address::proposal(&vault)),
            found("EventAuthority", json!({}), address::event_authority()),
        ],
    );
}

/// An option of the fixtures.
const fn series(side: Side, tick: i16) -> Series {
    Series { side, tick }
}
