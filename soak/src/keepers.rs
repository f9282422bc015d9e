//! Keepers as processes, which can be killed, each with a way to the network that can be cut.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    path::{Path, PathBuf},
    process::Stdio,
};

use anyhow::{Context, Result, ensure};
use perpetua_tests::rpc::Relay;
use solana_keypair::{Keypair, write_keypair_file};
use solana_pubkey::Pubkey;
use solana_signer::Signer;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    process::{Child, Command},
};

/// What a keeper gets to pay fees with.
const LAMPORTS: u64 = 100_000_000_000;

/// A keeper.
pub struct Keeper {
    /// Its key.
    pub key: Keypair,
    executable: PathBuf,
    folder: PathBuf,
    port: u16,
    relay: Relay,
    child: Option<Child>,
    /// Whether its way to the network is open.
    reaches: bool,
}

impl Keeper {
    /// A keeper that is not started yet, with its files in `folder`. A round each 100 ms, the shortest that it takes, is one
    /// each two seconds of the chain.
    ///
    /// Errors: a file cannot be written; there is no free port.
    pub async fn new(executable: &Path, folder: &Path, seed: [u8; 32], rpc: &str) -> Result<Self> {
        fs::create_dir_all(folder)?;
        let (key, relay) = (Keypair::new_from_array(seed), Relay::to(rpc).await);
        let file = folder.join("keeper.json");
        if file.exists() {
            fs::remove_file(&file)?;
        }
        write_keypair_file(&key, &file).map_err(|error| anyhow::anyhow!("{}: {error}", file.display()))?;
        let port = TcpListener::bind("127.0.0.1:0").await?.local_addr()?.port();
        let config = format!(
            "keypair = \"keeper.json\"\n[rpc]\nurls = [\"{}\"]\ntimeout = \"2s\"\nask = \"50ms\"\n[schedule]\npoll = \"100ms\"\n\
             accounts = \"100ms\"\n[metrics]\nlisten = \"127.0.0.1:{port}\"\n",
            relay.url
        );
        fs::write(folder.join("keeper.toml"), config)?;
        let (executable, folder) = (executable.to_owned(), folder.to_owned());
        Ok(Self { key, executable, folder, port, relay, child: None, reaches: true })
    }

    /// What it must be given before it starts.
    pub fn lamports() -> u64 {
        LAMPORTS
    }

    /// Who pays for what it does.
    pub fn payer(&self) -> Pubkey {
        self.key.pubkey()
    }

    /// Starts it; its log goes on.
    ///
    /// Errors: it does not start.
    pub fn start(&mut self) -> Result<()> {
        let log = File::options().create(true).append(true).open(self.folder.join("keeper.log"))?;
        let mut command = Command::new(&self.executable);
        command.arg("--config").arg(self.folder.join("keeper.toml")).env("NO_PROXY", "127.0.0.1");
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).kill_on_drop(true);
        self.child = Some(command.spawn().with_context(|| self.executable.display().to_string())?);
        Ok(())
    }

    /// Kills it as `kill -9` does.
    ///
    /// Errors: it ended before, by itself.
    pub async fn kill(&mut self) -> Result<()> {
        let mut child = self.child.take().context("a keeper runs")?;
        ensure!(child.try_wait()?.is_none(), "a keeper ended by itself; its log is in {}", self.folder.display());
        child.kill().await?;
        Ok(())
    }

    /// Cuts its way to the network, or mends it.
    pub async fn reach(&mut self, open: bool) {
        self.reaches = open;
        self.relay.set(open).await;
    }

    /// Whether it runs and can reach the network.
    pub fn is_able(&self) -> bool {
        self.child.is_some() && self.reaches
    }

    /// Whether it has seen the slot, and found nothing to do there that it has not done.
    ///
    /// Errors: it ended by itself.
    pub async fn is_idle(&mut self, slot: u64) -> Result<bool> {
        let Some(child) = &mut self.child else { return Ok(true) };
        ensure!(child.try_wait()?.is_none(), "a keeper ended by itself; its log is in {}", self.folder.display());
        // It may not listen yet.
        let Ok(metrics) = self.metrics().await else { return Ok(false) };
        let sum = |name: &str| {
            let found = metrics.iter().filter(|(key, _)| key.split('{').next() == Some(name));
            found.map(|(_, value)| value.as_str()).filter(|value| *value != "0").count()
        };
        let seen = metrics.get("perpetua_keeper_chain_slot").and_then(|slot| slot.parse::<u64>().ok());
        let busy = sum("perpetua_keeper_jobs_due") + sum("perpetua_keeper_jobs_running");
        Ok(seen.is_some_and(|seen| seen >= slot) && busy == 0)
    }

    /// Its metrics by name and labels.
    ///
    /// Errors: it does not answer.
    pub async fn metrics(&self) -> Result<BTreeMap<String, String>> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).await?;
        stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: keeper\r\nConnection: close\r\n\r\n").await?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await?;
        let lines = answer.lines().filter(|line| line.starts_with("perpetua_keeper"));
        Ok(lines.filter_map(|line| line.rsplit_once(' ')).map(|(key, value)| (key.into(), value.into())).collect())
    }
}
