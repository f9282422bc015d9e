//! Talks to a network over JSON-RPC: [`AsyncClient`] on tokio, [`Client`] for programs that wait.
//!
//! Both do the same by the same code. Reads come with the slot that they are of, what is sent ends with a definite
//! answer, and each error says what is wrong and what to do about it.

mod blocking;
mod error;
mod history;
mod query;
mod read;
mod send;
mod subscription;

use std::sync::Arc;

use solana_commitment_config::CommitmentConfig;
use solana_rpc_client::nonblocking::rpc_client::RpcClient;

pub use blocking::Client;
pub use error::{ClientError, Failure};
pub use history::{Happened, Page, decode_events};
pub use send::{Confirmed, Outcome, SendOptions, Signed, Simulated, Unsigned};
pub use subscription::Subscription;

pub use crate::snapshot::{Keyed, RawAccount, Snapshot};

/// A connection to a network, for tokio. Copies share the connection.
#[derive(Clone)]
pub struct AsyncClient {
    rpc: Arc<RpcClient>,
}

impl AsyncClient {
    /// A client of the endpoint at `url`, which reads what most of the stake voted for ("confirmed").
    pub fn new(url: impl Into<String>) -> Self {
        Self::with_commitment(url, CommitmentConfig::confirmed())
    }

    /// A client of the endpoint at `url` that reads at a commitment of one's choice.
    pub fn with_commitment(url: impl Into<String>, commitment: CommitmentConfig) -> Self {
        Self::from_rpc(RpcClient::new_with_commitment(url.into(), commitment))
    }

    /// A client on a connection that exists, with its commitment.
    pub fn from_rpc(rpc: impl Into<Arc<RpcClient>>) -> Self {
        Self { rpc: rpc.into() }
    }

    /// The connection, for what this library does not do.
    pub fn rpc(&self) -> &RpcClient {
        &self.rpc
    }

    /// How sure the network must be of what it reports.
    pub fn commitment(&self) -> CommitmentConfig {
        self.rpc.commitment()
    }
}
