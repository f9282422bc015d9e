//! The `perpetua-localnet` command: a Solana network on this machine with Perpetua set up and real prices playing.

use std::{
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

use anyhow::Result;
use clap::Parser;
use perpetua_localnet::{Files, Localnet, Options, Pace};
use serde_json::json;
use solana_signer::Signer;

/// Starts a Solana network on this machine, sets up Perpetua on it and plays real prices. Ctrl-C ends it.
#[derive(Parser)]
#[command(name = "perpetua-localnet", version)]
struct Arguments {
    #[command(flatten)]
    files: Files,
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
    let Arguments { files, speed, week, rpc_port, ws_port, stop_after, json } = arguments;
    let pace = Pace::Wall { speed };
    let interrupted = tokio::signal::ctrl_c();
    tokio::pin!(interrupted);
    let started = Localnet::start(&files, Options { pace, week, time: None, rpc_port, ws_port });
    let mut localnet = tokio::select! {
        _ = &mut interrupted => return Ok(()),
        started = started => started?,
    };
    let keeper = keeper_file(&localnet)?;
    tell(&localnet, json, speed, &keeper);
    let over = async {
        match stop_after {
            Some(seconds) => tokio::time::sleep(Duration::from_secs(seconds)).await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        _ = interrupted => {}
        () = over => {}
        ended = localnet.ended() => return Err(ended),
    }
    eprintln!("stopping");
    localnet.stop().await
}

/// A keeper's file for this network, beside its key.
fn keeper_file(localnet: &Localnet) -> Result<PathBuf> {
    let file = localnet.wallets().file("keeper").with_extension("toml");
    let (schedule, rpc) = ("[schedule]\npoll = \"200ms\"", localnet.rpc());
    fs::write(&file, format!("keypair = \"keeper.json\"\n\n[rpc]\nurls = [\"{rpc}\"]\n\n{schedule}\n"))?;
    Ok(file)
}

fn tell(localnet: &Localnet, as_json: bool, speed: u32, keeper: &Path) {
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
    println!("\nTry next, in other terminals:\n");
    println!("  cargo run -q -p perpetua-keeper -- --config {} --log text", keeper.display());
    let perpetua = format!("  cargo run -q -p perpetua-cli -- --url {rpc} --keypair");
    println!("{perpetua} {} pool deposit TSLAx main 5000", wallets.file("lp").display());
    println!("{perpetua} {} markets", wallets.file("trader").display());
    println!("\nOptions can be bought once a keeper cranked at a five-minute mark of the chain's time.");
    println!("\nTime passes {speed} times as fast as on the wall. Ctrl-C ends the network.");
}
