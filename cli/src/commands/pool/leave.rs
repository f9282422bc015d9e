//! Out of a pool: request, execute, claim; or cancel.

use anchor_lang::prelude::Pubkey;
use anyhow::Result;
use clap::Args;
use perpetua_client::{
    instruction,
    model::Shares,
    perpetua::state::WithdrawalTicket,
    rpc::Keyed,
    token::{associated, create_associated},
};
use serde_json::json;

use super::Pool;
use crate::{
    amounts,
    fault::{model, refusal},
    output::Output,
    session::{Intent, Listing, Session},
};

/// Give up shares to leave a pool.
#[derive(Args)]
pub struct RequestArguments {
    /// The vault: its token's symbol or mint.
    vault: String,
    /// main or insurance.
    pool: Pool,
    /// How many shares, or all.
    shares: String,
}

/// Take the shares of a request back.
#[derive(Args)]
pub struct TicketArguments {
    /// The vault: its token's symbol or mint.
    vault: String,
    /// The ticket's address, as perpetua pool status shows it.
    ticket: Pubkey,
}

/// Execute the request at the front of the queue.
#[derive(Args)]
pub struct ExecuteArguments {
    /// The vault: its token's symbol or mint.
    vault: String,
    /// main or insurance.
    pool: Pool,
}

/// Take the tokens of executed requests, and close what is finished.
#[derive(Args)]
pub struct ClaimArguments {
    /// The vault: its token's symbol or mint.
    vault: String,
    /// One ticket's address [default: all of yours].
    ticket: Option<Pubkey>,
}

/// The pool that a ticket leaves.
fn pool_of(ticket: &WithdrawalTicket) -> Pool {
    if ticket.pool == Pool::Main.kind() as u8 { Pool::Main } else { Pool::Insurance }
}

fn share_account(listing: &Listing, owner: &Pubkey, pool: Pool) -> Pubkey {
    associated(owner, &listing.keys.share_mint(pool.kind()), &anchor_spl::token::ID)
}

impl RequestArguments {
    /// Asks and gives up the shares.
    pub fn run(&self, session: &Session) -> Result<Output> {
        let listing = session.listing(&self.vault)?;
        let (wallet, token, pool) = (session.wallet()?, &listing.token, self.pool);
        let held = Shares(session.client.token_balance(&wallet, &listing.keys.share_mint(pool.kind()))?);
        let decimals = pool.decimals(token);
        let all = self.shares.eq_ignore_ascii_case("all");
        let shares = if all { held } else { amounts::parse_shares(&self.shares, decimals)? };
        if held < shares || shares.is_zero() {
            return Err(refusal(
                format!("{wallet} holds {} shares of the {} pool", amounts::shares(held, decimals), pool.name()),
                "give up at most those, and more than none",
            ));
        }
        let book = session.book(&listing)?;
        let config = book.vault.state.pool_config(pool.kind());
        let request = book.request(&wallet, pool.into(), &share_account(&listing, &wallet, pool), shares);
        let number = book.vault.state.pool(pool.kind()).next_ticket;
        let ticket = listing.keys.ticket(pool.kind(), number);
        let worth = book.worth_of(pool.kind(), shares).ok();
        session.carry_out(Intent {
            shown: format!(
                "give up {} shares of the {} pool of {}\n  worth {} now, after the exit fee of {}; paid at the value of \
                 the moment\n  can be executed after {}, in the order of the queue: ticket {number}, {ticket}\n{}",
                amounts::shares(shares, decimals),
                pool.name(),
                token.symbol,
                worth.map_or_else(|| "an amount that is not known".to_owned(), |worth| token.received(worth)),
                amounts::percent(config.exit_bps.into()),
                amounts::duration(config.wait.into()),
                token.note(),
            ),
            json: json!({
                "token": token.symbol,
                "multiplier": token.multiplier(),
                "pool": pool.name(),
                "shares": amounts::shares(shares, decimals),
                "worth": worth.map(|worth| token.json_received(worth)),
                "wait_seconds": config.wait,
                "ticket": ticket.to_string(),
                "number": number.to_string(),
            }),
            question: "Request it?".to_owned(),
            transactions: vec![("pool request".to_owned(), vec![request])],
        })
    }
}

