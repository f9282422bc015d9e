//! Events as they happen.
//!
//! A websocket only says that there is something new: what it is comes from the history, from where it was read up to.
//! So nothing is lost while the connection is, and nothing comes twice.

use std::time::Duration;

use anchor_lang::prelude::Pubkey;
use futures_util::{StreamExt, stream::BoxStream};
use solana_pubsub_client::nonblocking::pubsub_client::PubsubClient;
use solana_rpc_client_api::config::{RpcTransactionLogsConfig, RpcTransactionLogsFilter};
use solana_signature::Signature;
use tokio::{
    sync::mpsc::{self, Receiver, Sender},
    task::JoinHandle,
    time::{sleep, timeout},
};

use super::{AsyncClient, ClientError, Happened, history::MOST_LISTED};

/// Longest time between two looks at the history, whatever the websocket says.
const POLL: Duration = Duration::from_secs(5);
/// Time between a word of the websocket and a look at the history, which learns of a transaction a little later.
const SETTLE: Duration = Duration::from_millis(400);
/// Transactions that are fetched before the first of their events is passed on.
const AT_ONCE: usize = 8;
/// Events that wait for a slow reader before fetching stops.
const WAITING: usize = 256;

/// Events as they happen, in order. Dropping it ends it.
#[derive(Debug)]
pub struct Subscription {
    events: Receiver<Result<Happened, ClientError>>,
    task: JoinHandle<()>,
}

impl Subscription {
    /// The next event. An error says that the network could not be reached just now; what was missed comes later.
    pub async fn next(&mut self) -> Option<Result<Happened, ClientError>> {
        self.events.recv().await
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl AsyncClient {
    /// The events of all transactions with an address in them, such as the program's, a vault or a margin account: from
    /// after the transaction `since`, or from now on. `websocket` is the address of the network's publications, such as
    /// `ws://127.0.0.1:8900`; without one that answers, events come a few seconds later.
    ///
    /// Errors: [`ClientError::Transport`] if the endpoint cannot be reached to begin with.
    pub async fn subscribe_events(
        &self,
        websocket: impl Into<String>,
        address: Pubkey,
        since: Option<Signature>,
    ) -> Result<Subscription, ClientError> {
        let newest = match since {
            Some(since) => Some(since),
            None => self.listed(&address, None, None, 1).await?.first().map(|(signature, _)| *signature),
        };
        let (sender, events) = mpsc::channel(WAITING);
        let follower = Follower { client: self.clone(), address, newest, sender };
        Ok(Subscription { events, task: tokio::spawn(follower.run(websocket.into())) })
    }
}

struct Follower {
    client: AsyncClient,
    address: Pubkey,
    /// The newest transaction whose events were passed on.
    newest: Option<Signature>,
    sender: Sender<Result<Happened, ClientError>>,
}

impl Follower {
    async fn run(mut self, websocket: String) {
        loop {
            // What was missed while there was no connection comes before anything else.
            if let Ok(publisher) = PubsubClient::new(websocket.as_str()).await {
                let filter = RpcTransactionLogsFilter::Mentions(vec![self.address.to_string()]);
                let config = RpcTransactionLogsConfig { commitment: Some(self.client.at_least_confirmed()) };
                if let Ok((words, _unsubscribe)) = publisher.logs_subscribe(filter, config).await {
                    self.follow(words).await;
                }
            }
            self.catch_up().await;
            if self.sender.is_closed() {
                return;
            }
            sleep(POLL).await;
        }
    }

    /// Looks at the history after each word of the websocket, until that ends.
    async fn follow<T>(&mut self, mut words: BoxStream<'_, T>) {
        while !self.sender.is_closed() {
            self.catch_up().await;
            match timeout(POLL, words.next()).await {
                Ok(Some(_)) => sleep(SETTLE).await,
                Ok(None) => return,
                // Silence: the connection may be dead without anybody having said so.
                Err(_) => {}
            }
        }
    }

    /// Passes on what happened since the last time. An error is passed on as well, and the next time tries again.
    async fn catch_up(&mut self) {
        if let Err(error) = self.pass_on().await {
            // A closed channel is noticed by who calls this.
            let _ = self.sender.send(Err(error)).await;
        }
    }

    async fn pass_on(&mut self) -> Result<(), ClientError> {
        let mut waiting = Vec::new();
        let mut before = None;
        loop {
            let listed = self.client.listed(&self.address, before, self.newest, MOST_LISTED).await?;
            let full = listed.len() == MOST_LISTED;
            before = listed.last().map(|(signature, _)| *signature);
            waiting.extend(listed);
            if !full {
                break;
            }
        }
        waiting.reverse();
        for several in waiting.chunks(AT_ONCE) {
            let wanted: Vec<Signature> =
                several.iter().filter_map(|(signature, failed)| (!failed).then_some(*signature)).collect();
            for happened in self.client.happened_in_each(&wanted).await?.into_iter().flatten() {
                if self.sender.send(Ok(happened)).await.is_err() {
                    return Ok(());
                }
            }
            self.newest = several.last().map(|(signature, _)| *signature);
        }
        Ok(())
    }
}
