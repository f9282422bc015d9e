//! What the TypeScript client is tested with: accounts that the compiled program wrote, what it quoted and charged, and what
//! Rust makes of the rest. The files are committed; `cargo xtask test --bless` renews them.

mod quotes;
mod values;

use std::{env, fs, path::Path};

use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::{Value, json};
use solana_instruction::Instruction;

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

/// A number as JavaScript reads it without losing any of it.
fn text(number: impl ToString) -> Value {
    Value::String(number.to_string())
}

fn instruction_json(instruction: &Instruction) -> Value {
    let metas = instruction.accounts.iter().map(
        |meta| json!({ "address": meta.pubkey.to_string(), "signer": meta.is_signer, "writable": meta.is_writable }),
    );
    let accounts: Vec<Value> = metas.collect();
    json!({ "program": instruction.program_id.to_string(), "accounts": accounts, "data": base64(&instruction.data) })
}
