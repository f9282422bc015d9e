//! What is told to people and to machines.

use std::io::{self, BufRead, IsTerminal, Write};

use anchor_lang::prelude::Pubkey;
use anyhow::{Result, ensure};
use perpetua_client::address;
use serde_json::{Value, json};

use crate::{apply::Created, network::Cluster, plan::Plan};

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
    /// What was missing was only shown.
    DryRun,
    /// What was missing was created.
    Created,
    /// The user did not want it.
    Declined,
}

impl Outcome {
    fn name(self) -> &'static str {
        match self {
            Self::Unchanged => "unchanged",
            Self::DryRun => "dry run",
            Self::Created => "created",
            Self::Declined => "declined",
        }
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
            let state = if step.create.is_some() { "missing" } else { "as declared" };
            self.say(&format!("  {:width$}  {}  {state}", step.what, step.address));
            if !step.details.is_empty() {
                self.say(&format!("    {}", step.details.join(", ")));
            }
        }
        let missing = plan.missing().count();
        if missing > 0 {
            let rent = sol(plan.rent());
            self.say(&format!("{missing} to create, for about {rent} SOL of rent; none can be changed afterwards"));
        }
    }

    /// Tells that an account was created.
    pub fn show_created(self, cluster: Cluster, number: usize, total: usize, created: &Created) {
        let Created { step, signature } = created;
        self.say(&format!("[{number}/{total}] created {}: {signature}", step.what));
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
pub fn to_json(plan: &Plan, created: &[Created], outcome: Outcome, url: &str, wallet: &Pubkey) -> Value {
    let steps: Vec<Value> = plan
        .steps
        .iter()
        .map(|step| {
            let done = created.iter().find(|created| created.step.what == step.what);
            let state = match (done, &step.create) {
                (Some(_), _) => "created",
                (None, Some(_)) => "missing",
                (None, None) => "as declared",
            };
            json!({
                "what": step.what,
                "address": step.address.to_string(),
                "state": state,
                "details": step.details,
                "signature": done.map(|created| created.signature.to_string()),
                "explorer": done.and_then(|created| plan.cluster.explorer(&created.signature)),
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
