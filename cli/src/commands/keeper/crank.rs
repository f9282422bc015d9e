//! Cranks.

use anyhow::Result;
use clap::Args;
use serde_json::json;

use crate::{
    fault::model,
    names::{self, MarketName},
    output::Output,
    session::{Intent, Session},
};

/// Take in the newest prices and accrue funding.
#[derive(Args)]
pub struct Arguments {
    /// A vault such as TSLAx for all of its markets, or a market such as TSLAx:BTC:quanto.
    what: String,
}

impl Arguments {
    /// Asks and cranks, a transaction for each market.
    pub fn run(&self, session: &Session) -> Result<Output> {
        let one: Option<MarketName> = if self.what.contains(':') {
            Some(self.what.parse().map_err(|error: String| crate::fault::refusal(error, "see --help"))?)
        } else {
            None
        };
        let vault = one.as_ref().map_or(&self.what, |name| &name.vault);
        let listing = session.listing(vault)?;
        let book = session.book(&listing)?;
        let numbers = match &one {
            Some(name) => vec![name.find(&listing.token.symbol, &book)?],
            None => (0..book.vault.market_count).collect(),
        };
        let mut transactions = Vec::new();
        let mut markets = Vec::new();
        for number in numbers {
            let name = names::of_market(&listing.token.symbol, book.market(number).map_err(model)?);
            transactions.push((format!("crank {name}"), book.cranks(&[number]).map_err(model)?));
            markets.push(name);
        }
        session.carry_out(Intent {
            shown: format!("crank {}\n", markets.join(", ")),
            json: json!({ "markets": markets }),
            question: "Crank?".to_owned(),
            transactions,
        })
    }
}
