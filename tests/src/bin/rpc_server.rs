//! The compiled program behind JSON-RPC, with markets, prices and a trader who has tokens: for clients in other languages.

use std::{
    io::{self, Read},
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

use anyhow::Result;
use clap::Parser;
use perpetua_client::{instruction::VaultKeys, price::pushed};
use perpetua_tests::{
    Chain, World,
    price::{self, FEEDS, SHARE_FEED},
    rpc::Server,
    token::{self, ONE},
};
use serde_json::json;
use solana_pubkey::Pubkey;

/// How fast the chain's clock and its prices go.
const SECOND: Duration = Duration::from_secs(1);

#[derive(Parser)]
#[command(about = "Serves JSON-RPC of the compiled program until its input ends")]
struct Arguments {
    /// Who is given SOL and stock tokens
    #[arg(long)]
    trader: Pubkey,
}

fn main() -> Result<()> {
    let Arguments { trader } = Arguments::parse();
    let mut world = World::with_dollar_market(1);
    let VaultKeys { stock_mint, token_program, .. } = world.vault;
    world.chain.fund(&trader);
    token::issue(&mut world.chain, &trader, &stock_mint, &token_program, 1_000 * ONE);
    let (index, share) = (price::usd(world.spot[0]), world.share.unwrap_or_default());
    let prices = [(FEEDS[0], index), (SHARE_FEED, share)];
    post(&mut world.chain, &prices);
    let server = Server::start(world.chain);
    let chain = Arc::clone(&server.chain);
    thread::spawn(move || publish(&chain, &prices));
    println!("{}", json!({ "rpc": server.url, "stockMint": stock_mint.to_string() }));
    io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}

/// A price a second, for ever.
fn publish(chain: &Mutex<Chain>, prices: &[([u8; 32], i64)]) {
    loop {
        thread::sleep(SECOND);
        let Ok(mut chain) = chain.lock() else { return };
        chain.wait(1);
        post(&mut chain, prices);
    }
}

/// Posts prices, published now, where Pyth's are.
fn post(chain: &mut Chain, prices: &[([u8; 32], i64)]) {
    for (feed, dollars) in prices {
        let price = price::fresh(chain, *feed, *dollars);
        price::post(chain, &pushed(feed, 0), &price);
    }
}
