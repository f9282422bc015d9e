//! Sends what is due, each job once at a time, until it is known what became of it.
//!
//! A transaction is signed once. Only when it is certain that it was carried out or never will be is the job free to be
//! planned again, from what the chain says by then. So no job is done twice by one keeper, and none is lost: what failed
//! is still due.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use anchor_lang::{error::ErrorCode, prelude::Pubkey};
use backon::{BackoffBuilder, ExponentialBuilder};
use perpetua_client::{
    error::from_code,
    perpetua::PerpetuaError,
    rpc::{ClientError, Confirmed, Failure, Outcome as Fate, SendOptions, Signed},
};
use solana_keypair::Keypair;
use solana_signer::Signer;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    task::JoinSet,
};
use tracing::{debug, info, warn};

use crate::{
    config::Config,
    endpoints::Endpoints,
    fees::{self, Fees},
    job::{Job, Key, Kind},
    metrics::{Metrics, Outcome},
};

/// Time between two questions where no address answers.
const ASK_AGAIN: Duration = Duration::from_millis(500);
/// After which time a failure is forgotten.
const FORGET: Duration = Duration::from_secs(60);
/// How often the wait before a job that failed is tried again doubles.
const DOUBLINGS: usize = 6;

/// What is under way and what was lately.
#[derive(Default)]
struct Desk {
    running: HashSet<Key>,
    /// The slot that shows what became of a job.
    ended: HashMap<Key, u64>,
    /// How often a job failed in a row, and when it may be tried again.
    failed: HashMap<Key, (usize, Instant)>,
    /// Jobs that were carried out, whose lag is not known until the chain shows them: since when they were due.
    landed: Vec<(Kind, i64, u64)>,
    /// The newest slot in which a margin account was acted upon.
    acted: u64,
}

/// Sends jobs.
pub struct Dispatcher {
    endpoints: Arc<Endpoints>,
    fees: Arc<Fees>,
    metrics: Arc<Metrics>,
    keypair: Arc<Keypair>,
    /// How long one address is waited for before another may be asked what became of a transaction.
    patience: Duration,
    per_market: usize,
    locks: BTreeMap<Pubkey, Arc<Semaphore>>,
    desk: Arc<Mutex<Desk>>,
    tasks: JoinSet<Outcome>,
}

/// What a task needs.
struct Attempt {
    endpoints: Arc<Endpoints>,
    fees: Arc<Fees>,
    metrics: Arc<Metrics>,
    keypair: Arc<Keypair>,
    desk: Arc<Mutex<Desk>>,
    patience: Duration,
    /// The slot of the accounts that the job was planned from.
    read_at: u64,
    job: Job,
    _permits: Vec<OwnedSemaphorePermit>,
}

/// How a job ended: what became of it, in which slot, and what it cost.
struct Ended {
    outcome: Outcome,
    slot: Option<u64>,
    lamports: u64,
    why: String,
}

