//! Rounds: read, plan, send.

use std::{collections::HashMap, sync::Arc};

use anchor_lang::prelude::Pubkey;
use anyhow::{Context, Result};
use perpetua_client::{model::PoolKind, rpc::ClientError};
use solana_keypair::Keypair;
use solana_signer::Signer;
use tokio::{sync::watch, task::JoinHandle, time::MissedTickBehavior};
use tracing::{error, info, warn};

use crate::{
    config::Config,
    dispatch::Dispatcher,
    endpoints::Endpoints,
    fees::Fees,
    job::{Job, Key},
    metrics::{Metrics, Outcome},
    plan::{Identity, Plan, View, plan},
    snapshot::{Reader, Round},
};

/// How many of a feed's digits name it in metrics.
const FEED_DIGITS: usize = 8;

/// A keeper that runs.
pub struct Keeper {
    config: Config,
    identity: Identity,
    reader: Reader,
    dispatcher: Dispatcher,
    endpoints: Arc<Endpoints>,
    fees: Arc<Fees>,
    metrics: Arc<Metrics>,
    /// Since when jobs have been seen due, by the chain's clock.
    seen: HashMap<Key, i64>,
    watch: JoinHandle<()>,
}

/// What a round found.
#[derive(Debug, Default)]
pub struct Seen {
    /// What is due.
    pub jobs: Vec<Job>,
    /// How many of these were begun.
    pub begun: usize,
    /// Vaults that could not be read.
    pub unread: usize,
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.watch.abort();
    }
}

impl Keeper {
    /// A keeper by its configuration.
    ///
    /// Errors: what is configured cannot be.
    pub fn new(config: Config, keypair: Keypair, metrics: Arc<Metrics>) -> Result<Self> {
        let keypair = Arc::new(keypair);
        let identity = Identity { keeper: keypair.pubkey(), sub_account: config.schedule.sub_account };
        let endpoints = Arc::new(Endpoints::new(&config.rpc, Arc::clone(&metrics)));
        let fees = Arc::new(Fees::new(config.fees.clone(), Arc::clone(&endpoints)));
        let reader = Reader::new(&config, identity, Arc::clone(&endpoints))?;
        let (sending, watched) = (Arc::clone(&endpoints), Arc::clone(&endpoints));
        let dispatcher = Dispatcher::new(sending, Arc::clone(&fees), Arc::clone(&metrics), keypair, &config);
        let (seen, watch) = (HashMap::new(), tokio::spawn(watched.watch()));
        Ok(Self { config, identity, reader, dispatcher, endpoints, fees, metrics, seen, watch })
    }

    /// One round: reads the chain and begins what is due, unless `dry`.
    ///
    /// Errors: no address answers.
    pub async fn round(&mut self, dry: bool) -> Result<Seen, ClientError> {
        let round = match self.reader.read(self.dispatcher.acted()).await {
            Ok(round) => round,
            Err(error) => {
                self.metrics.round_failed();
                return Err(error);
            }
        };
        for (vault, why) in &round.unread {
            error!(%vault, why, "a vault cannot be read");
        }
        let mut seen = Seen { unread: round.unread.len(), ..Seen::default() };
        let mut moments = Vec::new();
        for view in &round.views {
            let plan = plan(view, &self.identity, &self.config.schedule);
            self.tell(view, &plan);
            moments.push(view.book.moment);
            seen.jobs.extend(plan.jobs);
        }
        seen.jobs.sort_by_key(|job| job.key.kind);
        self.metrics.due(|kind| seen.jobs.iter().filter(|job| job.key.kind == kind).count());
        if let Some(moment) = moments.iter().max_by_key(|moment| moment.slot) {
            self.dispatcher.saw(moment.slot, moment.now);
            if !dry {
                seen.begun = self.begin(&seen.jobs, &round, moment.now).await;
            }
            self.metrics.balance(round.balance);
            if round.unread.is_empty() {
                self.metrics.round_done(moment.now, moment.slot);
            }
        }
        Ok(seen)
    }

