//! Several RPC addresses of one network: the first that works and is not behind is used.

use std::{
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use perpetua_client::rpc::{AsyncClient, ClientError};
use solana_commitment_config::CommitmentConfig;
use solana_rpc_client::nonblocking::rpc_client::RpcClient;
use tracing::{info, warn};

use crate::{config::Rpc, metrics::Metrics};

/// One address.
struct Endpoint {
    /// As logs and metrics name it: without a key that may be in its path.
    name: String,
    client: AsyncClient,
    healthy: AtomicBool,
    slot: AtomicU64,
}

/// The addresses, the preferred one first.
pub struct Endpoints {
    endpoints: Vec<Endpoint>,
    probe: Duration,
    max_lag_slots: u64,
    metrics: Arc<Metrics>,
}

impl Endpoints {
    /// Clients of all addresses.
    pub fn new(config: &Rpc, metrics: Arc<Metrics>) -> Self {
        let endpoint = |url: &String| {
            let commitment = CommitmentConfig::confirmed();
            let rpc = RpcClient::new_with_timeout_and_commitment(url.clone(), config.timeout, commitment);
            Endpoint {
                name: name_of(url),
                client: AsyncClient::from_rpc(rpc),
                healthy: AtomicBool::new(true),
                slot: AtomicU64::new(0),
            }
        };
        let endpoints = config.urls.iter().map(endpoint).collect();
        Self { endpoints, probe: config.probe, max_lag_slots: config.max_lag_slots, metrics }
    }

    /// Asks the first address that works, and if it does not answer the next ones.
    ///
    /// Errors: the last address's; at once what is no failure of the transport.
    pub async fn ask<T, F, A>(&self, ask: F) -> Result<T, ClientError>
    where
        F: Fn(AsyncClient) -> A,
        A: Future<Output = Result<T, ClientError>>,
    {
        let mut last = None;
        for endpoint in self.in_order() {
            let answer = ask(endpoint.client.clone()).await;
            let failed = matches!(answer, Err(ClientError::Transport(_)));
            self.metrics.rpc_request(&endpoint.name, !failed);
            match answer {
                Err(ClientError::Transport(error)) => {
                    self.set_healthy(endpoint, false, "it does not answer");
                    last = Some(ClientError::Transport(error));
                }
                other => {
                    // With several addresses only a look at all of them tells who is behind.
                    if self.endpoints.len() == 1 {
                        self.set_healthy(endpoint, true, "it answers");
                    }
                    return other;
                }
            }
        }
        Err(last.unwrap_or(ClientError::TooManyAccounts(0)))
    }

    /// The address that is used now.
    pub fn current(&self) -> AsyncClient {
        self.in_order().next().map_or_else(|| AsyncClient::new(""), |endpoint| endpoint.client.clone())
    }

    /// Those that work in their order, then the others.
    fn in_order(&self) -> impl Iterator<Item = &Endpoint> {
        let works = |endpoint: &&Endpoint| endpoint.healthy.load(Ordering::Relaxed);
        self.endpoints.iter().filter(works).chain(self.endpoints.iter().filter(move |endpoint| !works(endpoint)))
    }

    fn set_healthy(&self, endpoint: &Endpoint, healthy: bool, why: &str) {
        if endpoint.healthy.swap(healthy, Ordering::Relaxed) != healthy {
            match healthy {
                true => info!(endpoint = endpoint.name, "the RPC address is used again: {why}"),
                false => warn!(endpoint = endpoint.name, "the RPC address is passed over: {why}"),
            }
        }
        self.metrics.rpc_healthy(&endpoint.name, healthy);
    }

    /// Looks at all addresses for ever, if there are several: who does not answer or is behind is passed over, and who is
    /// well again is used again.
    pub async fn watch(self: Arc<Self>) {
        if self.endpoints.len() < 2 {
            return;
        }
        loop {
            self.look().await;
            tokio::time::sleep(self.probe).await;
        }
    }

    /// Looks at all addresses once.
    pub async fn look(&self) {
        let mut answers = Vec::new();
        for endpoint in &self.endpoints {
            let slot = endpoint.client.rpc().get_epoch_info().await.ok().map(|info| info.absolute_slot);
            endpoint.slot.store(slot.unwrap_or(0), Ordering::Relaxed);
            answers.push((endpoint, slot));
        }
        let foremost = answers.iter().filter_map(|(_, slot)| *slot).max().unwrap_or(0);
        for (endpoint, slot) in answers {
            self.metrics.rpc_slot(&endpoint.name, slot.unwrap_or(0));
            match slot {
                None => self.set_healthy(endpoint, false, "it does not answer"),
                Some(slot) if slot.saturating_add(self.max_lag_slots) < foremost => {
                    self.set_healthy(endpoint, false, "it is behind");
                }
                Some(_) => self.set_healthy(endpoint, true, "it answers and is not behind"),
            }
        }
    }
}

/// The address without path and query, where keys are.
fn name_of(url: &str) -> String {
    let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
    let host = rest.split(['/', '?']).next().unwrap_or(rest);
    let host = host.rsplit('@').next().unwrap_or(host);
    format!("{scheme}://{host}")
}
