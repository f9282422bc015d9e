//! What must hold of what keepers do, judged from the chain's own blocks and the model.
//!
//! The chain's clock jumps from step to step; between two jumps it goes on by a second with each block. A step's prices
//! come into being with its jump, so that is when a market comes due and when an account is first seen below its margin:
//! lags are seconds of the chain's clock from there to the block in which it was done. On the wall a block takes 50 ms and
//! a keeper's round at least 100 ms, so that what computing takes counts twenty times: lags are longer than real ones.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result};
use perpetua_client::{
    event::Event,
    model::Moment,
    perpetua::events::{CloseReason, FundingCranked},
    snapshot::Keyed,
};
use perpetua_keeper::{config::Schedule, plan};
use solana_pubkey::Pubkey;

use crate::chain::{Block, Carried, Seen};

/// Longest that an account may stay below its margin while a keeper can reach the network: the time between two cranks.
pub const INTERVAL: i64 = 300;
/// Bps of a price that make a crank due.
const MOVE_BPS: u128 = 20;
/// Seconds between two marks of an index.
pub const MARK: i64 = 300;

/// A step as it was taken.
pub struct Step<'a> {
    /// The chain as it was before, when nothing was under way.
    pub before: &'a Seen,
    /// When the step began, by the chain's clock.
    pub began: i64,
    /// When a keeper could work again, if something was broken in it.
    pub able: i64,
    /// Whether something was broken in it.
    pub faulty: bool,
    /// Who keeps.
    pub keepers: &'a [Pubkey],
    /// Its blocks.
    pub blocks: &'a [Block],
}

/// What was found.
#[derive(Default)]
pub struct Findings {
    /// What must not happen, in words.
    pub failures: Vec<String>,
    /// Seconds from a price to the crank with it.
    pub crank_lags: Vec<i64>,
    /// Seconds from an account's fall below its margin to its liquidation.
    pub liquidation_lags: Vec<i64>,
    /// The same in steps in which a keeper was killed or its way cut, with the time that it was away.
    pub faulty_lags: Vec<i64>,
    /// What keepers did, by kind.
    pub jobs: BTreeMap<&'static str, u64>,
    /// Transactions of keepers that failed on the chain.
    pub failed: u64,
    /// Lamports that keepers paid.
    pub fees: u64,
    /// Liquidations whose account is known as it was just before.
    pub judged: u64,
    /// Liquidations of accounts that were traded or settled in the same step before.
    pub unjudged: u64,
    /// Markets that two keepers cranked for the same price.
    pub cranked_by_two: u64,
    signatures: BTreeSet<String>,
}

/// What was done in a step so far.
#[derive(Default)]
struct Done {
    touched: BTreeSet<Pubkey>,
    liquidated: BTreeSet<Pubkey>,
    settled: BTreeSet<(Pubkey, Pubkey, bool, i16)>,
    executed: BTreeSet<Pubkey>,
    /// Markets that anybody cranked.
    cranked: BTreeSet<Pubkey>,
    /// What keepers cranked alone, not in front of something else: by whom, and what it found.
    alone: BTreeMap<Pubkey, (String, FundingCranked)>,
}

impl Findings {
    fn fail(&mut self, block: &Block, what: String) {
        self.failures.push(format!("slot {}, time {}: {what}", block.slot, block.now));
    }

    /// Judges a step.
    ///
    /// Errors: an account is not where the chain says.
    pub fn judge(&mut self, step: &Step<'_>) -> Result<()> {
        let mut done = Done::default();
        for block in step.blocks {
            for carried in &block.transactions {
                if !self.signatures.insert(carried.signature.clone()) {
                    self.fail(block, format!("{} was carried out twice", carried.signature));
                }
                let by_keeper = step.keepers.iter().any(|keeper| keeper.to_string() == carried.payer);
                if by_keeper {
                    self.count(carried);
                }
                self.look_at(step, block, carried, by_keeper, &mut done)?;
            }
        }
        Ok(())
    }

    fn count(&mut self, carried: &Carried) {
        self.fees += carried.fee;
        self.failed += u64::from(carried.failed);
        let kind = carried.events.iter().rev().find_map(|event| match event {
            Event::AccountLiquidated(_) => Some("liquidate"),
            Event::PositionClosed(_) => Some("settle"),
            Event::WithdrawalExecuted(_) => Some("execute_withdrawal"),
            Event::AccountOpened(_) => Some("open_account"),
            Event::FundingCranked(_) => Some("crank"),
            Event::StockCranked(_) => Some("crank_stock"),
            Event::ClaimsServed(_) => Some("serve_claims"),
            _ => None,
        });
        *self.jobs.entry(kind.unwrap_or(if carried.failed { "failed" } else { "other" })).or_default() += 1;
    }

