//! What a keeper tells of itself, in Prometheus' format.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::{SystemTime, UNIX_EPOCH},
};

use prometheus::{HistogramOpts, HistogramVec, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry, TextEncoder};

use crate::job::Kind;

/// Upper bounds of lags, seconds of the chain's clock.
const LAGS: [f64; 11] = [1.0, 2.0, 3.0, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 300.0, 900.0];

/// What became of a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was carried out.
    Done,
    /// Somebody else had done it.
    AlreadyDone,
    /// The network refused it before it was sent on, so it cost nothing.
    Refused,
    /// It was carried out, failed, and cost its fee.
    Failed,
    /// It was not carried out in time.
    Expired,
    /// It could not be sent.
    Unsent,
}

impl Outcome {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Done, Self::AlreadyDone, Self::Refused, Self::Failed, Self::Expired, Self::Unsent];

    /// As logs and metrics name it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::AlreadyDone => "already_done",
            Self::Refused => "refused",
            Self::Failed => "failed",
            Self::Expired => "expired",
            Self::Unsent => "unsent",
        }
    }
}

/// Counters and gauges.
pub struct Metrics {
    registry: Registry,
    rounds: IntCounterVec,
    last_round: IntGauge,
    chain_time: IntGauge,
    chain_slot: IntGauge,
    jobs: IntCounterVec,
    due: IntGaugeVec,
    running: IntGauge,
    lag: HistogramVec,
    fees: IntCounterVec,
    balance: IntGauge,
    below: IntGaugeVec,
    barred: IntGaugeVec,
    unjudged: IntGaugeVec,
    accounts: IntGaugeVec,
    feed_age: IntGaugeVec,
    crank_age: IntGaugeVec,
    missing_tokens: IntGaugeVec,
    claims: IntGaugeVec,
    queue_wait: IntGaugeVec,
    rpc_requests: IntCounterVec,
    rpc_healthy: IntGaugeVec,
    rpc_slot: IntGaugeVec,
    last_round_millis: AtomicU64,
}

/// A count as a gauge holds it.
fn gauge(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

/// Milliseconds since the beginning of 1970.
fn now_millis() -> u64 {
    let elapsed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX)
}

/// Registers metrics under the keeper's prefix.
struct Register<'a>(&'a Registry);

impl Register<'_> {
    fn counters(&self, name: &str, help: &str, labels: &[&str]) -> prometheus::Result<IntCounterVec> {
        let metric = IntCounterVec::new(opts(name, help), labels)?;
        self.0.register(Box::new(metric.clone()))?;
        Ok(metric)
    }

    fn gauge(&self, name: &str, help: &str) -> prometheus::Result<IntGauge> {
        let metric = IntGauge::with_opts(opts(name, help))?;
        self.0.register(Box::new(metric.clone()))?;
        Ok(metric)
    }

    fn gauges(&self, name: &str, help: &str, labels: &[&str]) -> prometheus::Result<IntGaugeVec> {
        let metric = IntGaugeVec::new(opts(name, help), labels)?;
        self.0.register(Box::new(metric.clone()))?;
        Ok(metric)
    }

    fn histograms(&self, name: &str, help: &str, labels: &[&str]) -> prometheus::Result<HistogramVec> {
        let options = HistogramOpts::from(opts(name, help)).buckets(LAGS.to_vec());
        let metric = HistogramVec::new(options, labels)?;
        self.0.register(Box::new(metric.clone()))?;
        Ok(metric)
    }
}

fn opts(name: &str, help: &str) -> Opts {
    Opts::new(name, help).namespace("perpetua_keeper")
}

impl Metrics {
    /// All metrics at zero.
    ///
    /// Errors: a name that is used twice, which a test excludes.
    pub fn new() -> prometheus::Result<Self> {
        let registry = Registry::new();
        let new = Register(&registry);
        let metrics = Self {
            rounds: new.counters("rounds_total", "Rounds by whether they succeeded", &["result"])?,
            last_round: new.gauge("last_round_timestamp_seconds", "When the last successful round ended")?,
            chain_time: new.gauge("chain_time_seconds", "The chain's clock in the last round")?,
            chain_slot: new.gauge("chain_slot", "The slot that the last round read")?,
            jobs: new.counters("jobs_total", "Jobs by what became of them", &["kind", "outcome"])?,
            due: new.gauges("jobs_due", "Jobs that were due in the last round", &["kind"])?,
            running: new.gauge("jobs_running", "Transactions under way")?,
            lag: new.histograms("lag_seconds", "From when a job came due until the chain showed it done", &["kind"])?,
            fees: new.counters("fees_lamports_total", "Fees of transactions that were carried out", &["kind"])?,
            balance: new.gauge("balance_lamports", "What the keeper's key holds")?,
            below: new.gauges("accounts_below_maintenance", "Accounts below maintenance margin", &["vault"])?,
            barred: new.gauges("accounts_barred", "Those that no state allows to liquidate", &["vault"])?,
            unjudged: new.gauges("accounts_unjudged", "Accounts that the model cannot judge", &["vault"])?,
            accounts: new.gauges("accounts", "Margin accounts", &["vault"])?,
            feed_age: new.gauges("feed_age_seconds", "Age of a feed's price account", &["feed"])?,
            crank_age: new.gauges("crank_age_seconds", "Time since a market was accrued", &["market"])?,
            missing_tokens: new.gauges("missing_tokens", "Raw units that a vault lacks of its ledgers", &["vault"])?,
            claims: new.gauges("claims_outstanding", "Raw units that an insurance pool owes", &["vault"])?,
            queue_wait: new.gauges("queue_wait_seconds", "How long a queue's front is due", &["vault", "pool"])?,
            rpc_requests: new.counters("rpc_requests_total", "Requests by address", &["endpoint", "result"])?,
            rpc_healthy: new.gauges("rpc_healthy", "1 while an address is used", &["endpoint"])?,
            rpc_slot: new.gauges("rpc_slot", "The slot that an address is at", &["endpoint"])?,
            last_round_millis: AtomicU64::new(now_millis()),
            registry,
        };
        for kind in Kind::ALL {
            metrics.lag.with_label_values(&[kind.name()]);
            metrics.fees.with_label_values(&[kind.name()]);
            for outcome in Outcome::ALL {
                metrics.jobs.with_label_values(&[kind.name(), outcome.name()]);
            }
        }
        Ok(metrics)
    }

