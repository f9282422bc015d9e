//! `perpetua close`: sells an option back.

use anyhow::Result;
use clap::Args;
use perpetua_client::model::{Tokens, pricing::Rounding};
use serde_json::json;

use super::{
    quote::{close_json, closing, size_or_all},
    series::{SeriesArguments, merge},
};
use crate::{
    amounts,
    fault::{model, refusal},
    output::Output,
    session::{Intent, Session},
};

const EXAMPLES: &str = "\
Examples:
  perpetua close TSLAx:BTC call 60000 all
  perpetua close TSLAx:BTC call tick:-3 0.02 --slippage 0.5
  perpetua close TSLAx:BTC call 60000 all --min-proceeds 1.2 --yes

The proceeds go to your margin account, less the funding that the position owes. The default bound is 1% below the quote.";

/// Sell an option back.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    #[command(flatten)]
    series: SeriesArguments,
    /// How much, in units of the index, or all.
    size: String,
    /// How many percent less than quoted it may pay.
    #[arg(long, default_value = "1", value_name = "PERCENT")]
    slippage: String,
    /// The least that it must pay in tokens after the fee, instead of --slippage.
    #[arg(long, value_name = "AMOUNT", conflicts_with = "slippage")]
    min_proceeds: Option<String>,
    /// Which of your margin accounts in the vault.
    #[arg(long, default_value_t = 0)]
    sub_account: u16,
}

impl Arguments {
    /// Quotes, asks, sells.
    pub fn run(&self, session: &Session) -> Result<Output> {
        let slippage = amounts::parse_percent(&self.slippage)?;
        let target = self.series.find(session)?;
        let token = &target.listing.token;
        let account = session.need_margin_account(&target.listing, &session.wallet()?, self.sub_account)?;
        let held = target.book.positions(&account.account).map_err(model)?;
        let position = held.iter().find(|held| held.market == target.number && held.series == target.series);
        let position = position.ok_or_else(|| {
            refusal(
                format!("you hold no {}", target.name()),
                "look at perpetua account for your positions, and name the strike by its tick",
            )
        })?;
        let size = size_or_all(&self.size, position.size)?;
        let quote = target.book.quote_close(target.number, target.series, size).map_err(model)?;
        let proceeds = quote.proceeds().map_err(model)?;
        let (least, bound) = match &self.min_proceeds {
            Some(text) => (token.parse(text, Rounding::Up)?, "as you said".to_owned()),
            None => (
                Tokens(amounts::at_least(proceeds.0, slippage)),
                format!("{} below the quote", amounts::percent(slippage)),
            ),
        };
        if least > proceeds {
            return Err(refusal(
                format!("it pays {} now, less than {}", token.received(proceeds), token.received(least)),
                "accept a lower --min-proceeds",
            ));
        }
        let shown = format!(
            "sell {} of {}\n{}  at least  {} ({bound})\n{}",
            amounts::size(size),
            target.name(),
            closing(&target, &quote)?,
            token.received(least),
            token.note(),
        );
        let own = json!({
            "size": amounts::size(size),
            "quote": close_json(&target, &quote)?,
            "min_proceeds": token.json_received(least),
            "account": account.address.to_string(),
        });
        let instructions = target.book.close(&account, target.number, target.series, size, least).map_err(model)?;
        session.carry_out(Intent {
            shown,
            json: merge(target.json(), own),
            question: "Sell it?".to_owned(),
            transactions: vec![("close".to_owned(), instructions)],
        })
    }
}
