//! How pools stand.

use anchor_lang::prelude::Pubkey;
use anyhow::Result;
use clap::Args;
use perpetua_client::{
    book::{Book, PoolStatus},
    model::{Shares, Tokens},
    perpetua::state::WithdrawalTicket,
    rpc::Keyed,
};
use serde_json::{Value, json};

use super::Pool;
use crate::{
    amounts,
    fault::model,
    output::{Output, list, table},
    session::{Listing, Session},
};

/// Value, utilisation, yield, your shares and the queue to leave.
#[derive(Args)]
pub struct Arguments {
    /// The vault: its token's symbol or mint.
    vault: String,
    /// Whose shares [default: those of the key].
    #[arg(long)]
    owner: Option<Pubkey>,
}

/// What the pools are paid for a year at the rates of now.
#[derive(Args)]
pub struct YieldArguments {
    /// The vault: its token's symbol or mint.
    vault: String,
}

/// What somebody has in a pool.
struct Stake {
    shares: Shares,
    worth: Option<Tokens>,
    tickets: Vec<Keyed<WithdrawalTicket>>,
}

impl Arguments {
    /// Tells how both pools stand.
    pub fn run(&self, session: &Session) -> Result<Output> {
        let listing = session.listing(&self.vault)?;
        let owner = session.owner(self.owner)?;
        let book = session.book(&listing)?;
        let (mut text, mut documents) = (String::new(), Vec::new());
        for pool in Pool::BOTH {
            let status = book.pool(pool.kind()).map_err(model)?;
            let stake = Stake::read(session, &listing, &book, pool, &owner)?;
            text += &shown(&listing, &book, pool, &status, &stake);
            documents.push(data(&listing, &book, pool, &status, &stake));
        }
        text += &listing.token.note();
        let json = json!({
            "vault": listing.keys.vault.to_string(),
            "token": listing.token.symbol,
            "multiplier": listing.token.multiplier(),
            "owner": owner.to_string(),
            "now": book.moment.now,
            "pools": documents,
        });
        Ok(Output { text, json })
    }
}

impl Stake {
    fn read(session: &Session, listing: &Listing, book: &Book, pool: Pool, owner: &Pubkey) -> Result<Self> {
        let mint = listing.keys.share_mint(pool.kind());
        let shares = Shares(session.client.token_balance(owner, &mint)?);
        let mut tickets = session.client.tickets(&listing.keys.vault, pool.kind())?;
        tickets.retain(|ticket| ticket.account.owner == *owner);
        Ok(Self { shares, worth: book.worth_of(pool.kind(), shares).ok(), tickets })
    }
}

/// What can be done with a ticket now.
fn state(book: &Book, pool: Pool, ticket: &WithdrawalTicket) -> &'static str {
    let head = book.vault.state.pool(pool.kind()).head_ticket;
    let own = &ticket.state;
    match own.number {
        _ if !own.payable.is_zero() => "claim",
        number if number < head && own.shares.is_zero() => "finished",
        number if number < head => "returned: cancel to take the shares back",
        _ if own.ready > book.moment.now => "waits",
        number if number == head => "execute",
        _ => "queued behind others",
    }
}

fn yield_of(status: &PoolStatus) -> Option<String> {
    status.funding_yield_bps().map(amounts::percent)
}

