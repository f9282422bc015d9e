//! Who takes part in the chapters, and by which rules.

use anyhow::Result;
use perpetua_client::{
    instruction,
    model::pricing::Usd,
    perpetua::{Pool, Side},
};
use perpetua_tests::token;
use time::{OffsetDateTime, Weekday};

use super::super::{
    FEE_RECIPIENT, KEEPER, LIQUIDATOR,
    chapter::{Chapter, Step},
    providers::{Deed, Step as Date},
    stage::Stage,
    states::{DOLLAR, QUANTO},
    trading::{self, Care, Lot, held},
};
use crate::{
    history::HOUR,
    record::{Actor, Group},
};

const DAY: i64 = 24 * HOUR;
const BITCOIN: u64 = 1_000_000;
/// What those who try everything buy at a time, and sell of it, millionths of a bitcoin.
const TASTE: [u64; 2] = [50_000, 200];
/// Options that they hold at most.
const MOST_LOTS: usize = 6;
/// Raw units that they pay in and take out, and that one of them joins the main pool with.
const CHANGE: u64 = 1_000;
const CRUMB: u64 = token::ONE / 100;

/// How everybody keeps his margin.
pub const CARE: Care = Care { when_buying: 300, daily: true };

/// Whoever tries everything in the quanto market.
pub const QUANTO_TRIER: &str = "Paul";
/// Whoever tries everything in the dollar market.
pub const DOLLAR_TRIER: &str = "Pia";
/// Whoever holds one dollar option from beginning to end.
pub const HOLDER: &str = "Hanna";
/// Whoever tries to join the main pool at every moment.
pub const JOINER: &str = "Noah";
/// Whoever leaves the main pool on a Saturday, by her own hand.
pub const LEAVER: &str = "Mia";

const TRADERS: [(&str, &str); 6] = [
    (QUANTO_TRIER, "At every moment tries to buy, to sell and to take collateral out in the quanto market."),
    (DOLLAR_TRIER, "At every moment tries to buy, to sell and to take collateral out in the dollar market."),
    (HOLDER, "Holds a put of 5 bitcoins in the dollar market from beginning to end."),
    (
        "Sam",
        "Buys 3 dollar calls on Friday afternoons and sells them on Sunday evening, at the price of a closed exchange.",
    ),
    (
        "Nora",
        "Buys 4 dollar options in the last seconds of every session and sells them with the first trade of the next.",
    ),
    ("Quinn", "Trades 3 quanto calls within the weekend: Saturday noon to Sunday evening."),
];

const OTHERS: [(&str, Group, &str); 8] = [
    ("Anna", Group::Provider, "Provides liquidity from beginning to end."),
    (
        LEAVER,
        Group::Provider,
        "Asks on a Wednesday to leave; on Saturday the keeper may not pay her out, so she does it herself.",
    ),
    (JOINER, Group::Provider, "Tries at every moment to add a hundredth of a token to the main pool."),
    ("Ines", Group::Provider, "Stands behind the sellers: the insurance pool."),
    ("Project", Group::Project, "Seeds both pools before anybody else, and leaves last."),
    (KEEPER, Group::Keeper, "Cranks stock and markets every hour, and more often around open, close and change."),
    (LIQUIDATOR, Group::Keeper, "Would liquidate, if anybody were short of margin."),
    (FEE_RECIPIENT, Group::Protocol, "Owns what protocol fees are paid to."),
];

/// Everybody, as the report lists them.
pub fn actors() -> Vec<Actor> {
    let actor = |name: &str, group, rule: &str| Actor {
        name: name.to_owned(),
        group,
        rule: rule.to_owned(),
        paid_in: 0,
        taken_out: 0,
    };
    let traders = TRADERS.into_iter().map(|(name, rule)| actor(name, Group::Trader, rule));
    traders.chain(OTHERS.into_iter().map(|(name, group, rule)| actor(name, group, rule))).collect()
}

/// When liquidity comes and goes: insurance waits 14 days to leave, the main pool 3.
pub fn dates(chapter: &Chapter) -> Vec<Date> {
    let date = |from: i64, who: &'static str, pool, deed| Date { from, who, pool, deed };
    let (start, leave) = (chapter.start, chapter.last_call + HOUR / 2);
    let wednesday = start - start.rem_euclid(DAY) + 2 * DAY + DAY / 2;
    let mut dates = vec![
        date(start, "Project", Pool::Main, Deed::Join(1_000)),
        date(start, "Project", Pool::Insurance, Deed::Join(250)),
        date(start, "Anna", Pool::Main, Deed::Join(3_000)),
        date(start, LEAVER, Pool::Main, Deed::Join(500)),
        date(start, "Ines", Pool::Insurance, Deed::Join(250)),
        date(wednesday, LEAVER, Pool::Main, Deed::Request(100)),
    ];
    for who in ["Ines", "Project"] {
        dates.push(date(start + 8 * DAY, who, Pool::Insurance, Deed::Request(100)));
    }
    for who in ["Anna", JOINER, "Project"] {
        dates.push(date(leave, who, Pool::Main, Deed::Request(100)));
    }
    dates
}

