//! `perpetua markets`: what can be traded.

use anyhow::Result;
use clap::Args;
use perpetua_client::{
    book::{Book, Listed},
    model::{
        Condition,
        pricing::{Rounding, Side},
    },
};
use serde_json::{Value, json};

use super::series::spot;
use crate::{
    amounts::{self, Token},
    fault::model,
    names,
    output::{Output, table},
    session::Session,
};

const EXAMPLES: &str = "\
Examples:
  perpetua markets
  perpetua markets TSLAx
  perpetua markets --json | jq -r '.markets[] | select(.can_open) | .market'

A quanto market pays a fixed number of tokens for each dollar of value, day and night. A dollar market pays a real
dollar's worth of tokens and follows the stock exchange's sessions. Volatility is what options are quoted at, before the
spread; used is the part of the main pool that is reserved for payouts.";

/// What can be traded, at what volatility, and whether it can be now.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    /// Only the markets of this vault: its token's symbol or mint.
    vault: Option<String>,
}

impl Arguments {
    /// Lists the markets.
    pub fn run(&self, session: &Session) -> Result<Output> {
        let listings = match &self.vault {
            Some(vault) => vec![session.listing(vault)?],
            None => session.listings()?,
        };
        let (mut rows, mut documents) = (Vec::new(), Vec::new());
        for listing in &listings {
            let book = session.book(listing)?;
            for (number, listed) in (0..).zip(&book.markets) {
                let (row, document) = describe(&listing.token, &book, number, listed)?;
                rows.push(row);
                documents.push(document);
            }
        }
        let header = ["market", "index price", "call volatility", "put volatility", "used", "state"];
        let text = if rows.is_empty() { "there are no markets yet\n".to_owned() } else { table(header, 1, rows) };
        Ok(Output { text, json: json!({ "markets": documents }) })
    }
}

/// Why nobody can buy now, in words; nothing if one can.
fn obstacles(book: &Book, number: u8) -> Vec<String> {
    let cranked = match book.cranked(number, book.moment) {
        Ok(cranked) => cranked,
        Err(error) => return vec![error.to_string()],
    };
    let mut conditions = cranked.market().conditions;
    conditions = conditions.with(Condition::Paused, book.is_paused());
    conditions = conditions.with(Condition::VaultShort, book.is_short().unwrap_or(true));
    conditions = conditions.with(Condition::NotOpenYet, book.moment.now < cranked.market().opens_at);
    conditions = conditions.with(Condition::MintPaused, book.mint.paused);
    let own = Condition::ALL.into_iter().filter(|condition| conditions.has(*condition));
    let mut own: Vec<String> = own.map(|condition| spoken(&format!("{condition:?}"))).collect();
    if let Err(error) = cranked.index().read(book.moment.now, cranked.index().guards.max_age_trade) {
        own.push(error.to_string());
    }
    own
}

/// `StockClosed` as `stock closed`.
fn spoken(name: &str) -> String {
    let mut words = String::new();
    for (place, letter) in name.chars().enumerate() {
        if letter.is_uppercase() && place > 0 {
            words.push(' ');
        }
        words.extend(letter.to_lowercase());
    }
    words
}

fn describe(token: &Token, book: &Book, number: u8, listed: &Listed) -> Result<([String; 6], Value)> {
    let cranked = book.cranked(number, book.moment).ok();
    let market = cranked.as_ref().map_or(&listed.market.state, |cranked| cranked.market());
    let [call, put] = [Side::Call, Side::Put].map(|side| market.middle[side as usize]);
    let name = names::of_market(&token.symbol, listed);
    let price = spot(book, number).ok();
    let obstacles = obstacles(book, number);
    let used = book.utilisation_bps();
    let state = if obstacles.is_empty() { "open".to_owned() } else { obstacles.join(", ") };
    let row = [
        name.clone(),
        price.map_or_else(|| "none".to_owned(), |price| amounts::usd(price, Rounding::Down)),
        amounts::percent_of(call),
        amounts::percent_of(put),
        used.map_or_else(|| "empty pool".to_owned(), amounts::percent),
        state,
    ];
    let document = json!({
        "market": name,
        "address": listed.keys.market.to_string(),
        "vault": book.keys.vault.to_string(),
        "index": listed.keys.index.to_string(),
        "feed": listed.index.feed_id.iter().map(|byte| format!("{byte:02x}")).collect::<String>(),
        "token": token.symbol,
        "stock_mint": book.keys.stock_mint.to_string(),
        "multiplier": token.multiplier(),
        "settlement": names::of_settlement(names::settlement(listed)),
        "index_price": price.map(amounts::json_usd),
        "call_volatility": amounts::json_volatility(call),
        "put_volatility": amounts::json_volatility(put),
        "reserved": token.json_paid(market.reserves[0].plus(market.reserves[1]).map_err(model)?),
        "used_bps": used.map(|bps| bps.to_string()),
        "min_size": amounts::size(market.config.min_size),
        "can_open": obstacles.is_empty(),
        "obstacles": obstacles,
    });
    Ok((row, document))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_condition_is_spoken_in_words() {
        assert_eq!(spoken("StockClosed"), "stock closed");
    }
}
