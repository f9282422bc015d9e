//! How traders act: they quote with the client, pay in the margin they need, and trade at exactly the quote.

use anyhow::Result;
use perpetua_client::{
    event::Event,
    instruction::{self, Series},
    model::{
        INITIAL_MARGIN_MULTIPLE, Size, Tokens, Wide,
        pricing::{Real, Rounding},
    },
    perpetua::{Side, state},
};

use super::stage::{Snapshot, Stage};
use crate::history::HOUR;

/// What the client promises.
const EXACT: &str = "Every trade costs and pays exactly what the client quoted before it";

/// The hour of the day at which careful traders look after their margin.
const CARE_HOUR: i64 = 12;
/// Equity in percent of the initial margin below which they fill up, and above which they take out.
const COMFORT: (u64, u64) = (150, 600);

/// How a trader keeps his margin.
#[derive(Clone, Copy, Debug)]
pub struct Care {
    /// Equity in multiples of the initial margin that he pays in when he buys, in percent.
    pub when_buying: u64,
    /// Whether he looks after it every day: fills up below 150%, takes out what is above 600%.
    pub daily: bool,
}

/// An option held or wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lot {
    /// Number of the market.
    pub market: usize,
    /// Call or put.
    pub side: Side,
    /// Place of the strike on the grid.
    pub tick: i16,
    /// Size in millionths of a bitcoin.
    pub size: u64,
}

impl Lot {
    /// Whether both are of one series.
    pub fn is_same_option(&self, other: &Self) -> bool {
        (self.market, self.side, self.tick) == (other.market, other.side, other.tick)
    }
}

/// What a trader wants to do this hour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish {
    /// Buy.
    Buy(Lot),
    /// Sell.
    Sell(Lot),
}

/// Opens a margin account.
///
/// Errors: where the program refuses.
pub fn open_account(stage: &mut Stage, who: usize) -> Result<()> {
    let (owner, keys) = (stage.people[who].owner, stage.keys());
    let open = ("open_account", instruction::open_account(&owner, &owner, &keys, 0));
    stage.act(who, vec![open]).map_err(|failure| anyhow::anyhow!("opening an account: {}", failure.name()))?;
    Ok(())
}

/// What an account holds.
pub fn held(margin: &state::MarginAccount) -> Vec<Lot> {
    let lot = |(_, position): (usize, &perpetua_client::model::Position)| Lot {
        market: position.market.into(),
        side: if position.side == 0 { Side::Call } else { Side::Put },
        tick: position.tick,
        size: position.size.0,
    };
    margin.state.open_positions().map(lot).collect()
}

/// Buys with the margin that `care` asks for paid in before, and says whether that went through.
///
/// Errors: where a quote fails that should not.
pub fn buy(stage: &mut Stage, who: usize, care: Care, lot: Lot) -> Result<bool> {
    let snapshot = stage.snapshot();
    let moment = stage.moment();
    let series = Series { side: lot.side, tick: lot.tick };
    let trade = snapshot.trade(lot.market);
    let quoted = trade.crank(None, moment).and_then(|at| trade.open(&at, series, Size(lot.size), moment));
    // What the client already knows to be refused is sent all the same: the program says why.
    let limit = match quoted {
        Ok(quote) => {
            let margin = margin_after(stage, &snapshot, who, lot, quote.strike)?;
            let wanted = quote.cost()?.0 + margin.0 * care.when_buying / 100;
            let equity = stage.margin(who).map_or(0, |account| account.state.collateral.0);
            let owed = owed(stage, &snapshot, who)?;
            pay_in(stage, who, (wanted + owed).saturating_sub(equity));
            quote.cost()?.0
        }
        Err(_) => u64::MAX,
    };
    let (person, keys, markets) = (stage.people[who], stage.keys(), stage.world.markets.clone());
    let market = &markets[lot.market];
    let others = markets.iter().filter(|other| *other != market);
    let open =
        instruction::open_position(&person.owner, &keys, &person.account, market, others, series, lot.size, limit);
    let mut all = stage.crank(lot.market);
    all.push(("open_position", open));
    let Ok(done) = stage.act(who, all) else { return Ok(false) };
    for event in &done.events {
        if let Event::PositionOpened(opened) = event {
            stage.audit.equal(EXACT, (opened.premium + opened.fee).into(), limit.into());
        }
    }
    Ok(true)
}

/// Sells at the quote, and says whether that went through.
pub fn sell(stage: &mut Stage, who: usize, lot: Lot) -> bool {
    sell_for(stage, who, lot, None)
}

