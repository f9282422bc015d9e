//! How keepers act: every hour they crank, and do whatever has come due.

use anyhow::Result;
use perpetua_client::{
    address,
    event::Event,
    instruction::{self, Series},
    model::{PoolKind, RETIRE_TICKS, pricing::Usd},
    perpetua::{Pool, Side, state},
};
use perpetua_tests::Done;
use solana_pubkey::Pubkey;

use super::{
    FEE_RECIPIENT, KEEPER, LIQUIDATOR,
    entries::usd,
    stage::Stage,
    trading::{Lot, held},
};
use crate::{
    history::HOUR,
    record::{Group, Kind},
};

const DAY: i64 = 24 * HOUR;
const WEEK: i64 = 7 * DAY;
/// The first seconds of a day, in which the keeper settles what is settled daily.
const DAY_BEGINS: i64 = HOUR / 12;

/// A keeper's hour.
///
/// Errors: for accounts that cannot be read.
pub fn keep(stage: &mut Stage) -> Result<()> {
    let (keeper, liquidator) = (stage.number(KEEPER)?, stage.number(LIQUIDATOR)?);
    for market in 0..stage.world.markets.len() {
        let cranks = stage.crank(market);
        if stage.act(keeper, cranks).is_err() {
            return Ok(());
        }
    }
    let traders = (0..stage.actors.len()).filter(|who| stage.actors[*who].group == Group::Trader);
    for who in traders.collect::<Vec<_>>() {
        settle_positions(stage, keeper, who)?;
        liquidate(stage, liquidator, who)?;
        if stage.moment().now.rem_euclid(DAY) < DAY_BEGINS {
            settle_funding(stage, keeper, who)?;
        }
    }
    if stage.moment().now.rem_euclid(WEEK) < DAY_BEGINS {
        collect_fees(stage, keeper)?;
    }
    Ok(())
}

/// Settles what is past its cap and retires what is far from the money.
fn settle_positions(stage: &mut Stage, keeper: usize, who: usize) -> Result<()> {
    let Some(account) = stage.margin(who) else { return Ok(()) };
    let snapshot = stage.snapshot();
    let spot = snapshot.index().feed.price.get();
    for lot in held(&account) {
        let Lot { market: number, side, tick, .. } = lot;
        let market = &snapshot.markets[number].state;
        let nearest = market.config.grid()?.nearest_tick(snapshot.index().feed.price.into());
        let strike = market.series(side.into(), tick)?.0.strike.get();
        let cap = market.config.cap_value(side.into(), Usd::from_bits(strike)).bits();
        let (past_cap, ticks_away) = match side {
            Side::Call => (spot >= strike + cap, i32::from(tick) - i32::from(nearest)),
            Side::Put => (spot + cap <= strike, i32::from(nearest) - i32::from(tick)),
        };
        let (keys, market, series) = (stage.keys(), stage.world.markets[number], Series { side, tick });
        let target = stage.people[who].account;
        let settle = if past_cap {
            ("settle_capped", instruction::settle_capped(&keys, &target, &market, series))
        } else if ticks_away > i32::from(RETIRE_TICKS) {
            ("retire_far", instruction::retire_far(&keys, &target, &market, series))
        } else {
            continue;
        };
        let mut all = stage.crank(number);
        all.push(settle);
        // A refusal is noted; the next hour brings another try.
        let _ = stage.act(keeper, all);
    }
    Ok(())
}

fn liquidate(stage: &mut Stage, liquidator: usize, who: usize) -> Result<()> {
    let Some(account) = stage.margin(who) else { return Ok(()) };
    let snapshot = stage.snapshot();
    if !snapshot.health(&account, stage.moment().now)?.is_liquidatable() {
        return Ok(());
    }
    let (keys, markets) = (stage.keys(), stage.markets_of(&account));
    let (keeper, target) = (stage.people[liquidator], stage.people[who].account);
    let liquidate = instruction::liquidate(&keeper.owner, &keys, &target, &keeper.account, &markets);
    // All markets were cranked in this slot.
    let mut all = stage.crank(0);
    all.push(("liquidate", liquidate));
    if let Ok(done) = stage.act(liquidator, all) {
        tell_of_liquidation(stage, who, &held(&account), &done);
    }
    Ok(())
}

