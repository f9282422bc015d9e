//! The `perpetua-setup` command.

use std::{path::PathBuf, process::ExitCode};

use anyhow::{Context, Result};
use clap::Parser;
use perpetua_client::{
    price::PriceAccounts,
    rpc::{Client, ClientError, SendOptions},
};
use perpetua_migrations::{declaration::Declaration, report::Console, run::Run, settings::Settings};
use serde_json::{Value, json};

/// Brings a cluster to a declared configuration of Perpetua: creates what is missing, and changes what may change.
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
    /// Shows what would be done, and does nothing.
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
        let declaration = Declaration::load(&self.config)?;
        let settings = Settings::resolve(None, self.url.as_deref(), self.keypair.as_deref())?;
        let (url, keypair) = (&settings.url, settings.read_keypair()?);
        let run = Run {
            declaration: &declaration,
            client: &Client::new(url).context("the connection cannot be set up")?,
            prices: PriceAccounts::default(),
            options: SendOptions::default(),
            url,
            keypair: &keypair,
            console: Console { json: self.json },
            dry_run: self.dry_run,
            yes: self.yes,
        };
        run.carry_out()
    }
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let result = arguments.run();
    let code = if result.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE };
    let told = result.unwrap_or_else(|error| {
        eprintln!("error: {error:#}");
        let failed = error.chain().find_map(|cause| cause.downcast_ref::<ClientError>()).and_then(ClientError::failure);
        for line in failed.map(|failure| failure.logs.as_slice()).unwrap_or_default() {
            eprintln!("    {line}");
        }
        json!({ "outcome": "failed", "error": format!("{error:#}") })
    });
    if arguments.json {
        println!("{told:#}");
    }
    code
}
