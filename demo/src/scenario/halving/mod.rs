//! An invented night: Tesla halves while bitcoin falls so far that puts pay their cap. What they are owed exceeds their
//! reserves; the insurance pool pays what it may in a day and owes the rest, which its income and the next days serve.

mod cast;
mod weeks;

use std::collections::BTreeMap;

use anyhow::Result;
use perpetua_client::{instruction, model::Vault};
use perpetua_tests::token;

use super::{KEEPER, chapter::Step, play::Play, record, stage::Stage};
use crate::{
    book::{Purse, Reason},
    record::{
        Group,
        halving::{Halving, Hour, Ledgers, Put},
    },
};

const DAY: i64 = 86_400;
/// What insurance may pay of its assets in a day.
const DAILY_PART: u64 = 4;

/// How many moments there are.
///
/// Errors: none, as prices are invented.
pub fn length() -> Result<usize> {
    Ok(weeks::HALVING.steps()?.len())
}

/// Runs the weeks around the night and calls `progress` after each moment.
///
/// Errors: where the run cannot go on; what was refused or does not hold is in the record instead.
pub fn run(mut progress: impl FnMut(i64, f64)) -> Result<Halving> {
    let chapter = &weeks::HALVING;
    let mut play = Play::new(chapter, cast::actors(), cast::dates())?;
    let (mut told, mut service) = (Halving::default(), Service::default());
    for step in play.steps() {
        play.turn_to(&step);
        let before = play.stage.ledgers();
        if step.time == weeks::BEFORE_THE_NIGHT {
            told.ledgers.push(ledgers(&play.stage, "Before the night"));
        }
        service.serve(&mut play.stage)?;
        note_stages(&mut told, &play, &step);
        play.keep()?;
        cast::trade(&mut play.stage, chapter, &step)?;
        play.end(&step)?;
        service.look(&mut play.stage, &before);
        if told.ledgers.len() == 1 {
            note_stages(&mut told, &play, &step);
        }
        told.hours.push(hour(&play, &step));
        progress(step.time, step.bitcoin.usd());
    }
    told.ledgers.push(ledgers(&play.stage, "When everybody has left"));
    told.puts = puts(&mut play.stage);
    prove(&mut play.stage, &told);
    told.record = record(&play.stage);
    Ok(told)
}

/// The ledgers when the puts are paid as far as they can be, and when all that was owed is served and collected.
fn note_stages(told: &mut Halving, play: &Play<'_>, step: &Step) {
    let vault = play.stage.ledgers();
    let owed = play.stage.log.claimed > 0;
    let name = match told.ledgers.len() {
        1 if owed => "After the payouts",
        2 if vault.claims.outstanding.is_zero() && vault.claims.funded.is_zero() => "After the claims were served",
        _ => return,
    };
    told.ledgers.push(Ledgers { time: step.time, ..ledgers(&play.stage, name) });
}

fn ledgers(stage: &Stage, name: &str) -> Ledgers {
    let vault = stage.ledgers();
    Ledgers {
        name: name.to_owned(),
        time: stage.moment().now,
        margin: vault.margin.0,
        main: vault.main.assets.0,
        insurance: vault.insurance.assets.0,
        funded: vault.claims.funded.0,
        payable: vault.payable.0,
        protocol: vault.protocol_fees.0,
        tokens: token::balance(&stage.world.chain, &stage.keys().tokens()),
        outstanding: vault.claims.outstanding.0,
        reserves: vault.reserves.0,
        wallets: -(0..stage.people.len()).map(|who| stage.log.book.balance(Purse::Wallet(who))).sum::<i128>(),
    }
}

fn hour(play: &Play<'_>, step: &Step) -> Hour {
    let vault = play.stage.ledgers();
    Hour {
        time: step.time,
        bitcoin: step.bitcoin.usd(),
        share: play.watch.share.usd(),
        insurance: vault.insurance.assets.0,
        outstanding: vault.claims.outstanding.0,
        served: play.stage.log.book.flow(Reason::Served),
    }
}

/// What every put that exceeded its reserve was paid, and by whom.
fn puts(stage: &mut Stage) -> Vec<Put> {
    let above: Vec<_> = stage.log.sales.iter().filter(|sale| sale.from_insurance + sale.claimed > 0).collect();
    let put = |sale: &&crate::log::Sale| Put {
        who: stage.actors.get(sale.who).map(|actor| actor.name.clone()).unwrap_or_default(),
        size: sale.size,
        value: sale.value,
        main: sale.paid - sale.from_insurance - sale.claimed,
        insurance: sale.from_insurance,
        claimed: sale.claimed,
        collected: stage.log.collected.get(&sale.who).copied().unwrap_or(0),
    };
    above.iter().map(put).collect()
}

