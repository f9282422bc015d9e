//! The soak itself: step after step.

use std::{
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use perpetua_localnet::{Files, Localnet, Options, Pace};
use perpetua_tests::{ledger, sequences::random::Random};
use solana_pubkey::Pubkey;

use crate::{
    chain::{Chain, Seen},
    faults::{Fault, Tick, ticks},
    judge::{Findings, INTERVAL, MARK, Step},
    keepers::Keeper,
    people::{People, secret},
    report::{Cost, Lag, Report},
};

/// 2026-07-20 15:00 UTC, a Monday in the exchange's hours: in the same season as the records, so that their sessions are
/// the calendar's.
const BEGIN: i64 = 1_784_559_600;
/// Steps between two withdrawals.
const LEAVING: usize = 30;
/// Steps between two lines that say how far it is.
const TELLING: usize = 50;

/// What is played.
pub struct Plan {
    /// The keeper's executable.
    pub keeper: PathBuf,
    /// For logs.
    pub folder: PathBuf,
    /// Margin accounts.
    pub accounts: usize,
    /// Days.
    pub days: u64,
    /// Seconds in a long step.
    pub step: i64,
    /// The day in short steps.
    pub fine: u64,
    /// Where randomness begins.
    pub seed: u64,
}

struct Soak {
    chain: Chain,
    people: People,
    keepers: Vec<Keeper>,
    /// Of the fine day, and of all others.
    findings: [Findings; 2],
    random: Random,
    blocks: u64,
    faults: [u64; 3],
}

/// Plays it all.
///
/// Errors: the network or a keeper does not run. What keepers did wrong is in the report.
pub async fn run(files: &Files, plan: &Plan) -> Result<Report> {
    let began = Instant::now();
    let mut random = Random::new(plan.seed);
    let options = Options { pace: Pace::Steps, time: Some(BEGIN), ..Options::default() };
    let chain = Chain::new(Localnet::start(files, options).await?).await?;
    let mut keepers = Vec::new();
    for name in ["one", "two"] {
        let folder = plan.folder.join(name);
        let keeper = Keeper::new(&plan.keeper, &folder, secret(&mut random), chain.localnet.rpc()).await?;
        let control = chain.localnet.control();
        control.set_account(&keeper.payer(), &Pubkey::default(), Keeper::lamports(), &[]).await?;
        keepers.push(keeper);
    }
    let people = People::new(&chain.localnet, chain.books(), plan.accounts, random.number())?;
    let steps = ticks(plan.days, plan.step, plan.fine, &mut random);
    let (findings, faults, blocks) = (Default::default(), [0; 3], 0);
    let mut soak = Soak { chain, people, keepers, findings, random, blocks, faults };
    soak.settle_in().await?;
    let longest = soak.play(&steps, plan).await?;
    let everything = soak.chain.everything().await?;
    if let Err(error) = ledger::verify(&everything) {
        soak.findings[1].failures.push(format!("{error:#}"));
    }
    let wall_seconds = [began.elapsed(), longest].map(|time| time.as_secs());
    soak.report(plan, steps.len(), wall_seconds).await
}

impl Soak {
    /// Lets the keeper take the indices' first samples, fills the pools, and opens all accounts.
    async fn settle_in(&mut self) -> Result<()> {
        self.keepers[0].start()?;
        self.pass_until_mark(0).await?;
        self.until_idle(self.chain.now()).await?;
        eprintln!("filling pools");
        for vault in self.chain.vaults.clone() {
            self.chain.during(self.people.provide(&vault)).await??;
        }
        eprintln!("opening {} accounts", self.people.count());
        let localnet = Arc::clone(&self.chain.localnet);
        self.chain.during(self.people.settle_in(&localnet)).await??;
        self.until_idle(self.chain.now()).await
    }

    /// Lets `seconds` pass, less than a mark's worth, so that the time is one of an index's marks.
    async fn pass_until_mark(&mut self, seconds: i64) -> Result<()> {
        let now = self.chain.now();
        // Marks are met although the blocks between two steps took time.
        let target = ((now + seconds).div_euclid(MARK) * MARK).max((now.div_euclid(MARK) + 1) * MARK);
        self.chain.jump(target - now).await
    }

    /// Takes all steps; returns how long the longest one took.
    async fn play(&mut self, steps: &[Tick], plan: &Plan) -> Result<Duration> {
        self.chain.take_blocks();
        let (mut before, mut longest, began) = (self.chain.see().await?, Duration::ZERO, Instant::now());
        for (number, tick) in steps.iter().enumerate() {
            let started = Instant::now();
            before = self.step(number, tick, &before).await.with_context(|| format!("step {number}: {tick:?}"))?;
            longest = longest.max(started.elapsed());
            if number % TELLING == 0 {
                let failures: usize = self.findings.iter().map(|findings| findings.failures.len()).sum();
                let (seconds, count) = (began.elapsed().as_secs(), steps.len());
                let day = steps.iter().take(number).map(|tick| tick.seconds).sum::<i64>() / 86_400;
                eprintln!("[{number}/{count}] day {day} of {}, {seconds} s, {failures} failures", plan.days);
            }
        }
        Ok(longest)
    }

    async fn step(&mut self, number: usize, tick: &Tick, before: &Seen) -> Result<Seen> {
        if tick.two && !self.keepers[1].is_able() {
            self.keepers[1].start()?;
        }
        self.faults[2] += u64::from(tick.two);
        self.pass_until_mark(tick.seconds).await?;
        let (began, mut able) = (self.chain.now(), self.chain.now());
        self.break_something(tick.fault, &mut able).await?;
        self.until_idle(able).await?;
        if tick.trades {
            let count = self.people.count().div_ceil(20);
            self.chain.during(self.people.trade(count)).await??;
        }
        if number.is_multiple_of(LEAVING) {
            let vault = self.random.pick(&self.chain.vaults).context("a vault")?;
            self.chain.during(self.people.ask_to_leave(&vault)).await??;
        }
        if tick.trades || number.is_multiple_of(LEAVING) {
            self.until_idle(self.chain.now()).await?;
        }
        let seen = self.chain.see().await?;
        let blocks = self.chain.take_blocks();
        self.blocks += u64::try_from(blocks.len())?;
        let keepers: Vec<Pubkey> = self.keepers.iter().map(Keeper::payer).collect();
        let faulty = tick.fault != Fault::None;
        let findings = &mut self.findings[usize::from(!tick.fine)];
        findings.judge(&Step { before, began, able, faulty, keepers: &keepers, blocks: &blocks })?;
        findings.rest(&seen, &keepers[0]);
        Ok(seen)
    }

    /// Breaks what the step says; `able` is when the keeper could work again.
    async fn break_something(&mut self, fault: Fault, able: &mut i64) -> Result<()> {
        match fault {
            Fault::None => return Ok(()),
            Fault::Killed { after } => {
                self.chain.during(tokio::time::sleep(Duration::from_millis(after))).await?;
                self.keepers[0].kill().await?;
                self.keepers[0].start()?;
                self.faults[0] += 1;
            }
            Fault::Cut { after, blocks } => {
                self.chain.during(tokio::time::sleep(Duration::from_millis(after))).await?;
                self.keepers[0].reach(false).await;
                for _ in 0..blocks {
                    self.chain.block().await?;
                }
                self.keepers[0].reach(true).await;
                self.faults[1] += 1;
            }
        }
        *able = self.chain.now();
        Ok(())
    }

    /// Makes blocks until keepers have nothing left to do.
    ///
    /// Errors: that takes longer than an interval.
    async fn until_idle(&mut self, since: i64) -> Result<()> {
        // Who saw this block open may not have seen its prices yet.
        self.chain.block().await?;
        let slot = self.chain.slot();
        loop {
            self.chain.block().await?;
            let mut idle = true;
            for keeper in &mut self.keepers {
                idle &= keeper.is_idle(slot).await?;
            }
            if idle {
                return Ok(());
            }
            let waited = self.chain.now() - since;
            ensure!(waited <= INTERVAL, "keepers have not done what is due after {waited} seconds; see their logs");
        }
    }

    async fn report(self, plan: &Plan, steps: usize, wall_seconds: [u64; 2]) -> Result<Report> {
        let Self { chain, people, keepers, findings, blocks, faults, .. } = self;
        drop(keepers);
        let [fine, coarse] = findings;
        let fine_days = u64::from(plan.fine < plan.days);
        let both = |of: fn(&Findings) -> &Vec<i64>| Lag::of([of(&fine).clone(), of(&coarse).clone()].concat());
        let report = Report {
            seed: plan.seed,
            accounts: plan.accounts,
            days: plan.days,
            steps,
            blocks,
            wall_seconds,
            faults,
            crank_lag: both(|findings| &findings.crank_lags),
            liquidation_lag: both(|findings| &findings.liquidation_lags),
            liquidation_lag_with_faults: both(|findings| &findings.faulty_lags),
            fine: cost(&fine, fine_days),
            coarse: cost(&coarse, plan.days - fine_days),
            liquidations: [fine.judged + coarse.judged, fine.unjudged + coarse.unjudged],
            cranked_by_two: fine.cranked_by_two + coarse.cranked_by_two,
            trades: people.told,
            failures: [fine.failures, coarse.failures].concat(),
        };
        let localnet = Arc::into_inner(chain.localnet).context("nobody uses the network any more")?;
        localnet.stop().await?;
        Ok(report)
    }
}

fn cost(findings: &Findings, days: u64) -> Cost {
    Cost { days, jobs: findings.jobs.clone(), failed: findings.failed, fees: findings.fees }
}
