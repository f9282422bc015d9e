//! What the chapters prove beside what every run does, from the recorded prices and a formula of their own.

use std::collections::BTreeMap;

use anyhow::Result;
use perpetua_client::{
    address,
    instruction::{self, Series},
    model::Size,
    perpetua::Side,
};
use perpetua_tests::{chain::changed, price::FEEDS, stock::set_multiplier, token::ONE};

use super::{
    super::{
        chapter::{Chapter, Step, Watch},
        stage::{Named, Stage},
        states::{DOLLAR, QUANTO, State},
        trading::{Lot, held},
    },
    cast::QUANTO_TRIER,
};
use crate::record::Group;

/// What floating point may lose of a comparison.
const ROUNDING: f64 = 1e-9;
/// Years between two fundings, and strikes' ratio: docs/mechanism.md section 9.
const PERIOD: f64 = 7.0 / 365.0;
const RATIO: f64 = 1.0125;
const CAP: f64 = 0.5;
/// What is left of `X` for whoever sells while the exchange is closed.
const AFTER_HAIRCUT: f64 = 0.95;

const WORTH: &str = "A dollar buys a dollar's worth of tokens, to 1e-9, before, across and after the split";
const ROUND_TRIP: &str = "No round trip, over whatever close, weekend, halt or split, gains more than prices moved";
const FAIR: &str = "Nobody pays less or is paid more than the option's fair value at the recorded prices";
const HAIRCUT: &str =
    "While the exchange is closed, selling pays at most 95% of what the last session's price makes of it";
const BYTES: &str = "In a world without the split the same instructions leave the same bytes in the quanto market";
const STILL: &str = "The change of the multiplier touches the stock's account alone";

/// The best and the worst that was seen of an option, in dollars of value per bitcoin, against its fair value.
#[derive(Clone, Copy, Debug)]
struct Best {
    /// The least that buying cost above the fair value so far.
    bought: f64,
}

/// What was seen so far.
#[derive(Default)]
pub struct Proofs {
    bests: BTreeMap<(usize, bool, i16), Best>,
    closes_seen: usize,
    /// The least that a round trip lost to prices, as a part of the option's value.
    pub least_loss: Option<f64>,
}

impl Proofs {
    /// Looks at a moment, once keepers have cranked and everybody has acted.
    pub fn observe(&mut self, stage: &mut Stage, chapter: &Chapter, step: &Step, watch: &Watch<'_>) {
        let units = stage.world.market(DOLLAR).units;
        let per_dollar = units.last.0 as f64 / (1u64 << 24) as f64;
        let worth = per_dollar * watch.token() / ONE as f64;
        stage.audit.note(WORTH, (worth - 1.0).abs() < ROUNDING, || format!("{worth:.12} dollars"));
        self.selling(stage, watch);
        self.values(stage, chapter, step, watch);
    }

    /// What was sold since the last moment, against the last session's price.
    fn selling(&mut self, stage: &mut Stage, watch: &Watch<'_>) {
        let closed = stage.states.as_ref().is_some_and(|states| states.has(State::Closed));
        let per_dollar = ONE as f64 / watch.token();
        for sold in stage.log.sales.iter().skip(self.closes_seen) {
            if !closed || sold.market != DOLLAR {
                continue;
            }
            let most = AFTER_HAIRCUT * per_dollar * sold.value * sold.size as f64 / 1e6;
            let paid = sold.paid as f64;
            stage.audit.note(HAIRCUT, paid <= most + 1.0, || format!("{paid} <= {most:.1}"));
        }
        self.closes_seen = stage.log.sales.len();
    }

    /// What every option that somebody holds costs and pays, against its fair value.
    fn values(&mut self, stage: &mut Stage, chapter: &Chapter, step: &Step, watch: &Watch<'_>) {
        let (snapshot, moment) = (stage.snapshot(), stage.moment());
        let traders = (0..stage.actors.len()).filter(|who| stage.actors[*who].group == Group::Trader);
        let mut lots: Vec<Lot> = traders.filter_map(|who| stage.margin(who)).flat_map(|m| held(&m)).collect();
        lots.sort_by_key(|lot| (lot.market, lot.side as u8, lot.tick));
        lots.dedup_by(|one, other| one.is_same_option(other));
        for lot in lots {
            let (trade, series) = (snapshot.trade(lot.market), Series { side: lot.side, tick: lot.tick });
            let Ok(cranked) = trade.crank(None, moment) else { continue };
            let one = 1_000_000;
            let dollar = if lot.market == QUANTO { chapter.stock_price_cents as f64 / 100.0 } else { watch.token() };
            // In a quanto market a dollar is always the same whole number of units.
            let per_dollar =
                if lot.market == QUANTO { (100 * ONE / chapter.stock_price_cents) as f64 } else { ONE as f64 / dollar };
            let sigma = snapshot.markets[lot.market].state.middle[lot.side as usize].0 as f64 / (1u64 << 48) as f64;
            let strike = chapter.reference_strike as f64 * RATIO.powi(lot.tick.into());
            let fair = per_dollar * fair_value(lot.side, step.bitcoin.usd(), strike, sigma);
            let bid = trade.close(&cranked, series, Size(one), moment).and_then(|quote| quote.proceeds()).ok();
            let ask = trade.open(&cranked, series, Size(one), moment).and_then(|quote| quote.cost()).ok();
            let key = (lot.market, lot.side == Side::Call, lot.tick);
            if let Some(bid) = bid.map(|bid| bid.0 as f64) {
                stage.audit.note(FAIR, bid <= fair * (1.0 + ROUNDING) + 1.0, || format!("{bid} <= {fair:.1}"));
                if let Some(best) = self.bests.get(&key) {
                    let gain = (bid - fair) / per_dollar - best.bought;
                    stage.audit.note(ROUND_TRIP, gain <= ROUNDING, || format!("{gain:.2} dollars a bitcoin"));
                    let part = -gain * per_dollar / fair.max(1.0);
                    self.least_loss = Some(self.least_loss.map_or(part, |least| least.min(part)));
                }
            }
            if let Some(ask) = ask.map(|ask| ask.0 as f64) {
                stage.audit.note(FAIR, ask >= fair * (1.0 - ROUNDING) - 1.0, || format!("{ask} >= {fair:.1}"));
                let bought = (ask - fair) / per_dollar;
                let best = self.bests.entry(key).or_insert(Best { bought });
                best.bought = best.bought.min(bought);
            }
        }
    }
}