    /// All of it as text.
    ///
    /// Errors: none that a metric of here can cause.
    pub fn text(&self) -> prometheus::Result<String> {
        TextEncoder::new().encode_to_string(&self.registry.gather())
    }

    /// Milliseconds since the last successful round, or since the start.
    pub fn since_round(&self) -> u64 {
        now_millis().saturating_sub(self.last_round_millis.load(Ordering::Relaxed))
    }

    /// A round ended well.
    pub fn round_done(&self, now: i64, slot: u64) {
        let millis = now_millis();
        self.rounds.with_label_values(&["ok"]).inc();
        self.last_round_millis.store(millis, Ordering::Relaxed);
        self.last_round.set(gauge(millis / 1_000));
        self.chain_time.set(now);
        self.chain_slot.set(gauge(slot));
    }

    /// A round could not read the chain.
    pub fn round_failed(&self) {
        self.rounds.with_label_values(&["error"]).inc();
    }

    /// How many jobs of each kind are due.
    pub fn due(&self, count: impl Fn(Kind) -> usize) {
        for kind in Kind::ALL {
            self.due.with_label_values(&[kind.name()]).set(i64::try_from(count(kind)).unwrap_or(i64::MAX));
        }
    }

    /// A job began.
    pub fn job_began(&self) {
        self.running.inc();
    }

    /// A job ended, at a cost.
    pub fn job_ended(&self, kind: Kind, outcome: Outcome, lamports: u64) {
        self.running.dec();
        self.jobs.with_label_values(&[kind.name(), outcome.name()]).inc();
        self.fees.with_label_values(&[kind.name()]).inc_by(lamports);
    }

    /// How many jobs of a kind ended so.
    pub fn jobs(&self, kind: Kind, outcome: Outcome) -> u64 {
        self.jobs.with_label_values(&[kind.name(), outcome.name()]).get()
    }

    /// Lamports that transactions of a kind cost.
    pub fn spent(&self, kind: Kind) -> u64 {
        self.fees.with_label_values(&[kind.name()]).get()
    }

    /// The chain shows a job done so many seconds after it came due.
    pub fn lag(&self, kind: Kind, seconds: i64) {
        let seconds = u32::try_from(seconds.max(0)).unwrap_or(u32::MAX);
        self.lag.with_label_values(&[kind.name()]).observe(f64::from(seconds));
    }

    /// What the keeper's key holds.
    pub fn balance(&self, lamports: u64) {
        self.balance.set(gauge(lamports));
    }

    /// How a vault's accounts stand.
    pub fn accounts(&self, vault: &str, [all, below, barred, unjudged]: [usize; 4]) {
        let gauges = [(&self.accounts, all), (&self.below, below), (&self.barred, barred), (&self.unjudged, unjudged)];
        for (metric, count) in gauges {
            metric.with_label_values(&[vault]).set(i64::try_from(count).unwrap_or(i64::MAX));
        }
    }

    /// Age of a feed's price.
    pub fn feed_age(&self, feed: &str, seconds: i64) {
        self.feed_age.with_label_values(&[feed]).set(seconds);
    }

    /// Time since a market was accrued.
    pub fn crank_age(&self, market: &str, seconds: i64) {
        self.crank_age.with_label_values(&[market]).set(seconds);
    }

    /// What a vault lacks and owes, raw units.
    pub fn ledgers(&self, vault: &str, missing: u64, claims: u64) {
        self.missing_tokens.with_label_values(&[vault]).set(gauge(missing));
        self.claims.with_label_values(&[vault]).set(gauge(claims));
    }

    /// How long the withdrawal at a queue's front could have been executed.
    pub fn queue_wait(&self, vault: &str, pool: &str, seconds: i64) {
        self.queue_wait.with_label_values(&[vault, pool]).set(seconds);
    }

    /// An address was asked.
    pub fn rpc_request(&self, endpoint: &str, answered: bool) {
        let result = if answered { "ok" } else { "error" };
        self.rpc_requests.with_label_values(&[endpoint, result]).inc();
    }

    /// Whether an address is used.
    pub fn rpc_healthy(&self, endpoint: &str, healthy: bool) {
        self.rpc_healthy.with_label_values(&[endpoint]).set(i64::from(healthy));
    }

    /// Where an address is.
    pub fn rpc_slot(&self, endpoint: &str, slot: u64) {
        self.rpc_slot.with_label_values(&[endpoint]).set(gauge(slot));
    }
}
