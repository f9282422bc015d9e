//! What the network has before anybody uses it: the program, stock tokens, wallets with both, and everything that the
//! declaration says.

use std::{fs, path::Path, time::Duration};

use anyhow::{Context, Result};
use perpetua_client::{
    address,
    price::PriceAccounts,
    rpc::{AsyncClient, Client, SendOptions},
    token::{associated, create_associated},
};
use perpetua_migrations::{
    apply::{Progress, apply},
    declaration::Declaration,
    plan::Plan,
};
use solana_pubkey::Pubkey;
use solana_signer::Signer;
use spl_token_2022_interface::ID as TOKEN_2022;

use crate::{
    Files,
    mint::STOCKS,
    network::Network,
    wallets::{HOLDERS, Wallets},
};

/// Time between two questions for what became of a transaction.
const ASK: Duration = Duration::from_millis(50);
/// What everybody gets to pay fees and rent with.
const LAMPORTS: u64 = 1_000_000_000_000;
/// Rent of a mint.
const MINT_LAMPORTS: u64 = 10_000_000;
/// Raw units of a stock token that every holder gets: 10,000 tokens.
const TOKENS: u64 = 10_000 * 100_000_000;

/// Sets everything up, and says what it does.
///
/// Errors: a file cannot be read; the network refuses something.
pub async fn set_up(network: &Network, files: &Files, wallets: &Wallets) -> Result<()> {
    let (control, admin) = (network.control(), wallets.admin().pubkey());
    let program = fs::read(&files.program).with_context(|| files.program.display().to_string())?;
    eprintln!("deploying the program ({} bytes)", program.len());
    control.deploy(&address::PROGRAM, &program, &admin).await?;
    for stock in &STOCKS {
        control.set_account(&stock.mint, &TOKEN_2022, MINT_LAMPORTS, &stock.data(&admin)?).await?;
    }
    eprintln!("issuing stock tokens");
    control.set_account(&admin, &Pubkey::default(), LAMPORTS, &[]).await?;
    for (_, holder) in wallets.all().filter(|(name, _)| HOLDERS.contains(name)) {
        fund(network, wallets, &holder.pubkey(), LAMPORTS, TOKENS).await?;
    }
    declare(network, &files.config, wallets).await
}

/// Sets what a wallet has to pay fees and rent with, and issues `tokens` raw units of each stock token to it.
///
/// Errors: the network refuses something.
pub async fn fund(network: &Network, wallets: &Wallets, holder: &Pubkey, lamports: u64, tokens: u64) -> Result<()> {
    let (client, admin, control) = (AsyncClient::new(network.rpc.clone()), wallets.admin(), network.control());
    control.set_account(holder, &Pubkey::default(), lamports, &[]).await?;
    let mut instructions = Vec::new();
    for stock in &STOCKS {
        let account = associated(holder, &stock.mint, &TOKEN_2022);
        let to_mint = spl_token_2022_interface::instruction::mint_to;
        instructions.push(create_associated(&admin.pubkey(), holder, &stock.mint, &TOKEN_2022));
        instructions.push(to_mint(&TOKEN_2022, &stock.mint, &account, &admin.pubkey(), &[], tokens)?);
    }
    let options = SendOptions { compute_limit: Some(200_000), poll: ASK, ..SendOptions::default() };
    client.send(&instructions, &admin.pubkey(), &[admin], &options).await.context("tokens were not issued")?;
    Ok(())
}

/// By the same code and file that set up any cluster.
async fn declare(network: &Network, config: &Path, wallets: &Wallets) -> Result<()> {
    let declaration = Declaration::load(config)?;
    let (url, wallet) = (network.rpc.clone(), wallets.admin().insecure_clone());
    let declared = move || -> Result<()> {
        let client = Client::new(url)?;
        let plan = Plan::make(&client, &PriceAccounts::default(), &declaration, &wallet.pubkey())?;
        let (total, mut number) = (plan.due().count(), 0);
        apply(&client, &plan, &wallet, &SendOptions::default(), &mut |progress| {
            if let Progress::Begins(step) = progress {
                number += 1;
                eprintln!("[{number}/{total}] {}", step.what);
            }
        })?;
        Ok(())
    };
    tokio::task::spawn_blocking(declared).await?
}
