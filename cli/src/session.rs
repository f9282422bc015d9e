//! A connection to a cluster, the key that signs, and the way from an intent to transactions.

use std::{
    cell::OnceCell,
    collections::BTreeMap,
    io::{self, IsTerminal},
    time::Duration,
};

use anchor_lang::{prelude::Pubkey, solana_program::instruction::Instruction};
use anyhow::{Context, Result};
use dialoguer::Confirm;
use indicatif::ProgressBar;
use perpetua_client::{
    amount::UiScale,
    book::Book,
    instruction::VaultKeys,
    model::{Multiplier, PoolConfig, PoolKind},
    perpetua::{
        PoolParameters,
        state::{MarginAccount, Vault},
    },
    price::PriceAccounts,
    rpc::{Client, Confirmed, Happened, Keyed, SendOptions},
    token,
};
use perpetua_migrations::{cluster::Cluster, settings::Settings};
use serde_json::{Value, json};
use solana_keypair::Keypair;
use solana_signer::Signer;

use crate::{
    amounts::Token,
    events::{self, Tokens},
    fault::{declined, refusal},
    names,
    options::Options,
    output::Output,
};

/// A cluster and what a command may do there.
pub struct Session {
    /// The connection.
    pub client: Client,
    /// The options of the command line.
    pub options: Options,
    settings: Settings,
    keypair: OnceCell<Keypair>,
    cluster: OnceCell<Cluster>,
}

/// A vault and the token in it.
#[derive(Clone, Debug)]
pub struct Listing {
    /// Its addresses.
    pub keys: VaultKeys,
    /// The vault.
    pub vault: Box<Vault>,
    /// The stock token.
    pub token: Token,
}

/// Decimals of the shares of a pool.
fn share_decimals(vault: &Vault, pool: PoolKind) -> u8 {
    let PoolConfig { virtual_shares, wait, exit_bps, receivable_bps } = *vault.state.pool_config(pool);
    let parameters = PoolParameters { virtual_shares: virtual_shares.0, wait, exit_bps, receivable_bps };
    parameters.share_decimals(vault.decimals)
}

/// Transactions to be sent, one after the other.
#[derive(Clone, Debug, Default)]
pub struct Intent {
    /// What is shown first, for people.
    pub shown: String,
    /// The same for programs.
    pub json: Value,
    /// What is asked.
    pub question: String,
    /// What each transaction does, and its instructions.
    pub transactions: Vec<(String, Vec<Instruction>)>,
}

impl Session {
    /// Connects to what the options name.
    ///
    /// Errors: the Solana CLI's configuration cannot be read; the URL is none.
    pub fn open(options: Options) -> Result<Self> {
        let settings =
            Settings::resolve(options.config.as_deref(), options.url.as_deref(), options.keypair.as_deref())?;
        let client = Client::new(&settings.url).context("the connection cannot be set up")?;
        Ok(Self { client, options, settings, keypair: OnceCell::new(), cluster: OnceCell::new() })
    }

    /// The URL of the endpoint.
    pub fn url(&self) -> &str {
        &self.settings.url
    }

    /// The key that signs and pays.
    ///
    /// Errors: it cannot be read.
    pub fn keypair(&self) -> Result<&Keypair> {
        if let Some(keypair) = self.keypair.get() {
            return Ok(keypair);
        }
        let keypair = self.settings.read_keypair()?;
        Ok(self.keypair.get_or_init(|| keypair))
    }

    /// The address of the key that signs.
    ///
    /// Errors: as [`Self::keypair`].
    pub fn wallet(&self) -> Result<Pubkey> {
        Ok(self.keypair()?.pubkey())
    }

    /// Whose accounts are meant: those of `owner`, or of the key.
    ///
    /// Errors: as [`Self::keypair`].
    pub fn owner(&self, owner: Option<Pubkey>) -> Result<Pubkey> {
        owner.map_or_else(|| self.wallet(), Ok)
    }

    /// The cluster.
    ///
    /// Errors: the network does not answer.
    pub fn cluster(&self) -> Result<Cluster> {
        if let Some(cluster) = self.cluster.get() {
            return Ok(*cluster);
        }
        let cluster = Cluster::find(&self.client)?;
        Ok(*self.cluster.get_or_init(|| cluster))
    }

    /// Where the prices are.
    pub fn prices(&self) -> PriceAccounts {
        PriceAccounts { shard: self.options.price_shard, others: BTreeMap::new() }
    }

