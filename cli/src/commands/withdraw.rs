//! `perpetua withdraw`: takes margin out.

use anyhow::Result;
use clap::Args;
use perpetua_client::{instruction, model::pricing::Rounding, token::create_associated};
use serde_json::json;

use crate::{
    fault::{model, refusal},
    output::Output,
    session::{Intent, Session},
};

const EXAMPLES: &str = "\
Examples:
  perpetua withdraw TSLAx 5
  perpetua withdraw TSLAx all          everything, where no position is open
  perpetua withdraw TSLAx all --close  and close the account, whose rent returns

The tokens go to your wallet's associated token account. With open positions the initial margin must stay.";

/// Take margin out.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    /// The vault: its token's symbol or mint.
    vault: String,
    /// How many tokens, or all.
    amount: String,
    /// Which of your margin accounts in the vault.
    #[arg(long, default_value_t = 0)]
    sub_account: u16,
    /// Close the account afterwards.
    #[arg(long)]
    close: bool,
}

impl Arguments {
    /// Asks and withdraws.
    pub fn run(&self, session: &Session) -> Result<Output> {
        let listing = session.listing(&self.vault)?;
        let (wallet, token) = (session.wallet()?, &listing.token);
        let account = session.need_margin_account(&listing, &wallet, self.sub_account)?;
        let book = session.book(&listing)?;
        let health = book.health(&account.account).map_err(model)?;
        let amount = if self.amount.eq_ignore_ascii_case("all") {
            if account.account.state.open_positions().next().is_some() {
                return Err(refusal(
                    "positions are open, whose margin must stay",
                    "name an amount (perpetua account says how much is free), or close them first",
                ));
            }
            health.collateral
        } else {
            token.parse(&self.amount, Rounding::Down)?
        };
        if health.collateral < amount {
            return Err(refusal(
                format!("the account holds {}", token.received(health.collateral)),
                "take out less, or all",
            ));
        }
        let destination = session.token_account(&listing, &wallet);
        let mut instructions =
            vec![create_associated(&wallet, &wallet, &listing.keys.stock_mint, &listing.keys.token_program)];
        if !amount.is_zero() {
            instructions.extend(book.withdraw(&account, &destination, amount).map_err(model)?);
        } else if !self.close {
            return Err(refusal("there is nothing to take out", "pass --close to close the account"));
        }
        if self.close {
            instructions.push(instruction::close_account(&wallet, &account.address));
        }
        let closes = if self.close { " and close the account" } else { "" };
        session.carry_out(Intent {
            shown: format!(
                "withdraw {} from margin account {} to {destination}{closes}\n{}",
                token.received(amount),
                self.sub_account,
                token.note()
            ),
            json: json!({
                "token": token.symbol,
                "multiplier": token.multiplier(),
                "amount": token.json_received(amount),
                "account": account.address.to_string(),
                "destination": destination.to_string(),
                "closes_account": self.close,
            }),
            question: "Withdraw it?".to_owned(),
            transactions: vec![("withdraw".to_owned(), instructions)],
        })
    }
}
