//! How weeks of a stock and bitcoin go by: the clock, the feeds, the keepers and the queues, alike in all scenarios.

use anyhow::{Context, Result};
use perpetua_client::perpetua::{MarketParameters, PerSide, Pool};
use perpetua_tests::{parameters, world::DECLARED_VARIANCE};

use super::{
    LIQUIDATOR,
    chapter::{Chapter, Step, Watch},
    close_up, everybody_is_out,
    keepers::{self, OpenTicket},
    providers,
    stage::{Listing, Stage, quanto_terms},
    states::States,
    trading,
};
use crate::record::{Actor, Group};

/// What a dollar market reserves above the cap at the `X` of the opening, in bps: docs/wrong-way.md.
const RESERVE_EXTRA: PerSide = PerSide { call: 3_500, put: 5_000 };

/// A chapter while it goes by.
pub struct Play<'a> {
    /// The chain and everybody on it.
    pub stage: Stage,
    /// What is not normal, by the prices alone.
    pub watch: Watch<'a>,
    /// Withdrawals whose accounts are open.
    pub tickets: Vec<OpenTicket>,
    chapter: &'a Chapter,
    dates: Vec<providers::Step>,
    steps: Vec<Step>,
}

impl<'a> Play<'a> {
    /// Lists a quanto and a dollar market of one vault and opens everybody's margin account.
    ///
    /// Errors: for a chapter that does not begin in a session; where the program refuses.
    pub fn new(chapter: &'a Chapter, actors: Vec<Actor>, dates: Vec<providers::Step>) -> Result<Self> {
        let steps = chapter.steps()?;
        let first = *steps.first().context("a chapter has moments")?;
        let share = first.share.context("a chapter begins in a session")?;
        let traders = actors.iter().enumerate().filter(|(_, actor)| actor.group == Group::Trader);
        let traders: Vec<usize> = traders.map(|(who, _)| who).collect();
        let mut stage = Stage::new(&first.bitcoin, listing(chapter, actors)?)?;
        let liquidator = stage.number(LIQUIDATOR)?;
        for who in traders.into_iter().chain([liquidator]) {
            trading::open_account(&mut stage, who)?;
        }
        stage.states = Some(States::default());
        let watch = Watch::new(chapter, chapter.sessions()?, share);
        Ok(Self { stage, watch, tickets: Vec::new(), chapter, dates, steps })
    }

    /// All moments.
    pub fn steps(&self) -> Vec<Step> {
        self.steps.clone()
    }

    /// Moves the clock to a moment and posts what the feeds publish then.
    pub fn turn_to(&mut self, step: &Step) {
        if step.time > self.chapter.start {
            self.stage.turn_to(&step.bitcoin);
        }
        if let Some(share) = &step.share {
            self.stage.post_share(share);
        }
        let here = self.watch.states(step);
        if let Some(states) = &mut self.stage.states {
            (states.now, states.here) = (step.time, here);
        }
    }

    /// Keepers do what is due, and liquidity providers keep their dates.
    ///
    /// Errors: for accounts that cannot be read.
    pub fn keep(&mut self) -> Result<()> {
        keepers::keep(&mut self.stage)?;
        for pool in [Pool::Main, Pool::Insurance] {
            keepers::serve_queue(&mut self.stage, &mut self.tickets, pool)?;
        }
        self.dates = providers::keep_dates(&mut self.stage, std::mem::take(&mut self.dates), &mut self.tickets)?;
        Ok(())
    }

    /// Ends a moment: looks at every account, and closes up after the last one.
    ///
    /// Errors: for names that nobody has.
    pub fn end(&mut self, step: &Step) -> Result<()> {
        let last = self.steps.last().is_some_and(|last| last.time == step.time);
        if last {
            let liquidator = self.stage.number(LIQUIDATOR)?;
            close_up(&mut self.stage, liquidator)?;
        }
        self.stage.look();
        if last {
            everybody_is_out(&mut self.stage, &self.tickets);
        }
        Ok(())
    }
}

fn listing(chapter: &Chapter, actors: Vec<Actor>) -> Result<Listing> {
    let quanto = quanto_terms(chapter.stock_price_cents, chapter.reference_strike)?;
    let dollar = parameters::dollar_parameters(chapter.reference_strike);
    Ok(Listing {
        actors,
        variance: Some(DECLARED_VARIANCE),
        stock: Some((parameters::stock_parameters(), chapter.holidays())),
        markets: vec![quanto, MarketParameters { reserve_extra_bps: RESERVE_EXTRA, ..dollar }],
        stock_price_cents: chapter.stock_price_cents,
    })
}