    /// Every vault.
    ///
    /// Errors: the network does not answer; an account cannot be read.
    pub fn listings(&self) -> Result<Vec<Listing>> {
        let vaults = self.client.vaults()?;
        let mut mints: Vec<Pubkey> = vaults.iter().map(|vault| vault.account.stock_mint).collect();
        mints.push(perpetua_client::address::CLOCK);
        let snapshot = self.client.multiple(&mints)?;
        let now = snapshot.clock().map_err(perpetua_client::rpc::ClientError::from)?.unix_timestamp;
        let listings = vaults.into_iter().map(|Keyed { address, account, .. }| {
            let mint = &account.stock_mint;
            let symbol = snapshot.accounts.get(mint).and_then(names::symbol);
            // A mint that nobody can read any more still has decimals.
            let info = snapshot.mint(mint, now).ok();
            let scale = UiScale {
                decimals: account.decimals,
                multiplier: info.map_or(Multiplier::ONE, |info| info.multiplier),
            };
            let symbol = symbol.unwrap_or_else(|| mint.to_string().chars().take(6).collect());
            Listing {
                keys: VaultKeys { vault: address, stock_mint: *mint, token_program: account.token_program },
                token: Token {
                    symbol,
                    scale,
                    share_decimals: [PoolKind::Main, PoolKind::Insurance].map(|pool| share_decimals(&account, pool)),
                },
                vault: Box::new(account),
            }
        });
        Ok(listings.collect())
    }

    /// The vault that `text` means: by its token's symbol or mint, or by its own address.
    ///
    /// Errors: there is none, or two; those of [`Self::listings`].
    pub fn listing(&self, text: &str) -> Result<Listing> {
        let mut all = self.listings()?;
        let symbols = all.iter().map(|listing| listing.token.symbol.clone()).collect::<Vec<_>>().join(", ");
        all.retain(|Listing { keys, token, .. }| {
            token.symbol.eq_ignore_ascii_case(text)
                || keys.stock_mint.to_string() == text
                || keys.vault.to_string() == text
        });
        match (all.pop(), all.is_empty()) {
            (Some(listing), true) => Ok(listing),
            (Some(_), false) => {
                Err(refusal(format!("{text} may be several vaults"), "name the vault by its token's mint"))
            }
            (None, _) if symbols.is_empty() => Err(refusal(
                format!("there is no vault on {}", self.url()),
                "check --url, or list vaults with perpetua admin apply",
            )),
            (None, _) => Err(refusal(format!("there is no vault {text}"), format!("choose one of: {symbols}"))),
        }
    }

    /// A vault with everything around it.
    ///
    /// Errors: the network does not answer; an account cannot be read.
    pub fn book(&self, listing: &Listing) -> Result<Book> {
        Ok(self.client.book(&listing.keys.vault, &self.prices())?)
    }

    /// A margin account in a vault, if it exists.
    ///
    /// Errors: the network does not answer; the account cannot be read.
    pub fn margin_account(&self, listing: &Listing, owner: &Pubkey, sub: u16) -> Result<Option<Keyed<MarginAccount>>> {
        Ok(self.client.find(&listing.keys.margin_account(owner, sub))?)
    }

    /// The same where it must exist.
    ///
    /// Errors: there is none; those of [`Self::margin_account`].
    pub fn need_margin_account(&self, listing: &Listing, owner: &Pubkey, sub: u16) -> Result<Keyed<MarginAccount>> {
        let symbol = &listing.token.symbol;
        self.margin_account(listing, owner, sub)?.ok_or_else(|| {
            refusal(
                format!("{owner} has no margin account {sub} in the {symbol} vault"),
                format!("open one with perpetua deposit {symbol} AMOUNT --sub-account {sub}"),
            )
        })
    }

    /// The owner's associated account of the stock token.
    pub fn token_account(&self, listing: &Listing, owner: &Pubkey) -> Pubkey {
        token::associated(owner, &listing.keys.stock_mint, &listing.keys.token_program)
    }

