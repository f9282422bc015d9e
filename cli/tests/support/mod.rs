//! A network for tests: the compiled program in a virtual machine behind JSON-RPC on this machine, people with keys, and
//! the command.

use std::{fs, path::Path, sync::MutexGuard};

use anchor_lang::prelude::Pubkey;
use assert_cmd::Command;
use perpetua_client::{
    instruction::VaultKeys,
    price::{PriceAccount, pushed},
};
use perpetua_tests::{
    Chain,
    price::{self, FEEDS, SHARE_FEED, TOKEN_FEED, usd},
    rpc::Server,
    stock::IN_SESSION,
    token,
};
use serde_json::Value;
use solana_keypair::{Keypair, write_keypair_file};
use solana_signer::Signer;
use tempfile::TempDir;

/// The declaration that ships with the project.
pub const LOCALNET: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../migrations/localnet.toml");
/// The mints in it.
pub const MINTS: [&str; 2] =
    ["XsDoVfqeBukxuZHWhdvWHBhgEHjGNst4MLodqsJHzoB", "Xsc9qvGR1efVDFGLrVsmkzv3qi45LTBjeUKSPmx9qEh"];
/// The feed of the second vault's stock.
const NVIDIA_FEED: &str = "b1073854ed24cbc755dc527418f52b7d271f6cc967bbf8d8129112b18860a593";

/// How a run of the command ended.
pub struct Run {
    /// What it exited with.
    pub code: i32,
    /// What it printed.
    pub stdout: String,
    /// What it printed to standard error.
    pub stderr: String,
}

impl Run {
    /// The one document on standard output.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {}\n{}", self.stdout, self.stderr))
    }
}

/// Runs the command without a network.
pub fn perpetua(arguments: &[&str]) -> Run {
    run_in(&tempfile::tempdir().unwrap(), arguments)
}

/// A network with people.
pub struct Net {
    server: Server,
    folder: TempDir,
    spot: [i64; 2],
}

impl Net {
    /// The program, both mints, and an administrator with SOL. Nothing is set up.
    pub fn empty() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let admin = Keypair::new();
        let mut chain = Chain::new(&admin.pubkey());
        chain.fund(&admin.pubkey());
        write_keypair_file(&admin, folder.path().join("admin.json")).unwrap();
        for mint in MINTS {
            token::create_xstock(&mut chain, &mint.parse().unwrap());
        }
        chain.edit(&MINTS[1].parse().unwrap(), |data| {
            let at = data.windows(5).position(|bytes| bytes == b"TSLAx").unwrap();
            data[at..at + 5].copy_from_slice(b"NVDAx");
        });
        let wait = IN_SESSION - chain.now();
        chain.wait(wait);
        let net = Self { server: Server::start(chain), folder, spot: [100_000, 4_000] };
        net.post();
        net
    }

    /// The same set up as declared, with seeded pools.
    pub fn ready() -> Self {
        let net = Self::empty();
        net.ok("admin", &["admin", "apply", LOCALNET]);
        net.person("lp", 60_000);
        net.ok("lp", &["pool", "deposit", "TSLAx", "main", "50000"]);
        net.ok("lp", &["pool", "deposit", "TSLAx", "insurance", "5000"]);
        net
    }

    /// The chain, while nobody else uses it.
    pub fn chain(&self) -> MutexGuard<'_, Chain> {
        self.server.chain()
    }

    /// The TSLAx vault.
    pub fn vault(&self) -> VaultKeys {
        VaultKeys::new(MINTS[0].parse().unwrap(), token::TOKEN_2022)
    }

    /// Gives somebody a key, SOL, and whole TSLAx.
    pub fn person(&self, name: &str, tokens: u64) -> Pubkey {
        let keypair = Keypair::new();
        write_keypair_file(&keypair, self.folder.path().join(format!("{name}.json"))).unwrap();
        self.server.unsigned(|chain| {
            chain.fund(&keypair.pubkey());
            let mint = MINTS[0].parse().unwrap();
            token::issue(chain, &keypair.pubkey(), &mint, &token::TOKEN_2022, tokens * token::ONE);
        });
        keypair.pubkey()
    }

    /// Publishes the price of every feed now.
    pub fn post(&self) {
        let nvidia: Vec<u8> =
            (0..32).map(|at| u8::from_str_radix(&NVIDIA_FEED[2 * at..2 * at + 2], 16).unwrap()).collect();
        let nvidia: [u8; 32] = nvidia.try_into().unwrap();
        let [bitcoin, ether] = self.spot;
        let feeds = [(FEEDS[0], bitcoin), (FEEDS[1], ether), (SHARE_FEED, 400), (TOKEN_FEED, 400), (nvidia, 150)];
        let mut chain = self.chain();
        for (feed, dollars) in feeds {
            let address = pushed(&feed, 0);
            let before = PriceAccount::decode(&chain.account(&address).data).map_or(0, |last| last.publish_time);
            let fresh = price::fresh(&chain, feed, usd(dollars));
            let previous_publish_time = before.max(chain.now() - 60).min(chain.now() - 1);
            price::post(&mut chain, &address, &PriceAccount { previous_publish_time, ..fresh });
        }
    }

    /// Lets time pass, and publishes.
    pub fn wait(&self, seconds: i64) {
        self.chain().wait(seconds);
        self.post();
    }

    /// Runs the command with somebody's key.
    pub fn run(&self, who: &str, arguments: &[&str]) -> Run {
        let keypair = self.folder.path().join(format!("{who}.json"));
        let global = ["--url", &self.server.url, "--keypair", keypair.to_str().unwrap()];
        run_in(&self.folder, &[arguments, &global].concat())
    }

    /// Runs the command, which must succeed, without asking, and returns its document.
    pub fn ok(&self, who: &str, arguments: &[&str]) -> Value {
        let run = self.run(who, &[arguments, &["--yes", "--json"]].concat());
        assert_eq!(run.code, 0, "{arguments:?}: {}\n{}", run.stdout, run.stderr);
        run.json()
    }

    /// Runs the command, which must fail, and returns the error in its document.
    pub fn err(&self, who: &str, arguments: &[&str]) -> Value {
        let run = self.run(who, &[arguments, &["--yes", "--json"]].concat());
        assert_ne!(run.code, 0, "{arguments:?}: {}", run.stdout);
        let error = run.json()["error"].clone();
        assert_eq!(error["exit_code"], run.code);
        error
    }

    /// Writes a file and returns its path.
    pub fn write(&self, name: &str, text: &str) -> String {
        let path = self.folder.path().join(name);
        fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    }
}

fn run_in(home: &TempDir, arguments: &[&str]) -> Run {
    let mut command = Command::new(assert_cmd::cargo::cargo_bin!("perpetua"));
    command.env("HOME", Path::new(home.path())).env("NO_PROXY", "127.0.0.1").args(arguments);
    let output = command.output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Run { code: output.status.code().unwrap(), stdout: text(output.stdout), stderr: text(output.stderr) }
}

/// A decimal of a document in hundred-millionths.
pub fn raw(value: &Value) -> i128 {
    let text = value.as_str().unwrap_or_else(|| panic!("{value} is no string"));
    let (sign, text) = text.strip_prefix('-').map_or((1, text), |rest| (-1, rest));
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    assert!(fraction.len() <= 8, "{text}");
    sign * format!("{whole}{fraction:0<8}").parse::<i128>().unwrap()
}
