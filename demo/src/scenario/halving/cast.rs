//! Who is there when the stock halves.

use anyhow::Result;
use perpetua_client::{
    model::pricing::Usd,
    perpetua::{Pool, Side},
};

use super::{
    super::{
        FEE_RECIPIENT, KEEPER, LIQUIDATOR,
        chapter::{Chapter, Step},
        providers::{Deed, Step as Date},
        stage::Stage,
        states::{DOLLAR, State},
        trading::{self, Care, Lot, held},
    },
    weeks::{HALVED, HALVING},
};
use crate::{
    history::HOUR,
    record::{Actor, Group},
};

const DAY: i64 = 24 * HOUR;
/// Millionths of a bitcoin in a tenth.
const TENTH: u64 = 100_000;
const CARE: Care = Care { when_buying: 400, daily: true };

/// Everybody who holds an option before the night: name, side, strike in ticks above the money, tenths of a bitcoin.
const HOLDERS: [(&str, Side, i16, u64); 8] = [
    ("Pia", Side::Put, 0, 10),
    ("Paul", Side::Put, -1, 15),
    ("Petra", Side::Put, 1, 7),
    ("Carl", Side::Call, 0, 28),
    ("Cora", Side::Call, 2, 28),
    ("Chen", Side::Call, 4, 28),
    ("Cyril", Side::Call, 6, 28),
    ("Clara", Side::Call, 8, 20),
];
/// Whoever goes on trading.
const TRADER: &str = "Tom";

const OTHERS: [(&str, Group, &str); 7] = [
    (
        TRADER,
        Group::Trader,
        "Buys and sells one dollar option every hour of a session: insurance earns a part of what he pays.",
    ),
    ("Anna", Group::Provider, "Provides liquidity to the main pool."),
    (
        "Ines",
        Group::Provider,
        "Stands behind the sellers; asks to leave insurance two weeks before the night, ready the day after it.",
    ),
    ("Project", Group::Project, "Seeds both pools."),
    (KEEPER, Group::Keeper, "Cranks, settles, serves claims."),
    (LIQUIDATOR, Group::Keeper, "Liquidates whoever is short of margin."),
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
    let holder = |(name, side, _, tenths): (&str, Side, i16, u64)| {
        let side = if side == Side::Call { "calls" } else { "puts" };
        let rule = format!("Holds dollar {side} of {}.{} bitcoins.", tenths / 10, tenths % 10);
        actor(name, Group::Trader, &rule)
    };
    let holders = HOLDERS.into_iter().map(holder);
    holders.chain(OTHERS.into_iter().map(|(name, group, rule)| actor(name, group, rule))).collect()
}

/// When liquidity comes and goes.
pub fn dates() -> Vec<Date> {
    let date = |from: i64, who: &'static str, pool, deed| Date { from, who, pool, deed };
    let start = HALVING.start;
    vec![
        date(start, "Project", Pool::Main, Deed::Join(1_000)),
        date(start, "Project", Pool::Insurance, Deed::Join(70)),
        date(start, "Anna", Pool::Main, Deed::Join(3_000)),
        date(start, "Ines", Pool::Insurance, Deed::Join(100)),
        date(start + 2 * DAY + 5 * HOUR, "Ines", Pool::Insurance, Deed::Request(100)),
        date(start + 3 * DAY, "Project", Pool::Insurance, Deed::Request(100)),
        date(HALVING.last_call + HOUR, "Anna", Pool::Main, Deed::Request(100)),
        date(HALVING.last_call + HOUR, "Project", Pool::Main, Deed::Request(100)),
    ]
}

/// What every trader does at a moment.
///
/// Errors: where a quote fails that should not.
pub fn trade(stage: &mut Stage, chapter: &Chapter, step: &Step) -> Result<()> {
    let traders = HOLDERS.len() + 1;
    for who in 0..traders {
        let Some(margin) = stage.margin(who) else { continue };
        trading::look_after(stage, who, CARE, &margin)?;
        let lots = held(&margin);
        if step.time >= chapter.farewell {
            // What is owed to an account keeps it open.
            if lots.is_empty() && margin.state.claim.amount.is_zero() {
                trading::leave(stage, who, &margin);
            }
            for lot in &lots {
                trading::sell(stage, who, *lot);
            }
            continue;
        }
        match HOLDERS.get(who) {
            Some((_, side, ticks, tenths)) if step.time == chapter.start => {
                buy(stage, who, (*side, *ticks), tenths * TENTH)?;
            }
            // What insurance cannot pay at once, only the owner may take as a claim: with his reserve now, the rest later.
            Some((_, Side::Put, ..)) if step.time >= HALVED && is_calm(stage, step) => {
                for lot in &lots {
                    trading::sell_for(stage, who, *lot, Some(0));
                }
            }
            None if is_calm(stage, step) && step.time < chapter.last_call => {
                for lot in &lots {
                    trading::sell(stage, who, *lot);
                }
                let option = if (step.time / HOUR) % 2 == 0 { (Side::Call, 5) } else { (Side::Put, -4) };
                buy(stage, who, option, 10 * TENTH)?;
            }
            _ => {}
        }
    }
    Ok(())
}

fn is_calm(stage: &Stage, step: &Step) -> bool {
    let far = |state| stage.states.as_ref().is_some_and(|states| states.has(state));
    step.share.is_some() && !far(State::StockFar) && !far(State::IndexFar)
}

fn buy(stage: &mut Stage, who: usize, (side, ticks): (Side, i16), size: u64) -> Result<()> {
    let snapshot = stage.snapshot();
    let spot = Usd::from(snapshot.index().feed.price);
    let nearest = snapshot.markets[DOLLAR].state.config.grid()?.nearest_tick(spot);
    trading::buy(stage, who, CARE, Lot { market: DOLLAR, side, tick: nearest + ticks, size })?;
    Ok(())
}
