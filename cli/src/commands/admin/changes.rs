//! Changes that wait.

use anchor_lang::{Discriminator, prelude::Pubkey};
use anyhow::Result;
use clap::Args;
use perpetua_client::{
    address,
    instruction::{self, Changed, VaultKeys},
    model::{CHANGE_DELAY, CHANGE_LIFETIME},
    perpetua::state::{Index, Market, Proposal, Stock, Vault},
    rpc::Keyed,
};
use serde_json::json;

use crate::{
    amounts::time,
    fault::refusal,
    output::{Output, table},
    session::{Intent, Session},
};

/// Changes that were proposed.
#[derive(Args)]
pub struct ListArguments {}

/// A change that was proposed.
#[derive(Args)]
pub struct Arguments {
    /// The account that is to be changed, as perpetua admin proposals shows it.
    target: Pubkey,
}

/// What can be done with a proposal now.
fn state(proposal: &Proposal, now: i64) -> &'static str {
    let due = proposal.proposed_at.saturating_add(CHANGE_DELAY);
    match now {
        _ if now < due => "waits",
        _ if now <= due.saturating_add(CHANGE_LIFETIME) => "apply",
        _ => "expired",
    }
}

impl ListArguments {
    /// Lists the proposals.
    pub fn run(&self, session: &Session) -> Result<Output> {
        let now = session.client.clock()?.unix_timestamp;
        let proposals = session.client.proposals()?;
        let due = |proposal: &Proposal| proposal.proposed_at.saturating_add(CHANGE_DELAY);
        let rows = proposals.iter().map(|Keyed { account, .. }| {
            [account.target.to_string(), time(due(account)), state(account, now).to_owned()]
        });
        let text = match proposals.is_empty() {
            true => "no change waits\n".to_owned(),
            false => table(["account to be changed", "can be applied from", "now"], 3, rows),
        };
        let documents = proposals.iter().map(|Keyed { address, account, .. }| {
            json!({
                "proposal": address.to_string(),
                "target": account.target.to_string(),
                "proposed_at": account.proposed_at,
                "due": due(account),
                "expires": due(account).saturating_add(CHANGE_LIFETIME),
                "state": state(account, now),
            })
        });
        Ok(Output { text, json: json!({ "now": now, "proposals": documents.collect::<Vec<_>>() }) })
    }
}

impl Arguments {
    fn find(&self, session: &Session) -> Result<(Changed, Keyed<Proposal>)> {
        let target = self.target;
        let proposal = session.client.find::<Proposal>(&address::proposal(&target))?;
        let proposal = proposal
            .ok_or_else(|| refusal(format!("no change of {target} is proposed"), "look at perpetua admin proposals"))?;
        let snapshot = session.client.multiple(&[target])?;
        let data = snapshot.accounts.get(&target).map(|account| account.data.as_slice()).unwrap_or_default();
        let is = |discriminator: &[u8]| data.starts_with(discriminator);
        let changed = match target {
            _ if target == address::exchange() => Changed::Exchange,
            _ if is(Index::DISCRIMINATOR) => Changed::Index(target),
            _ if is(Vault::DISCRIMINATOR) => Changed::Vault(target),
            _ if is(Market::DISCRIMINATOR) => Changed::Market(target),
            _ if is(Stock::DISCRIMINATOR) => Changed::Stock(target),
            _ => return Err(refusal(format!("{target} has no configuration"), "name what a proposal is for")),
        };
        Ok((changed, proposal))
    }

    /// Asks and applies; a market is cranked first, with the last prices.
    pub fn apply(&self, session: &Session) -> Result<Output> {
        let (changed, proposal) = self.find(session)?;
        let now = session.client.clock()?.unix_timestamp;
        let due = proposal.account.proposed_at.saturating_add(CHANGE_DELAY);
        match state(&proposal.account, now) {
            "waits" => {
                return Err(refusal("the change waits for two days", format!("apply it from {}", time(due))));
            }
            "expired" => {
                return Err(refusal("the change was not applied within a week", "cancel it and propose it again"));
            }
            _ => {}
        }
        let admin = session.client.exchange()?.account.admin;
        let mut instructions = Vec::new();
        if let Changed::Market(market) = changed {
            let market = session.client.market(&market)?.account;
            let vault = session.client.vault(&market.vault)?.account;
            let keys = VaultKeys::new(vault.stock_mint, vault.token_program);
            let book = session.client.book(&keys.vault, &session.prices())?;
            instructions = book.cranks(&[market.number]).map_err(crate::fault::model)?;
        }
        instructions.push(instruction::apply_change(&admin, &changed));
        self.carry_out(session, "apply", instructions)
    }

    /// Asks and takes the change back.
    pub fn cancel(&self, session: &Session) -> Result<Output> {
        let (changed, _) = self.find(session)?;
        let admin = session.client.exchange()?.account.admin;
        let cancel = instruction::cancel_change(&session.wallet()?, &admin, &changed);
        self.carry_out(session, "cancel", vec![cancel])
    }

    fn carry_out(
        &self,
        session: &Session,
        what: &str,
        instructions: Vec<anchor_lang::solana_program::instruction::Instruction>,
    ) -> Result<Output> {
        session.carry_out(Intent {
            shown: format!("{what} the change of {}\n", self.target),
            json: json!({ "target": self.target.to_string() }),
            question: format!("Shall I {what} it?"),
            transactions: vec![(format!("{what} change"), instructions)],
        })
    }
}
