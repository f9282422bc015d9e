//! The scenarios, and what they have in common.

pub mod chapter;
pub mod crash;
pub mod entries;
pub mod halving;
pub mod keepers;
pub mod play;
pub mod providers;
pub mod stage;
pub mod states;
pub mod trading;
pub mod weekend;

use anyhow::Result;
use perpetua_client::model::{Market, PoolKind, Tokens};
use perpetua_tests::token;

use crate::{
    book::Reason,
    record::{Actor, Group, Line, Record},
};
use keepers::OpenTicket;
use stage::{Snapshot, Stage};

/// Who cranks and settles.
pub const KEEPER: &str = "Kira";
/// Whom the protocol's fees are paid to.
pub const FEE_RECIPIENT: &str = "Fee recipient";
/// Who liquidates.
pub const LIQUIDATOR: &str = "Lars";

/// The last hour: the liquidator takes his rewards, the protocol its fees.
///
/// Errors: for names that nobody has.
pub fn close_up(stage: &mut Stage, liquidator: usize) -> Result<()> {
    if let Some(margin) = stage.margin(liquidator) {
        trading::leave(stage, liquidator, &margin);
    }
    let keeper = stage.number(KEEPER)?;
    keepers::collect_fees(stage, keeper)
}

/// Verifies that everybody has left.
pub fn everybody_is_out(stage: &mut Stage, tickets: &[OpenTicket]) {
    let open = (0..stage.people.len()).filter(|who| stage.margin(*who).is_some()).count();
    stage.audit.note("At the end every margin account and ticket is closed", open + tickets.len() == 0, || {
        format!("{open} accounts and {} tickets open", tickets.len())
    });
    let vault = stage.snapshot().vault;
    let state = &vault.state;
    let left = [state.margin, state.payable, state.protocol_fees, state.reserves, state.claims.outstanding];
    stage.audit.note("At the end no ledger owes anybody anything", left.iter().all(|ledger| ledger.is_zero()), || {
        format!("margin, withdrawals, fees, reserves and claims: {:?}", left.map(|ledger| ledger.0))
    });
    let shares = [PoolKind::Main, PoolKind::Insurance].map(|kind| vault.state.pool(kind).shares.0);
    stage.audit.note("At the end no share is left", shares == [0, 0], || format!("{shares:?}"));
}

/// What a share is worth halfway between what it is minted at and what it is burned at, in tokens; nothing without shares.
pub fn share_price(stage: &Stage, snapshot: &Snapshot, kind: PoolKind) -> Option<f64> {
    let (vault, moment) = (&snapshot.vault.state, stage.moment());
    let pool = vault.pool(kind);
    let mut markets: Vec<Box<Market>> = snapshot.markets.iter().map(|market| Box::new(market.state)).collect();
    for market in &mut markets {
        market.mark(snapshot.index(), moment).ok()?;
    }
    let value = vault.net_asset_value(kind, markets.iter().map(|market| &**market), moment.slot).ok()?;
    let start = vault.pool_config(kind).virtual_shares.0 as f64;
    let middle = (value.low.0 as f64 + value.high.0 as f64) / 2.0;
    (!pool.shares.is_zero()).then(|| (middle + 1.0) / (pool.shares.0 as f64 + start) * start)
}

/// What a run leaves behind, but for its hours.
pub fn record(stage: &Stage) -> Record {
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
        hours: Vec::new(),
        actors,
        happenings: stage.log.happenings.clone(),
        refusals: stage.log.refusals(),
        compute: stage.log.compute(),
        flows: flows(stage),
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
        ("Paid by insurance", Reason::TopUp, "insurance to buyers, what payouts took above the reserves"),
        ("Claims served", Reason::Served, "insurance to those it owed"),
        ("Penalties", Reason::Penalty, "the liquidated to the keeper and insurance, half each"),
        ("Protocol fees collected", Reason::Collect, "the vault to the fee recipient"),
        ("Swept to insurance", Reason::Sweep, "what the last share of the main pool left behind"),
    ];
    let exit_fees = Line {
        name: "Exit fees".to_owned(),
        tokens: stage.log.exit_fees,
        note: "leavers of a pool to those who stay in it".to_owned(),
    };
    // A quanto market has no payouts above reserves.
    let happened =
        |line: &Line| line.tokens > 0 || !["Paid by insurance", "Claims served"].contains(&line.name.as_str());
    reasons.into_iter().map(line).filter(happened).chain([exit_fees]).collect()
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
