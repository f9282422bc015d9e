//! A network behind Solana's JSON-RPC over HTTP.

use std::time::Duration;

use anchor_lang::prelude::Pubkey;
use anyhow::{Context, Result, anyhow, bail};
use base64::{Engine, prelude::BASE64_STANDARD};
use perpetua_client::error::explain;
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};
use solana_hash::Hash;
use solana_signature::Signature;
use solana_transaction::Transaction;
use solana_transaction_error::TransactionError;
use ureq::Agent;

use crate::network::{Account, Network, Status};

/// Longest wait for one answer.
const TIMEOUT: Duration = Duration::from_secs(30);
/// How sure the network must be of what it reports.
const COMMITMENT: &str = "confirmed";
/// Code of the answer to a transaction whose simulation failed.
const SIMULATION_FAILED: i64 = -32_002;
/// How many of a failed transaction's last log lines are told.
const LOG_LINES: usize = 4;

/// A JSON-RPC endpoint.
pub struct Rpc {
    url: String,
    agent: Agent,
}

#[derive(Deserialize)]
struct Answer {
    result: Option<Value>,
    error: Option<Refusal>,
}

#[derive(Deserialize)]
struct Refusal {
    code: i64,
    message: String,
    data: Option<Value>,
}

/// What comes with the slot that it was read at.
#[derive(Deserialize)]
struct AtSlot<T> {
    value: T,
}

#[derive(Deserialize)]
struct RawAccount {
    owner: String,
    lamports: u64,
    data: (String, String),
}

#[derive(Deserialize)]
struct RawBlockhash {
    blockhash: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawStatus {
    err: Option<TransactionError>,
    confirmation_status: Option<String>,
}

impl Rpc {
    /// The endpoint at `url`.
    pub fn new(url: &str) -> Self {
        let config = Agent::config_builder().timeout_global(Some(TIMEOUT)).http_status_as_error(false);
        Self { url: url.to_owned(), agent: config.build().into() }
    }

    fn call<T: DeserializeOwned>(&self, method: &str, parameters: Value) -> Result<T> {
        let answer = self.exchange(method, parameters)?;
        if let Some(refusal) = answer.error {
            return Err(explain_refusal(method, refusal));
        }
        serde_json::from_value(answer.result.unwrap_or_default()).with_context(|| self.not_rpc(method))
    }

    fn exchange(&self, method: &str, parameters: Value) -> Result<Answer> {
        let request = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": parameters });
        let mut response = self.agent.post(&self.url).send_json(&request).with_context(|| {
            format!("cannot reach {}; check --url, and whether the network runs and this machine is online", self.url)
        })?;
        match response.status().as_u16() {
            429 => {
                bail!("{} limits its requests; wait a minute and run again, or use an endpoint of your own", self.url)
            }
            401 | 403 => bail!("{} refuses access; check the endpoint's key in --url", self.url),
            // Errors of JSON-RPC itself may come with an HTTP status of their own.
            _ => {}
        }
        let status = response.status();
        let answer = response.body_mut().read_json();
        answer.with_context(|| format!("{} (HTTP status {status})", self.not_rpc(method)))
    }

    fn not_rpc(&self, method: &str) -> String {
        format!("{} does not answer {method} as a Solana JSON-RPC endpoint does; check --url", self.url)
    }

    fn parse<T: std::str::FromStr>(&self, method: &str, text: &str) -> Result<T> {
        text.parse().map_err(|_| anyhow!("{}: it said \"{text}\"", self.not_rpc(method)))
    }
}

impl Network for Rpc {
    fn genesis(&self) -> Result<Hash> {
        let text: String = self.call("getGenesisHash", json!([]))?;
        self.parse("getGenesisHash", &text)
    }

    fn account(&self, address: &Pubkey) -> Result<Option<Account>> {
        let options = json!({ "encoding": "base64", "commitment": COMMITMENT });
        let found: AtSlot<Option<RawAccount>> = self.call("getAccountInfo", json!([address.to_string(), options]))?;
        let Some(RawAccount { owner, lamports, data: (data, _) }) = found.value else { return Ok(None) };
        let data = BASE64_STANDARD.decode(data).with_context(|| self.not_rpc("getAccountInfo"))?;
        Ok(Some(Account { owner: self.parse("getAccountInfo", &owner)?, lamports, data }))
    }

    fn latest_blockhash(&self) -> Result<Hash> {
        let found: AtSlot<RawBlockhash> = self.call("getLatestBlockhash", json!([{ "commitment": COMMITMENT }]))?;
        self.parse("getLatestBlockhash", &found.value.blockhash)
    }

    fn send(&self, transaction: &Transaction) -> Result<Signature> {
        let bytes = bincode::serialize(transaction).context("the transaction cannot be written")?;
        let options = json!({ "encoding": "base64", "preflightCommitment": COMMITMENT });
        let text: String = self.call("sendTransaction", json!([BASE64_STANDARD.encode(bytes), options]))?;
        self.parse("sendTransaction", &text)
    }

    fn status(&self, signature: &Signature) -> Result<Status> {
        let found: AtSlot<Vec<Option<RawStatus>>> =
            self.call("getSignatureStatuses", json!([[signature.to_string()]]))?;
        let Some(Some(status)) = found.value.into_iter().next() else { return Ok(Status::Pending) };
        Ok(match (status.err, status.confirmation_status.as_deref()) {
            (_, Some("processed")) => Status::Pending,
            (Some(error), _) => Status::Failed(error),
            (None, _) => Status::Confirmed,
        })
    }
}

/// A transaction's failure in words.
pub fn failure(error: &TransactionError) -> String {
    let explanation = explain(error);
    format!("{}: {}. {}", explanation.name, explanation.message.trim_end_matches('.'), explanation.remedy)
}

fn explain_refusal(method: &str, refusal: Refusal) -> anyhow::Error {
    let Refusal { code, message, data } = refusal;
    let simulated = data.filter(|_| code == SIMULATION_FAILED).unwrap_or_default();
    let error = TransactionError::deserialize(&simulated["err"]);
    let Ok(error) = error else {
        return anyhow!("the network refuses {method}: {message} (code {code})");
    };
    let logs: Vec<&str> = simulated["logs"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let last = logs.get(logs.len().saturating_sub(LOG_LINES)..).unwrap_or_default();
    let log = last.iter().map(|line| format!("\n    {line}")).collect::<String>();
    anyhow!("the network refuses the transaction, and nothing was spent: {}{log}", failure(&error))
}
