//! Real weeks of Tesla and bitcoin with a quanto and a dollar market side by side: nights, weekends, a holiday, a gap at
//! the open, a halt, and the split of 2022. Everybody tries everything at every moment, and the run knows by itself what
//! must be refused then.

mod cast;
mod proofs;
mod slices;

use anyhow::Result;
use perpetua_client::{
    instruction,
    model::{Multiplier, Size},
};
use perpetua_tests::token::ONE;
use time::Weekday;

use super::{
    chapter::{Chapter, Step, Watch},
    play::Play,
    record,
    stage::Stage,
    states::DOLLAR,
    trading::held,
};
use crate::record::weekend::{Chapter as Told, Moment, Weekend};
use proofs::Proofs;

/// How many moments there are.
///
/// Errors: for slices that are not what `data/PROVENANCE.md` describes.
pub fn length() -> Result<usize> {
    Ok(slices::GAP.steps()?.len() + slices::SPLIT.steps()?.len())
}

/// Runs both chapters, each on a chain of its own, and calls `progress` after each moment.
///
/// Errors: where a run cannot go on; what was refused or does not hold is in the record instead.
pub fn run(mut progress: impl FnMut(i64, f64)) -> Result<Weekend> {
    let chapters = [&slices::GAP, &slices::SPLIT].map(|chapter| replay(chapter, &mut progress));
    Ok(Weekend { chapters: chapters.into_iter().collect::<Result<_>>()? })
}

fn replay(chapter: &Chapter, progress: &mut impl FnMut(i64, f64)) -> Result<Told> {
    let mut play = Play::new(chapter, cast::actors(), cast::dates(chapter))?;
    let mut proofs = Proofs::default();
    let mut told = Told { title: chapter.title.to_owned(), sessions: chapter.sessions()?, ..Told::default() };
    let mut before = i64::MIN;
    for step in play.steps() {
        play.turn_to(&step);
        if chapter.issuer_acts(&mut play.stage, &step, before) {
            acknowledge(&mut play.stage, chapter)?;
        }
        if chapter.split.is_some_and(|split| split.at == step.time) {
            proofs::twin(&mut play.stage)?;
        }
        play.keep()?;
        leave_by_oneself(&mut play, &step)?;
        cast::trade(&mut play.stage, chapter, &step)?;
        cast::join(&mut play.stage, chapter, &step)?;
        proofs.observe(&mut play.stage, chapter, &step, &play.watch);
        play.end(&step)?;
        told.moments.push(moment(&play.stage, &step, &play.watch)?);
        before = step.time;
        progress(step.time, step.bitcoin.usd());
    }
    told.least_loss = proofs.least_loss.unwrap_or(0.0);
    told.attempts = play.stage.states.take().map(|states| states.attempts).unwrap_or_default();
    told.record = record(&play.stage);
    Ok(told)
}

/// On Saturday the leaver does what the keeper may not.
fn leave_by_oneself(play: &mut Play<'_>, step: &Step) -> Result<()> {
    let stage = &mut play.stage;
    let who = stage.number(cast::LEAVER)?;
    let Some(ticket) = play.tickets.iter().find(|ticket| ticket.who == who) else { return Ok(()) };
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
    let tokens = |units: u64| units as f64 / (1u64 << 24) as f64 / ONE as f64;
    let (snapshot, now) = (stage.snapshot(), stage.moment());
    let holder = stage.number(cast::HOLDER)?;
    let lot = stage.margin(holder).and_then(|margin| held(&margin).first().copied());
    let option = lot.and_then(|lot| {
        let trade = snapshot.trade(DOLLAR);
        let cranked = trade.crank(None, now).ok()?;
        let series = instruction::Series { side: lot.side, tick: lot.tick };
        let quote = trade.close(&cranked, series, Size(1_000_000), now).ok()?;
        Some(quote.payout.0 as f64 / ONE as f64)
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