fn lock(desk: &Mutex<Desk>) -> MutexGuard<'_, Desk> {
    desk.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Dispatcher {
    /// A dispatcher that has nothing under way.
    pub fn new(
        endpoints: Arc<Endpoints>,
        fees: Arc<Fees>,
        metrics: Arc<Metrics>,
        keypair: Arc<Keypair>,
        config: &Config,
    ) -> Self {
        let (patience, per_market) = (config.rpc.timeout, config.schedule.per_market);
        let (locks, desk, tasks) = (BTreeMap::new(), Arc::default(), JoinSet::new());
        Self { endpoints, fees, metrics, keypair, patience, per_market, locks, desk, tasks }
    }

    /// The newest slot in which a margin account was acted upon.
    pub fn acted(&self) -> u64 {
        lock(&self.desk).acted
    }

    /// The chain was read at a slot and a time of its clock: jobs that it shows done have their lag noted.
    pub fn saw(&self, slot: u64, now: i64) {
        let mut desk = lock(&self.desk);
        desk.landed.retain(|(kind, since, landed)| {
            let shown = slot >= *landed;
            if shown {
                self.metrics.lag(*kind, now.saturating_sub(*since));
            }
            !shown
        });
        desk.ended.retain(|_, ended| *ended > slot);
        desk.failed.retain(|_, (_, until)| until.elapsed() < FORGET);
    }

    /// Begins a job that was planned from accounts of `slot`, unless it is under way, was done since, failed a moment ago,
    /// or as many as may be are under way in one of its markets. Whether it began.
    pub fn begin(&mut self, job: Job, slot: u64) -> bool {
        {
            let desk = lock(&self.desk);
            let done = desk.ended.get(&job.key).is_some_and(|ended| slot < *ended);
            let waits = desk.failed.get(&job.key).is_some_and(|(_, until)| Instant::now() < *until);
            if done || waits || desk.running.contains(&job.key) {
                return false;
            }
        }
        let Some(permits) = self.permits(&job.locks) else { return false };
        lock(&self.desk).running.insert(job.key);
        self.metrics.job_began();
        let attempt = Attempt {
            endpoints: Arc::clone(&self.endpoints),
            fees: Arc::clone(&self.fees),
            metrics: Arc::clone(&self.metrics),
            keypair: Arc::clone(&self.keypair),
            desk: Arc::clone(&self.desk),
            patience: self.patience,
            read_at: slot,
            job,
            _permits: permits,
        };
        self.tasks.spawn(attempt.run());
        // What ended since the last job began is not needed any more.
        while self.tasks.try_join_next().is_some() {}
        true
    }

    fn permits(&mut self, locks: &[Pubkey]) -> Option<Vec<OwnedSemaphorePermit>> {
        let most = self.per_market;
        let mut take = |address: &Pubkey| {
            let semaphore = self.locks.entry(*address).or_insert_with(|| Arc::new(Semaphore::new(most)));
            Arc::clone(semaphore).try_acquire_owned().ok()
        };
        locks.iter().map(&mut take).collect()
    }

    /// Waits until nothing is under way, and says how all jobs ended that were.
    pub async fn finish(&mut self) -> Vec<Outcome> {
        let mut outcomes = Vec::new();
        while let Some(ended) = self.tasks.join_next().await {
            outcomes.extend(ended.ok());
        }
        outcomes
    }
}

impl Attempt {
    async fn run(self) -> Outcome {
        let Self { job, metrics, desk, read_at, .. } = &self;
        let Ended { outcome, slot, lamports, why } = self.carry_out().await;
        let (kind, target, reason) = (job.key.kind, job.key.target, job.reason.name());
        match outcome {
            Outcome::Done => info!(%kind, %target, reason, slot, lamports, why, "done"),
            Outcome::AlreadyDone => info!(%kind, %target, reason, slot, lamports, why, "already done"),
            Outcome::Refused | Outcome::Failed | Outcome::Expired | Outcome::Unsent => {
                warn!(%kind, %target, reason, outcome = outcome.name(), slot, lamports, why, "not done");
            }
        }
        metrics.job_ended(kind, outcome, lamports);
        let mut desk = lock(desk);
        desk.running.remove(&job.key);
        // Who was late read accounts from before it was done.
        let shown = if outcome == Outcome::AlreadyDone { slot.or(Some(read_at.saturating_add(1))) } else { slot };
        desk.note(job, outcome, shown);
        outcome
    }

    async fn carry_out(&self) -> Ended {
        let instructions = &self.job.instructions;
        let price = self.fees.price(instructions);
        let options =
            SendOptions { priority_fee_micro_lamports: price, patience: self.patience, ..SendOptions::default() };
        let payer = self.keypair.pubkey();
        let prepared = self.endpoints.ask(|client| async move { client.prepare(instructions, &payer, &options).await });
        let unsigned = match prepared.await {
            Ok(unsigned) => unsigned,
            Err(error) => return Ended::unsent(&error),
        };
        let signed = match unsigned.sign(&[&*self.keypair]) {
            Ok(signed) => signed,
            Err(error) => return Ended::unsent(&error),
        };
        let cost = fees::cost(instructions, price);
        match self.settle(&signed, &options).await {
            Ok(Confirmed { slot, signature, .. }) => {
                Ended { outcome: Outcome::Done, slot: Some(slot), lamports: cost, why: signature.to_string() }
            }
            Err(error) => Ended::failed(self.job.key.kind, &error, cost),
        }
    }

