//! What a validator remembers of transactions.

use std::collections::BTreeMap;

use base64::{Engine, prelude::BASE64_STANDARD};
use litesvm::types::TransactionMetadata;
use serde_json::{Value, json};
use solana_pubkey::Pubkey;
use solana_transaction::Transaction;
use solana_transaction_error::TransactionError;

/// A transaction that was carried out.
pub struct Record {
    slot: u64,
    time: i64,
    transaction: Transaction,
    meta: TransactionMetadata,
    error: Option<TransactionError>,
    /// How often it was asked for: it is confirmed when asked for the second time.
    asked: u32,
}

/// All of them, in order.
#[derive(Default)]
pub struct Records {
    order: Vec<String>,
    records: BTreeMap<String, Record>,
}

impl Records {
    /// Notes a transaction that was carried out.
    pub fn note(
        &mut self,
        (slot, time): (u64, i64),
        transaction: Transaction,
        meta: TransactionMetadata,
        error: Option<TransactionError>,
    ) {
        let signature = transaction.signatures[0].to_string();
        self.order.push(signature.clone());
        self.records.insert(signature, Record { slot, time, transaction, meta, error, asked: 0 });
    }

    /// Answers `getSignatureStatuses` for one signature.
    pub fn status(&mut self, signature: &str) -> Value {
        let Some(record) = self.records.get_mut(signature) else { return Value::Null };
        record.asked += 1;
        if record.asked == 1 {
            return Value::Null;
        }
        json!({
            "slot": record.slot,
            "confirmations": 1,
            "err": record.error,
            "status": status(record.error.as_ref()),
            "confirmationStatus": "confirmed",
        })
    }

    /// Answers `getSignaturesForAddress`.
    pub fn of_address(&self, address: &Pubkey, options: &Value) -> Value {
        let newest_first = self.order.iter().rev();
        let after = newest_first
            .skip_while(|signature| options["before"].as_str().is_some_and(|before| before != signature.as_str()));
        let after = after.skip(usize::from(options["before"].is_string()));
        let wanted = after
            .take_while(|signature| options["until"].as_str() != Some(signature.as_str()))
            .filter(|signature| self.records[*signature].transaction.message.account_keys.contains(address));
        let limit = options["limit"].as_u64().map_or(1_000, |limit| usize::try_from(limit).expect("a small number"));
        let listed = wanted.take(limit).map(|signature| {
            let Record { slot, time, error, .. } = &self.records[signature];
            json!({ "signature": signature, "slot": slot, "err": error, "memo": null, "blockTime": time,
                "confirmationStatus": "confirmed" })
        });
        listed.collect()
    }

    /// Answers `getTransaction`.
    pub fn transaction(&self, signature: &str, encoding: &str) -> Value {
        let Some(record) = self.records.get(signature) else { return Value::Null };
        let transaction = match encoding {
            "json" => as_json(&record.transaction),
            "base64" => json!([encode(&record.transaction), "base64"]),
            other => panic!("nobody asks for {other}"),
        };
        let inner = record.meta.inner_instructions.iter().enumerate().filter(|(_, inner)| !inner.is_empty());
        let inner: Vec<Value> = inner
            .map(|(index, inner)| {
                let calls = inner.iter().map(|call| {
                    let stack_height = call.stack_height;
                    let mut call = compiled(&call.instruction);
                    call["stackHeight"] = json!(stack_height);
                    call
                });
                json!({ "index": index, "instructions": calls.collect::<Vec<_>>() })
            })
            .collect();
        json!({
            "slot": record.slot,
            "blockTime": record.time,
            "version": "legacy",
            "transaction": transaction,
            "meta": {
                "err": record.error,
                "status": status(record.error.as_ref()),
                "fee": record.meta.fee,
                "preBalances": [],
                "postBalances": [],
                "innerInstructions": inner,
                "logMessages": record.meta.logs,
                "loadedAddresses": { "writable": [], "readonly": [] },
                "computeUnitsConsumed": record.meta.compute_units_consumed,
            },
        })
    }
}

fn status(error: Option<&TransactionError>) -> Value {
    error.map_or_else(|| json!({ "Ok": null }), |error| json!({ "Err": error }))
}

fn encode(transaction: &Transaction) -> String {
    BASE64_STANDARD.encode(bincode::serialize(transaction).expect("a transaction can be written"))
}

fn as_json(transaction: &Transaction) -> Value {
    let message = &transaction.message;
    json!({
        "signatures": transaction.signatures.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "message": {
            "header": message.header,
            "accountKeys": message.account_keys.iter().map(ToString::to_string).collect::<Vec<_>>(),
            "recentBlockhash": message.recent_blockhash.to_string(),
            "instructions": message.instructions.iter().map(compiled).collect::<Vec<_>>(),
        },
    })
}

fn compiled(instruction: &solana_message::compiled_instruction::CompiledInstruction) -> Value {
    json!({
        "programIdIndex": instruction.program_id_index,
        "accounts": instruction.accounts,
        "data": bs58::encode(&instruction.data).into_string(),
        "stackHeight": null,
    })
}
