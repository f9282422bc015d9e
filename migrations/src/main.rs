//! The `perpetua-setup` command.

use std::{path::PathBuf, process::ExitCode};

use anyhow::{Context, Result, bail};
use clap::Parser;
use perpetua_migrations::{
    apply::{Patience, apply},
    declaration::Declaration,
    plan::Plan,
    report::{Console, Outcome, to_json},
    rpc::Rpc,
    settings::Settings,
};
use serde_json::{Value, json};
use solana_signer::Signer;

/// Brings a cluster to a declared configuration of Perpetua: creates what is missing, and nothing else.
#[derive(Parser)]
#[command(name = "perpetua-setup", version)]
struct Arguments {
    /// What is to exist, in TOML or JSON.
    #[arg(short, long)]
    config: PathBuf,
    /// localhost, devnet, testnet, mainnet-beta or a URL [default: as the Solana CLI is configured].
    #[arg(short, long)]
    url: Option<String>,
    /// File of the key that signs and pays [default: as the Solana CLI is configured].
    #[arg(short, long)]
    keypair: Option<String>,
    /// Shows what would be created, and creates nothing.
    #[arg(long)]
    dry_run: bool,
    /// Does not ask before spending.
    #[arg(short, long)]
    yes: bool,
    /// Writes the outcome as JSON to standard output, and the rest to standard error.
    #[arg(long)]
    json: bool,
}

impl Arguments {
    fn run(&self) -> Result<Value> {
        let console = Console { json: self.json };
        let declaration = Declaration::load(&self.config)?;
        let settings = Settings::resolve(None, self.url.as_deref(), self.keypair.as_deref())?;
        let (url, keypair) = (&settings.url, settings.read_keypair()?);
        let (network, wallet) = (Rpc::new(url), keypair.pubkey());
        let plan = Plan::make(&network, &declaration, &wallet)?;
        console.show(&plan, url, &wallet);
        let total = plan.missing().count();
        let done = |outcome| Ok(to_json(&plan, &[], outcome, url, &wallet));
        if total == 0 {
            console.say("nothing to do: everything exists as declared");
            return done(Outcome::Unchanged);
        }
        if self.dry_run {
            console.say("dry run: nothing was created");
            return done(Outcome::DryRun);
        }
        if !self.yes && !console.confirm(&format!("Create them on {}?", plan.cluster))? {
            console.say("nothing was created");
            return done(Outcome::Declined);
        }
        let mut number = 0;
        let created = apply(&network, &plan, &keypair, Patience::default(), &mut |created| {
            number += 1;
            console.show_created(plan.cluster, number, total, created);
        })?;
        let after = Plan::make(&network, &declaration, &wallet)
            .context("the accounts were created, but reading them back failed")?;
        if let Some((step, _)) = after.missing().next() {
            bail!("{} was created but cannot be read back yet; run again to check", step.what);
        }
        console.say("done: everything exists as declared");
        Ok(to_json(&plan, &created, Outcome::Created, url, &wallet))
    }
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let result = arguments.run();
    let code = if result.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE };
    let told = result.unwrap_or_else(|error| {
        eprintln!("error: {error:#}");
        json!({ "outcome": "failed", "error": format!("{error:#}") })
    });
    if arguments.json {
        println!("{told:#}");
    }
    code
}
