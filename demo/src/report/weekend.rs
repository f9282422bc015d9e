//! The report of the weeks with a dollar market.

use std::{collections::BTreeMap, ops::Range};

use anyhow::Result;
use maud::html;
use plotters::prelude::*;

use super::{
    canvas::{
        Area, Mark, ROW, Size, around, bands, colour, draw, drawn, entry, legend, line, row_chart, time_chart, titled,
    },
    page as sheet,
    tables::Table,
    terminal,
};
use crate::{
    format::thousands,
    record::{
        Record,
        weekend::{Chapter, Moment, Weekend},
    },
    scenario::states::{Attempt, DOLLAR, QUANTO, State},
};

const HOUR: i64 = 3_600;
/// The picture's size, and that of a chart in it.
const PICTURE: (u32, u32) = (1_240, 1_520);
const PANEL: Size = Size { width: 620, height: 300, font: 13, weeks: 1 };
/// A line of a chart: its name, its colour, its value at a moment.
type Line<'a> = (&'a str, RGBColor, &'a dyn Fn(&Moment) -> Option<f64>);
/// How a chart is drawn.
type Panel = fn(&Area<'_>, Size, &Chapter) -> Result<()>;
/// Charts with their titles and what to know of them.
const PANELS: [(&str, &str, Panel); 5] = [
    ("Bitcoin, US dollars", "It trades day and night. Shaded: the stock exchange is closed.", bitcoin),
    (
        "Tesla, US dollars",
        "The last price of a share while the exchange trades, and what a token is worth by it.",
        share,
    ),
    (
        "X: tokens for 1,000 dollars of option value",
        "What users are paid at, what funding counts, what they pay at. While the exchange is closed selling loses 5%.",
        units,
    ),
    (
        "What each attempt met",
        "Somebody tried each of these at every moment. Short states are drawn four hours wide.",
        attempts,
    ),
    (
        "What one put of the dollar market pays for a bitcoin, US dollars",
        "The same option, sold at the bid at each moment: tokens, at the price of the moment and at that of the first.",
        option,
    ),
];
/// What is tried all the time: the market, the instruction, what people call it.
const ACTIONS: [(Option<usize>, &str, &str); 7] = [
    (Some(QUANTO), "open_position", "buy, quanto"),
    (Some(QUANTO), "close_position", "sell, quanto"),
    (Some(QUANTO), "withdraw", "take out, quanto"),
    (Some(DOLLAR), "open_position", "buy, dollar"),
    (Some(DOLLAR), "close_position", "sell, dollar"),
    (Some(DOLLAR), "withdraw", "take out, dollar"),
    (None, "join_pool", "join the pool"),
];
/// What an attempt met, in the order of drawing.
const MET: [(&str, &str, RGBColor); 8] = [
    ("", "allowed", colour::GREEN),
    ("StockMarketClosed", "exchange closed", colour::QUIET),
    ("MarkAtBounds", "pool at bounds", colour::BLUE),
    ("StockFarFromAverage", "stock far from average", colour::ORANGE),
    ("PriceFarFromAverage", "bitcoin far from average", colour::TEAL),
    ("StockPriceStale", "price missing", colour::VIOLET),
    ("RecoveringFromOutage", "grace after a halt", colour::GOLD),
    ("MultiplierChanging", "split within half an hour", colour::RED),
];

/// The whole page.
///
/// Errors: where drawing fails.
pub fn page(told: &Weekend) -> Result<String> {
    let mut body = html! { (sheet::tiles(&records(told))) };
    for chapter in &told.chapters {
        let figures = PANELS.iter().map(|(title, note, panel)| {
            sheet::figure(title, note, |size| draw(size, |root| panel(root, size, chapter)))
        });
        let figures = figures.collect::<Result<Vec<_>>>()?;
        body = html! {
            (body)
            h1 { (chapter.title) }
            @for figure in &figures { (figure) }
            (sheet::table(&met(chapter)))
            (sheet::tables(&chapter.record))
        };
    }
    if let Some(record) = records(told).first() {
        body = html! { (body) (sheet::cast(record)) };
    }
    Ok(sheet::frame("Perpetua: weeks with a dollar market", "A market that needs a stock's price", &story(told), &body))
}

/// The picture of both chapters, as a file of its own.
///
/// Errors: where drawing fails.
pub fn picture(told: &Weekend) -> Result<String> {
    let whole = Size { width: PICTURE.0, height: PICTURE.1, ..PANEL };
    let svg = draw(whole, |root| {
        let columns = root.split_evenly((1, told.chapters.len().max(1)));
        for (column, chapter) in columns.iter().zip(&told.chapters) {
            let below = titled(column, Size { font: PANEL.font + 3, ..PANEL }, &chapter.title)?;
            let rows = below.split_evenly((PANELS.len(), 1));
            for (row, (title, _, panel)) in rows.iter().zip(&PANELS) {
                panel(&titled(row, PANEL, title)?, PANEL, chapter)?;
            }
        }
        Ok(())
    })?;
    Ok(sheet::alone(&svg))
}

/// The run in words and tables.
pub fn summary(told: &Weekend) -> String {
    let mut text = story(told).join("\n");
    for chapter in &told.chapters {
        let mut tables = vec![met(chapter)];
        tables.extend(terminal::all(&chapter.record));
        text.push_str("\n\n");
        text.push_str(&terminal::text(&[chapter.title.to_uppercase()], &tables));
    }
    text
}

fn records(told: &Weekend) -> Vec<&Record> {
    told.chapters.iter().map(|chapter| &chapter.record).collect()
}

fn story(told: &Weekend) -> Vec<String> {
    let attempts: usize = told.chapters.iter().map(|chapter| chapter.attempts.len()).sum();
    let moments: usize = told.chapters.iter().map(|chapter| chapter.moments.len()).sum();
    let least = told.chapters.iter().map(|chapter| chapter.least_loss).fold(f64::INFINITY, f64::min);
    let kept = records(told).iter().flat_map(|record| &record.checks).all(|check| check.holds);
    let verdict = if kept {
        "what was allowed and what was refused, and why, was each time what the rules say of that moment"
    } else {
        "but not everything that was promised holds: see what was verified"
    };
    vec![
        format!(
            "Two pieces of 2022, replayed at {} moments on the compiled program: real prices of Tesla and bitcoin, real exchange \
             hours, weekends and holidays. One vault has a quanto market, which needs no stock price, and a dollar market, which \
             does. A halt of 40 minutes on 2 March is the one thing that history did not see.",
            thousands(moments)
        ),
        format!(
            "People tried everything at every moment, {} times; {verdict}. The best round trip over whatever boundary lost {:.1}% \
             of the option's value to prices.",
            thousands(attempts),
            least * 100.0
        ),
    ]
}

/// How often each attempt met what, in which states.
fn met(chapter: &Chapter) -> Table {
    let moments: BTreeMap<i64, &Moment> = chapter.moments.iter().map(|moment| (moment.time, moment)).collect();
    let mut counts: BTreeMap<Vec<State>, BTreeMap<usize, BTreeMap<String, usize>>> = BTreeMap::new();
    for attempt in &chapter.attempts {
        let Some(row) = row_of(attempt) else { continue };
        let states = moments.get(&attempt.time).map(|moment| moment.states.clone()).unwrap_or_default();
        let answer = attempt.refusal.clone().unwrap_or_else(|| "allowed".to_owned());
        *counts.entry(states).or_default().entry(row).or_default().entry(answer).or_default() += 1;
    }
    let mut rows = Vec::new();
    for (states, by_action) in &counts {
        let names: Vec<_> = states.iter().map(|state| in_words(*state)).collect();
        let names = if names.is_empty() { "normal".to_owned() } else { names.join(", ") };
        for (row, answers) in by_action {
            for (answer, count) in answers {
                let action = ACTIONS.get(*row).map_or("", |action| action.2);
                rows.push(vec![names.clone(), action.to_owned(), answer.clone(), thousands(count)]);
            }
        }
    }
    Table {
        title: "What each attempt met",
        note: "By what was not normal at the moment; several states count together, and the most restrictive decides."
            .to_owned(),
        head: vec!["State", "Attempt", "Answer", "Times"],
        names: 3,
        rows,
        sum: None,
    }
}

fn in_words(state: State) -> &'static str {
    match state {
        State::IndexFar => "bitcoin far from its average",
        State::Grace => "half an hour after a halt",
        State::Quiet => "half an hour around the split",
        State::Due => "stock price missing",
        State::StockFar => "stock far from its average",
        State::Closed => "exchange closed or stock halted",
    }
}

