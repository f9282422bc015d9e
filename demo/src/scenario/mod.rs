//! The scenario: who does what, hour by hour, over the whole slice of history.

mod cast;
mod entries;
mod keepers;
mod providers;
mod stage;
mod traders;
mod trading;

use anyhow::Result;
use perpetua_client::{
    model::{Market, PoolKind, Tokens},
    perpetua::Pool,
};
use perpetua_tests::token;

use crate::{
    audit::Subject,
    book::{Purse, Reason},
    history::Quote,
    record::{Actor, Group, Hour, Line, Record},
};
use keepers::OpenTicket;
use stage::Stage;

/// Runs everything and calls `progress` after each hour.
///
/// Errors: where the run cannot go on; what was refused or does not hold is in the record instead.
pub fn run(quotes: &[Quote], mut progress: impl FnMut(&Quote)) -> Result<Record> {
    let Some(first) = quotes.first() else { return Ok(Record::default()) };
    let mut stage = Stage::new(first)?;
    let mut roles = cast::traders();
    let mut steps = cast::SCHEDULE.to_vec();
    let mut tickets = Vec::new();
    let mut hours: Vec<Hour> = Vec::new();
    let liquidator = stage.number(cast::LIQUIDATOR)?;
    for who in (0..roles.len()).chain([liquidator]) {
        trading::open_account(&mut stage, who)?;
    }
    for (place, now) in quotes.iter().enumerate() {
        if place > 0 {
            stage.turn_to(now);
        }
        keepers::keep(&mut stage)?;
        for pool in [Pool::Main, Pool::Insurance] {
            keepers::serve_queue(&mut stage, &mut tickets, pool)?;
        }
        steps = providers::keep_dates(&mut stage, steps, &mut tickets)?;
        for (who, role) in roles.iter_mut().enumerate() {
            trading::trade(&mut stage, who, role, quotes.get(..=place).unwrap_or(quotes))?;
        }
        if place + 1 == quotes.len() {
            close_up(&mut stage, liquidator)?;
        }
        look(&mut stage);
        hours.push(hour(&stage, now, hours.last()));
        progress(now);
    }
    everybody_is_out(&mut stage, &tickets);
    Ok(record(stage, hours))
}

/// The last hour: the liquidator takes his rewards, the protocol its fees.
fn close_up(stage: &mut Stage, liquidator: usize) -> Result<()> {
    if let Some(margin) = stage.margin(liquidator) {
        trading::leave(stage, liquidator, &margin);
    }
    let keeper = stage.number(cast::KEEPER)?;
    keepers::collect_fees(stage, keeper)
}

fn look(stage: &mut Stage) {
    let numbered = || stage.people.iter().enumerate();
    let margin: Vec<_> = numbered().map(|(who, person)| (who, person.account)).collect();
    let wallets: Vec<_> = numbered().map(|(who, person)| (who, person.tokens)).collect();
    let accounts = stage.world.chain.snapshot();
    let vault = stage.keys().vault;
    let subject = Subject { accounts: &accounts, vault, margin: &margin, wallets: &wallets, endowment: stage::WALLET };
    stage.audit.look(&subject, &stage.log.book);
}

fn everybody_is_out(stage: &mut Stage, tickets: &[OpenTicket]) {
    let open = (0..stage.people.len()).filter(|who| stage.margin(*who).is_some()).count();
    stage.audit.note("At the end every margin account and ticket is closed", open + tickets.len() == 0, || {
        format!("{open} accounts and {} tickets open", tickets.len())
    });
    let vault = stage.snapshot().vault;
    let left = [vault.state.margin, vault.state.payable, vault.state.protocol_fees, vault.state.reserves];
    stage.audit.note("At the end no ledger owes anybody anything", left.iter().all(|ledger| ledger.is_zero()), || {
        format!("margin, withdrawals, fees and reserves: {:?}", left.map(|ledger| ledger.0))
    });
    let shares = [PoolKind::Main, PoolKind::Insurance].map(|kind| vault.state.pool(kind).shares.0);
    stage.audit.note("At the end no share is left", shares == [0, 0], || format!("{shares:?}"));
}

