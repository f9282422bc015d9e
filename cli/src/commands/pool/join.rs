//! Into a pool.

use anyhow::Result;
use clap::Args;
use perpetua_client::{
    model::Shares,
    token::{associated, create_associated},
};
use serde_json::json;

use super::Pool;
use crate::{
    amounts,
    commands::deposit::from_wallet,
    fault::model,
    output::Output,
    session::{Intent, Session},
};

const EXAMPLES: &str = "\
Examples:
  perpetua pool deposit TSLAx main 100
  perpetua pool deposit TSLAx insurance all --slippage 0.2

Shares are minted at the pool's value of that moment, or nothing happens if they would be fewer than the bound: 1% below
the quote unless you say otherwise.";

/// Put stock tokens into a pool.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    /// The vault: its token's symbol or mint.
    vault: String,
    /// main or insurance.
    pool: Pool,
    /// How many tokens, or all that the wallet holds.
    amount: String,
    /// How many percent fewer shares than quoted are accepted.
    #[arg(long, default_value = "1", value_name = "PERCENT")]
    slippage: String,
}

impl Arguments {
    /// Quotes, asks, joins.
    pub fn run(&self, session: &Session) -> Result<Output> {
        let slippage = amounts::parse_percent(&self.slippage)?;
        let listing = session.listing(&self.vault)?;
        let (wallet, token) = (session.wallet()?, &listing.token);
        let amount = from_wallet(session, &listing, &self.amount)?;
        let book = session.book(&listing)?;
        let shares = book.shares_for(self.pool.kind(), amount).map_err(model)?;
        let least = Shares(amounts::at_least(shares.0, slippage));
        let (mint, program) = (listing.keys.share_mint(self.pool.kind()), anchor_spl::token::ID);
        let destination = associated(&wallet, &mint, &program);
        let source = session.token_account(&listing, &wallet);
        let pool = self.pool.into();
        let join = book.join(&wallet, pool, &source, &destination, amount, least).map_err(model)?;
        let mut instructions = Vec::new();
        if !session.client.multiple(&[destination])?.accounts.contains_key(&destination) {
            instructions.push(create_associated(&wallet, &wallet, &mint, &program));
        }
        instructions.extend(join);
        let decimals = self.pool.decimals(token);
        let [shares, least] = [shares, least].map(|shares| amounts::shares(shares, decimals));
        let config = book.vault.state.pool_config(self.pool.kind());
        session.carry_out(Intent {
            shown: format!(
                "put {} into the {} pool of {}\n  for about {shares} shares, at least {least} ({} below the quote)\n  \
                 leaving takes {} and costs {}\n{}",
                token.paid(amount),
                self.pool.name(),
                token.symbol,
                amounts::percent(slippage),
                amounts::duration(config.wait.into()),
                amounts::percent(config.exit_bps.into()),
                token.note(),
            ),
            json: json!({
                "token": token.symbol,
                "multiplier": token.multiplier(),
                "pool": self.pool.name(),
                "amount": token.json_paid(amount),
                "shares": shares,
                "min_shares": least,
            }),
            question: "Deposit it?".to_owned(),
            transactions: vec![("pool deposit".to_owned(), instructions)],
        })
    }
}
