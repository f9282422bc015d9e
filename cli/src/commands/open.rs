//! `perpetua open`: buys an option.

use anyhow::Result;
use clap::Args;
use perpetua_client::model::pricing::Rounding;
use serde_json::json;

use super::{
    quote::{open_json, opening},
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
  perpetua open TSLAx:BTC call 60000 0.05
  perpetua open TSLAx:BTC:dollar put atm 0.1 --slippage 0.5
  perpetua open TSLAx:BTC call 60000 0.05 --max-cost 2.5 --yes --json

It is paid from your margin account: deposit first. The quote is shown before you confirm; if the price moves before the
transaction is carried out, it costs at most the bound, or nothing happens. The default bound is 1% above the quote.";

/// Buy an option.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    #[command(flatten)]
    series: SeriesArguments,
    /// How much, in units of the index.
    size: String,
    /// How many percent more than quoted it may cost.
    #[arg(long, default_value = "1", value_name = "PERCENT")]
    slippage: String,
    /// The most that it may cost in tokens, premium and fee, instead of --slippage.
    #[arg(long, value_name = "AMOUNT", conflicts_with = "slippage")]
    max_cost: Option<String>,
    /// Which of your margin accounts in the vault.
    #[arg(long, default_value_t = 0)]
    sub_account: u16,
}

impl Arguments {
    /// Quotes, asks, buys.
    pub fn run(&self, session: &Session) -> Result<Output> {
        let size = amounts::parse_size(&self.size)?;
        let slippage = amounts::parse_percent(&self.slippage)?;
        let target = self.series.find(session)?;
        let token = &target.listing.token;
        let account = session.need_margin_account(&target.listing, &session.wallet()?, self.sub_account)?;
        let quote = target.book.quote_open(target.number, target.series, size).map_err(model)?;
        let cost = quote.cost().map_err(model)?;
        let (most, bound) = match &self.max_cost {
            Some(text) => (token.parse(text, Rounding::Down)?, "as you said".to_owned()),
            None => (amounts::at_most(cost, slippage), format!("{} above the quote", amounts::percent(slippage))),
        };
        if most < cost {
            return Err(refusal(
                format!("it costs {} now, more than {}", token.paid(cost), token.paid(most)),
                "accept a higher --max-cost, or buy less",
            ));
        }
        let funding = target.funding_per_day(size)?;
        let shown = format!(
            "buy {} of {}\n{}  at most   {} ({bound})\n{}",
            amounts::size(size),
            target.name(),
            opening(&target, &quote, funding)?,
            token.paid(most),
            token.note(),
        );
        let own = json!({
            "size": amounts::size(size),
            "quote": open_json(&target, &quote)?,
            "max_cost": token.json_received(most),
            "funding_per_day": token.json_paid(funding),
            "account": account.address.to_string(),
        });
        let instructions = target.book.open(&account, target.number, target.series, size, most).map_err(model)?;
        session.carry_out(Intent {
            shown,
            json: merge(target.json(), own),
            question: "Buy it?".to_owned(),
            transactions: vec![("open".to_owned(), instructions)],
        })
    }
}
