//! A cluster for tests: the compiled program in a virtual machine behind JSON-RPC over HTTP on this machine, a wallet,
//! and the command.

use std::{fs, sync::MutexGuard};

use assert_cmd::Command;
use perpetua_tests::{
    Chain,
    chain::{Snapshot, changed},
    client::{address, instruction::VaultKeys},
    token,
};
use serde_json::Value;
use solana_keypair::{Keypair, write_keypair_file};
use solana_signer::Signer;
use tempfile::TempDir;

pub use perpetua_tests::rpc::Server;

/// The mints that the localnet file declares: of TSLAx and of NVDAx.
pub const MINTS: [&str; 2] =
    ["XsDoVfqeBukxuZHWhdvWHBhgEHjGNst4MLodqsJHzoB", "Xsc9qvGR1efVDFGLrVsmkzv3qi45LTBjeUKSPmx9qEh"];
/// The localnet file.
pub const LOCALNET: &str = include_str!("../../localnet.toml");

/// Every step of the localnet file, in order.
pub const STEPS: [&str; 15] = [
    "exchange",
    "index BTC/USD",
    "index ETH/USD",
    "vault TSLAx",
    "stock of TSLAx",
    "short days of TSLAx",
    "quanto market BTC/USD on TSLAx",
    "quanto market ETH/USD on TSLAx",
    "dollar market BTC/USD on TSLAx",
    "dollar market ETH/USD on TSLAx",
    "vault NVDAx",
    "stock of NVDAx",
    "short days of NVDAx",
    "dollar market BTC/USD on NVDAx",
    "dollar market ETH/USD on NVDAx",
];

/// A cluster with the program deployed and the stock tokens' mints.
pub struct Cluster {
    /// The network.
    pub server: Server,
    /// The program's upgrade authority, with SOL.
    pub wallet: Keypair,
    folder: TempDir,
}

/// How a run of the command ended.
pub struct Run {
    /// Whether it succeeded.
    pub success: bool,
    /// What it printed.
    pub stdout: String,
    /// What it printed to standard error.
    pub stderr: String,
}

impl Run {
    /// The outcome as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {}\n{}", self.stdout, self.stderr))
    }

    /// The state of each declared account, in order.
    pub fn states(&self) -> Vec<(String, String)> {
        let json = self.json();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        json["steps"].as_array().unwrap().iter().map(|step| (text(&step["what"]), text(&step["state"]))).collect()
    }
}

impl Cluster {
    /// An empty cluster.
    pub fn new() -> Self {
        Self::prepared(|_, _| ())
    }

    /// A cluster that `prepare` did something to, given the chain and the wallet.
    pub fn prepared(prepare: impl FnOnce(&mut Chain, &Keypair)) -> Self {
        let wallet = Keypair::new();
        let mut chain = Chain::new(&wallet.pubkey());
        chain.fund(&wallet.pubkey());
        for mint in MINTS {
            token::create_xstock(&mut chain, &mint.parse().unwrap());
        }
        prepare(&mut chain, &wallet);
        let folder = tempfile::tempdir().unwrap();
        let cluster = Self { server: Server::start(chain), wallet, folder };
        cluster.write("localnet.toml", LOCALNET);
        write_keypair_file(&cluster.wallet, cluster.path("wallet.json")).unwrap();
        cluster
    }

    /// A file's path in the cluster's folder.
    pub fn path(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().unwrap().to_owned()
    }

    /// Writes a file into the cluster's folder.
    pub fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    /// Runs the command on this cluster with the wallet and more arguments.
    pub fn run(&self, arguments: &[&str]) -> Run {
        self.run_with("localnet.toml", "wallet.json", arguments)
    }

    /// Runs the command with another declaration or key in the cluster's folder.
    pub fn run_with(&self, config: &str, keypair: &str, arguments: &[&str]) -> Run {
        self.run_all(&self.server.url, config, keypair, arguments)
    }

    /// Runs the command against another endpoint.
    pub fn run_at(&self, url: &str, arguments: &[&str]) -> Run {
        self.run_all(url, "localnet.toml", "wallet.json", arguments)
    }

    fn run_all(&self, url: &str, config: &str, keypair: &str, arguments: &[&str]) -> Run {
        let mut command = Command::cargo_bin("perpetua-setup").unwrap();
        command.env("HOME", self.folder.path()).env("NO_PROXY", "127.0.0.1");
        command.args(["--config", &self.path(config), "--keypair", &self.path(keypair), "--url", url]);
        let output = command.args(arguments).output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Run { success: output.status.success(), stdout: text(output.stdout), stderr: text(output.stderr) }
    }

    /// Sets the cluster up.
    pub fn set_up(&self) -> Run {
        let run = self.run(&["--yes", "--json"]);
        assert!(run.success, "{}", run.stderr);
        run
    }

    /// The chain.
    pub fn chain(&self) -> MutexGuard<'_, Chain> {
        self.server.chain.lock().unwrap()
    }

    /// Every account with every byte.
    pub fn snapshot(&self) -> Snapshot {
        self.chain().snapshot()
    }

    /// Whether the exchange exists.
    pub fn has_exchange(&self) -> bool {
        !self.chain().account(&address::exchange()).data.is_empty()
    }
}

/// The addresses around TSLAx.
pub fn keys() -> VaultKeys {
    VaultKeys::new(MINTS[0].parse().unwrap(), token::TOKEN_2022)
}

/// Those around NVDAx.
pub fn nvidia() -> VaultKeys {
    VaultKeys::new(MINTS[1].parse().unwrap(), token::TOKEN_2022)
}

/// Every step in one state.
pub fn all(state: &str) -> Vec<(String, String)> {
    STEPS.iter().map(|what| ((*what).to_owned(), state.to_owned())).collect()
}

/// Runs the command with `from` in the localnet file replaced by `to`, which it must refuse without changing anything.
pub fn refusal(cluster: &Cluster, from: &str, to: &str) -> String {
    assert!(LOCALNET.contains(from), "the file has no {from:?}");
    cluster.write("other.toml", &LOCALNET.replacen(from, to, 1));
    let before = cluster.snapshot();
    let run = cluster.run_with("other.toml", "wallet.json", &["--yes"]);
    assert!(!run.success, "{}", run.stdout);
    assert_eq!(changed(&before, &cluster.snapshot()), []);
    run.stderr
}
