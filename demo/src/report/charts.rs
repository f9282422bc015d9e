//! The pictures.

use std::{collections::BTreeMap, ops::Range};

use anyhow::Result;
use plotters::prelude::*;

use super::canvas::{Mark, Size, TimeChart, around, colour, draw, drawn, entry, legend, level, line, time_chart};
use crate::record::{Group, Happening, Hour, Kind, Record, Subject};

fn span(record: &Record) -> Range<i64> {
    let first = record.hours.first().map_or(0, |hour| hour.time);
    let last = record.hours.last().map_or(1, |hour| hour.time);
    first..last
}

/// A line with no more points than the width can show: the lowest and the highest of every few hours, and the last.
fn thin<'a>(hours: &'a [Hour], size: Size, value: impl Fn(&Hour) -> f64 + 'a) -> impl Iterator<Item = (i64, f64)> + 'a {
    let width = usize::try_from(size.width).unwrap_or(1);
    let few = (2 * hours.len()).div_ceil(width).max(1);
    let last = hours.last().map(|hour| (hour.time, value(hour)));
    let extremes = hours.chunks(few).flat_map(move |chunk| {
        let points = || chunk.iter().map(|hour| (hour.time, value(hour)));
        let lowest = points().min_by(|a, b| a.1.total_cmp(&b.1));
        let highest = points().max_by(|a, b| a.1.total_cmp(&b.1));
        let mut both: Vec<_> = lowest.into_iter().chain(highest).collect();
        both.sort_by_key(|point| point.0);
        both.dedup();
        both
    });
    extremes.chain(last)
}

/// An option that somebody held: a level part at its strike.
struct Holding {
    call: bool,
    strike: f64,
    time: Range<i64>,
}

fn holdings(record: &Record) -> Vec<Holding> {
    let mut open: BTreeMap<(usize, bool, i16), i64> = BTreeMap::new();
    let mut held = Vec::new();
    for happening in &record.happenings {
        let Subject::Option { call, tick, strike, left, .. } = happening.of else { continue };
        let key = (happening.actor, call, tick);
        let since = *open.entry(key).or_insert(happening.time);
        if left == 0 {
            open.remove(&key);
            held.push(Holding { call, strike, time: since..happening.time });
        }
    }
    held
}

fn side_colour(call: bool) -> RGBColor {
    if call { colour::BLUE } else { colour::ORANGE }
}

/// The index, and every option at its strike from when it was bought to when it ended.
pub fn index(record: &Record, size: Size) -> Result<String> {
    let entries = [
        entry("BTC/USD", colour::INK, Mark::Line),
        entry("call", colour::BLUE, Mark::Line),
        entry("put", colour::ORANGE, Mark::Line),
        entry("bought", colour::QUIET, Mark::Dot),
        entry("sold", colour::QUIET, Mark::Ring),
        entry("paid its cap", colour::GREEN, Mark::Diamond),
        entry("liquidated", colour::RED, Mark::Cross),
        entry("retired", colour::QUIET, Mark::Cross),
    ];
    let held = holdings(record);
    let prices = record.hours.iter().map(|hour| hour.price).chain(held.iter().map(|holding| holding.strike));
    let values = around(prices);
    draw(size, |root| {
        let area = legend(root, size, &entries)?;
        let mut chart = time_chart(&area, size, span(record), values, &|usd| format!("${:.0},000", usd / 1_000.0))?;
        for holding in &held {
            let style = side_colour(holding.call).stroke_width(2);
            level(&mut chart, holding.time.clone(), holding.strike, style)?;
        }
        line(&mut chart, thin(&record.hours, size, |hour| hour.price), colour::INK.stroke_width(2))?;
        for happening in &record.happenings {
            mark(&mut chart, happening)?;
        }
        Ok(())
    })
}

fn mark(chart: &mut TimeChart<'_, '_>, happening: &Happening) -> Result<()> {
    let Subject::Option { call, strike, left, .. } = happening.of else { return Ok(()) };
    let (at, own) = ((happening.time, strike), side_colour(call));
    match happening.kind {
        Kind::Open => drawn(chart.draw_series([Circle::new(at, 3, own.filled())])).map(drop),
        Kind::Close => drawn(chart.draw_series([Circle::new(at, 4, own.stroke_width(2))])).map(drop),
        Kind::Liquidation => {
            let (reach, width) = if left == 0 { (6, 3) } else { (4, 2) };
            drawn(chart.draw_series([Cross::new(at, reach, colour::RED.stroke_width(width))])).map(drop)
        }
        Kind::Retired => drawn(chart.draw_series([Cross::new(at, 4, colour::QUIET.stroke_width(2))])).map(drop),
        Kind::Capped => {
            let corners = [(-7, 0), (0, -7), (7, 0), (0, 7)];
            let diamond = EmptyElement::at(at) + Polygon::new(corners, colour::GREEN.filled());
            drawn(chart.draw_series([diamond])).map(drop)
        }
        Kind::Join | Kind::Request | Kind::Leave | Kind::Cancel => Ok(()),
    }
}

