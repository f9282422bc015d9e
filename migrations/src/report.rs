//! What is told to people and to machines.

use std::io::{self, BufRead, IsTerminal, Write};

use anchor_lang::prelude::Pubkey;
use anyhow::{Result, ensure};
use perpetua_client::address;
use serde_json::{Value, json};

use chrono::DateTime;

use crate::{
    apply::Done,
    cluster::Cluster,
    plan::{Action, Plan, Step},
};

/// Lamports in one SOL.
const SOL: u64 = 1_000_000_000;

/// Where a run's story goes: to standard output, or to standard error where JSON comes on standard output.
#[derive(Clone, Copy, Debug)]
pub struct Console {
    /// Whether the outcome is told as JSON.
    pub json: bool,
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Everything existed as declared.
    Unchanged,
    /// What is to be done was only shown.
    DryRun,
    /// Nothing can be done now: changes that were proposed wait.
    Waiting,
    /// What was missing was created, and nothing changed.
    Created,
    /// Something was changed or proposed.
    Changed,
    /// The user did not want it.
    Declined,
}

impl Outcome {
    fn name(self) -> &'static str {
        match self {
            Self::Unchanged => "unchanged",
            Self::DryRun => "dry run",
            Self::Waiting => "waiting",
            Self::Created => "created",
            Self::Changed => "changed",
            Self::Declined => "declined",
        }
    }
}

impl Action {
    /// What is to be done, in a word.
    fn name(self) -> &'static str {
        match self {
            Self::Keep => "as declared",
            Self::Create => "missing",
            Self::Tighten => "tighten",
            Self::Propose => "propose",
            Self::Wait(_) => "wait",
            Self::Apply => "apply",
        }
    }

    /// The same once it was done.
    pub(crate) fn done(self) -> &'static str {
        match self {
            Self::Keep | Self::Wait(_) => self.name(),
            Self::Create => "created",
            Self::Tighten => "tightened",
            Self::Propose => "proposed",
            Self::Apply => "applied",
        }
    }
}

/// A moment in UTC.
fn time(unix: i64) -> String {
    DateTime::from_timestamp(unix, 0).map_or_else(|| unix.to_string(), |time| time.to_string())
}

fn state(step: &Step) -> String {
    match step.action {
        Action::Wait(until) => format!("wait until {}, then apply", time(until)),
        action => action.name().to_owned(),
    }
}

impl Console {
    /// Tells a line.
    pub fn say(self, line: &str) {
        if self.json { eprintln!("{line}") } else { println!("{line}") }
    }

    /// Tells what exists and what is missing.
    pub fn show(self, plan: &Plan, url: &str, wallet: &Pubkey) {
        self.say(&format!("cluster  {} ({url})", plan.cluster));
        self.say(&format!("program  {}", address::PROGRAM));
        self.say(&format!("wallet   {wallet}"));
        let width = plan.steps.iter().map(|step| step.what.len()).max().unwrap_or(0);
        for step in &plan.steps {
            self.say(&format!("  {:width$}  {}  {}", step.what, step.address, state(step)));
            if !step.details.is_empty() {
                self.say(&format!("    {}", step.details.join(", ")));
            }
        }
        let count = |wanted: Action| plan.due().filter(|step| step.action == wanted).count();
        for (action, note) in [
            (Action::Create, "to create; most of its parameters never change, the others two days after a proposal"),
            (Action::Tighten, "to tighten at once"),
            (Action::Propose, "to propose; run again two days later to apply"),
            (Action::Apply, "to apply"),
        ] {
            let count = count(action);
            if count > 0 {
                self.say(&format!("{count} {note}"));
            }
        }
        if plan.rent() > 0 {
            self.say(&format!("about {} SOL of rent", sol(plan.rent())));
        }
    }

    /// Tells that a step was done.
    pub fn show_done(self, cluster: Cluster, number: usize, total: usize, done: &Done) {
        let Done { step, signature } = done;
        self.say(&format!("[{number}/{total}] {} {}: {signature}", step.action.done(), step.what));
        if let Some(link) = cluster.explorer(signature) {
            self.say(&format!("      {link}"));
        }
    }

    /// Asks whether to go on.
    ///
    /// Errors: nobody can be asked.
    pub fn confirm(self, question: &str) -> Result<bool> {
        ensure!(io::stdin().is_terminal(), "there is no terminal to confirm at; look at a --dry-run, then pass --yes");
        eprint!("{question} [y/N] ");
        io::stderr().flush()?;
        let mut answer = String::new();
        io::stdin().lock().read_line(&mut answer)?;
        Ok(matches!(answer.trim().to_lowercase().as_str(), "y" | "yes"))
    }
}

/// Lamports as SOL, to four places, rounded up.
fn sol(lamports: u64) -> String {
    let places = lamports.div_ceil(SOL / 10_000);
    format!("{}.{:04}", places / 10_000, places % 10_000)
}

/// A run as JSON.
pub fn to_json(plan: &Plan, all: &[Done], outcome: Outcome, url: &str, wallet: &Pubkey) -> Value {
    let steps: Vec<Value> = plan
        .steps
        .iter()
        .map(|step| {
            let done = all.iter().find(|done| done.step.what == step.what);
            let until = if let Action::Wait(until) = step.action { Some(until) } else { None };
            json!({
                "what": step.what,
                "address": step.address.to_string(),
                "state": if done.is_some() { step.action.done() } else { step.action.name() },
                "until": until,
                "details": step.details,
                "signature": done.map(|done| done.signature.to_string()),
                "explorer": done.and_then(|done| plan.cluster.explorer(&done.signature)),
            })
        })
        .collect();
    json!({
        "outcome": outcome.name(),
        "cluster": plan.cluster,
        "url": url,
        "program": address::PROGRAM.to_string(),
        "wallet": wallet.to_string(),
        "steps": steps,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rent_is_shown_rounded_up() {
        assert_eq!(sol(0), "0.0000");
        assert_eq!(sol(1), "0.0001");
        assert_eq!(sol(1_000_000_000), "1.0000");
        assert_eq!(sol(12_345_678_901), "12.3457");
    }
}
