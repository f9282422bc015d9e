//! How liquidity providers act: they keep to their dates, and try again the next hour when refused.

use anyhow::{Context, Result};
use perpetua_client::{
    instruction,
    model::PoolKind,
    perpetua::{Pool, state},
};
use perpetua_tests::token;

use super::{keepers::OpenTicket, stage::Stage};

/// Something a liquidity provider does, from an hour on until it succeeds.
#[derive(Clone, Copy, Debug)]
pub struct Step {
    /// Not before, Unix seconds.
    pub from: i64,
    /// Who.
    pub who: &'static str,
    /// Of which pool.
    pub pool: Pool,
    /// What.
    pub deed: Deed,
}

/// What a liquidity provider does.
#[derive(Clone, Copy, Debug)]
pub enum Deed {
    /// Joins with so many whole tokens.
    Join(u64),
    /// Asks to leave with so many percent of his shares.
    Request(u64),
    /// Takes back what he asked for last.
    Cancel,
}

/// Does what has come due, and returns what has not, or was refused.
///
/// Errors: for names that nobody has.
pub fn keep_dates(stage: &mut Stage, steps: Vec<Step>, tickets: &mut Vec<OpenTicket>) -> Result<Vec<Step>> {
    let mut left = Vec::new();
    for step in steps {
        if step.from > stage.moment().now || !act(stage, &step, tickets)? {
            left.push(step);
        }
    }
    Ok(left)
}

fn act(stage: &mut Stage, step: &Step, tickets: &mut Vec<OpenTicket>) -> Result<bool> {
    let who = stage.number(step.who)?;
    let (keys, markets, person) = (stage.keys(), stage.world.markets.clone(), stage.people[who]);
    let shares = person.shares[step.pool as usize];
    match step.deed {
        Deed::Join(whole) => {
            let amount = whole * token::ONE;
            let join =
                instruction::join_pool(&person.owner, &keys, step.pool, &person.tokens, &shares, &markets, amount, 1);
            let mut all = stage.marks();
            all.push(("join_pool", join));
            Ok(stage.act(who, all).is_ok())
        }
        Deed::Request(percent) => {
            let kind = PoolKind::from(step.pool);
            let vault: state::Vault = stage.world.read(&keys.vault);
            let number = vault.state.pool(kind).next_ticket;
            let amount = token::balance(&stage.world.chain, &shares) / 100 * percent;
            let amount = if percent == 100 { token::balance(&stage.world.chain, &shares) } else { amount };
            let request = instruction::request_withdrawal(
                &person.owner,
                &person.owner,
                &keys,
                step.pool,
                number,
                &shares,
                amount,
            );
            let asked = stage.act(who, vec![("request_withdrawal", request)]).is_ok();
            if asked {
                tickets.push(OpenTicket { who, pool: step.pool, address: keys.ticket(kind, number) });
            }
            Ok(asked)
        }
        Deed::Cancel => {
            let ticket = tickets.iter().find(|ticket| ticket.who == who).context("a ticket to cancel")?;
            let cancel = instruction::cancel_withdrawal(&person.owner, &keys, step.pool, &ticket.address, &shares);
            Ok(stage.act(who, vec![("cancel_withdrawal", cancel)]).is_ok())
        }
    }
}