/// Sells for at least so many raw units now, and whatever more there is as a claim; says whether that went through.
pub fn sell_for(stage: &mut Stage, who: usize, lot: Lot, least: Option<u64>) -> bool {
    let snapshot = stage.snapshot();
    let moment = stage.moment();
    let series = Series { side: lot.side, tick: lot.tick };
    let trade = snapshot.trade(lot.market);
    let quoted = trade.crank(None, moment).and_then(|at| trade.close(&at, series, Size(lot.size), moment));
    let quoted = quoted.and_then(|quote| quote.proceeds()).map_or(0, |proceeds| proceeds.0);
    let limit = least.unwrap_or(quoted);
    let (person, keys, market) = (stage.people[who], stage.keys(), stage.world.markets[lot.market]);
    let close = instruction::close_position(&person.owner, &keys, &person.account, &market, series, lot.size, limit);
    let mut all = stage.crank(lot.market);
    all.push(("close_position", close));
    // A refusal is noted; he comes back for it.
    let Ok(done) = stage.act(who, all) else { return false };
    for event in &done.events {
        if let Event::PositionClosed(closed) = event {
            // What a claim is recorded for is quoted, and has no fee before it is there.
            let whole = closed.claimed == 0;
            let paid = closed.payout + closed.from_insurance - closed.fee;
            stage.audit.note(EXACT, !whole || paid == quoted, || format!("{paid} = {quoted}"));
        }
    }
    true
}

/// The initial margin once the lot is bought.
fn margin_after(stage: &Stage, snapshot: &Snapshot, who: usize, lot: Lot, strike: Wide) -> Result<Tokens> {
    let now = stage.moment().now;
    let market = &snapshot.markets[lot.market].state;
    let Some(account) = stage.margin(who) else { return Ok(Tokens::ZERO) };
    let before = snapshot.health(&account, now)?.maintenance;
    let rate = market.margin_rates(now)?.maintenance(lot.side.into(), strike.into());
    let added = rate.mul(Real::from_u64(lot.size)).to_fixed(0, Rounding::Up).unwrap_or(u64::MAX);
    let fee = market.units.last.cents(market.config.liquidation_fee_cents.into(), Rounding::Up)?;
    let fee = if before.is_zero() { fee } else { Tokens::ZERO };
    Ok(Tokens(before.plus(fee)?.0.saturating_add(added).saturating_mul(INITIAL_MARGIN_MULTIPLE)))
}

fn owed(stage: &Stage, snapshot: &Snapshot, who: usize) -> Result<u64> {
    let Some(account) = stage.margin(who) else { return Ok(0) };
    Ok(snapshot.health(&account, stage.moment().now)?.owed.0)
}

/// Fills up what is below his comfort, takes out what is above it, once a day.
///
/// Errors: where the margin cannot be told.
pub fn look_after(stage: &mut Stage, who: usize, care: Care, account: &state::MarginAccount) -> Result<()> {
    if !care.daily || stage.moment().now.rem_euclid(24 * HOUR) / HOUR != CARE_HOUR {
        return Ok(());
    }
    let snapshot = stage.snapshot();
    let health = snapshot.health(account, stage.moment().now)?;
    let equity = u64::try_from(health.equity()).unwrap_or(0);
    let initial = health.initial().0;
    let wanted = initial / 100 * care.when_buying;
    if equity < initial / 100 * COMFORT.0 {
        pay_in(stage, who, wanted - equity);
    } else if equity > initial / 100 * COMFORT.1 {
        take_out(stage, who, equity - wanted);
    }
    Ok(())
}

/// Pays collateral in.
pub fn pay_in(stage: &mut Stage, who: usize, amount: u64) {
    if amount > 0 {
        let (person, keys) = (stage.people[who], stage.keys());
        let deposit = instruction::deposit(&person.owner, &keys, &person.account, &person.tokens, amount);
        // A refusal is noted.
        let _ = stage.act(who, vec![("deposit", deposit)]);
    }
}

/// Takes collateral out, and says whether that went through.
pub fn take_out(stage: &mut Stage, who: usize, amount: u64) -> bool {
    let (person, keys, markets) = (stage.people[who], stage.keys(), stage.world.markets.clone());
    let withdraw = instruction::withdraw(&person.owner, &keys, &person.account, &person.tokens, &markets, amount);
    stage.act(who, vec![("withdraw", withdraw)]).is_ok()
}

/// Takes everything out of an account without positions and closes it. A refusal is noted; he comes back for it.
pub fn leave(stage: &mut Stage, who: usize, margin: &state::MarginAccount) {
    let collateral = margin.state.collateral.0;
    if collateral > 0 && !take_out(stage, who, collateral) {
        return;
    }
    let person = stage.people[who];
    let close = instruction::close_account(&person.owner, &person.account);
    let _ = stage.act(who, vec![("close_account", close)]);
}

/// What a trader's account is worth if everything is sold at the bid now, raw units.
pub fn worth(stage: &Stage, snapshot: &Snapshot, who: usize) -> i128 {
    let Some(account) = stage.margin(who) else { return 0 };
    let moment = stage.moment();
    let Ok(health) = snapshot.health(&account, moment.now) else { return 0 };
    let proceeds = |lot: Lot| {
        let series = Series { side: lot.side, tick: lot.tick };
        let cranked = snapshot.cranked(lot.market, moment).ok()?;
        let quote = snapshot.trade(lot.market).close(&cranked, series, Size(lot.size), moment).ok()?;
        quote.proceeds().ok().map(|proceeds| i128::from(proceeds.0))
    };
    health.equity() + held(&account).into_iter().filter_map(proceeds).sum::<i128>()
}