    /// Shows an intent, asks, and sends it. Under `--dry-run` the network tries each transaction as things are now.
    ///
    /// Errors: it was not confirmed; the network refuses or does not answer; a transaction failed.
    pub fn carry_out(&self, intent: Intent) -> Result<Output> {
        let wallet = self.wallet()?;
        if !self.options.json {
            eprint!("{}", intent.shown);
        }
        if self.options.dry_run {
            return self.try_out(&intent, &wallet);
        }
        // What the network would refuse is told before anything is asked.
        if let Some((_, first)) = intent.transactions.first() {
            self.client.simulate(first, &wallet, &self.send_options())?;
        }
        self.confirm(&intent.question)?;
        let tokens = self.tokens()?;
        let mut sent = Vec::new();
        let total = intent.transactions.len();
        for (place, (what, instructions)) in intent.transactions.iter().enumerate() {
            let confirmed = self.send(&format!("{what} ({} of {total})", place + 1), instructions);
            let confirmed = confirmed.with_context(|| what.clone())?;
            sent.push(self.tell(what, confirmed, &tokens)?);
        }
        let text = sent.iter().map(|(text, _)| text.as_str()).collect();
        let transactions: Vec<Value> = sent.into_iter().map(|(_, json)| json).collect();
        Ok(Output { text, json: json!({ "outcome": "sent", "intent": intent.json, "transactions": transactions }) })
    }

    fn try_out(&self, intent: &Intent, wallet: &Pubkey) -> Result<Output> {
        let mut tried = Vec::new();
        let mut text = String::new();
        // What comes later needs what comes first.
        for (what, instructions) in intent.transactions.iter().take(1) {
            let simulated = self.client.simulate(instructions, wallet, &self.send_options())?;
            text += &format!("dry run: {what} would succeed, for {} compute units\n", simulated.compute_units);
            tried.push(json!({ "what": what, "compute_units": simulated.compute_units.to_string() }));
        }
        Ok(Output { text, json: json!({ "outcome": "dry run", "intent": intent.json, "transactions": tried }) })
    }

    /// Asks whether to go on, unless `--yes` was given.
    ///
    /// Errors: the answer is no; nobody can be asked.
    pub fn confirm(&self, question: &str) -> Result<()> {
        if self.options.yes {
            return Ok(());
        }
        if !io::stdin().is_terminal() || !io::stderr().is_terminal() {
            return Err(refusal("there is no terminal to confirm at", "look at what --dry-run shows, then pass --yes"));
        }
        let confirmed = Confirm::new().with_prompt(question).default(false).interact();
        if confirmed.context("the terminal cannot be read")? { Ok(()) } else { Err(declined()) }
    }

    /// Signs, sends and waits, with progress on standard error.
    ///
    /// Errors: the key cannot be read; the network refuses or does not answer; the transaction failed.
    pub fn send(&self, what: &str, instructions: &[Instruction]) -> Result<Confirmed> {
        let keypair = self.keypair()?;
        let progress = ProgressBar::new_spinner();
        progress.set_message(format!("{what}: waiting for the network"));
        progress.enable_steady_tick(Duration::from_millis(120));
        let sent = self.client.send(instructions, &keypair.pubkey(), &[keypair], &self.send_options());
        progress.finish_and_clear();
        Ok(sent?)
    }

    /// How transactions are sent.
    pub fn send_options(&self) -> SendOptions {
        SendOptions { priority_fee_micro_lamports: self.options.priority_fee, ..SendOptions::default() }
    }

    /// The tokens of all vaults, for what events say.
    ///
    /// Errors: those of [`Self::listings`].
    pub fn tokens(&self) -> Result<Tokens> {
        Ok(self.listings()?.into_iter().map(|listing| (listing.keys.vault, listing.token)).collect())
    }

    fn tell(&self, what: &str, confirmed: Confirmed, tokens: &Tokens) -> Result<(String, Value)> {
        let Confirmed { signature, slot, compute_units } = confirmed;
        let explorer = self.cluster()?.explorer(&signature);
        // It is done; that the network cannot tell yet what it did changes nothing.
        let happened = self.client.happened_in(&signature).unwrap_or_default();
        let own: Vec<&Happened> = happened.iter().filter(|happened| !events::is_upkeep(&happened.event)).collect();
        let mut text = format!("{what}: {signature}\n");
        if let Some(link) = &explorer {
            text += &format!("  {link}\n");
        }
        for happened in &own {
            text += &format!("  {}\n", events::describe(&happened.event, tokens));
        }
        let events: Vec<Value> = own.iter().map(|happened| events::to_json(happened, tokens)).collect();
        let json = json!({
            "what": what,
            "signature": signature.to_string(),
            "explorer": explorer,
            "slot": slot.to_string(),
            "compute_units": compute_units.map(|units| units.to_string()),
            "events": events,
        });
        Ok((text, json))
    }
}
