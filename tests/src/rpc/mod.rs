//! JSON-RPC over HTTP in front of the virtual machine, with signatures and blockhashes checked as a validator does.

mod answers;
mod ledger;

use std::{
    sync::{Arc, Mutex, MutexGuard},
    thread::{self, JoinHandle},
};

use litesvm::LiteSVM;
use serde_json::{Value, json};
use tiny_http::{Request, Response};

use crate::Chain;
use answers::Validator;

/// Transactions that the virtual machine remembers, so that none is carried out twice.
const REMEMBERED: usize = 10_000;

/// What goes wrong between a validator and its users.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Faults {
    /// Transactions that are carried out while the answer is lost on its way.
    pub lost_answers: u32,
    /// Transactions that are taken and never carried out.
    pub dropped: u32,
    /// Answers of any kind that fail.
    pub refused: u32,
    /// How much higher the blocks are than the slots of the chain.
    pub height: u64,
}

/// A running server.
pub struct Server {
    /// Where it listens.
    pub url: String,
    /// The chain behind it.
    pub chain: Arc<Mutex<Chain>>,
    faults: Arc<Mutex<Faults>>,
    http: Arc<tiny_http::Server>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Starts a server on a free port.
    pub fn start(chain: Chain) -> Self {
        let Chain { svm, payer } = chain;
        let chain = Arc::new(Mutex::new(Chain { svm: strict(svm), payer }));
        let faults = Arc::new(Mutex::new(Faults::default()));
        let http = Arc::new(tiny_http::Server::http("127.0.0.1:0").expect("a port is free"));
        let url = format!("http://{}", http.server_addr());
        let mut validator = Validator::new(Arc::clone(&chain), Arc::clone(&faults));
        let listener = Arc::clone(&http);
        let thread = thread::spawn(move || {
            for request in listener.incoming_requests() {
                answer(&mut validator, request);
            }
        });
        Self { url, chain, faults, http, thread: Some(thread) }
    }

    /// The chain, while nobody else uses it.
    pub fn chain(&self) -> MutexGuard<'_, Chain> {
        self.chain.lock().expect("the server does not panic")
    }

    /// Does something on the chain that needs no signature, and makes a block.
    pub fn unsigned<T>(&self, act: impl FnOnce(&mut Chain) -> T) -> T {
        let mut chain = self.chain();
        let machine = chain.svm.clone();
        chain.svm = machine.with_sigverify(false).with_blockhash_check(false).with_transaction_history(0);
        let result = act(&mut chain);
        chain.svm = strict(chain.svm.clone());
        chain.svm.expire_blockhash();
        result
    }

    /// What goes wrong from now on.
    pub fn fail(&self, faults: Faults) {
        *self.faults.lock().expect("the server does not panic") = faults;
    }
}

/// A machine that checks what a validator checks.
fn strict(machine: LiteSVM) -> LiteSVM {
    machine.with_sigverify(true).with_blockhash_check(true).with_transaction_history(REMEMBERED)
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

fn answer(validator: &mut Validator, mut request: Request) {
    let call: Value = serde_json::from_reader(request.as_reader()).expect("a request is JSON");
    let method = call["method"].as_str().expect("a request names a method");
    let Some(outcome) = validator.answer(method, &call["params"]) else {
        request.respond(Response::from_string("").with_status_code(503)).expect("the client waits");
        return;
    };
    let body = match outcome {
        Ok(result) => json!({ "jsonrpc": "2.0", "id": call["id"], "result": result }),
        Err(error) => json!({ "jsonrpc": "2.0", "id": call["id"], "error": error }),
    };
    request.respond(Response::from_string(body.to_string())).expect("the client waits");
}