/// What every trader does at a moment.
///
/// Errors: where a quote fails that should not.
pub fn trade(stage: &mut Stage, chapter: &Chapter, step: &Step) -> Result<()> {
    for (who, (name, _)) in TRADERS.iter().enumerate() {
        let Some(margin) = stage.margin(who) else { continue };
        trading::look_after(stage, who, CARE, &margin)?;
        let lots = held(&margin);
        if step.time >= chapter.farewell {
            if lots.is_empty() {
                trading::leave(stage, who, &margin);
            }
            sell_all(stage, who, &lots);
            continue;
        }
        match *name {
            QUANTO_TRIER => try_everything(stage, who, QUANTO, step, &lots, chapter)?,
            DOLLAR_TRIER => try_everything(stage, who, DOLLAR, step, &lots, chapter)?,
            HOLDER if lots.is_empty() => buy(stage, who, DOLLAR, Side::Put, 3, 5 * BITCOIN)?,
            "Sam" if step.time < chapter.last_call && step.closes && is(step.time, Weekday::Friday, None) => {
                buy(stage, who, DOLLAR, Side::Call, 0, 3 * BITCOIN)?;
            }
            "Sam" if is(step.time, Weekday::Sunday, Some(18)) => sell_all(stage, who, &lots),
            "Nora" if step.share.is_some() && !step.closes => sell_all(stage, who, &lots),
            "Nora" if step.closes && step.time + DAY < chapter.last_call => {
                let side = if (step.time / DAY) % 2 == 0 { Side::Call } else { Side::Put };
                buy(stage, who, DOLLAR, side, 0, 4 * BITCOIN)?;
            }
            "Quinn" if is(step.time, Weekday::Saturday, Some(12)) && step.time < chapter.last_call => {
                buy(stage, who, QUANTO, Side::Call, 2, 3 * BITCOIN)?;
            }
            "Quinn" if is(step.time, Weekday::Sunday, Some(20)) => sell_all(stage, who, &lots),
            _ => {}
        }
    }
    Ok(())
}

/// Tries to add a crumb to the main pool, until nobody buys any more.
///
/// Errors: for names that nobody has.
pub fn join(stage: &mut Stage, chapter: &Chapter, step: &Step) -> Result<()> {
    if step.time >= chapter.last_call || step.time == chapter.start {
        return Ok(());
    }
    let who = stage.number(JOINER)?;
    let (keys, markets, person) = (stage.keys(), stage.world.markets.clone(), stage.people[who]);
    let shares = &person.shares[Pool::Main as usize];
    let join = instruction::join_pool(&person.owner, &keys, Pool::Main, &person.tokens, shares, &markets, CRUMB, 1);
    let mut all = stage.marks();
    all.push(("join_pool", join));
    // A refusal is noted.
    let _ = stage.act(who, all);
    Ok(())
}

fn try_everything(
    stage: &mut Stage,
    who: usize,
    market: usize,
    step: &Step,
    lots: &[Lot],
    chapter: &Chapter,
) -> Result<()> {
    if step.time < chapter.last_call {
        let side = if (step.time / HOUR) % 2 == 0 { Side::Call } else { Side::Put };
        buy(stage, who, market, side, 0, TASTE[0])?;
    }
    if let Some(first) = lots.first() {
        let size = if lots.len() > MOST_LOTS { first.size } else { first.size.min(TASTE[1]) };
        trading::sell(stage, who, Lot { size, ..*first });
    }
    trading::pay_in(stage, who, CHANGE);
    trading::take_out(stage, who, CHANGE);
    Ok(())
}

fn sell_all(stage: &mut Stage, who: usize, lots: &[Lot]) {
    for lot in lots {
        trading::sell(stage, who, *lot);
    }
}

/// Buys an option whose strike is so many ticks above the money.
fn buy(stage: &mut Stage, who: usize, market: usize, side: Side, ticks: i16, size: u64) -> Result<()> {
    let snapshot = stage.snapshot();
    let spot = Usd::from(snapshot.index().feed.price);
    let nearest = snapshot.markets[market].state.config.grid()?.nearest_tick(spot);
    trading::buy(stage, who, CARE, Lot { market, side, tick: nearest + ticks, size })?;
    Ok(())
}

/// Whether a time is on a day of the week, and, if given, in the first minutes of an hour of it, UTC.
pub fn is(time: i64, weekday: Weekday, hour: Option<u8>) -> bool {
    let Ok(moment) = OffsetDateTime::from_unix_timestamp(time) else { return false };
    moment.weekday() == weekday && hour.is_none_or(|hour| moment.hour() == hour && moment.minute() == 0)
}