/// The row of an attempt. The pool concerns both markets, or the one in which somebody holds anything.
fn row_of(attempt: &Attempt) -> Option<usize> {
    ACTIONS.iter().position(|(market, instruction, _)| {
        *instruction == attempt.instruction && (market.is_none() || *market == attempt.market)
    })
}

fn span(chapter: &Chapter) -> Range<i64> {
    let time = |moment: Option<&Moment>| moment.map_or(0, |moment| moment.time);
    time(chapter.moments.first())..time(chapter.moments.last())
}

/// When the exchange is closed.
fn closed(chapter: &Chapter) -> impl Iterator<Item = Range<i64>> + '_ {
    let Range { start, end } = span(chapter);
    let gaps = chapter.sessions.windows(2).map(|pair| pair[0].1..pair[1].0);
    gaps.map(move |gap| gap.start.max(start)..gap.end.min(end)).filter(|gap| gap.start < gap.end)
}

/// A time chart with the closed hours shaded and one line for each entry.
fn lines(
    area: &Area<'_>,
    size: Size,
    chapter: &Chapter,
    label: &dyn Fn(&f64) -> String,
    parts: &[Line<'_>],
) -> Result<()> {
    let mut entries: Vec<_> = parts.iter().map(|(name, colour, _)| entry(*name, *colour, Mark::Line)).collect();
    entries.push(entry("exchange closed", colour::QUIET, Mark::Square));
    let area = legend(area, size, &entries)?;
    let all = parts.iter().flat_map(|(_, _, value)| chapter.moments.iter().filter_map(value));
    let values = around(all);
    let mut chart = time_chart(&area, size, span(chapter), values.clone(), label)?;
    bands(&mut chart, closed(chapter), values, colour::QUIET.mix(0.15).filled())?;
    for (place, (_, colour, value)) in parts.iter().enumerate() {
        // The first of three lies below the others, and would not be seen.
        let width = if place + 2 < parts.len() { 5 } else { 2 };
        for run in chapter.moments.chunk_by(|one, other| value(one).is_some() == value(other).is_some()) {
            let points = run.iter().filter_map(|moment| Some((moment.time, value(moment)?)));
            line(&mut chart, points, colour.stroke_width(width))?;
        }
    }
    Ok(())
}

fn bitcoin(area: &Area<'_>, size: Size, chapter: &Chapter) -> Result<()> {
    let price = |moment: &Moment| Some(moment.bitcoin);
    lines(area, size, chapter, &|usd| format!("{usd:.0}"), &[("BTC/USD", colour::INK, &price)])
}

fn share(area: &Area<'_>, size: Size, chapter: &Chapter) -> Result<()> {
    let share = |moment: &Moment| Some(moment.share);
    let token = |moment: &Moment| Some(moment.token);
    let parts: [Line<'_>; 2] = [("a token", colour::GREEN, &token), ("a share", colour::VIOLET, &share)];
    let split = chapter.moments.iter().any(|moment| moment.share < moment.token);
    lines(area, size, chapter, &|usd| format!("{usd:.0}"), if split { &parts } else { &parts[1..] })
}

fn units(area: &Area<'_>, size: Size, chapter: &Chapter) -> Result<()> {
    let part = |place: usize| move |moment: &Moment| Some(moment.tokens_per_dollar[place] * 1_000.0);
    let (low, last, high) = (part(0), part(1), part(2));
    let parts: [Line<'_>; 3] = [
        ("users pay at", colour::ORANGE, &high),
        ("funding", colour::INK, &last),
        ("users are paid at", colour::BLUE, &low),
    ];
    lines(area, size, chapter, &|tokens| format!("{tokens:.2}"), &parts)
}

fn option(area: &Area<'_>, size: Size, chapter: &Chapter) -> Result<()> {
    let first = chapter.moments.first().map_or(1.0, |moment| moment.token);
    let dollars = |moment: &Moment| Some(moment.option? * moment.token);
    let tokens = move |moment: &Moment| Some(moment.option? * first);
    let parts: [Line<'_>; 2] = [
        ("its tokens at the first price of a token", colour::GREEN, &tokens),
        ("its tokens at the price of the moment", colour::INK, &dollars),
    ];
    lines(area, size, chapter, &|usd| format!("{usd:.0}"), &parts)
}

fn attempts(area: &Area<'_>, size: Size, chapter: &Chapter) -> Result<()> {
    let here = |name: &str| {
        let mut refusals = chapter.attempts.iter().filter(|attempt| row_of(attempt).is_some());
        refusals.any(|attempt| attempt.refusal.as_deref().unwrap_or("") == name)
    };
    let shown: Vec<_> = MET.iter().filter(|(name, ..)| here(name)).collect();
    let entries: Vec<_> = shown.iter().map(|(_, text, colour)| entry(*text, *colour, Mark::Square)).collect();
    let area = legend(area, size, &entries)?;
    let names = ACTIONS.map(|action| action.2);
    let mut chart = row_chart(&area, size, span(chapter), &names)?;
    let next: BTreeMap<i64, i64> = chapter.moments.windows(2).map(|pair| (pair[0].time, pair[1].time)).collect();
    for (order, (name, _, colour)) in shown.iter().enumerate() {
        // The rare states last for minutes.
        let least = if order < 3 { 0 } else { 4 * HOUR };
        for row in 0..ACTIONS.len() {
            let top = ROW * i64::try_from(ACTIONS.len() - row)? - ROW / 8;
            let tried = chapter.attempts.iter().filter(|attempt| row_of(attempt) == Some(row));
            let times =
                tried.filter(|attempt| attempt.refusal.as_deref().unwrap_or("") == *name).map(|attempt| attempt.time);
            let marks = spells(times, &next).into_iter().map(|spell| {
                let until = spell.end.max(spell.start + least);
                Rectangle::new([(spell.start, top), (until, top - ROW * 3 / 4)], colour.filled())
            });
            drawn(chart.draw_series(marks))?;
        }
    }
    Ok(())
}

/// Moments that follow each other, as one time; each lasts until the next.
fn spells(times: impl Iterator<Item = i64>, next: &BTreeMap<i64, i64>) -> Vec<Range<i64>> {
    let mut spells: Vec<Range<i64>> = Vec::new();
    for (time, until) in times.filter_map(|time| Some((time, next.get(&time).copied()?))) {
        match spells.last_mut() {
            Some(spell) if spell.end >= time => spell.end = until,
            _ => spells.push(time..until),
        }
    }
    spells
}