/// Serves claims as soon as anything may be served, and brings claimants up to date.
#[derive(Default)]
struct Service {
    /// When the day that the limit counts began, and what insurance had then.
    day: (i64, u64),
    /// What every claimant's claim was, and what was left of it, when one was added last.
    claims: BTreeMap<usize, (u64, u64)>,
}

impl Service {
    fn serve(&mut self, stage: &mut Stage) -> Result<()> {
        let vault = stage.ledgers();
        if let Some(states) = &mut stage.states {
            states.claims_open = !vault.claims.outstanding.is_zero();
        }
        let now = stage.moment().now;
        if vault.claims.outstanding.is_zero() || vault.insurance_limit(now)?.is_zero() {
            return Ok(());
        }
        let (keys, keeper) = (stage.keys(), stage.number(KEEPER)?);
        // A refusal is noted.
        let _ = stage.act(keeper, vec![("serve_claims", instruction::serve_claims(&keys))]);
        let traders = (0..stage.actors.len()).filter(|who| stage.actors[*who].group == Group::Trader);
        for who in traders.collect::<Vec<_>>() {
            let claim = stage.margin(who).map(|margin| margin.state.claim);
            if claim.is_some_and(|claim| !claim.amount.is_zero()) {
                let account = stage.people[who].account;
                let _ = stage.act(keeper, vec![("sync_account", instruction::sync_account(&keys, &account))]);
            }
        }
        Ok(())
    }

    /// Verifies the limit of the day, and that all claims shrink alike.
    fn look(&mut self, stage: &mut Stage, before: &Vault) {
        let (now, vault) = (stage.moment().now, stage.ledgers());
        let (had, has) = (before.insurance.assets.0, vault.insurance.assets.0);
        if !before.claims.outstanding.is_zero() || !vault.claims.outstanding.is_zero() {
            if has < had && now >= self.day.0 + DAY {
                self.day = (now, had);
            }
            let least = self.day.1 - self.day.1 / DAILY_PART;
            let holds = vault.claims.outstanding.is_zero() || has >= least;
            stage.audit.note(
                "While it owes, insurance keeps three quarters of its assets through any day",
                holds,
                || format!("{has} >= {least}"),
            );
        }
        self.pro_rata(stage, &vault);
    }

    fn pro_rata(&mut self, stage: &mut Stage, vault: &Vault) {
        let margins = (0..stage.people.len()).filter_map(|who| Some((who, stage.margin(who)?.state.claim)));
        let claims = margins.filter(|(_, claim)| !claim.amount.is_zero());
        let claims =
            claims.filter_map(|(who, claim)| Some((who, (claim.amount.0, claim.left(vault.claims.scale).ok()?.0))));
        let claims: BTreeMap<usize, (u64, u64)> = claims.collect();
        let amounts = |claims: &BTreeMap<usize, (u64, u64)>| claims.values().map(|claim| claim.0).collect::<Vec<_>>();
        if amounts(&claims) != amounts(&self.claims) {
            self.claims = claims;
            return;
        }
        let part = |who: &usize| {
            let (left, first) = (claims.get(who)?.1, self.claims.get(who)?.1);
            Some((left as f64 / first.max(1) as f64, 2.0 / first.max(1) as f64))
        };
        let parts: Vec<_> = claims.keys().filter_map(part).collect();
        for pair in parts.windows(2) {
            let ((one, unit), (other, other_unit)) = (pair[0], pair[1]);
            let holds = (one - other).abs() <= unit.max(other_unit);
            stage
                .audit
                .note("Claims are served pro rata, to the unit", holds, || format!("{one:.9} and {other:.9} are left"));
        }
    }
}

/// What the ledgers must add up to.
fn prove(stage: &mut Stage, told: &Halving) {
    let audit = &mut stage.audit;
    audit.equal("The run saw all four stages of the ledgers", told.ledgers.len().try_into().unwrap_or(0), 4);
    for stage in &told.ledgers {
        let sum = [stage.margin, stage.main, stage.insurance, stage.funded, stage.payable, stage.protocol];
        let sum: i128 = sum.into_iter().map(i128::from).sum();
        audit.equal("At every stage the ledgers are the tokens in the vault", sum, stage.tokens.into());
        audit.equal("At every stage the vault holds what wallets paid in less what they took out", sum, stage.wallets);
    }
    let (owed, collected) = (stage.log.claimed, stage.log.book.flow(Reason::Collected));
    audit.note("Something was owed, and all of it is paid", owed > 0 && owed == collected, || {
        format!("{owed} = {collected}")
    });
    for put in &told.puts {
        let detail = || format!("{}: {} = {}", put.who, put.claimed, put.collected);
        audit.note("Everybody who had a claim got it whole", put.claimed == put.collected, detail);
    }
}