    async fn begin(&mut self, jobs: &[Job], round: &Round, now: i64) -> usize {
        let before = core::mem::take(&mut self.seen);
        self.seen = jobs.iter().map(|job| (job.key, before.get(&job.key).copied().unwrap_or(now))).collect();
        if !jobs.is_empty() {
            let locks: Vec<Pubkey> = jobs.iter().flat_map(|job| job.locks.iter().copied()).collect();
            self.fees.refresh(&locks).await;
        }
        let mut begun = 0;
        for job in jobs {
            let seen = self.seen.get(&job.key).copied().unwrap_or(now);
            if now < seen.saturating_add(self.config.schedule.standby()) {
                continue;
            }
            let slot_of_vault = round.views.iter().find(|view| view.book.keys.vault == job.vault);
            let slot = slot_of_vault.map_or(0, |view| view.book.moment.slot);
            let slot = if job.reads_accounts() { slot.min(round.accounts_slot) } else { slot };
            let job = Job { since: job.since.min(seen), ..job.clone() };
            begun += usize::from(self.dispatcher.begin(job, slot));
        }
        begun
    }

    /// Tells how a vault stands.
    fn tell(&self, view: &View, plan: &Plan) {
        let (book, now) = (&view.book, view.book.moment.now);
        let vault = book.keys.vault.to_string();
        let counts = [view.accounts.len(), plan.below, plan.barred, plan.unjudged.len()];
        self.metrics.accounts(&vault, counts);
        for (account, error) in &plan.unjudged {
            error!(%account, %error, "an account cannot be judged; report it");
        }
        for (feed, price) in &book.prices {
            let name: String = feed.iter().map(|byte| format!("{byte:02x}")).collect();
            let name = name.get(..FEED_DIGITS).unwrap_or(&name);
            self.metrics.feed_age(name, now.saturating_sub(price.account.publish_time));
        }
        for listed in &book.markets {
            let age = now.saturating_sub(listed.market.state.accrued_at);
            self.metrics.crank_age(&listed.keys.market.to_string(), age);
        }
        let missing = book.vault.state.total().map_or(u64::MAX, |total| total.less(book.balance).0);
        self.metrics.ledgers(&vault, missing, book.vault.state.claims.outstanding.0);
        for (kind, name, head) in [(PoolKind::Main, "main", 0), (PoolKind::Insurance, "insurance", 1)] {
            let front = view.heads[head].map(|ticket| ticket.account.state.ready);
            let wait = front.map_or(0, |ready| now.saturating_sub(ready.max(book.vault.state.pool(kind).head_since)));
            self.metrics.queue_wait(&vault, name, wait.max(0));
        }
    }

    /// Rounds until `stop` says so; then what is under way is brought to its end.
    pub async fn run(&mut self, mut stop: watch::Receiver<bool>) {
        let mut ticks = tokio::time::interval(self.config.schedule.poll);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while !*stop.borrow() {
            tokio::select! {
                _ = ticks.tick() => {
                    if let Err(error) = self.round(false).await {
                        warn!(%error, "the chain cannot be read");
                    }
                }
                changed = stop.changed() => {
                    if changed.is_err() {
                        break;
                    }
                }
            }
        }
        info!("no new work is begun; waiting for what is under way");
        self.dispatcher.finish().await;
    }

    /// Waits until nothing is under way, and says how all jobs ended that were.
    pub async fn finish(&mut self) -> Vec<Outcome> {
        self.dispatcher.finish().await
    }

    /// Looks at all RPC addresses at once.
    pub async fn look(&self) {
        self.endpoints.look().await;
    }

    /// One round whose jobs are waited for, and how they ended.
    ///
    /// Errors: the chain cannot be read, or a vault of it.
    pub async fn once(&mut self) -> Result<Vec<Outcome>> {
        let seen = self.round(false).await.context("the chain cannot be read")?;
        let outcomes = self.dispatcher.finish().await;
        anyhow::ensure!(seen.unread == 0, "{} vaults cannot be read; the log says why", seen.unread);
        Ok(outcomes)
    }
}