impl TicketArguments {
    /// Asks and takes the shares back.
    pub fn cancel(&self, session: &Session) -> Result<Output> {
        let listing = session.listing(&self.vault)?;
        let (wallet, token) = (session.wallet()?, &listing.token);
        let ticket: Keyed<WithdrawalTicket> = session.client.account(&self.ticket)?;
        let pool = pool_of(&ticket.account);
        let shares = amounts::shares(ticket.account.state.shares, pool.decimals(token));
        let (mint, destination) = (listing.keys.share_mint(pool.kind()), share_account(&listing, &wallet, pool));
        let instructions = vec![
            create_associated(&wallet, &wallet, &mint, &anchor_spl::token::ID),
            instruction::cancel_withdrawal(&wallet, &listing.keys, pool.into(), &ticket.address, &destination),
        ];
        session.carry_out(Intent {
            shown: format!("take {shares} shares back into the {} pool of {}\n", pool.name(), token.symbol),
            json: json!({ "pool": pool.name(), "shares": shares, "ticket": ticket.address.to_string() }),
            question: "Cancel the request?".to_owned(),
            transactions: vec![("pool cancel".to_owned(), instructions)],
        })
    }
}

impl ExecuteArguments {
    /// Asks and executes.
    pub fn run(&self, session: &Session) -> Result<Output> {
        let listing = session.listing(&self.vault)?;
        let book = session.book(&listing)?;
        let pool = book.vault.state.pool(self.pool.kind());
        if pool.head_ticket == pool.next_ticket {
            return Err(refusal(
                format!("nobody waits to leave the {} pool of {}", self.pool.name(), listing.token.symbol),
                "request first",
            ));
        }
        let address = listing.keys.ticket(self.pool.kind(), pool.head_ticket);
        let ticket: Keyed<WithdrawalTicket> = session.client.account(&address)?;
        let ready = ticket.account.state.ready;
        if ready > book.moment.now {
            return Err(refusal(
                format!("ticket {}, the first in the queue, is not ready yet", pool.head_ticket),
                format!("wait until {}", amounts::time(ready)),
            ));
        }
        let instructions = book.execute(&session.wallet()?, &address).map_err(model)?;
        session.carry_out(Intent {
            shown: format!("execute ticket {} of {} ({address})\n", pool.head_ticket, ticket.account.owner),
            json: json!({
                "pool": self.pool.name(),
                "ticket": address.to_string(),
                "owner": ticket.account.owner.to_string(),
            }),
            question: "Execute it?".to_owned(),
            transactions: vec![("pool execute".to_owned(), instructions)],
        })
    }
}

impl ClaimArguments {
    /// Asks and claims.
    pub fn run(&self, session: &Session) -> Result<Output> {
        let listing = session.listing(&self.vault)?;
        let (wallet, token) = (session.wallet()?, &listing.token);
        let mut tickets = session.client.tickets_of(&wallet)?;
        tickets.retain(|ticket| {
            ticket.account.vault == listing.keys.vault && self.ticket.is_none_or(|only| only == ticket.address)
        });
        let destination = session.token_account(&listing, &wallet);
        let (mut transactions, mut shown, mut documents) = (Vec::new(), String::new(), Vec::new());
        for ticket in &tickets {
            let own = &ticket.account.state;
            let mut after = *own;
            after.payable = perpetua_client::model::Tokens::ZERO;
            let finished = listing.vault.state.require_finished(pool_of(&ticket.account).kind(), &after).is_ok();
            let mut instructions = Vec::new();
            if !own.payable.is_zero() {
                let (mint, program) = (&listing.keys.stock_mint, &listing.keys.token_program);
                instructions.push(create_associated(&wallet, &wallet, mint, program));
                instructions.push(instruction::claim_withdrawal(&wallet, &listing.keys, &ticket.address, &destination));
            }
            if finished {
                instructions.push(instruction::close_ticket(&wallet, &listing.keys, &ticket.address));
            }
            if instructions.is_empty() {
                continue;
            }
            shown += &format!("claim {} of ticket {}\n", token.received(own.payable), own.number);
            documents.push(json!({
                "ticket": ticket.address.to_string(),
                "amount": token.json_received(own.payable),
                "closes_ticket": finished,
            }));
            transactions.push((format!("pool claim {}", own.number), instructions));
        }
        if transactions.is_empty() {
            return Err(refusal(
                format!("{wallet} has nothing to claim in the {} vault", token.symbol),
                "look at perpetua pool status; requests are executed first",
            ));
        }
        session.carry_out(Intent {
            shown: shown + &token.note(),
            json: json!({ "token": token.symbol, "multiplier": token.multiplier(), "claims": documents }),
            question: "Claim it?".to_owned(),
            transactions,
        })
    }
}