/// What each trader would have won or lost if he had sold everything at the bid.
pub fn results(record: &Record, size: Size) -> Result<String> {
    let traders = record.actors.iter().enumerate().filter(|(_, actor)| actor.group == Group::Trader);
    let traders: Vec<_> = traders.zip(colour::LINES).collect();
    let entries: Vec<_> =
        traders.iter().map(|((_, actor), colour)| entry(actor.name.clone(), *colour, Mark::Line)).collect();
    let one = 10f64.powi(i32::from(record.setting.decimals));
    let result = move |hour: &Hour, number: usize| {
        let found = hour.results.iter().find(|(actor, _)| *actor == number);
        found.map_or(0.0, |(_, raw)| *raw as f64 / one)
    };
    let all = record.hours.iter().flat_map(|hour| hour.results.iter().map(move |(_, raw)| *raw as f64 / one));
    draw(size, |root| {
        let area = legend(root, size, &entries)?;
        let mut chart = time_chart(&area, size, span(record), around(all), &|tokens| format!("{tokens:+.0}"))?;
        level(&mut chart, span(record), 0.0, colour::QUIET)?;
        for ((number, _), colour) in &traders {
            line(&mut chart, thin(&record.hours, size, |hour| result(hour, *number)), colour.stroke_width(2))?;
        }
        Ok(())
    })
}

/// What a share of each pool is worth against having kept the token.
pub fn shares(record: &Record, size: Size) -> Result<String> {
    let entries = [
        entry("main pool share", colour::BLUE, Mark::Line),
        entry("insurance pool share", colour::GREEN, Mark::Line),
        entry("just holding the token", colour::QUIET, Mark::Line),
    ];
    let hours = &record.hours;
    let all = hours.iter().flat_map(|hour| [hour.share_price, hour.insurance_share_price, 1.0]);
    draw(size, |root| {
        let area = legend(root, size, &entries)?;
        let mut chart = time_chart(&area, size, span(record), around(all), &|price| format!("{price:.2}"))?;
        level(&mut chart, span(record), 1.0, colour::QUIET)?;
        line(&mut chart, thin(hours, size, |hour| hour.insurance_share_price), colour::GREEN.stroke_width(2))?;
        line(&mut chart, thin(hours, size, |hour| hour.share_price), colour::BLUE.stroke_width(2))
    })
}

/// What the sellers earned and paid so far.
pub fn income(record: &Record, size: Size) -> Result<String> {
    let entries = [
        entry("premium", colour::BLUE, Mark::Line),
        entry("funding", colour::GREEN, Mark::Line),
        entry("trading fees", colour::GOLD, Mark::Line),
        entry("paid out to traders", colour::ORANGE, Mark::Line),
    ];
    let one = 10f64.powi(i32::from(record.setting.decimals));
    let most = record.hours.last().map_or(1.0, |hour| hour.premium.max(hour.payout).max(hour.funding) as f64 / one);
    draw(size, |root| {
        let area = legend(root, size, &entries)?;
        let mut chart = time_chart(&area, size, span(record), 0.0..most * 1.05, &|tokens| format!("{tokens:.0}"))?;
        let mut add = |part: fn(&Hour) -> u64, colour: RGBColor| {
            let points = thin(&record.hours, size, move |hour| part(hour) as f64 / one);
            line(&mut chart, points, colour.stroke_width(2))
        };
        add(|hour| hour.payout, colour::ORANGE)?;
        add(|hour| hour.fees, colour::GOLD)?;
        add(|hour| hour.funding, colour::GREEN)?;
        add(|hour| hour.premium, colour::BLUE)
    })
}

/// How much of the main pool is reserved.
pub fn utilisation(record: &Record, size: Size, [kink, most]: [f64; 2]) -> Result<String> {
    let entries = [
        entry("reserved for payouts", colour::VIOLET, Mark::Line),
        entry("prices rise from here", colour::GOLD, Mark::Line),
        entry("no new options above", colour::RED, Mark::Line),
    ];
    draw(size, |root| {
        let area = legend(root, size, &entries)?;
        let mut chart = time_chart(&area, size, span(record), 0.0..1.0, &|part| format!("{:.0}%", part * 100.0))?;
        let points: Vec<_> = thin(&record.hours, size, |hour| hour.utilisation).collect();
        drawn(chart.draw_series(AreaSeries::new(points.iter().copied(), 0.0, colour::VIOLET.mix(0.2))))?;
        line(&mut chart, points.into_iter(), colour::VIOLET.stroke_width(2))?;
        level(&mut chart, span(record), kink, colour::GOLD)?;
        level(&mut chart, span(record), most, colour::RED)
    })
}

/// The volatility that the market quotes.
pub fn volatility(record: &Record, size: Size) -> Result<String> {
    let entries = [entry("calls", colour::BLUE, Mark::Line), entry("puts", colour::ORANGE, Mark::Line)];
    let all = record.hours.iter().flat_map(|hour| hour.volatility).chain([0.0]);
    draw(size, |root| {
        let area = legend(root, size, &entries)?;
        let percent = |part: &f64| format!("{:.0}%", part * 100.0);
        let mut chart = time_chart(&area, size, span(record), 0.0..around(all).end, &percent)?;
        for (side, colour) in [(0, colour::BLUE), (1, colour::ORANGE)] {
            line(&mut chart, thin(&record.hours, size, move |hour| hour.volatility[side]), colour.stroke_width(2))?;
        }
        Ok(())
    })
}
