//! `perpetua ladder`: the strikes of a market.

use anyhow::Result;
use clap::Args;
use perpetua_client::{
    book::{LadderRow, LadderSide, per_day},
    model::{
        Result as Modelled,
        pricing::{Rounding, Usd},
    },
};
use serde_json::{Value, json};

use super::series::spot;
use crate::{
    amounts,
    fault::model,
    names::{self, MarketName},
    output::{Output, table},
    session::Session,
};

const EXAMPLES: &str = "\
Examples:
  perpetua ladder TSLAx:BTC
  perpetua ladder TSLAx:BTC:dollar --around 28
  perpetua ladder TSLAx:ETH --json | jq '.strikes[] | {strike, ask: .call.ask}'

Bid, ask and funding per day are US dollars for one unit of the index, fees not included; quote says what a size costs in
tokens. Open interest is in units of the index. A dash means that it cannot be traded now; --json names the reason.";

/// The strikes of a market with bid, ask, funding per day and open interest.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    /// The market, such as TSLAx:BTC.
    market: MarketName,
    /// How many strikes to show on each side of the money, at most 28.
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u8).range(0..=28))]
    around: u8,
}

impl Arguments {
    /// Lists the strikes.
    pub fn run(&self, session: &Session) -> Result<Output> {
        let listing = session.listing(&self.market.vault)?;
        let book = session.book(&listing)?;
        let number = self.market.find(&listing.token.symbol, &book)?;
        let listed = book.market(number).map_err(model)?;
        let price = spot(&book, number)?;
        let middle = listed.market.state.config.grid().map_err(model)?.nearest_tick(price);
        let near = |row: &LadderRow| row.tick.abs_diff(middle) <= u16::from(self.around);
        let rows: Vec<LadderRow> = book.ladder(number).map_err(model)?.into_iter().filter(near).collect();
        let header = ["call interest", "funding", "bid", "ask", "strike", "bid", "ask", "funding", "put interest"];
        let name = names::of_market(&listing.token.symbol, listed);
        let text = format!(
            "{name}, index at ${}; dollars for one unit of the index\n{}",
            amounts::usd(price, Rounding::Down),
            table(header, 0, rows.iter().map(|row| line(row, middle)))
        );
        let json = json!({
            "market": name,
            "index_price": amounts::json_usd(price),
            "strikes": rows.iter().map(document).collect::<Vec<_>>(),
        });
        Ok(Output { text, json })
    }
}

fn ask(side: &LadderSide) -> Modelled<Usd> {
    side.ask.map(|quote| Usd::from(quote.value))
}

fn bid(side: &LadderSide) -> Modelled<Usd> {
    side.bid.map(|quote| Usd::from(quote.value))
}

fn line(row: &LadderRow, middle: i16) -> [String; 9] {
    let shown = |value: Modelled<Usd>, rounding| value.map_or_else(|_| "-".into(), |usd| amounts::usd(usd, rounding));
    let funding = |side: &LadderSide| shown(side.funding.map(per_day), Rounding::Up);
    let mark = if row.tick == middle { ">" } else { "" };
    [
        amounts::size(row.call.open_interest),
        funding(&row.call),
        shown(bid(&row.call), Rounding::Down),
        shown(ask(&row.call), Rounding::Up),
        format!("{mark}{}", amounts::usd(row.strike, Rounding::Down)),
        shown(bid(&row.put), Rounding::Down),
        shown(ask(&row.put), Rounding::Up),
        funding(&row.put),
        amounts::size(row.put.open_interest),
    ]
}

fn document(row: &LadderRow) -> Value {
    let side = |side: &LadderSide| {
        let price = |value: Modelled<Usd>| value.ok().map(amounts::json_usd);
        let reason = |value: Modelled<Usd>| value.err().map(|error| error.to_string());
        json!({
            "ask": price(ask(side)),
            "no_ask": reason(ask(side)),
            "bid": price(bid(side)),
            "no_bid": reason(bid(side)),
            "funding_per_day": side.funding.ok().map(|rate| amounts::json_usd(per_day(rate))),
            "open_interest": amounts::size(side.open_interest),
        })
    };
    json!({
        "tick": row.tick,
        "strike": amounts::json_usd(row.strike),
        "call": side(&row.call),
        "put": side(&row.put),
    })
}
