//! From a declaration to the cluster that it declares: plan, show, ask, do.

use anyhow::{Context, Result, bail};
use perpetua_client::{
    price::PriceAccounts,
    rpc::{Client, SendOptions},
};
use serde_json::Value;
use solana_keypair::Keypair;
use solana_signer::Signer;

use crate::{
    apply::apply,
    declaration::Declaration,
    plan::{Action, Plan},
    report::{Console, Outcome, to_json},
};

/// How a declaration is carried out.
pub struct Run<'a> {
    /// What is to exist.
    pub declaration: &'a Declaration,
    /// The connection to the cluster.
    pub client: &'a Client,
    /// Where the prices are.
    pub prices: PriceAccounts,
    /// How transactions are sent.
    pub options: SendOptions,
    /// Where that goes, for people.
    pub url: &'a str,
    /// The administrator's key.
    pub keypair: &'a Keypair,
    /// Where the story is told.
    pub console: Console,
    /// Whether it is only shown.
    pub dry_run: bool,
    /// Whether nobody is asked.
    pub yes: bool,
}

impl Run<'_> {
    /// Shows what is to be done, asks, does it, and looks again. Returns what happened, for programs.
    ///
    /// Errors: those of [`Plan::make`] and [`apply`]; nobody can be asked.
    pub fn carry_out(&self) -> Result<Value> {
        let Self { declaration, client, ref prices, ref options, url, keypair, console, .. } = *self;
        let wallet = keypair.pubkey();
        let plan = Plan::make(client, prices, declaration, &wallet)?;
        console.show(&plan, url, &wallet);
        let total = plan.due().count();
        let told = |outcome| Ok(to_json(&plan, &[], outcome, url, &wallet));
        if total == 0 {
            if plan.waiting().next().is_some() {
                console.say("nothing to do now: run again when the wait is over");
                return told(Outcome::Waiting);
            }
            console.say("nothing to do: everything exists as declared");
            return told(Outcome::Unchanged);
        }
        if self.dry_run {
            console.say("dry run: nothing was sent");
            return told(Outcome::DryRun);
        }
        if !self.yes && !console.confirm(&format!("Carry it out on {}?", plan.cluster))? {
            console.say("nothing was sent");
            return told(Outcome::Declined);
        }
        let mut number = 0;
        let done = apply(client, &plan, keypair, options, &mut |done| {
            number += 1;
            console.show_done(plan.cluster, number, total, done);
        })?;
        let after =
            Plan::make(client, prices, declaration, &wallet).context("it was done, but reading it back failed")?;
        if let Some(step) = after.due().next() {
            bail!("{} cannot be read back yet as it was done; run again to check", step.what);
        }
        let waiting = after.waiting().count();
        if waiting > 0 {
            console.say(&format!("done; {waiting} changes wait for two days: run again then to apply them"));
        } else {
            console.say("done: everything exists as declared");
        }
        let only_created = done.iter().all(|done| done.step.action == Action::Create);
        let outcome = if only_created { Outcome::Created } else { Outcome::Changed };
        Ok(to_json(&plan, &done, outcome, url, &wallet))
    }
}
