//! Bitcoin's crash of March 2020 in a quanto market: who does what, hour by hour, over the whole slice of history.

mod cast;
mod traders;

use anyhow::Result;
use perpetua_client::{
    model::{PoolKind, pricing::Usd},
    perpetua::Pool,
};

use super::{
    LIQUIDATOR, close_up, everybody_is_out, keepers, providers, record, share_price,
    stage::{Listing, Stage, quanto_terms},
    trading::{self, Wish, held},
};
use crate::{
    book::{Purse, Reason},
    history::Quote,
    record::{Group, Hour, Record},
};
use cast::Role;
use traders::{View, farewell};

/// The price of a TSLA share when the market was listed, US cents: see `data/PROVENANCE.md`.
const STOCK_PRICE_CENTS: u64 = 56_685;
/// Strike of tick 0 in US dollars.
const REFERENCE_STRIKE: i64 = 10_000;

/// Runs everything and calls `progress` after each hour.
///
/// Errors: where the run cannot go on; what was refused or does not hold is in the record instead.
pub fn run(quotes: &[Quote], mut progress: impl FnMut(i64, f64)) -> Result<Record> {
    let Some(first) = quotes.first() else { return Ok(Record::default()) };
    let listing = Listing {
        actors: cast::actors(),
        variance: None,
        stock: None,
        markets: vec![quanto_terms(STOCK_PRICE_CENTS, REFERENCE_STRIKE)?],
        stock_price_cents: STOCK_PRICE_CENTS,
    };
    let mut stage = Stage::new(first, listing)?;
    let mut roles = cast::traders();
    let mut steps = cast::SCHEDULE.to_vec();
    let mut tickets = Vec::new();
    let mut hours: Vec<Hour> = Vec::new();
    let liquidator = stage.number(LIQUIDATOR)?;
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
            trade(&mut stage, who, role, quotes.get(..=place).unwrap_or(quotes))?;
        }
        if place + 1 == quotes.len() {
            close_up(&mut stage, liquidator)?;
        }
        stage.look();
        hours.push(hour(&stage, now, hours.last()));
        progress(now.time, now.usd());
    }
    everybody_is_out(&mut stage, &tickets);
    Ok(Record { hours, ..record(&stage) })
}

fn hour(stage: &Stage, now: &Quote, before: Option<&Hour>) -> Hour {
    let snapshot = stage.snapshot();
    let (vault, book) = (&snapshot.vault.state, &stage.log.book);
    let price = |kind, last: fn(&Hour) -> f64| {
        let here = share_price(stage, &snapshot, kind);
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
        volatility: snapshot.markets[0].state.middle.map(|middle| middle.0 as f64 / (1u64 << 48) as f64),
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

/// A trader's hour.
///
/// Errors: where a quote fails that should not.
fn trade(stage: &mut Stage, who: usize, role: &mut Role, quotes: &[Quote]) -> Result<()> {
    let Some(margin) = stage.margin(who) else { return Ok(()) };
    let now = stage.moment().now;
    let ending = now >= cast::LAST_CALL;
    if ending && held(&margin).is_empty() {
        trading::leave(stage, who, &margin);
        return Ok(());
    }
    trading::look_after(stage, who, role.care, &margin)?;
    let snapshot = stage.snapshot();
    let spot = Usd::from(snapshot.index().feed.price);
    let nearest = snapshot.markets[0].state.config.grid()?.nearest_tick(spot);
    let view = View { quotes, nearest, held: held(&margin) };
    let wishes = if ending { farewell(&view) } else { role.rule.wishes(&view) };
    for wish in wishes {
        match wish {
            Wish::Buy(lot) if trading::buy(stage, who, role.care, lot)? => role.rule.bought(&view),
            Wish::Sell(lot) => {
                trading::sell(stage, who, lot);
            }
            Wish::Buy(_) => {}
        }
    }
    Ok(())
}