/// What an option is worth per bitcoin: the formula of docs/mechanism.md section 2, in floating point.
pub fn fair_value(side: Side, spot: f64, strike: f64, sigma: f64) -> f64 {
    let u = (1.0 + 8.0 / (sigma * sigma * PERIOD)).sqrt();
    let a = strike / u * (spot / strike).powf((1.0 + u) / 2.0);
    let b = strike / u * (spot / strike).powf((1.0 - u) / 2.0);
    let cap = CAP * strike;
    match side {
        Side::Call if spot <= strike => a * (1.0 - (1.0 + CAP).powf(-u)),
        Side::Call if spot < strike + cap => spot - strike + b - a * (1.0 + CAP).powf(-u),
        Side::Put if spot >= strike => b * (1.0 - (1.0 - CAP).powf(u)),
        Side::Put if spot > strike - cap => strike - spot + a - b * (1.0 - CAP).powf(u),
        _ => cap,
    }
}

/// At the split: the same instructions in a twin of the world in which the mint's multiplier stays one must leave the same
/// bytes in everything that belongs to the quanto market, and the change itself must touch nothing but the stock.
///
/// Errors: for names that nobody has.
pub fn twin(stage: &mut Stage) -> Result<()> {
    let who = stage.number(QUANTO_TRIER)?;
    let mut twin = stage.world.chain.clone();
    set_multiplier(&mut twin, &stage.keys().stock_mint, 1.0, 1.0, 0);
    let before = stage.world.chain.snapshot();
    let crank = stage.crank(DOLLAR)[0].clone();
    // The keeper's crank of the stock alone.
    let _ = stage.act(who, vec![crank]);
    let touched = changed(&before, &stage.world.chain.snapshot());
    let stock = stage.keys().stock();
    stage.audit.note(STILL, touched == [stock], || format!("{} account(s)", touched.len()));
    for named in quanto_instructions(stage, who) {
        let here = stage.act(who, vec![named.clone()]).is_ok();
        let there = twin.send(&[named.1]).is_ok();
        stage.audit.note(BYTES, here && there, || format!("{}: {here} and {there}", named.0));
    }
    let keys = stage.keys();
    let accounts = [
        keys.vault,
        stage.world.markets[QUANTO].market,
        address::index(&FEEDS[0]),
        stage.people[who].account,
        keys.tokens(),
    ];
    for address in accounts {
        let (here, there) = (stage.world.chain.account(&address).data, twin.account(&address).data);
        stage.audit.note(BYTES, !here.is_empty() && here == there, || format!("{} bytes", here.len()));
    }
    Ok(())
}

/// Trading in the quanto market: buying, selling, funding, marking, collateral in and out.
fn quanto_instructions(stage: &Stage, who: usize) -> Vec<Named> {
    let (person, keys, markets) = (stage.people[who], stage.keys(), stage.world.markets.clone());
    let market = &markets[QUANTO];
    let lots = stage.margin(who).map(|margin| held(&margin)).unwrap_or_default();
    let mut all = stage.crank(QUANTO);
    if let Some(Lot { side, tick, .. }) = lots.last().copied() {
        let series = Series { side, tick };
        let (owner, account) = (&person.owner, &person.account);
        let open = instruction::open_position(owner, &keys, account, market, [], series, 10_000, u64::MAX);
        let close = instruction::close_position(owner, &keys, account, market, series, 10_000, 0);
        all.extend([("open_position", open), ("close_position", close)]);
    }
    all.push(("settle_funding", instruction::settle_funding(&keys, &person.account, [market])));
    all.push(("mark_market", instruction::mark_market(market)));
    all.push(("deposit", instruction::deposit(&person.owner, &keys, &person.account, &person.tokens, 1_000)));
    let withdraw = instruction::withdraw(&person.owner, &keys, &person.account, &person.tokens, [market], 999);
    all.push(("withdraw", withdraw));
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fair_value_is_continuous_at_the_strike_and_at_the_cap() {
        for side in [Side::Call, Side::Put] {
            let value = |spot: f64| fair_value(side, spot, 40_000.0, 0.6);
            for spot in [40_000.0, 60_000.0, 20_000.0] {
                let step = (value(spot * (1.0 + 1e-9)) - value(spot * (1.0 - 1e-9))).abs();
                assert!(step < 1e-3, "{side:?} at {spot}: {step}");
            }
        }
    }

    #[test]
    fn an_option_at_the_money_costs_what_the_design_says() {
        // docs/mechanism.md section 9: 2.94% of notional at a volatility of 60%.
        let value = fair_value(Side::Call, 100.0, 100.0, 0.6);
        assert!((value - 2.94).abs() < 0.01, "{value}");
    }
}
