//! `perpetua deposit`: posts stock tokens as margin.

use anyhow::Result;
use clap::Args;
use perpetua_client::{
    instruction,
    model::{Tokens, pricing::Rounding},
};
use serde_json::json;

use crate::{
    fault::refusal,
    output::Output,
    session::{Intent, Listing, Session},
};

const EXAMPLES: &str = "\
Examples:
  perpetua deposit TSLAx 10
  perpetua deposit TSLAx all --sub-account 1

The margin account is opened with the first deposit. Amounts are as your wallet shows them.";

/// Post stock tokens as margin.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    /// The vault: its token's symbol or mint.
    vault: String,
    /// How many tokens, or all that the wallet holds.
    amount: String,
    /// Which of your margin accounts in the vault.
    #[arg(long, default_value_t = 0)]
    sub_account: u16,
}

/// Raw units of what somebody wants to pay from a wallet, `all` being all of it.
///
/// Errors: it is no amount, nothing, or more than the wallet holds.
pub fn from_wallet(session: &Session, listing: &Listing, text: &str) -> Result<Tokens> {
    let (wallet, token) = (session.wallet()?, &listing.token);
    let held = Tokens(session.client.token_balance(&wallet, &listing.keys.stock_mint)?);
    let amount = if text.eq_ignore_ascii_case("all") { held } else { token.parse(text, Rounding::Down)? };
    let mint = listing.keys.stock_mint;
    if held < amount || held.is_zero() {
        return Err(refusal(
            format!("{wallet} holds {} of mint {mint}", token.received(held)),
            "give a smaller amount, or send the wallet tokens first",
        ));
    }
    if amount.is_zero() {
        return Err(refusal("the amount is nothing", "give a larger one"));
    }
    Ok(amount)
}

impl Arguments {
    /// Asks and deposits.
    pub fn run(&self, session: &Session) -> Result<Output> {
        let listing = session.listing(&self.vault)?;
        let (wallet, token) = (session.wallet()?, &listing.token);
        let amount = from_wallet(session, &listing, &self.amount)?;
        let account = listing.keys.margin_account(&wallet, self.sub_account);
        let known = session.margin_account(&listing, &wallet, self.sub_account)?;
        let mut instructions = Vec::new();
        if known.is_none() {
            instructions.push(instruction::open_account(&wallet, &wallet, &listing.keys, self.sub_account));
        }
        let source = session.token_account(&listing, &wallet);
        instructions.push(instruction::deposit(&wallet, &listing.keys, &account, &source, amount.0));
        let opens = if known.is_none() { ", which is opened" } else { "" };
        session.carry_out(Intent {
            shown: format!(
                "deposit {} into margin account {} ({account}){opens}\n{}",
                token.paid(amount),
                self.sub_account,
                token.note()
            ),
            json: json!({
                "token": token.symbol,
                "multiplier": token.multiplier(),
                "amount": token.json_paid(amount),
                "account": account.to_string(),
                "opens_account": known.is_none(),
            }),
            question: "Deposit it?".to_owned(),
            transactions: vec![("deposit".to_owned(), instructions)],
        })
    }
}
