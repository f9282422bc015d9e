//! What a validator answers.

use std::sync::{Arc, Mutex, MutexGuard};

use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::{Value, json};
use solana_account::{Account, ReadableAccount};
use solana_pubkey::Pubkey;
use solana_transaction::Transaction;
use solana_transaction_error::TransactionError;

use super::{Faults, ledger::Records};
use crate::Chain;

/// A local network's first block, as any hash that is no public cluster's.
const GENESIS: &str = "11111111111111111111111111111111";
/// A validator's code for a failed simulation.
const SIMULATION_FAILED: i64 = -32_002;
/// Blocks that a blockhash is good for.
const BLOCKHASH_BLOCKS: u64 = 150;

/// What a request sees.
pub struct Validator {
    chain: Arc<Mutex<Chain>>,
    faults: Arc<Mutex<Faults>>,
    records: Records,
}

/// A result, or an error of JSON-RPC.
type Answer = Result<Value, Value>;

impl Validator {
    pub fn new(chain: Arc<Mutex<Chain>>, faults: Arc<Mutex<Faults>>) -> Self {
        Self { chain, faults, records: Records::default() }
    }

    /// The answer, unless it is lost.
    pub fn answer(&mut self, method: &str, parameters: &Value) -> Option<Answer> {
        if self.strikes(|faults| &mut faults.refused) {
            return None;
        }
        let text = |place: usize| parameters[place].as_str().expect("a text");
        Some(match method {
            "getGenesisHash" => Ok(json!(GENESIS)),
            "getAccountInfo" => Ok(self.at_slot(self.account(text(0)))),
            "getMultipleAccounts" => {
                let addresses = parameters[0].as_array().expect("addresses").iter();
                let accounts = addresses.map(|address| self.account(address.as_str().expect("an address")));
                Ok(self.at_slot(accounts.collect()))
            }
            "getProgramAccounts" => Ok(self.program_accounts(text(0), &parameters[1])),
            "getLatestBlockhash" => Ok(self.blockhash()),
            "getEpochInfo" => Ok(self.epoch()),
            "sendTransaction" => {
                let answer = self.send(text(0), &parameters[1]);
                if self.strikes(|faults| &mut faults.lost_answers) {
                    return None;
                }
                answer
            }
            "simulateTransaction" => Ok(self.simulate(text(0))),
            "getSignatureStatuses" => {
                let status = self.records.status(parameters[0][0].as_str().expect("a signature"));
                Ok(self.at_slot(json!([status])))
            }
            "getSignaturesForAddress" => {
                Ok(self.records.of_address(&text(0).parse().expect("an address"), &parameters[1]))
            }
            "getTransaction" => {
                Ok(self.records.transaction(text(0), parameters[1]["encoding"].as_str().expect("an encoding")))
            }
            other => Err(json!({ "code": -32_601, "message": format!("Method not found: {other}") })),
        })
    }

    /// Whether a fault strikes now; it strikes once less then.
    fn strikes(&self, which: impl Fn(&mut Faults) -> &mut u32) -> bool {
        let mut faults = self.faults.lock().expect("nobody panics with it");
        let left = which(&mut faults);
        let strikes = *left > 0;
        *left = left.saturating_sub(1);
        strikes
    }

