//! `perpetua history`: what happened.

use std::{
    cmp::Reverse,
    collections::{BTreeSet, HashSet},
};

use anchor_lang::prelude::Pubkey;
use anyhow::Result;
use clap::Args;
use perpetua_client::rpc::Happened;
use serde_json::json;
use solana_signature::Signature;

use crate::{amounts, events, output::Output, session::Session};

const EXAMPLES: &str = "\
Examples:
  perpetua history                         your wallet and your margin accounts
  perpetua history ADDRESS --limit 100     a vault, a market, a margin account
  perpetua history ADDRESS --before SIGNATURE
  perpetua history --all --json            with cranks and what happened to others in the same transactions

The newest comes first. Amounts are as wallets show them now: a later split changes how old ones are shown.";

/// Margin accounts of an owner in each vault whose events count as his; those beyond are asked for by their address.
const SUB_ACCOUNTS: u16 = 16;

/// What happened to your accounts, or to any address.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    /// A wallet, margin account, vault or market [default: the key's wallet with its margin accounts].
    address: Option<Pubkey>,
    /// How many transactions of each address to look at, at most 1000.
    #[arg(long, default_value_t = 25, value_parser = clap::value_parser!(u16).range(1..=1000))]
    limit: u16,
    /// Go back from this transaction.
    #[arg(long)]
    before: Option<Signature>,
    /// Also the cranks, and what happened to others in the same transactions.
    #[arg(long)]
    all: bool,
}

impl Arguments {
    /// Tells what happened.
    pub fn run(&self, session: &Session) -> Result<Output> {
        let addresses = match self.address {
            Some(address) => vec![address],
            None => {
                let owner = session.wallet()?;
                let accounts = session.client.margin_accounts_of(&owner)?;
                [owner].into_iter().chain(accounts.into_iter().map(|account| account.address)).collect()
            }
        };
        let listings = session.listings()?;
        let mut own: BTreeSet<Pubkey> = addresses.iter().copied().collect();
        // Margin accounts that were closed since, too.
        for (listing, owner) in listings.iter().flat_map(|listing| addresses.iter().map(move |owner| (listing, owner)))
        {
            own.extend((0..SUB_ACCOUNTS).map(|sub| listing.keys.margin_account(owner, sub)));
        }
        let tokens = listings.into_iter().map(|listing| (listing.keys.vault, listing.token)).collect();
        let (found, before) = self.read(session, &addresses)?;
        let concerned = |happened: &&Happened| {
            self.all || (!events::is_upkeep(&happened.event) && events::concerns(&happened.event, &own))
        };
        let shown: Vec<&Happened> = found.iter().filter(concerned).collect();
        let mut text = String::new();
        for happened in &shown {
            let time = happened.time.map_or_else(|| format!("slot {}", happened.slot), amounts::time);
            text += &format!("{time}  {}\n  {}\n", events::describe(&happened.event, &tokens), happened.signature);
        }
        if shown.is_empty() {
            text = "nothing happened there, as far as this endpoint remembers\n".to_owned();
        }
        let json = json!({
            "addresses": addresses.iter().map(ToString::to_string).collect::<Vec<_>>(),
            "events": shown.iter().map(|happened| events::to_json(happened, &tokens)).collect::<Vec<_>>(),
            "before": before.map(|signature| signature.to_string()),
        });
        Ok(Output { text, json })
    }
    /// The events of all addresses, the newest first, each transaction once; and where one address goes on.
    fn read(&self, session: &Session, addresses: &[Pubkey]) -> Result<(Vec<Happened>, Option<Signature>)> {
        let (mut found, mut seen, mut before) = (Vec::new(), HashSet::new(), None);
        for address in addresses {
            let page = session.client.history(address, self.before.as_ref(), self.limit.into())?;
            // To go on makes sense from one address only.
            before = if addresses.len() == 1 { page.before } else { None };
            let new: Vec<Happened> =
                page.events.into_iter().filter(|happened| !seen.contains(&happened.signature)).collect();
            seen.extend(new.iter().map(|happened| happened.signature));
            found.extend(new);
        }
        // Within a slot the order in which the network listed them stays.
        found.sort_by_key(|happened| Reverse(happened.slot));
        Ok((found, before))
    }
}
