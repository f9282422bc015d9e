//! Real weeks of Tesla and bitcoin with a quanto and a dollar market side by side: nights, weekends, a holiday, a gap at
//! the open, a halt, and the split of 2022. Everybody tries everything at every moment, and the run knows by itself what
//! must be refused then.

mod cast;
mod chapter;
mod proofs;

use anyhow::{Context, Result};
use perpetua_client::{
    instruction,
    model::{Multiplier, Size},
    perpetua::{Pool, PerSide},
};
use perpetua_tests::{parameters, world::DECLARED_VARIANCE};
use time::Weekday;

use super::{
    LIQUIDATOR, close_up, everybody_is_out,
    keepers::{self, OpenTicket},
    providers, record,
    stage::{Listing, Stage, quanto_terms},
    states::{DOLLAR, QUANTO, States},
    trading::{self, held},
};
use crate::record::{Record, weekend::{Chapter as Told, Moment, Weekend}};
use chapter::{Chapter, Step, Watch};
use proofs::Proofs;

/// What a dollar market reserves above the cap at today's `X`, in bps: docs/wrong-way.md.
pub const RESERVE_EXTRA: PerSide = PerSide { call: 3_500, put: 5_000 };

/// How many moments there are.
///
/// Errors: for slices that are not what `data/PROVENANCE.md` describes.
pub fn length() -> Result<usize> {
    Ok(chapter::GAP.steps()?.len() + chapter::SPLIT.steps()?.len())
}

/// Runs both chapters, each on a chain of its own, and calls `progress` after each moment.
///
/// Errors: where a run cannot go on; what was refused or does not hold is in the record instead.
pub fn run(mut progress: impl FnMut(i64, f64)) -> Result<Weekend> {
    let chapters = [&chapter::GAP, &chapter::SPLIT].map(|chapter| replay(chapter, &mut progress));
    Ok(Weekend { chapters: chapters.into_iter().collect::<Result<_>>()? })
}

fn listing(chapter: &Chapter) -> Result<Listing> {
    let quanto = quanto_terms(chapter.stock_price_cents, chapter.reference_strike)?;
    let dollar = parameters::dollar_parameters(chapter.reference_strike);
    Ok(Listing {
        actors: cast::actors(),
        variance: Some(DECLARED_VARIANCE),
        stock: Some((parameters::stock_parameters(), chapter.holidays())),
        markets: vec![
            quanto,
            perpetua_client::perpetua::MarketParameters { reserve_extra_bps: RESERVE_EXTRA, ..dollar },
        ],
        stock_price_cents: chapter.stock_price_cents,
    })
}

fn replay(chapter: &Chapter, progress: &mut impl FnMut(i64, f64)) -> Result<Told> {
    let steps = chapter.steps()?;
    let first = *steps.first().context("a chapter has moments")?;
    let share = first.share.context("a chapter begins in a session")?;
    let mut stage = Stage::new(&first.bitcoin, listing(chapter)?)?;
    let mut watch = Watch::new(chapter, chapter.sessions()?, share);
    let mut run = Run { dates: cast::dates(chapter), tickets: Vec::new(), proofs: Proofs::default() };
    let mut told = Told { title: chapter.title.to_owned(), sessions: chapter.sessions()?, ..Told::default() };
    let liquidator = stage.number(LIQUIDATOR)?;
    for who in (0..stage.actors.len()).filter(|who| stage.actors[*who].group == crate::record::Group::Trader).chain([liquidator]).collect::<Vec<_>>() {
        trading::open_account(&mut stage, who)?;
    }
    stage.states = Some(States::default());
    let mut before = i64::MIN;
    for (place, step) in steps.iter().enumerate() {
        if place > 0 {
            stage.turn_to(&step.bitcoin);
        }
        run.step(&mut stage, chapter, step, &mut watch, before)?;
        if place + 1 == steps.len() {
            close_up(&mut stage, liquidator)?;
        }
        stage.look();
        told.moments.push(moment(&stage, step, &watch)?);
        before = step.time;
        progress(step.time, step.bitcoin.usd());
    }
    everybody_is_out(&mut stage, &run.tickets);
    told.least_loss = run.proofs.least_loss.unwrap_or(0.0);
    told.attempts = stage.states.take().map(|states| states.attempts).unwrap_or_default();
    told.record = record(&stage);
    Ok(told)
}