fn shown(listing: &Listing, book: &Book, pool: Pool, status: &PoolStatus, stake: &Stake) -> String {
    let (token, decimals) = (&listing.token, pool.decimals(&listing.token));
    let config = book.vault.state.pool_config(pool.kind());
    let value = match status.value {
        Ok(value) => format!("{} to {}", token.json_received(value.low), token.paid(value.high)),
        Err(error) => format!("not known now: {error}"),
    };
    let worth = stake.worth.map_or_else(|| "not known now".to_owned(), |worth| token.received(worth));
    let mut text = format!("{} pool of {}\n", pool.name(), token.symbol);
    text += &list([
        ("assets", token.received(status.assets)),
        ("value", value),
        ("shares", amounts::shares(status.shares, decimals)),
        ("asked to leave", amounts::shares(status.queued, decimals)),
        ("may leave now", token.received(status.exit_capacity)),
        ("funding income", format!("{} per day", token.received(status.income_per_day))),
        (
            "yield",
            yield_of(status).map_or_else(|| "none: empty".to_owned(), |rate| format!("{rate} a year, funding only")),
        ),
        (
            "wait, exit fee",
            format!("{}, {}", amounts::duration(config.wait.into()), amounts::percent(config.exit_bps.into())),
        ),
        ("yours", format!("{} shares, worth {worth} after the exit fee", amounts::shares(stake.shares, decimals))),
    ]);
    if !stake.tickets.is_empty() {
        let rows = stake.tickets.iter().map(|Keyed { address, account, .. }| {
            [
                account.state.number.to_string(),
                amounts::shares(account.state.shares, decimals),
                token.received(account.state.payable),
                amounts::time(account.state.ready),
                state(book, pool, account).to_owned(),
                address.to_string(),
            ]
        });
        text += &table(["ticket", "shares", "to claim", "ready", "now", "address"], 6, rows);
    }
    text
}

fn data(listing: &Listing, book: &Book, pool: Pool, status: &PoolStatus, stake: &Stake) -> Value {
    let (token, decimals) = (&listing.token, pool.decimals(&listing.token));
    let config = book.vault.state.pool_config(pool.kind());
    let value = status.value.ok();
    let tickets: Vec<Value> = stake
        .tickets
        .iter()
        .map(|Keyed { address, account, .. }| {
            json!({
                "address": address.to_string(),
                "number": account.state.number.to_string(),
                "shares": amounts::shares(account.state.shares, decimals),
                "payable": token.json_received(account.state.payable),
                "ready": account.state.ready,
                "state": state(book, pool, account),
            })
        })
        .collect();
    json!({
        "pool": pool.name(),
        "assets": token.json_received(status.assets),
        "value_low": value.map(|value| token.json_received(value.low)),
        "value_high": value.map(|value| token.json_paid(value.high)),
        "no_value": status.value.err().map(|error| error.to_string()),
        "shares": amounts::shares(status.shares, decimals),
        "queued_shares": amounts::shares(status.queued, decimals),
        "exit_capacity": token.json_received(status.exit_capacity),
        "income_per_day": token.json_received(status.income_per_day),
        "funding_yield_bps": status.funding_yield_bps().map(|bps| bps.to_string()),
        "wait_seconds": config.wait,
        "exit_fee_bps": config.exit_bps,
        "your_shares": amounts::shares(stake.shares, decimals),
        "your_worth": stake.worth.map(|worth| token.json_received(worth)),
        "tickets": tickets,
    })
}

impl YieldArguments {
    /// Tells what both pools are paid.
    pub fn run(&self, session: &Session) -> Result<Output> {
        let listing = session.listing(&self.vault)?;
        let book = session.book(&listing)?;
        let token = &listing.token;
        let (mut rows, mut documents) = (Vec::new(), Vec::new());
        for pool in Pool::BOTH {
            let status = book.pool(pool.kind()).map_err(model)?;
            rows.push([
                pool.name().to_owned(),
                token.received(status.assets),
                token.received(status.income_per_day),
                yield_of(&status).unwrap_or_else(|| "-".to_owned()),
            ]);
            documents.push(json!({
                "pool": pool.name(),
                "assets": token.json_received(status.assets),
                "income_per_day": token.json_received(status.income_per_day),
                "funding_yield_bps": status.funding_yield_bps().map(|bps| bps.to_string()),
            }));
        }
        let used = book.utilisation_bps();
        let text = format!(
            "{}used: {} of the main pool. Funding only, at the rates of the last crank: premiums come on top, payouts go off.\n{}",
            table(["pool", "assets", "income per day", "yield a year"], 1, rows),
            used.map_or_else(|| "nothing".to_owned(), amounts::percent),
            token.note(),
        );
        let json = json!({
            "vault": listing.keys.vault.to_string(),
            "token": token.symbol,
            "multiplier": token.multiplier(),
            "used_bps": used.map(|bps| bps.to_string()),
            "pools": documents,
        });
        Ok(Output { text, json })
    }
}
