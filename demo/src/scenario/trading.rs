//! How traders act: they quote with the client, pay in the margin they need, and trade at exactly the quote.

use anyhow::Result;
use perpetua_client::{
    event::Event,
    instruction::{self, Series},
    model::{
        INITIAL_MARGIN_MULTIPLE, Size, Tokens, Wide,
        pricing::{Real, Rounding, Usd},
    },
    perpetua::{Side, state},
    quote,
};

use super::{
    cast::{self, Care, Role},
    stage::{Snapshot, Stage},
    traders::{Lot, View, Wish, farewell},
};
use crate::history::{HOUR, Quote};

/// What the client promises.
const EXACT: &str = "Every trade costs and pays exactly what the client quoted before it";

/// The hour of the day at which careful traders look after their margin.
const CARE_HOUR: i64 = 12;
/// Equity in percent of the initial margin below which they fill up, and above which they take out.
const COMFORT: (u64, u64) = (150, 600);

/// Opens a margin account.
///
/// Errors: where the program refuses.
pub fn open_account(stage: &mut Stage, who: usize) -> Result<()> {
    let (owner, keys) = (stage.people[who].owner, stage.keys());
    let open = ("open_account", instruction::open_account(&owner, &owner, &keys, 0));
    stage.act(who, vec![open]).map_err(|failure| anyhow::anyhow!("opening an account: {}", failure.name()))?;
    Ok(())
}

/// A trader's hour.
///
/// Errors: where a quote fails that should not.
pub fn trade(stage: &mut Stage, who: usize, role: &mut Role, quotes: &[Quote]) -> Result<()> {
    let Some(margin) = stage.margin(who) else { return Ok(()) };
    let now = stage.moment().now;
    let ending = now >= cast::LAST_CALL;
    if ending && held(&margin).is_empty() {
        leave(stage, who, &margin);
        return Ok(());
    }
    if role.care.daily && now.rem_euclid(24 * HOUR) / HOUR == CARE_HOUR {
        look_after(stage, who, role.care, &margin)?;
    }
    let snapshot = stage.snapshot();
    let spot = Usd::from(snapshot.index().feed.price);
    let view = View { quotes, nearest: snapshot.market.state.config.grid()?.nearest_tick(spot), held: held(&margin) };
    let wishes = if ending { farewell(&view) } else { role.rule.wishes(&view) };
    for wish in wishes {
        match wish {
            Wish::Buy(lot) if buy(stage, who, role.care, lot)? => role.rule.bought(&view),
            Wish::Sell(lot) => sell(stage, who, lot),
            Wish::Buy(_) => {}
        }
    }
    Ok(())
}

/// What an account holds.
pub fn held(margin: &state::MarginAccount) -> Vec<Lot> {
    let lot = |(_, position): (usize, &perpetua_client::model::Position)| Lot {
        side: if position.side == 0 { Side::Call } else { Side::Put },
        tick: position.tick,
        size: position.size.0,
    };
    margin.state.open_positions().map(lot).collect()
}

fn buy(stage: &mut Stage, who: usize, care: Care, lot: Lot) -> Result<bool> {
    let snapshot = stage.snapshot();
    let moment = stage.moment();
    let series = Series { side: lot.side, tick: lot.tick };
    let quoted = snapshot.cranked(moment).and_then(|at| snapshot.trade().open(&at, series, Size(lot.size), moment));
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
    let (person, keys, market) = (stage.people[who], stage.keys(), stage.market);
    let open = instruction::open_position(&person.owner, &keys, &person.account, &market, [], series, lot.size, limit);
    let crank = stage.crank();
    let Ok(done) = stage.act(who, vec![crank, ("open_position", open)]) else { return Ok(false) };
    for event in &done.events {
        if let Event::PositionOpened(opened) = event {
            stage.audit.equal(EXACT, (opened.premium + opened.fee).into(), limit.into());
        }
    }
    Ok(true)
}

