//! `perpetua account`: positions and margin.

use anchor_lang::prelude::Pubkey;
use anyhow::Result;
use clap::Args;
use perpetua_client::{
    book::{Book, PositionStatus},
    model::{Health, Tokens, pricing::Rounding},
    perpetua::state::MarginAccount,
    rpc::Keyed,
};
use serde_json::{Value, json};

use crate::{
    amounts::{self, Token},
    fault::model,
    names,
    output::{Output, list, table},
    session::{Listing, Session},
};

const EXAMPLES: &str = "\
Examples:
  perpetua account                           all of yours
  perpetua account TSLAx --owner ADDRESS     anybody's in one vault
  perpetua account --json | jq -r '.accounts[] | select(.liquidatable) | .address'

Equity is collateral less the funding that is owed. An account below its maintenance margin may be liquidated; opening
and withdrawing need the initial margin. Moves of the price alone never liquidate: running out of tokens for funding does.";

/// Positions, margin, and what is left until liquidation.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    /// Only accounts in this vault.
    vault: Option<String>,
    /// Whose accounts [default: those of the key].
    #[arg(long)]
    owner: Option<Pubkey>,
}

impl Arguments {
    /// Lists the accounts.
    pub fn run(&self, session: &Session) -> Result<Output> {
        let owner = session.owner(self.owner)?;
        let listings = match &self.vault {
            Some(vault) => vec![session.listing(vault)?],
            None => session.listings()?,
        };
        let accounts = session.client.margin_accounts_of(&owner)?;
        let (mut text, mut documents) = (String::new(), Vec::new());
        for listing in &listings {
            let mut own: Vec<_> =
                accounts.iter().filter(|account| account.account.vault == listing.keys.vault).collect();
            if own.is_empty() {
                continue;
            }
            own.sort_by_key(|account| account.account.sub_account);
            let book = session.book(listing)?;
            for account in own {
                let (shown, document) = describe(listing, &book, account)?;
                text += &shown;
                documents.push(document);
            }
        }
        if documents.is_empty() {
            text = format!("{owner} has no margin account here; perpetua deposit opens one\n");
        }
        let wallet = wallet(session, &listings, &owner)?;
        text += "in the wallet\n";
        text += &list(wallet.iter().map(|(token, raw)| (token.symbol.as_str(), token.received(*raw))));
        let wallet: Vec<Value> = wallet
            .iter()
            .map(|(token, raw)| {
                json!({ "token": token.symbol, "amount": token.json_received(*raw), "multiplier": token.multiplier() })
            })
            .collect();
        Ok(Output { text, json: json!({ "owner": owner.to_string(), "accounts": documents, "wallet": wallet }) })
    }
}

/// What the owner's wallet holds of each vault's token.
fn wallet<'a>(session: &Session, listings: &'a [Listing], owner: &Pubkey) -> Result<Vec<(&'a Token, Tokens)>> {
    let balance = |listing: &'a Listing| {
        let raw = session.client.token_balance(owner, &listing.keys.stock_mint)?;
        Ok((&listing.token, Tokens(raw)))
    };
    listings.iter().map(balance).collect()
}

/// What can be taken out with the margin as it is; zero where the margin does not allow any.
fn withdrawable(health: &Health) -> Tokens {
    let needed = i128::from(health.initial().0) + i128::from(health.unaccrued.0);
    Tokens(u64::try_from(health.equity() - needed).unwrap_or(0))
}

/// Seconds until funding alone brings the account below its maintenance margin.
fn runway(health: &Health, funding_per_day: Tokens) -> Option<u64> {
    let left = health.equity() - i128::from(health.maintenance.0);
    let left = u128::try_from(left).unwrap_or(0).checked_mul(86_400)?;
    u64::try_from(left.checked_div(u128::from(funding_per_day.0))?).ok()
}