/// The event has the proceeds of all options together: the first one tells of them.
fn tell_of_liquidation(stage: &mut Stage, who: usize, before: &[Lot], done: &Done) {
    let proceeds = |event: &Event| match event {
        Event::AccountLiquidated(liquidated) => Some(liquidated.proceeds),
        _ => None,
    };
    let mut proceeds = done.events.iter().find_map(proceeds).unwrap_or(0);
    let after = stage.margin(who).map(|account| held(&account)).unwrap_or_default();
    let price = usd(stage.index_price());
    for lot in before {
        let left = after.iter().find(|other| other.is_same_option(lot)).map_or(0, |lot| lot.size);
        if left < lot.size {
            let market = stage.world.markets[lot.market].market;
            let of = stage.option(&market, (lot.side, lot.tick), lot.size - left, left);
            stage.tell(who, Kind::Liquidation, of, price, std::mem::take(&mut proceeds));
        }
    }
}

fn settle_funding(stage: &mut Stage, keeper: usize, who: usize) -> Result<()> {
    let Some(account) = stage.margin(who) else { return Ok(()) };
    let snapshot = stage.snapshot();
    let health = snapshot.health(&account, stage.moment().now)?;
    if health.owed.is_zero() || health.collateral.is_zero() {
        return Ok(());
    }
    let (keys, markets, target) = (stage.keys(), stage.markets_of(&account), stage.people[who].account);
    // A refusal is noted.
    let _ = stage.act(keeper, vec![("settle_funding", instruction::settle_funding(&keys, &target, &markets))]);
    Ok(())
}

/// Has the protocol's fees paid out.
///
/// Errors: without a fee recipient among the actors.
pub fn collect_fees(stage: &mut Stage, keeper: usize) -> Result<()> {
    if stage.snapshot().vault.state.protocol_fees.is_zero() {
        return Ok(());
    }
    let recipient = stage.number(FEE_RECIPIENT)?;
    let (keys, destination) = (stage.keys(), stage.people[recipient].tokens);
    // A refusal is noted.
    let _ = stage.act(keeper, vec![("collect_fees", instruction::collect_fees(&keys, &destination))]);
    Ok(())
}

/// A withdrawal whose account is open.
#[derive(Clone, Copy, Debug)]
pub struct OpenTicket {
    /// Whose it is.
    pub who: usize,
    /// Of which pool.
    pub pool: Pool,
    /// Its account.
    pub address: Pubkey,
}

/// Executes what has come due in a pool's queue, as far as capacity goes; then owners claim and close their tickets.
///
/// Errors: for accounts that cannot be read.
pub fn serve_queue(stage: &mut Stage, tickets: &mut Vec<OpenTicket>, pool: Pool) -> Result<()> {
    let keeper = stage.number(KEEPER)?;
    let (keys, markets) = (stage.keys(), stage.world.markets.clone());
    loop {
        let kind = PoolKind::from(pool);
        let vault: state::Vault = stage.world.read(&keys.vault);
        let queue = vault.state.pool(kind);
        if queue.head_ticket == queue.next_ticket {
            break;
        }
        let address = address::ticket(&keys.vault, kind, queue.head_ticket);
        let ticket: state::WithdrawalTicket = stage.world.read(&address);
        if stage.moment().now < ticket.state.ready && !ticket.state.shares.is_zero() {
            break;
        }
        let owner = stage.people[keeper].owner;
        let execute = ("execute_withdrawal", instruction::execute_withdrawal(&owner, &keys, &address, &markets));
        let mut all = stage.marks();
        all.push(execute);
        if stage.act(keeper, all).is_err() {
            break;
        }
        let after: state::Vault = stage.world.read(&keys.vault);
        if after.state.pool(kind).head_ticket == queue.head_ticket {
            break;
        }
    }
    tickets.retain(|ticket| ticket.pool != pool || !finish(stage, ticket));
    Ok(())
}

/// Claims what a ticket pays and closes it if nothing is left in it; says whether it is closed.
fn finish(stage: &mut Stage, ticket: &OpenTicket) -> bool {
    let (keys, person) = (stage.keys(), stage.people[ticket.who]);
    let state: state::WithdrawalTicket = stage.world.read(&ticket.address);
    if !state.state.payable.is_zero() {
        let claim = instruction::claim_withdrawal(&person.owner, &keys, &ticket.address, &person.tokens);
        if stage.act(ticket.who, vec![("claim_withdrawal", claim)]).is_err() {
            return false;
        }
    }
    let vault: state::Vault = stage.world.read(&keys.vault);
    let passed = state.state.number < vault.state.pool(ticket.pool.into()).head_ticket;
    if !state.state.shares.is_zero() || !passed {
        return false;
    }
    let close = instruction::close_ticket(&person.owner, &keys, &ticket.address);
    stage.act(ticket.who, vec![("close_ticket", close)]).is_ok()
}
