//! JSON-RPC over HTTP in front of the virtual machine, with signatures and blockhashes checked as a validator does.

mod answers;
mod http;
mod ledger;
mod relay;

use std::{
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
};

use litesvm::LiteSVM;
use serde_json::{Value, json};

use crate::Chain;
use answers::Validator;
pub use relay::Relay;

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
    address: SocketAddr,
    listening: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Starts a server on a free port.
    pub fn start(chain: Chain) -> Self {
        let Chain { svm, payer } = chain;
        let chain = Arc::new(Mutex::new(Chain { svm: strict(svm), payer }));
        let faults = Arc::new(Mutex::new(Faults::default()));
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let address = listener.local_addr().expect("it is bound");
        let listening = Arc::new(AtomicBool::new(true));
        let validator = Mutex::new(Validator::new(Arc::clone(&chain), Arc::clone(&faults)));
        let answer: Arc<http::Answer> =
            Arc::new(move |body: &[u8]| answer(&mut validator.lock().expect("no request panics"), body));
        let open = Arc::clone(&listening);
        let thread = thread::spawn(move || http::serve(&listener, &answer, || open.load(Ordering::Relaxed)));
        Self { url: format!("http://{address}"), chain, faults, address, listening, thread: Some(thread) }
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
        self.listening.store(false, Ordering::Relaxed);
        // Wakes it.
        drop(TcpStream::connect(self.address));
        if let Some(thread) = self.thread.take() {
            // A panic of the server already failed the request that the test made.
            let _ = thread.join();
        }
    }
}

/// The answer to a request, unless it is lost.
fn answer(validator: &mut Validator, request: &[u8]) -> Option<String> {
    let call: Value = serde_json::from_slice(request).expect("a request is JSON");
    let method = call["method"].as_str().expect("a request names a method");
    let body = match validator.answer(method, &call["params"])? {
        Ok(result) => json!({ "jsonrpc": "2.0", "id": call["id"], "result": result }),
        Err(error) => json!({ "jsonrpc": "2.0", "id": call["id"], "error": error }),
    };
    Some(body.to_string())
}