    /// Sends the same bytes, to one address after the other, until it is certain what became of them.
    async fn settle(&self, signed: &Signed, options: &SendOptions) -> Result<Confirmed, ClientError> {
        let mut first = true;
        loop {
            let sent = self.endpoints.current().send_signed(signed, options).await;
            match sent {
                // Nothing is on its way yet, so this is definite; so is all else but a refusal of bytes sent before.
                Err(ClientError::Refused(failure)) if !first => return self.await_fate(signed, failure).await,
                Err(ClientError::Unconfirmed { .. }) => self.endpoints.look().await,
                definite => return definite,
            }
            first = false;
        }
    }

    /// Waits for what becomes of bytes that may be on their way although one address refuses them by now.
    async fn await_fate(&self, signed: &Signed, failure: Box<Failure>) -> Result<Confirmed, ClientError> {
        let (signature, height) = (signed.signature(), signed.last_valid_block_height);
        loop {
            match self.endpoints.ask(|client| async move { client.outcome(&signature, height).await }).await {
                Ok(Fate::Landed(slot)) => return Ok(Confirmed { signature, slot, compute_units: None }),
                Ok(Fate::Failed(slot, _)) => return Err(ClientError::Failed { signature, slot, failure }),
                Ok(Fate::Expired) => return Err(ClientError::Refused(failure)),
                Ok(Fate::Pending) | Err(_) => tokio::time::sleep(ASK_AGAIN).await,
            }
        }
    }
}

impl Desk {
    fn note(&mut self, job: &Job, outcome: Outcome, slot: Option<u64>) {
        let key = job.key;
        if let Some(slot) = slot {
            self.ended.insert(key, slot);
        }
        if job.reads_accounts() {
            self.acted = slot.unwrap_or(0).max(self.acted);
        }
        match outcome {
            Outcome::Done => {
                self.failed.remove(&key);
                self.landed.extend(slot.map(|slot| (key.kind, job.since, slot)));
            }
            _ => {
                let times = self.failed.get(&key).map_or(0, |(times, _)| *times);
                self.failed.insert(key, (times.saturating_add(1), Instant::now() + wait_after(times)));
            }
        }
    }
}

/// How long a job that failed so often before waits: longer each time, and not as long as another keeper's.
fn wait_after(times: usize) -> Duration {
    let waits = ExponentialBuilder::default()
        .with_min_delay(Duration::from_millis(200))
        .with_max_delay(Duration::from_secs(10))
        .with_max_times(DOUBLINGS)
        .with_jitter();
    let mut waits = waits.build();
    waits.nth(times.min(DOUBLINGS - 1)).unwrap_or(Duration::from_secs(10))
}

impl Ended {
    fn unsent(error: &ClientError) -> Self {
        Self { outcome: Outcome::Unsent, slot: None, lamports: 0, why: error.to_string() }
    }

    fn failed(kind: Kind, error: &ClientError, cost: u64) -> Self {
        let (outcome, slot, lamports) = match error {
            ClientError::Failed { slot, .. } => (Outcome::Failed, Some(*slot), cost),
            ClientError::Refused(_) => (Outcome::Refused, None, 0),
            ClientError::Expired(_) => (Outcome::Expired, None, 0),
            _ => (Outcome::Unsent, None, 0),
        };
        let done = error.custom_code().is_some_and(|code| is_done_by_another(kind, code));
        let outcome = if done { Outcome::AlreadyDone } else { outcome };
        debug!(?error, "a transaction was not carried out");
        Self { outcome, slot, lamports, why: error.to_string() }
    }
}

/// The system program's answer where an account exists already.
const EXISTS: u32 = 0;

/// Whether an error says that there is nothing left to do, as a second keeper finds it.
fn is_done_by_another(kind: Kind, code: u32) -> bool {
    use PerpetuaError as Error;
    if kind == Kind::OpenAccount {
        return code == EXISTS;
    }
    let gone = [ErrorCode::AccountNotInitialized, ErrorCode::AccountOwnedByWrongProgram].map(u32::from);
    let done = [
        Error::AccountHealthy,
        Error::PositionNotFound,
        Error::NotCapped,
        Error::NotFar,
        Error::NotAbandoned,
        Error::NothingToCollect,
        Error::TicketNotQueued,
        Error::NotShort,
        Error::LossNotDue,
        Error::NothingToRepay,
    ];
    gone.contains(&code) || from_code(code).is_some_and(|error| done.contains(&error))
}