    fn look_at(
        &mut self,
        step: &Step<'_>,
        block: &Block,
        tx: &Carried,
        by_keeper: bool,
        done: &mut Done,
    ) -> Result<()> {
        let only_cranks =
            tx.events.iter().all(|event| matches!(event, Event::FundingCranked(_) | Event::StockCranked(_)));
        for event in &tx.events {
            match event {
                Event::FundingCranked(crank) => self.crank(step, block, tx, crank, by_keeper && only_cranks, done),
                Event::AccountLiquidated(event) => {
                    self.liquidation(step, block, event.vault, event.account, done)?;
                    done.touched.insert(event.keeper_account);
                }
                Event::PositionClosed(event) => {
                    let key = (event.account, event.market, event.side as u8 == 0, event.tick);
                    let settled = event.reason != CloseReason::Sold;
                    if settled && !done.settled.insert(key) {
                        self.fail(block, format!("a position of {} was settled twice", event.account));
                    }
                    done.touched.insert(event.account);
                }
                Event::PositionOpened(event) => {
                    let side = event.side as u8 == 0;
                    done.settled.remove(&(event.account, event.market, side, event.tick));
                    done.touched.insert(event.account);
                }
                Event::Deposited(event) => drop(done.touched.insert(event.account)),
                Event::Withdrawn(event) => drop(done.touched.insert(event.account)),
                Event::WithdrawalExecuted(event) if !done.executed.insert(event.ticket) => {
                    self.fail(block, format!("the withdrawal {} was executed twice", event.ticket));
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// A market that was cranked is not due again until its price moved, five minutes passed or a state changed.
    fn crank(
        &mut self,
        step: &Step<'_>,
        block: &Block,
        tx: &Carried,
        crank: &FundingCranked,
        alone: bool,
        done: &mut Done,
    ) {
        if done.cranked.insert(crank.market) && !step.faulty {
            self.crank_lags.push(block.now - step.began);
        }
        if !alone {
            return;
        }
        let Some((payer, last)) = done.alone.insert(crank.market, (tx.payer.clone(), *crank)) else { return };
        let moved = last.price.abs_diff(crank.price) * 10_000 >= last.price * MOVE_BPS;
        let marks = crank.publish_time.div_euclid(MARK) > last.publish_time.div_euclid(MARK);
        let states = (last.conditions, last.barred) != (crank.conditions, crank.barred);
        if moved || marks || states {
            return;
        }
        if payer == tx.payer {
            self.fail(block, format!("{} was cranked twice for the same price", crank.market));
        } else {
            self.cranked_by_two += 1;
        }
    }

    fn liquidation(
        &mut self,
        step: &Step<'_>,
        block: &Block,
        vault: Pubkey,
        account: Pubkey,
        done: &mut Done,
    ) -> Result<()> {
        let known = !done.touched.contains(&account);
        if known && !done.liquidated.insert(account) {
            self.fail(block, format!("{account} was liquidated twice"));
        }
        let lag = block.now - step.began;
        if step.faulty {
            self.faulty_lags.push(lag)
        } else {
            self.liquidation_lags.push(lag)
        }
        let waited = block.now - step.able.max(step.began);
        if waited > INTERVAL {
            self.fail(block, format!("{account} was below its margin for {waited} seconds"));
        }
        if !known {
            self.unjudged += 1;
            return Ok(());
        }
        self.judged += 1;
        let view = step.before.views.iter().find(|view| view.book.keys.vault == vault).context("a vault")?;
        let found = view.accounts.iter().find(|found| found.address == account).context("an account")?;
        // The chain as it was, with the prices and the time that the liquidation found.
        let mut book = view.book.clone();
        book.moment = Moment { now: block.now, slot: block.slot };
        for said in &block.said {
            if let Some(Keyed { account, .. }) = book.prices.get_mut(&said.feed_id) {
                *account = *said;
            }
        }
        let health = book.health(&found.account)?;
        if !health.is_liquidatable() {
            let (equity, least) = (health.equity(), health.maintenance.0);
            self.fail(block, format!("{account} was liquidated early: it had {equity} and needed {least}"));
        }
        Ok(())
    }

    /// Judges the chain when a step ended and nothing was under way: nobody is below who could be liquidated.
    pub fn rest(&mut self, seen: &Seen, keeper: &Pubkey) {
        let schedule = Schedule { open_account: false, ..Schedule::default() };
        let identity = plan::Identity { keeper: *keeper, sub_account: 0 };
        for view in &seen.views {
            let plan = plan::plan(view, &identity, &schedule);
            let (now, vault) = (view.book.moment.now, view.book.keys.vault);
            let left = plan.below - plan.barred;
            if left > 0 || !plan.unjudged.is_empty() {
                let unjudged = plan.unjudged.len();
                self.failures
                    .push(format!("time {now}: {left} accounts of {vault} are left below, {unjudged} unjudged"));
            }
        }
    }
}

#[cfg(test)]
mod tests;
