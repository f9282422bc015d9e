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
    rpc::{Faults, Server},
    token::{self, ONE},
};
use serde_json::json;
use solana_pubkey::Pubkey;

#[derive(Parser)]
#[command(about = "Serves JSON-RPC of the compiled program until its input ends")]
struct Arguments {
    /// Who is given SOL and stock tokens
    #[arg(long)]
    trader: Pubkey,
    /// How many of the first transactions are taken and never carried out
    #[arg(long, default_value_t = 0)]
    drop: u32,
    /// How many seconds pass on the chain in each of the wall's
    #[arg(long, default_value_t = 1)]
    speed: u32,
}

fn main() -> Result<()> {
    let Arguments { trader, drop, speed } = Arguments::parse();
    let mut world = World::with_dollar_market(1);
    let VaultKeys { stock_mint, token_program, .. } = world.vault;
    world.chain.fund(&trader);
    token::issue(&mut world.chain, &trader, &stock_mint, &token_program, 1_000 * ONE);
    let (index, share) = (price::usd(world.spot[0]), world.share.unwrap_or_default());
    let prices = [(FEEDS[0], index), (SHARE_FEED, share)];
    post(&mut world.chain, &prices);
    let server = Server::start(world.chain);
    server.fail(Faults { dropped: drop, ..Faults::default() });
    let chain = Arc::clone(&server.chain);
    thread::spawn(move || publish(&chain, &prices, speed.into()));
    println!("{}", json!({ "rpc": server.url, "stockMint": stock_mint.to_string() }));
    io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}

/// Lets time pass and posts what prices are then, for ever.
fn publish(chain: &Mutex<Chain>, prices: &[([u8; 32], i64)], speed: i64) {
    loop {
        thread::sleep(Duration::from_secs(1));
        let Ok(mut chain) = chain.lock() else { return };
        chain.wait(speed);
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
