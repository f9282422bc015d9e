//! What the network has before anybody uses it: the program, stock tokens, wallets with both, and everything that the
//! declaration says.

use std::{fs, path::Path};

use anyhow::{Context, Result};
use perpetua_client::{
    address,
    price::PriceAccounts,
    rpc::{AsyncClient, Client, SendOptions},
    token::associated,
};
use perpetua_migrations::{apply::apply, declaration::Declaration, plan::Plan};
use solana_instruction::{AccountMeta, Instruction};
use solana_pubkey::Pubkey;
use solana_signer::Signer;
use spl_token_2022_interface::ID as TOKEN_2022;

use crate::{
    Files,
    mint::STOCKS,
    network::Network,
    wallets::{HOLDERS, Wallets},
};

const ASSOCIATED_TOKEN: Pubkey = Pubkey::from_str_const("ATokenGPvbdGVxr1b2hvZbsiqW5xWH25efTNsLJA8knL");
/// The associated token program's instruction that does nothing where the account exists.
const CREATE_IDEMPOTENT: u8 = 1;

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
    for stock in &STOCKS {
        let account = associated(holder, &stock.mint, &TOKEN_2022);
        let open = open_tokens(&admin.pubkey(), holder, &stock.mint);
        let to_mint = spl_token_2022_interface::instruction::mint_to;
        let mint = to_mint(&TOKEN_2022, &stock.mint, &account, &admin.pubkey(), &[], tokens)?;
        let options = SendOptions { compute_limit: Some(100_000), ..SendOptions::default() };
        client.send(&[open, mint], &admin.pubkey(), &[admin], &options).await.context("tokens were not issued")?;
    }
    Ok(())
}

/// Creates an owner's associated token account where there is none.
fn open_tokens(payer: &Pubkey, owner: &Pubkey, mint: &Pubkey) -> Instruction {
    let accounts = vec![
        AccountMeta::new(*payer, true),
        AccountMeta::new(associated(owner, mint, &TOKEN_2022), false),
        AccountMeta::new_readonly(*owner, false),
        AccountMeta::new_readonly(*mint, false),
        AccountMeta::new_readonly(Pubkey::default(), false),
        AccountMeta::new_readonly(TOKEN_2022, false),
    ];
    Instruction { program_id: ASSOCIATED_TOKEN, accounts, data: vec![CREATE_IDEMPOTENT] }
}

/// By the same code and file that set up any cluster.
async fn declare(network: &Network, config: &Path, wallets: &Wallets) -> Result<()> {
    let declaration = Declaration::load(config)?;
    let (url, wallet) = (network.rpc.clone(), wallets.admin().insecure_clone());
    let declared = move || -> Result<()> {
        let client = Client::new(url)?;
        let plan = Plan::make(&client, &PriceAccounts::default(), &declaration, &wallet.pubkey())?;
        let (total, mut number) = (plan.due().count(), 0);
        apply(&client, &plan, &wallet, &SendOptions::default(), &mut |created| {
            number += 1;
            eprintln!("[{number}/{total}] {}", created.step.what);
        })?;
        Ok(())
    };
    tokio::task::spawn_blocking(declared).await?
}
