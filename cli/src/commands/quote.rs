//! `perpetua quote`: what an option costs and pays now.

use anyhow::Result;
use clap::Args;
use perpetua_client::model::{
    CloseQuote, OpenQuote, Size, Tokens,
    pricing::{Rounding, Usd},
};
use serde_json::{Value, json};

use super::series::{SeriesArguments, Target, merge};
use crate::{
    amounts,
    fault::model,
    output::{Output, list},
    session::Session,
};

const EXAMPLES: &str = "\
Examples:
  perpetua quote TSLAx:BTC call 60000 0.05
  perpetua quote TSLAx:BTC:dollar put atm 0.1 --json

The numbers are those that the program itself computes. They hold for a price that is a few seconds old: open and close
therefore take a bound.";

/// What buying or selling an option would cost or pay now.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    #[command(flatten)]
    series: SeriesArguments,
    /// How much, in units of the index.
    size: String,
}

impl Arguments {
    /// Quotes both ways.
    pub fn run(&self, session: &Session) -> Result<Output> {
        let target = self.series.find(session)?;
        let size = amounts::parse_size(&self.size)?;
        let open = target.book.quote_open(target.number, target.series, size);
        let close = target.book.quote_close(target.number, target.series, size);
        // A market that cannot be cranked quotes nothing at all.
        let funding = target.funding_per_day(size)?;
        let token = &target.listing.token;
        let mut text = format!("{} of {}\n", amounts::size(size), target.name());
        text += &match &open {
            Ok(quote) => format!("to buy\n{}", opening(&target, quote, funding)?),
            Err(error) => format!("cannot be bought: {error}. {}\n", crate::fault::remedy_of(*error)),
        };
        text += &match &close {
            Ok(quote) => format!("to sell\n{}", closing(&target, quote)?),
            Err(error) => format!("cannot be sold: {error}. {}\n", crate::fault::remedy_of(*error)),
        };
        text += &token.note();
        let json = json!({
            "size": amounts::size(size),
            "buy": open.as_ref().ok().map(|quote| open_json(&target, quote)).transpose()?,
            "no_buy": open.err().map(|error| error.to_string()),
            "sell": close.as_ref().ok().map(|quote| close_json(&target, quote)).transpose()?,
            "no_sell": close.err().map(|error| error.to_string()),
            "funding_per_day": token.json_paid(funding),
        });
        Ok(Output { text, json: merge(target.json(), json) })
    }
}

/// What buying costs, in lines.
///
/// Errors: an amount is too large.
pub fn opening(target: &Target, quote: &OpenQuote, funding: Tokens) -> Result<String> {
    let token = &target.listing.token;
    Ok(list([
        ("value", format!("${} per unit of the index", amounts::usd(Usd::from(quote.value), Rounding::Up))),
        ("premium", token.paid(quote.premium)),
        ("fee", token.paid(quote.fee)),
        ("cost", token.paid(quote.cost().map_err(model)?)),
        ("reserved", format!("{} for your payout", token.received(quote.reserve))),
        ("funding", format!("{} per day at the rate of now", token.paid(funding))),
    ]))
}

/// The same for programs.
///
/// Errors: an amount is too large.
pub fn open_json(target: &Target, quote: &OpenQuote) -> Result<Value> {
    let token = &target.listing.token;
    Ok(json!({
        "value": amounts::json_usd(Usd::from(quote.value)),
        "premium": token.json_paid(quote.premium),
        "fee": token.json_paid(quote.fee),
        "cost": token.json_paid(quote.cost().map_err(model)?),
        "reserve": token.json_received(quote.reserve),
    }))
}

/// What selling pays, in lines.
///
/// Errors: an amount is too large.
pub fn closing(target: &Target, quote: &CloseQuote) -> Result<String> {
    let token = &target.listing.token;
    Ok(list([
        ("value", format!("${} per unit of the index", amounts::usd(Usd::from(quote.value), Rounding::Down))),
        ("payout", token.received(quote.payout)),
        ("fee", token.paid(quote.fee)),
        ("proceeds", token.received(quote.proceeds().map_err(model)?)),
    ]))
}

/// The same for programs.
///
/// Errors: an amount is too large.
pub fn close_json(target: &Target, quote: &CloseQuote) -> Result<Value> {
    let token = &target.listing.token;
    Ok(json!({
        "value": amounts::json_usd(Usd::from(quote.value)),
        "payout": token.json_received(quote.payout),
        "fee": token.json_paid(quote.fee),
        "proceeds": token.json_received(quote.proceeds().map_err(model)?),
    }))
}

/// How much of a position, `all` being all of it.
///
/// Errors: it is no size.
pub fn size_or_all(text: &str, all: Size) -> Result<Size> {
    if text.eq_ignore_ascii_case("all") { Ok(all) } else { amounts::parse_size(text) }
}