    fn chain(&self) -> MutexGuard<'_, Chain> {
        self.chain.lock().expect("no test panics with it")
    }

    fn at_slot(&self, value: Value) -> Value {
        json!({ "context": { "slot": self.chain().slot() }, "value": value })
    }

    fn height(&self) -> u64 {
        self.chain().slot() + self.faults.lock().expect("nobody panics with it").height
    }

    fn account(&self, address: &str) -> Value {
        let found = self.chain().svm.get_account(&address.parse().expect("an address"));
        found.map_or(Value::Null, |account| account_json(&account))
    }

    fn program_accounts(&self, program: &str, options: &Value) -> Value {
        let program: Pubkey = program.parse().expect("an address");
        let filters = options["filters"].as_array().expect("filters");
        let chain = self.chain();
        let all = chain.svm.accounts_db().inner.iter();
        let of_program = all.filter(|(_, account)| *account.owner() == program && account.lamports() > 0);
        let found: Value = of_program
            .filter(|(_, account)| filters.iter().all(|filter| passes(filter, account.data())))
            .map(|(address, account)| {
                json!({ "pubkey": address.to_string(), "account": account_json(&account.clone().into()) })
            })
            .collect();
        drop(chain);
        self.at_slot(found)
    }

    fn blockhash(&self) -> Value {
        let blockhash = self.chain().svm.latest_blockhash().to_string();
        let last = self.height() + BLOCKHASH_BLOCKS;
        self.at_slot(json!({ "blockhash": blockhash, "lastValidBlockHeight": last }))
    }

    fn epoch(&self) -> Value {
        let slot = self.chain().slot();
        json!({ "epoch": 0, "slotIndex": slot, "slotsInEpoch": 432_000, "absoluteSlot": slot,
            "blockHeight": self.height(), "transactionCount": null })
    }

    fn send(&mut self, bytes: &str, options: &Value) -> Answer {
        let transaction = decode(bytes);
        let signature = transaction.signatures[0].to_string();
        let mut chain = self.chain();
        if options["skipPreflight"] != true
            && let Err(failed) = chain.svm.simulate_transaction(transaction.clone())
        {
            return Err(refusal(&failed.err, &failed.meta.logs));
        }
        drop(chain);
        if self.strikes(|faults| &mut faults.dropped) {
            return Ok(json!(signature));
        }
        chain = self.chain();
        let when = (chain.slot(), chain.now());
        let outcome = chain.svm.send_transaction(transaction.clone());
        drop(chain);
        match outcome {
            Ok(meta) => self.records.note(when, transaction, meta, None),
            // What was carried out before, or for a blockhash that expired, is not carried out.
            Err(failed) if !is_carried_out(&failed.err) => {}
            Err(failed) => self.records.note(when, transaction, failed.meta, Some(failed.err)),
        }
        Ok(json!(signature))
    }

    fn simulate(&self, bytes: &str) -> Value {
        let mut transaction = decode(bytes);
        let mut machine = self.chain().svm.clone().with_sigverify(false);
        transaction.message.recent_blockhash = machine.latest_blockhash();
        let (error, meta) = match machine.send_transaction(transaction) {
            Ok(meta) => (None, meta),
            Err(failed) => (Some(failed.err), failed.meta),
        };
        let returned = BASE64_STANDARD.encode(&meta.return_data.data);
        self.at_slot(json!({
            "err": error,
            "logs": meta.logs,
            "unitsConsumed": meta.compute_units_consumed,
            "returnData": { "programId": meta.return_data.program_id.to_string(), "data": [returned, "base64"] },
        }))
    }
}

fn is_carried_out(error: &TransactionError) -> bool {
    matches!(error, TransactionError::InstructionError(..))
}

fn decode(bytes: &str) -> Transaction {
    let bytes = BASE64_STANDARD.decode(bytes).expect("a transaction is base64");
    bincode::deserialize(&bytes).expect("a transaction can be read")
}

fn account_json(account: &Account) -> Value {
    json!({
        "data": [BASE64_STANDARD.encode(&account.data), "base64"],
        "executable": account.executable,
        "lamports": account.lamports,
        "owner": account.owner.to_string(),
        "rentEpoch": u64::MAX,
        "space": account.data.len(),
    })
}

fn passes(filter: &Value, data: &[u8]) -> bool {
    if let Some(size) = filter["dataSize"].as_u64() {
        return u64::try_from(data.len()) == Ok(size);
    }
    let compare = &filter["memcmp"];
    assert_eq!(compare["encoding"], "base58", "a filter that this server does not know: {filter}");
    let offset = usize::try_from(compare["offset"].as_u64().expect("an offset")).expect("a small number");
    let bytes = bs58::decode(compare["bytes"].as_str().expect("bytes")).into_vec().expect("base58");
    data.get(offset..offset + bytes.len()) == Some(bytes.as_slice())
}

fn refusal(error: &TransactionError, logs: &[String]) -> Value {
    json!({
        "code": SIMULATION_FAILED,
        "message": format!("Transaction simulation failed: {error}"),
        "data": { "accounts": null, "err": error, "logs": logs, "unitsConsumed": 0 },
    })
}
