//! The network's process, and what only a local network can be told: what an account holds and what time it is.

use std::{path::Path, process::Stdio, sync::Arc, time::Duration};

use anyhow::{Context, Error, Result, anyhow, ensure};
use serde::Deserialize;
use serde_json::{Value, json};
use solana_commitment_config::CommitmentConfig;
use solana_pubkey::Pubkey;
use solana_rpc_client::nonblocking::rpc_client::RpcClient;
use solana_rpc_client_api::request::RpcRequest;
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, ChildStdin, Command},
};

/// How long it may take to end.
const PATIENCE: Duration = Duration::from_secs(10);
/// Bytes of a program that are written at once.
const CHUNK: usize = 1 << 20;

/// A running network.
pub struct Network {
    /// Address of its JSON-RPC.
    pub rpc: String,
    /// Address of its websockets.
    pub websocket: String,
    client: Arc<RpcClient>,
    process: Child,
    /// While it is open the network runs.
    input: ChildStdin,
}

/// What it says once it runs.
#[derive(Deserialize)]
struct Greeting {
    rpc: String,
    websocket: String,
}

/// Tells a network what it would not take from a transaction.
#[derive(Clone)]
pub struct Control(Arc<RpcClient>);

impl Network {
    /// Starts the network at `time`, Unix seconds, or now; it ends with this process, whatever way that ends.
    ///
    /// Errors: it does not start, as where a port is taken.
    pub async fn start(executable: &Path, rpc_port: u16, ws_port: u16, time: Option<i64>) -> Result<Self> {
        let mut command = Command::new(executable);
        command.args(["--rpc-port", &rpc_port.to_string(), "--ws-port", &ws_port.to_string()]);
        command.args(time.map(|time| format!("--time={time}")));
        // Ctrl-C is this process's to answer.
        command.process_group(0).stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
        let mut process = command.spawn().with_context(|| executable.display().to_string())?;
        let input = process.stdin.take().context("the network's input")?;
        let output = process.stdout.take().context("the network's output")?;
        let greeting = BufReader::new(output).lines().next_line().await?;
        let greeting = greeting.context("the network did not start; what it said stands above")?;
        let Greeting { rpc, websocket } = serde_json::from_str(&greeting)?;
        let client = Arc::new(RpcClient::new_with_commitment(rpc.clone(), CommitmentConfig::confirmed()));
        Ok(Self { rpc, websocket, client, process, input })
    }

    /// A connection that can tell the network things.
    pub fn control(&self) -> Control {
        Control(self.client.clone())
    }

    /// Waits until the network ends by itself, which it should not.
    pub async fn ended(&mut self) -> Error {
        match self.process.wait().await {
            Ok(status) => anyhow!("the network ended by itself: {status}"),
            Err(error) => error.into(),
        }
    }

    /// Ends the network.
    ///
    /// Errors: it does not end in time or not well.
    pub async fn stop(mut self) -> Result<()> {
        drop(self.input);
        let status = tokio::time::timeout(PATIENCE, self.process.wait()).await;
        let status = status.context("the network did not end in time and was killed")??;
        ensure!(status.success(), "the network ended with {status}");
        Ok(())
    }
}

impl Control {
    async fn tell(&self, method: &'static str, parameters: Value) -> Result<()> {
        let answer: Result<Value, _> = self.0.send(RpcRequest::Custom { method }, parameters).await;
        answer.with_context(|| format!("the network refuses {method}"))?;
        Ok(())
    }

    /// Overwrites an account. `lamports` keep it alive; they need not be what its size would cost.
    pub async fn set_account(&self, address: &Pubkey, owner: &Pubkey, lamports: u64, data: &[u8]) -> Result<()> {
        let account = json!({ "lamports": lamports, "owner": owner.to_string(), "data": hex::encode(data) });
        self.tell("surfnet_setAccount", json!([address.to_string(), account])).await
    }

    /// Deploys a program that `authority` may upgrade.
    pub async fn deploy(&self, program: &Pubkey, file: &[u8], authority: &Pubkey) -> Result<()> {
        let mut offset = 0;
        for chunk in file.chunks(CHUNK) {
            let parameters = json!([program.to_string(), hex::encode(chunk), offset, authority.to_string()]);
            self.tell("surfnet_writeProgram", parameters).await?;
            offset += chunk.len();
        }
        self.tell("surfnet_setProgramAuthority", json!([program.to_string(), authority.to_string()])).await
    }

    /// Moves the chain's clock forward, to Unix milliseconds, and makes a block.
    pub async fn travel(&self, unix_milliseconds: i64) -> Result<()> {
        self.tell("surfnet_timeTravel", json!([{ "absoluteTimestamp": unix_milliseconds }])).await
    }
}
