//! JSON-RPC over HTTP in front of the virtual machine, with signatures and blockhashes checked as a validator does.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    thread::{self, JoinHandle},
};

use base64::{Engine, prelude::BASE64_STANDARD};
use perpetua_tests::Chain;
use serde_json::{Value, json};
use solana_transaction::Transaction;
use solana_transaction_error::TransactionError;
use tiny_http::{Request, Response};

/// A local network's first block, as any hash that is no public cluster's.
const GENESIS: &str = "11111111111111111111111111111111";
/// A validator's code for a failed simulation.
const SIMULATION_FAILED: i64 = -32_002;

/// A running server.
pub struct Server {
    /// Where it listens.
    pub url: String,
    /// The chain behind it.
    pub chain: Arc<Mutex<Chain>>,
    http: Arc<tiny_http::Server>,
    thread: Option<JoinHandle<()>>,
}

/// What a request sees.
struct Validator {
    chain: Arc<Mutex<Chain>>,
    /// How often each transaction was asked for: it is confirmed when asked for the second time.
    asked: BTreeMap<String, u32>,
}

impl Server {
    /// Starts a server on a free port.
    pub fn start(chain: Chain) -> Self {
        let Chain { svm, payer } = chain;
        let chain = Chain { svm: svm.with_sigverify(true).with_blockhash_check(true), payer };
        let chain = Arc::new(Mutex::new(chain));
        let http = Arc::new(tiny_http::Server::http("127.0.0.1:0").unwrap());
        let url = format!("http://{}", http.server_addr());
        let mut validator = Validator { chain: Arc::clone(&chain), asked: BTreeMap::new() };
        let listener = Arc::clone(&http);
        let thread = thread::spawn(move || {
            for request in listener.incoming_requests() {
                validator.answer(request);
            }
        });
        Self { url, chain, http, thread: Some(thread) }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.http.unblock();
        if let Some(thread) = self.thread.take() {
            // A panic of the server already failed the request that the test made.
            let _ = thread.join();
        }
    }
}

impl Validator {
    fn answer(&mut self, mut request: Request) {
        let call: Value = serde_json::from_reader(request.as_reader()).unwrap();
        let parameters = &call["params"];
        let outcome = match call["method"].as_str().unwrap() {
            "getGenesisHash" => Ok(json!(GENESIS)),
            "getAccountInfo" => Ok(self.account(parameters)),
            "getLatestBlockhash" => Ok(self.blockhash()),
            "sendTransaction" => self.send(parameters),
            "getSignatureStatuses" => Ok(self.statuses(parameters)),
            other => Err(json!({ "code": -32_601, "message": format!("Method not found: {other}") })),
        };
        let body = match outcome {
            Ok(result) => json!({ "jsonrpc": "2.0", "id": call["id"], "result": result }),
            Err(error) => json!({ "jsonrpc": "2.0", "id": call["id"], "error": error }),
        };
        request.respond(Response::from_string(body.to_string())).unwrap();
    }

    fn at_slot(&self, value: Value) -> Value {
        json!({ "context": { "slot": self.chain.lock().unwrap().slot() }, "value": value })
    }

    fn account(&self, parameters: &Value) -> Value {
        let address = parameters[0].as_str().unwrap().parse().unwrap();
        let found = self.chain.lock().unwrap().svm.get_account(&address);
        self.at_slot(found.map_or(Value::Null, |account| {
            json!({
                "data": [BASE64_STANDARD.encode(&account.data), "base64"],
                "executable": account.executable,
                "lamports": account.lamports,
                "owner": account.owner.to_string(),
                "rentEpoch": u64::MAX,
                "space": account.data.len(),
            })
        }))
    }

    fn blockhash(&self) -> Value {
        let blockhash = self.chain.lock().unwrap().svm.latest_blockhash().to_string();
        self.at_slot(json!({ "blockhash": blockhash, "lastValidBlockHeight": 1_150 }))
    }

    fn send(&self, parameters: &Value) -> Result<Value, Value> {
        let bytes = BASE64_STANDARD.decode(parameters[0].as_str().unwrap()).unwrap();
        let transaction: Transaction = bincode::deserialize(&bytes).unwrap();
        let signature = transaction.signatures[0].to_string();
        match self.chain.lock().unwrap().svm.send_transaction(transaction) {
            Ok(_) => Ok(json!(signature)),
            Err(failed) => Err(refusal(&failed.err, &failed.meta.logs)),
        }
    }

    fn statuses(&mut self, parameters: &Value) -> Value {
        let signature = parameters[0][0].as_str().unwrap().to_owned();
        let times = self.asked.entry(signature).or_default();
        *times += 1;
        let confirmed = json!({ "slot": 1_000, "confirmations": 1, "err": null, "status": { "Ok": null },
            "confirmationStatus": "confirmed" });
        let status = if *times == 1 { Value::Null } else { confirmed };
        self.at_slot(json!([status]))
    }
}

fn refusal(error: &TransactionError, logs: &[String]) -> Value {
    json!({
        "code": SIMULATION_FAILED,
        "message": format!("Transaction simulation failed: {error}"),
        "data": { "accounts": null, "err": error, "logs": logs, "unitsConsumed": 0 },
    })
}
