//! The `perpetua-localnet` command: a Solana network on this machine with Perpetua set up and real prices playing.

use std::{path::PathBuf, process::ExitCode, time::Duration};

use anyhow::Result;
use clap::Parser;
use perpetua_localnet::{Files, Localnet, Options, Pace};
use serde_json::json;
use solana_signer::Signer;

/// Starts a Solana network on this machine, sets up Perpetua on it and plays real prices. Ctrl-C ends it.
#[derive(Parser)]
#[command(name = "perpetua-localnet", version)]
struct Arguments {
    /// The compiled program
    #[arg(long)]
    program: PathBuf,
    /// The network's executable, which tools/surfnet builds
    #[arg(long)]
    surfnet: PathBuf,
    /// What is to exist on the network
    #[arg(long)]
    config: PathBuf,
    /// Folder for the wallets' keys; those that are there are used again
    #[arg(long)]
    wallets: PathBuf,
    /// How many times faster than the clock on the wall time passes, 1 to 10000
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    speed: u32,
    /// How many weeks into the recorded prices to begin
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u32).range(0..=11))]
    week: u32,
    /// Port of JSON-RPC; 0 takes a free one
    #[arg(long, default_value_t = 8899)]
    rpc_port: u16,
    /// Port of the websockets; 0 takes a free one
    #[arg(long, default_value_t = 8900)]
    ws_port: u16,
    /// Ends after so many seconds instead of on Ctrl-C
    #[arg(long)]
    stop_after: Option<u64>,
    /// Prints what was set up as one line of JSON
    #[arg(long)]
    json: bool,
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> Result<()> {
    let Arguments { program, surfnet, config, wallets, speed, week, rpc_port, ws_port, stop_after, json } = arguments;
    let files = Files { program, surfnet, config, wallets };
    let pace = Pace::Wall { speed };
    let stopped = async {
        match stop_after {
            Some(seconds) => tokio::time::sleep(Duration::from_secs(seconds)).await,
            None => drop(tokio::signal::ctrl_c().await),
        }
    };
    tokio::pin!(stopped);
    let started = Localnet::start(&files, Options { pace, week, time: None, rpc_port, ws_port });
    let mut localnet = tokio::select! {
        () = &mut stopped => return Ok(()),
        started = started => started?,
    };
    tell(&localnet, json, speed);
    tokio::select! {
        () = stopped => {}
        ended = localnet.ended() => return Err(ended),
    }
    eprintln!("stopping");
    localnet.stop().await
}

fn tell(localnet: &Localnet, as_json: bool, speed: u32) {
    let (rpc, websocket, wallets) = (localnet.rpc(), localnet.websocket(), localnet.wallets());
    if as_json {
        let keys = wallets.all().map(|(name, key)| (name.to_owned(), json!(key.pubkey().to_string())));
        let wallets = serde_json::Map::from_iter(keys);
        let program = perpetua_client::address::PROGRAM.to_string();
        println!("{}", json!({ "rpc": rpc, "websocket": websocket, "program": program, "wallets": wallets }));
        return;
    }
    println!("\nPerpetua runs on a network of this machine.\n");
    println!("  JSON-RPC    {rpc}\n  websockets  {websocket}");
    println!("  program     {}", perpetua_client::address::PROGRAM);
    for (name, key) in wallets.all() {
        println!("  {name:<10}  {}  {}", key.pubkey(), wallets.file(name).display());
    }
    println!("\nTry next, in another terminal:\n");
    println!("  cargo run -q -p perpetua-migrations -- --config migrations/localnet.toml --url {rpc} --dry-run");
    println!("\nTime passes {speed} times as fast as on the wall. Ctrl-C ends the network.");
}
