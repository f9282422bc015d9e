//! The report of the night in which the stock halves.

use anyhow::Result;
use maud::html;
use plotters::prelude::*;

use super::{
    canvas::{
        Area, Mark, ROW, Size, around, colour, date_and_hour, day_chart, draw, drawn, entry, legend, line, time_chart,
        titled,
    },
    page as sheet,
    tables::Table,
    terminal,
};
use crate::{
    format::{size as bitcoins, tokens},
    record::halving::{Halving, Hour, Ledgers, Put},
};

const DECIMALS: u8 = 8;
const ONE: f64 = 1e8;
const DAY: i64 = 86_400;
/// The picture's size, and that of a chart in it.
const PICTURE: Size = Size { width: 960, height: 960, font: 14, weeks: 1 };
const PANEL: Size = Size { height: 320, ..PICTURE };
/// A number of raw units in something.
type Amount<T> = fn(&T) -> u64;
/// How a chart is drawn.
type Panel = fn(&Area<'_>, Size, &Halving) -> Result<()>;
/// Charts with their titles and what to know of them.
const PANELS: [(&str, &str, Panel); 3] = [
    ("Prices as a part of their first, %", "Bitcoin falls in the night; the stock opens at half.", prices),
    (
        "Who paid the puts, tokens",
        "A put's cap in dollars takes twice the tokens after the stock has halved: a third more than its reserve.",
        waterfall,
    ),
    (
        "What insurance has and owes, tokens",
        "A quarter of its assets a day and all its income go to those it owes; then its leavers may leave.",
        claims,
    ),
];

/// The whole page.
///
/// Errors: where drawing fails.
pub fn page(told: &Halving) -> Result<String> {
    let figures = PANELS
        .iter()
        .map(|(title, note, panel)| sheet::figure(title, note, |size| draw(size, |root| panel(root, size, told))));
    let figures = figures.collect::<Result<Vec<_>>>()?;
    let body = html! {
        (sheet::tiles(&[&told.record]))
        @for figure in &figures { (figure) }
        (sheet::table(&ledgers(told)))
        (sheet::table(&puts(told)))
        (sheet::cast(&told.record))
        (sheet::tables(&told.record))
    };
    Ok(sheet::frame("Perpetua: the stock halves", "When the collateral halves overnight", &story(told), &body))
}

/// The picture, as a file of its own.
///
/// Errors: where drawing fails.
pub fn picture(told: &Halving) -> Result<String> {
    let svg = draw(PICTURE, |root| {
        for (row, (title, _, panel)) in root.split_evenly((PANELS.len(), 1)).iter().zip(&PANELS) {
            panel(&titled(row, PANEL, title)?, PANEL, told)?;
        }
        Ok(())
    })?;
    Ok(sheet::alone(&svg))
}

/// The run in words and tables.
pub fn summary(told: &Halving) -> String {
    let mut tables = vec![ledgers(told), puts(told)];
    tables.extend(terminal::all(&told.record));
    terminal::text(&story(told), &tables)
}

fn story(told: &Halving) -> Vec<String> {
    let sum = |part: Amount<Put>| told.puts.iter().map(part).sum::<u64>();
    let amount = |raw: u64| tokens(raw.into(), DECIMALS);
    let first = told.hours.iter().find(|hour| hour.outstanding > 0).map_or(0, |hour| hour.time);
    let last = told.hours.iter().rev().find(|hour| hour.outstanding > 0).map_or(0, |hour| hour.time);
    vec![
        "An invented night, as bad as it gets: bitcoin falls from 60,000 to 26,000 dollars while the stock exchange is closed, and \
         in the morning the stock opens at half. Puts in the dollar market pay their cap, in tokens of which a dollar now takes \
         twice as many."
            .to_owned(),
        format!(
            "{} puts took {} tokens. The main pool paid their reserves, {}; insurance paid {} at once, as much as a day allows, and \
             owed {}. A quarter of its assets a day and all its income served that within {:.1} days, pro rata and to the last \
             unit, before anybody left it.",
            told.puts.len(),
            amount(sum(|put| put.main + put.insurance + put.claimed)),
            amount(sum(|put| put.main)),
            amount(sum(|put| put.insurance)),
            amount(sum(|put| put.claimed)),
            (last - first) as f64 / DAY as f64,
        ),
    ]
}

/// The ledgers at every stage; the sum is the vault's tokens.
fn ledgers(told: &Halving) -> Table {
    let names = told.ledgers.iter().map(|stage| stage.name.as_str());
    let parts: [(&str, Amount<Ledgers>); 9] = [
        ("Margin", |stage| stage.margin),
        ("Main pool", |stage| stage.main),
        ("Insurance pool", |stage| stage.insurance),
        ("Claims funded", |stage| stage.funded),
        ("Withdrawals to claim", |stage| stage.payable),
        ("Protocol fees", |stage| stage.protocol),
        ("Tokens in the vault", |stage| stage.tokens),
        ("Claims outstanding (owed, no ledger)", |stage| stage.outstanding),
        ("Reserved in the main pool (no ledger)", |stage| stage.reserves),
    ];
    let row = |(name, part): (&str, Amount<Ledgers>)| {
        let values = told.ledgers.iter().map(|stage| tokens(part(stage).into(), DECIMALS));
        [name.to_owned()].into_iter().chain(values).collect()
    };
    let times = told.ledgers.iter().map(|stage| format!("{}: {}", stage.name, date_and_hour(stage.time)));
    let heads = ["Before", "After the payouts", "After the service", "At the end"];
    Table {
        title: "The ledgers",
        note: format!(
            "In tokens. The first six are the vault's tokens, to the unit. {}.",
            times.collect::<Vec<_>>().join("; ")
        ),
        head: ["Ledger"].into_iter().chain(heads.into_iter().take(names.count())).collect(),
        names: 1,
        rows: parts.into_iter().map(row).collect(),
        sum: None,
    }
}

fn puts(told: &Halving) -> Table {
    let row = |put: &Put| {
        let amounts = [put.main, put.insurance, put.claimed, put.collected];
        let words = [put.who.clone(), format!("{} BTC worth {:.0} each", bitcoins(put.size), put.value)];
        words.into_iter().chain(amounts.map(|amount| tokens(amount.into(), DECIMALS))).collect()
    };
    Table {
        title: "Who paid the puts",
        note: "In tokens, before funding. What was owed is what was collected later.".to_owned(),
        head: vec!["Holder", "Put", "Main pool (reserve)", "Insurance at once", "Owed", "Collected later"],
        names: 2,
        rows: told.puts.iter().map(row).collect(),
        sum: None,
    }
}

fn prices(area: &Area<'_>, size: Size, told: &Halving) -> Result<()> {
    let entries = [entry("bitcoin", colour::INK, Mark::Line), entry("stock", colour::VIOLET, Mark::Line)];
    let area = legend(area, size, &entries)?;
    let Some(first) = told.hours.first() else { return Ok(()) };
    let span = first.time..told.hours.last().map_or(first.time + 1, |hour| hour.time);
    let mut chart = time_chart(&area, size, span, 30.0..110.0, &|part| format!("{part:.0}%"))?;
    let part =
        |value: fn(&Hour) -> f64| told.hours.iter().map(move |hour| (hour.time, value(hour) / value(first) * 100.0));
    line(&mut chart, part(|hour| hour.share), colour::VIOLET.stroke_width(2))?;
    line(&mut chart, part(|hour| hour.bitcoin), colour::INK.stroke_width(2))
}

fn waterfall(area: &Area<'_>, size: Size, told: &Halving) -> Result<()> {
    let parts: [(&str, RGBColor, Amount<Put>); 3] = [
        ("main pool: the reserve", colour::BLUE, |put| put.main),
        ("insurance at once", colour::GREEN, |put| put.insurance),
        ("insurance later: the claim", colour::ORANGE, |put| put.claimed),
    ];
    let entries: Vec<_> = parts.iter().map(|(name, colour, _)| entry(*name, *colour, Mark::Square)).collect();
    let area = legend(area, size, &entries)?;
    let count = i64::try_from(told.puts.len())?;
    let whole = |put: &Put| (put.main + put.insurance + put.claimed) as f64 / ONE;
    let most = told.puts.iter().map(whole).fold(1.0, f64::max);
    let mut builder = ChartBuilder::on(&area);
    builder.margin(6).margin_right(size.font * 2).x_label_area_size(size.font * 2).y_label_area_size(size.font * 4);
    // Names stand under the middle of their bars.
    let middles = (0..count).map(|place| ROW * place + ROW / 2).collect();
    let mut chart = drawn(builder.build_cartesian_2d((0..ROW * count).with_key_points(middles), 0.0..most * 1.05))?;
    let name = |at: &i64| {
        let put = usize::try_from(at.div_euclid(ROW)).ok().and_then(|place| told.puts.get(place));
        put.map_or_else(String::new, |put| format!("{}: {} BTC", put.who, bitcoins(put.size)))
    };
    let text = ("sans-serif", size.font).into_font().color(&colour::QUIET);
    let mut mesh = chart.configure_mesh();
    mesh.disable_x_mesh().light_line_style(TRANSPARENT).bold_line_style(colour::FAINT).axis_style(colour::QUIET);
    mesh.y_labels(6).label_style(text).x_label_formatter(&name);
    drawn(mesh.y_label_formatter(&|tokens| format!("{tokens:.0}")).draw())?;
    for (place, put) in (0..count).zip(&told.puts) {
        let (left, mut base) = (ROW * place + ROW / 4, 0.0);
        for (_, colour, part) in &parts {
            let top = base + part(put) as f64 / ONE;
            drawn(chart.draw_series([Rectangle::new([(left, base), (left + ROW / 2, top)], colour.filled())]))?;
            base = top;
        }
    }
    Ok(())
}

/// From two days before the night to two days after all was served.
fn claims(area: &Area<'_>, size: Size, told: &Halving) -> Result<()> {
    let entries = [
        entry("insurance pool", colour::GREEN, Mark::Line),
        entry("owed to claimants", colour::ORANGE, Mark::Line),
        entry("served so far", colour::BLUE, Mark::Line),
    ];
    let area = legend(area, size, &entries)?;
    let owing = || told.hours.iter().filter(|hour| hour.outstanding > 0).map(|hour| hour.time);
    let (from, to) = (owing().min().unwrap_or(0) - DAY, owing().max().unwrap_or(1) + DAY);
    let hours = || told.hours.iter().filter(move |hour| (from..=to).contains(&hour.time));
    let all = hours().flat_map(|hour| [hour.insurance, hour.outstanding, hour.served]).map(|raw| raw as f64 / ONE);
    let values = 0.0..around(all.chain([0.0])).end;
    let mut chart = day_chart(&area, size, from..to, values, &|tokens| format!("{tokens:.0}"))?;
    let parts: [(Amount<Hour>, RGBColor); 3] = [
        (|hour| hour.insurance, colour::GREEN),
        (|hour| hour.served, colour::BLUE),
        (|hour| hour.outstanding, colour::ORANGE),
    ];
    for (part, colour) in parts {
        // What is paid at one moment falls at once.
        let hours: Vec<_> = hours().map(|hour| (hour.time, part(hour) as f64 / ONE)).collect();
        let steps = hours.windows(2).flat_map(|pair| [pair[0], (pair[1].0, pair[0].1)]).chain(hours.last().copied());
        line(&mut chart, steps, colour.stroke_width(2))?;
    }
    Ok(())
}
