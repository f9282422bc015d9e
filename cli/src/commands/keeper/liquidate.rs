//! Liquidations.

use anchor_lang::prelude::Pubkey;
use anyhow::Result;
use clap::Args;
use perpetua_client::instruction;
use serde_json::json;

use crate::{
    fault::{model, refusal},
    output::Output,
    session::{Intent, Session},
};

/// Liquidate accounts below their maintenance margin.
#[derive(Args)]
pub struct Arguments {
    /// The vault: its token's symbol or mint.
    vault: String,
    /// Only this margin account.
    #[arg(long)]
    account: Option<Pubkey>,
    /// Which of your margin accounts receives the reward; it is opened if there is none.
    #[arg(long, default_value_t = 0)]
    sub_account: u16,
}

impl Arguments {
    /// Asks and liquidates.
    pub fn run(&self, session: &Session) -> Result<Output> {
        let listing = session.listing(&self.vault)?;
        let (wallet, token) = (session.wallet()?, &listing.token);
        let book = session.book(&listing)?;
        let accounts = match self.account {
            Some(account) => vec![session.client.margin_account(&account)?],
            None => session.client.margin_accounts(Some(&listing.keys.vault))?,
        };
        let reward = listing.keys.margin_account(&wallet, self.sub_account);
        let (mut transactions, mut shown, mut documents) = (Vec::new(), String::new(), Vec::new());
        for account in &accounts {
            let health = book.health(&account.account).map_err(model)?;
            // Nobody is paid for his own liquidation.
            if !health.is_liquidatable() || account.address == reward {
                continue;
            }
            let (equity, maintenance) = (token.signed(health.equity()), token.json_paid(health.maintenance));
            shown += &format!("liquidate {}: equity {equity}, needs {maintenance} {}\n", account.address, token.symbol);
            documents.push(json!({
                "account": account.address.to_string(),
                "equity": equity,
                "maintenance_margin": maintenance,
            }));
            let instructions = book.liquidate(&wallet, &reward, account).map_err(model)?;
            transactions.push((format!("liquidate {}", account.address), instructions));
        }
        if transactions.is_empty() {
            return Err(refusal(
                format!("of {} accounts none is below its maintenance margin", accounts.len()),
                "there is nothing to do",
            ));
        }
        if session.margin_account(&listing, &wallet, self.sub_account)?.is_none() {
            let open = instruction::open_account(&wallet, &wallet, &listing.keys, self.sub_account);
            transactions.insert(0, ("open the account for the reward".to_owned(), vec![open]));
        }
        session.carry_out(Intent {
            shown: shown + &token.note(),
            json: json!({
                "token": token.symbol,
                "multiplier": token.multiplier(),
                "reward_account": reward.to_string(),
                "accounts": documents,
            }),
            question: "Liquidate?".to_owned(),
            transactions,
        })
    }
}