/// What goes on from one moment to the next.
struct Run {
    dates: Vec<providers::Step>,
    tickets: Vec<OpenTicket>,
    proofs: Proofs,
}

impl Run {
    fn step(
        &mut self,
        stage: &mut Stage,
        chapter: &Chapter,
        step: &Step,
        watch: &mut Watch<'_>,
        before: i64,
    ) -> Result<()> {
        if let Some(share) = &step.share {
            stage.post_share(share);
        }
        let here = watch.states(step);
        if let Some(states) = &mut stage.states {
            (states.now, states.here) = (step.time, here);
        }
        if chapter.issuer_acts(stage, step, before) {
            acknowledge(stage, chapter)?;
        }
        if chapter.split.is_some_and(|split| split.at == step.time) {
            proofs::twin(stage)?;
        }
        keepers::keep(stage)?;
        for pool in [Pool::Main, Pool::Insurance] {
            keepers::serve_queue(stage, &mut self.tickets, pool)?;
        }
        self.leave_by_oneself(stage, step)?;
        self.dates = providers::keep_dates(stage, std::mem::take(&mut self.dates), &mut self.tickets)?;
        cast::trade(stage, chapter, step)?;
        cast::join(stage, chapter, step)?;
        self.proofs.observe(stage, chapter, step, watch);
        Ok(())
    }

    /// On Saturday the leaver does what the keeper may not.
    fn leave_by_oneself(&mut self, stage: &mut Stage, step: &Step) -> Result<()> {
        let who = stage.number(cast::LEAVER)?;
        let Some(ticket) = self.tickets.iter().find(|ticket| ticket.who == who) else { return Ok(()) };
        if !cast::is(step.time, Weekday::Saturday, Some(13)) {
            return Ok(());
        }
        let (keys, markets, person) = (stage.keys(), stage.world.markets.clone(), stage.people[who]);
        let mut all = stage.marks();
        let execute = instruction::execute_withdrawal(&person.owner, &keys, &ticket.address, &markets);
        all.push(("execute_withdrawal", execute));
        stage.set_by_owner(true);
        // A refusal is noted.
        let _ = stage.act(who, all);
        stage.set_by_owner(false);
        Ok(())
    }
}

/// The administrator acknowledges the multiplier to come, which moves by more than the settings allow.
fn acknowledge(stage: &mut Stage, chapter: &Chapter) -> Result<()> {
    let multiplier = Multiplier::from_bits(f64::from(chapter.factor()).to_bits())?;
    let (admin, keys) = (stage.world.admin, stage.keys());
    let named = ("acknowledge_multiplier", instruction::acknowledge_multiplier(&admin, &keys, multiplier.0));
    let keeper = stage.number(super::KEEPER)?;
    let _ = stage.act(keeper, vec![named]);
    Ok(())
}

/// What charts show of a moment.
fn moment(stage: &Stage, step: &Step, watch: &Watch<'_>) -> Result<Moment> {
    let units = stage.world.market(DOLLAR).units;
    let tokens = |units: u64| units as f64 / (1u64 << 24) as f64 / perpetua_tests::token::ONE as f64;
    let (snapshot, now) = (stage.snapshot(), stage.moment());
    let holder = stage.number(cast::HOLDER)?;
    let lot = stage.margin(holder).and_then(|margin| held(&margin).first().copied());
    let option = lot.and_then(|lot| {
        let trade = snapshot.trade(DOLLAR);
        let cranked = trade.crank(None, now).ok()?;
        let series = instruction::Series { side: lot.side, tick: lot.tick };
        let quote = trade.close(&cranked, series, Size(1_000_000), now).ok()?;
        Some(quote.payout.0 as f64 / perpetua_tests::token::ONE as f64)
    });
    Ok(Moment {
        time: step.time,
        bitcoin: step.bitcoin.usd(),
        share: watch.share.usd(),
        token: watch.token(),
        tokens_per_dollar: [units.low.0, units.last.0, units.high.0].map(tokens),
        option,
        states: stage.states.as_ref().map(|states| states.here.clone()).unwrap_or_default(),
    })
}

/// What is there to tell of a chapter's markets.
pub const MARKETS: [(usize, &str); 2] = [(QUANTO, "quanto"), (DOLLAR, "dollar")];