fn describe(listing: &Listing, book: &Book, account: &Keyed<MarginAccount>) -> Result<(String, Value)> {
    let token = &listing.token;
    let health = book.health(&account.account).map_err(model)?;
    let positions = book.positions(&account.account).map_err(model)?;
    let mut funding = Tokens::ZERO;
    for position in &positions {
        funding = funding.plus(position.funding_per_day).map_err(model)?;
    }
    let runway = runway(&health, funding);
    let claim = account.account.state.claim.amount;
    let state = match (health.is_liquidatable(), runway) {
        (true, _) => "may be liquidated now: deposit".to_owned(),
        (false, Some(seconds)) => format!("covers {} of funding at the rate of now", amounts::duration(seconds)),
        (false, None) => "pays no funding".to_owned(),
    };
    let mut text = format!("{} account {} ({})\n", token.symbol, account.account.sub_account, account.address);
    text += &list([
        ("collateral", token.received(health.collateral)),
        ("funding owed", token.paid(health.owed)),
        ("equity", format!("{} {}", token.signed(health.equity()), token.symbol)),
        ("maintenance margin", token.paid(health.maintenance)),
        ("initial margin", token.paid(health.initial())),
        ("free to take out", token.received(withdrawable(&health))),
        ("funding per day", token.paid(funding)),
        ("state", state),
    ]);
    if !claim.is_zero() {
        text += &list([("owed by insurance", token.received(claim))]);
    }
    if !positions.is_empty() {
        let header = ["option", "tick", "strike", "size", "sells for", "owes", "funding per day"];
        text += &table(header, 1, positions.iter().map(|position| line(token, book, position)));
    }
    text += &token.note();
    let document = json!({
        "address": account.address.to_string(),
        "vault": listing.keys.vault.to_string(),
        "token": token.symbol,
        "multiplier": token.multiplier(),
        "sub_account": account.account.sub_account,
        "collateral": token.json_received(health.collateral),
        "funding_owed": token.json_paid(health.owed),
        "equity": token.signed(health.equity()),
        "maintenance_margin": token.json_paid(health.maintenance),
        "initial_margin": token.json_paid(health.initial()),
        "withdrawable": token.json_received(withdrawable(&health)),
        "claim": token.json_received(claim),
        "liquidatable": health.is_liquidatable(),
        "funding_per_day": token.json_paid(funding),
        "seconds_of_funding": runway.map(|seconds| seconds.to_string()),
        "positions": positions.iter().map(|position| data(token, book, position)).collect::<Vec<_>>(),
    });
    Ok((text, document))
}

fn market(token: &Token, book: &Book, position: &PositionStatus) -> String {
    let listed = book.markets.get(usize::from(position.market));
    listed.map(|listed| names::of_market(&token.symbol, listed)).unwrap_or_default()
}

fn line(token: &Token, book: &Book, position: &PositionStatus) -> [String; 7] {
    let proceeds = position.close.and_then(|quote| quote.proceeds());
    [
        format!("{} {}", market(token, book, position), names::of_side(position.series.side)),
        position.series.tick.to_string(),
        amounts::usd(position.strike, Rounding::Down),
        amounts::size(position.size),
        proceeds.map_or_else(|error| error.to_string(), |raw| token.received(raw)),
        token.paid(position.owed),
        token.paid(position.funding_per_day),
    ]
}

fn data(token: &Token, book: &Book, position: &PositionStatus) -> Value {
    let proceeds = position.close.and_then(|quote| quote.proceeds());
    json!({
        "market": market(token, book, position),
        "side": names::of_side(position.series.side),
        "tick": position.series.tick,
        "strike": amounts::json_usd(position.strike),
        "size": amounts::size(position.size),
        "proceeds": proceeds.ok().map(|raw| token.json_received(raw)),
        "no_sell": proceeds.err().map(|error| error.to_string()),
        "funding_owed": token.json_paid(position.owed),
        "funding_per_day": token.json_paid(position.funding_per_day),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn health(collateral: u64, owed: u64, maintenance: u64) -> Health {
        let [collateral, owed, maintenance] = [collateral, owed, maintenance].map(Tokens);
        Health { collateral, owed, unaccrued: Tokens(1), maintenance }
    }

    #[test]
    fn what_is_above_the_initial_margin_can_be_taken_out() {
        // Equity 90, initial margin 4 * 10, and 1 that may have come due.
        assert_eq!(withdrawable(&health(100, 10, 10)), Tokens(49));
        assert_eq!(withdrawable(&health(100, 10, 30)), Tokens::ZERO);
    }

    #[test]
    fn the_runway_ends_at_the_maintenance_margin() {
        assert_eq!(runway(&health(100, 10, 10), Tokens(40)), Some(2 * 86_400));
        assert_eq!(runway(&health(10, 10, 10), Tokens(40)), Some(0));
        assert_eq!(runway(&health(100, 10, 10), Tokens::ZERO), None);
    }
}