fn hour(stage: &Stage, now: &Quote, before: Option<&Hour>) -> Hour {
    let snapshot = stage.snapshot();
    let (vault, book) = (&snapshot.vault.state, &stage.log.book);
    let mut market = Box::new(snapshot.market.state);
    let moment = stage.moment();
    let marked = market.mark(snapshot.index(), moment).is_ok();
    let price = |kind, last: fn(&Hour) -> f64| {
        let here = marked.then(|| share_price(vault, kind, &market, moment.slot)).flatten();
        here.or(before.map(last)).unwrap_or(1.0)
    };
    let used = vault.reserves.0 as f64 / vault.main.assets.0.max(1) as f64;
    let traders = stage.actors.iter().enumerate().filter(|(_, actor)| actor.group == Group::Trader);
    let result = |who: usize| {
        let whole = book.balance(Purse::Wallet(who)) + trading::worth(stage, &snapshot, who);
        i64::try_from(whole).unwrap_or(i64::MAX)
    };
    Hour {
        time: now.time,
        price: now.usd(),
        volatility: snapshot.market.state.middle.map(|middle| middle.0 as f64 / (1u64 << 48) as f64),
        share_price: price(PoolKind::Main, |hour| hour.share_price),
        insurance_share_price: price(PoolKind::Insurance, |hour| hour.insurance_share_price),
        utilisation: used,
        premium: book.flow(Reason::Premium),
        payout: book.flow(Reason::Payout),
        funding: book.flow(Reason::Funding),
        fees: book.flow(Reason::Fee),
        results: traders.map(|(who, _)| (who, result(who))).collect(),
    }
}

/// What a share is worth halfway between what it is minted at and what it is burned at, in tokens; nothing without shares.
fn share_price(vault: &perpetua_client::model::Vault, kind: PoolKind, market: &Market, slot: u64) -> Option<f64> {
    let pool = vault.pool(kind);
    let value = vault.net_asset_value(kind, [market].into_iter(), slot).ok()?;
    let start = vault.pool_config(kind).virtual_shares.0 as f64;
    let middle = (value.low.0 as f64 + value.high.0 as f64) / 2.0;
    (!pool.shares.is_zero()).then(|| (middle + 1.0) / (pool.shares.0 as f64 + start) * start)
}

fn record(stage: Stage, hours: Vec<Hour>) -> Record {
    let vault = stage.snapshot().vault.state;
    let book = &stage.log.book;
    let mut actors = stage.actors.clone();
    for (who, actor) in actors.iter_mut().enumerate() {
        (actor.paid_in, actor.taken_out) = book.wallet_flows(who);
    }
    let left = token::balance(&stage.world.chain, &stage.keys().tokens());
    actors.push(Actor {
        name: "Nobody's".to_owned(),
        group: Group::Nobody,
        rule: String::new(),
        paid_in: 0,
        taken_out: left,
    });
    Record {
        setting: stage.setting(),
        hours,
        actors,
        happenings: stage.log.happenings.clone(),
        refusals: stage.log.refusals(),
        compute: stage.log.compute(),
        flows: flows(&stage),
        ledgers: ledgers(&vault),
        checks: stage.audit.checks(),
        transactions: stage.log.transactions,
    }
}

fn flows(stage: &Stage) -> Vec<Line> {
    let line = |(name, reason, note): (&str, Reason, &str)| Line {
        name: name.to_owned(),
        tokens: stage.log.book.flow(reason),
        note: note.to_owned(),
    };
    let reasons = [
        ("Premium", Reason::Premium, "buyers to the main pool"),
        ("Funding", Reason::Funding, "buyers to the main pool 80%, insurance 15%, protocol 5%"),
        ("Trading fees", Reason::Fee, "buyers to the main pool 50%, insurance 20%, protocol 30%"),
        ("Payouts", Reason::Payout, "the main pool to buyers who sold, reached the cap, were retired or liquidated"),
        ("Penalties", Reason::Penalty, "the liquidated to the keeper and insurance, half each"),
        ("Protocol fees collected", Reason::Collect, "the vault to the fee recipient"),
        ("Swept to insurance", Reason::Sweep, "what the last share of the main pool left behind"),
    ];
    let exit_fees = Line {
        name: "Exit fees".to_owned(),
        tokens: stage.log.exit_fees,
        note: "leavers of a pool to those who stay in it".to_owned(),
    };
    reasons.into_iter().map(line).chain([exit_fees]).collect()
}

fn ledgers(vault: &perpetua_client::model::Vault) -> Vec<Line> {
    let line = |name: &str, tokens: Tokens, note: &str| Line {
        name: name.to_owned(),
        tokens: tokens.0,
        note: note.to_owned(),
    };
    vec![
        line("Main pool", vault.main.assets, "its shares are all burned"),
        line(
            "Insurance pool",
            vault.insurance.assets,
            "the last leaver's exit fee and rounding: it belongs to no share",
        ),
        line("Margin", vault.margin, "all accounts are closed"),
        line("Withdrawals to claim", vault.payable, "all are claimed"),
        line("Protocol fees", vault.protocol_fees, "all are collected"),
        line("Reserves", vault.reserves, "no position is open"),
    ]
}
