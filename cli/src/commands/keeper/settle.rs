//! Settlements.

use anchor_lang::prelude::Pubkey;
use anyhow::Result;
use clap::Args;
use perpetua_client::{
    book::Settle,
    rpc::{ClientError, SendOptions},
};
use serde_json::json;

use crate::{
    amounts,
    fault::{model, refusal},
    names,
    output::Output,
    session::{Intent, Session},
};

/// Settle positions at their cap, far out of the money, or abandoned by their feed.
#[derive(Args)]
pub struct Arguments {
    /// The margin account that the positions are in.
    account: Pubkey,
}

const WAYS: [(Settle, &str); 3] = [(Settle::Capped, "capped"), (Settle::Far, "far"), (Settle::Abandoned, "abandoned")];

impl Arguments {
    /// Finds what the network would settle, asks, and does it.
    pub fn run(&self, session: &Session) -> Result<Output> {
        let account = session.client.margin_account(&self.account)?;
        let listing = session.listing(&account.account.vault.to_string())?;
        let (wallet, book) = (session.wallet()?, session.book(&listing)?);
        let (mut transactions, mut shown, mut documents) = (Vec::new(), String::new(), Vec::new());
        for position in book.positions(&account.account).map_err(model)? {
            for (how, name) in WAYS {
                let settle = book.settle(how, &account.address, position.market, position.series).map_err(model)?;
                // The program itself says whether it would.
                match session.client.simulate(&settle, &wallet, &SendOptions::default()) {
                    Ok(_) => {}
                    Err(ClientError::Refused(_)) => continue,
                    Err(other) => return Err(other.into()),
                }
                let market = names::of_market(&listing.token.symbol, book.market(position.market).map_err(model)?);
                let side = names::of_side(position.series.side);
                let size = amounts::size(position.size);
                let what = format!("settle {size} of {market} {side} tick {} ({name})", position.series.tick);
                shown += &format!("{what}\n");
                documents.push(json!({
                    "market": market,
                    "side": side,
                    "tick": position.series.tick,
                    "size": size,
                    "reason": name,
                }));
                transactions.push((what, settle));
                break;
            }
        }
        if transactions.is_empty() {
            return Err(refusal(
                format!("no position of {} is capped, far out of the money or abandoned", self.account),
                "its owner can close at the bid; there is nothing for a keeper to do",
            ));
        }
        session.carry_out(Intent {
            shown,
            json: json!({ "account": self.account.to_string(), "positions": documents }),
            question: "Settle?".to_owned(),
            transactions,
        })
    }
}