fn sell(stage: &mut Stage, who: usize, lot: Lot) {
    let snapshot = stage.snapshot();
    let moment = stage.moment();
    let series = Series { side: lot.side, tick: lot.tick };
    let quoted = snapshot.cranked(moment).and_then(|at| snapshot.trade().close(&at, series, Size(lot.size), moment));
    let limit = quoted.and_then(|quote| quote.proceeds()).map_or(0, |proceeds| proceeds.0);
    let (person, keys, market) = (stage.people[who], stage.keys(), stage.market);
    let close = instruction::close_position(&person.owner, &keys, &person.account, &market, series, lot.size, limit);
    let crank = stage.crank();
    // A refusal is noted; he comes back for it.
    let Ok(done) = stage.act(who, vec![crank, ("close_position", close)]) else { return };
    for event in &done.events {
        if let Event::PositionClosed(closed) = event {
            stage.audit.equal(EXACT, (closed.payout - closed.fee).into(), limit.into());
        }
    }
}

/// The initial margin once the lot is bought.
fn margin_after(stage: &Stage, snapshot: &Snapshot, who: usize, lot: Lot, strike: Wide) -> Result<Tokens> {
    let now = stage.moment().now;
    let market = &snapshot.market.state;
    let Some(account) = stage.margin(who) else { return Ok(Tokens::ZERO) };
    let before = quote::health(&snapshot.vault, &account, [&*snapshot.market], now)?.maintenance;
    let rate = market.margin_rate(lot.side.into(), now)?.maintenance(Real::from(Usd::from(strike)));
    let added = rate.mul(Real::from_u64(lot.size)).to_fixed(0, Rounding::Up).unwrap_or(u64::MAX);
    let fee = market.units.last.cents(market.config.liquidation_fee_cents.into(), Rounding::Up)?;
    let fee = if before.is_zero() { fee } else { Tokens::ZERO };
    Ok(Tokens(before.plus(fee)?.0.saturating_add(added).saturating_mul(INITIAL_MARGIN_MULTIPLE)))
}

fn owed(stage: &Stage, snapshot: &Snapshot, who: usize) -> Result<u64> {
    let Some(account) = stage.margin(who) else { return Ok(0) };
    Ok(quote::health(&snapshot.vault, &account, [&*snapshot.market], stage.moment().now)?.owed.0)
}

fn look_after(stage: &mut Stage, who: usize, care: Care, account: &state::MarginAccount) -> Result<()> {
    let snapshot = stage.snapshot();
    let health = quote::health(&snapshot.vault, account, [&*snapshot.market], stage.moment().now)?;
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

fn pay_in(stage: &mut Stage, who: usize, amount: u64) {
    if amount > 0 {
        let (person, keys) = (stage.people[who], stage.keys());
        let deposit = instruction::deposit(&person.owner, &keys, &person.account, &person.tokens, amount);
        // A refusal is noted.
        let _ = stage.act(who, vec![("deposit", deposit)]);
    }
}

/// Takes collateral out, and says whether that went through.
fn take_out(stage: &mut Stage, who: usize, amount: u64) -> bool {
    let (person, keys, market) = (stage.people[who], stage.keys(), stage.market);
    let withdraw = instruction::withdraw(&person.owner, &keys, &person.account, &person.tokens, [&market], amount);
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
    let Ok(health) = quote::health(&snapshot.vault, &account, [&*snapshot.market], moment.now) else { return 0 };
    let cranked = snapshot.cranked(moment);
    let proceeds = |lot: Lot| {
        let series = Series { side: lot.side, tick: lot.tick };
        let cranked = cranked.as_ref().ok()?;
        let quote = snapshot.trade().close(cranked, series, Size(lot.size), moment).ok()?;
        quote.proceeds().ok().map(|proceeds| i128::from(proceeds.0))
    };
    health.equity() + held(&account).into_iter().filter_map(proceeds).sum::<i128>()
}
