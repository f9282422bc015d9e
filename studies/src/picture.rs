//! The picture: when options took more than their reserves, and what a reserve factor leaves to the insurance pool.

use std::{collections::BTreeMap, ops::Range};

use anyhow::{Result, anyhow};
use perpetua_pricing::Side;
use plotters::{coord::Shift, prelude::*};

use crate::{
    position::Hold,
    sample::{SIDES, Sample},
    tables::{Factors, worst_month},
};

const SIZE: (u32, u32) = (960, 720);
const FONT: u32 = 15;
const INK: RGBColor = RGBColor(0x1d, 0x24, 0x2c);
const QUIET: RGBColor = RGBColor(0x6b, 0x75, 0x80);
const FAINT: RGBColor = RGBColor(0xe3, 0xe6, 0xe9);
const BLUE: RGBColor = RGBColor(0x1f, 0x6f, 0xd0);
const ORANGE: RGBColor = RGBColor(0xd9, 0x5f, 0x1c);

/// A twelfth of a mean year.
const MONTH_SECONDS: i64 = 2_629_746;
/// How the options of the upper part are held.
const HELD: Hold = Hold::Days(90);
/// How those of the lower part are, and how wide their lines are.
const BOOKS: [(Hold, u32); 3] = [(Hold::Days(30), 1), (Hold::Days(90), 2), (Hold::Days(365), 4)];

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
type Points = Vec<(f64, f64)>;

struct Line {
    name: String,
    points: Points,
    style: ShapeStyle,
}

struct Panel<'a> {
    title: &'a str,
    x: Range<f64>,
    x_name: &'a str,
    x_label: &'a dyn Fn(&f64) -> String,
}

/// Draws it and returns the SVG.
pub fn draw(samples: &[Sample], factors: Factors) -> Result<String> {
    let mut svg = String::new();
    {
        let root = SVGBackend::with_string(&mut svg, SIZE).into_drawing_area();
        drawn(root.fill(&WHITE))?;
        let (upper, lower) = root.split_vertically(SIZE.1 / 2);
        draw_months(&upper, samples, factors)?;
        draw_factors(&lower, samples)?;
        drawn(root.present())?;
    }
    Ok(svg)
}

fn drawn<T, E: std::error::Error + Send + Sync>(result: Result<T, E>) -> Result<T> {
    result.map_err(|error| anyhow!("drawing: {error}"))
}

fn colour(side: Side) -> RGBColor {
    match side {
        Side::Call => BLUE,
        Side::Put => ORANGE,
    }
}

fn name(side: Side) -> &'static str {
    match side {
        Side::Call => "calls",
        Side::Put => "puts",
    }
}

fn draw_months(area: &Area<'_>, samples: &[Sample], factors: Factors) -> Result<()> {
    let worst = SIDES.map(|side| (side, worst_by_month(samples, side)));
    let years = || worst.iter().flat_map(|(_, points)| points.iter().map(|point| point.0));
    let x = years().fold(f64::INFINITY, f64::min)..years().fold(f64::NEG_INFINITY, f64::max);
    let lines = worst.into_iter().map(|(side, points)| Line {
        name: name(side).to_owned(),
        points,
        style: colour(side).stroke_width(2),
    });
    let limits = SIDES.map(|side| {
        let factor = factors.of(side);
        let points = vec![(x.start, factor), (x.end, factor)];
        Line {
            name: format!("w of {}, {}", name(side), percent(&factor)),
            points,
            style: colour(side).mix(0.5).stroke_width(1),
        }
    });
    let panel = Panel {
        title: "The most that an option closed in a month took above its reserve without w (held up to 90 days)",
        x: x.clone(),
        x_name: "",
        x_label: &|year| format!("{year:.1}").trim_end_matches(".0").to_owned(),
    };
    draw_panel(area, &panel, &lines.chain(limits).collect::<Vec<_>>())
}

/// Year and excess, month by month.
fn worst_by_month(samples: &[Sample], side: Side) -> Points {
    let mut months: BTreeMap<i64, f64> = BTreeMap::new();
    for sample in samples.iter().filter(|sample| sample.side == side && sample.hold == HELD) {
        let Some(closed) = sample.outcome.closed else { continue };
        let worst = months.entry(closed / MONTH_SECONDS).or_insert(0.0);
        *worst = worst.max(sample.outcome.excess(0.0));
    }
    months.into_iter().map(|(month, worst)| (1970.0 + month as f64 / 12.0, worst)).collect()
}

fn draw_factors(area: &Area<'_>, samples: &[Sample]) -> Result<()> {
    let mut lines = Vec::new();
    for side in SIDES {
        for (hold, width) in BOOKS {
            let factors = (0..=20).map(|twentieths| f64::from(twentieths) / 20.0);
            let shortfall = |factor| {
                let month = worst_month(samples, hold, |sample| (sample.side == side).then_some(factor));
                (factor, month.map_or(0.0, |month| month.of_reserves))
            };
            lines.push(Line {
                name: format!("{}, {} days", name(side), hold.seconds() / 86_400),
                points: factors.map(shortfall).collect(),
                style: colour(side).stroke_width(width),
            });
        }
    }
    let panel = Panel {
        title: "The worst 30 days of a book of one side, in % of its reserves",
        x: 0.0..1.0,
        x_name: "reserve factor w",
        x_label: &percent,
    };
    draw_panel(area, &panel, &lines)
}

fn percent(part: &f64) -> String {
    format!("{:.0}%", part * 100.0)
}

fn draw_panel(area: &Area<'_>, panel: &Panel<'_>, lines: &[Line]) -> Result<()> {
    let highest = lines.iter().flat_map(|line| &line.points).fold(1e-3, |high: f64, point| high.max(point.1));
    let text = |colour: &RGBColor| ("sans-serif", FONT).into_font().color(colour);
    let mut builder = ChartBuilder::on(area);
    builder.margin(10).margin_right(30).x_label_area_size(FONT * 3).y_label_area_size(FONT * 4);
    builder.caption(panel.title, text(&INK));
    let mut chart = drawn(builder.build_cartesian_2d(panel.x.clone(), 0.0..highest * 1.05))?;
    let mut mesh = chart.configure_mesh();
    mesh.disable_x_mesh().light_line_style(TRANSPARENT).bold_line_style(FAINT).axis_style(QUIET);
    mesh.y_labels(6).x_labels(10).label_style(text(&QUIET)).x_desc(panel.x_name);
    drawn(mesh.x_label_formatter(panel.x_label).y_label_formatter(&percent).draw())?;
    for line in lines {
        let style = line.style;
        let series = drawn(chart.draw_series(LineSeries::new(line.points.iter().copied(), style)))?;
        series.label(line.name.clone()).legend(move |(x, y)| PathElement::new([(x, y), (x + 20, y)], style));
    }
    let mut labels = chart.configure_series_labels();
    labels.position(SeriesLabelPosition::UpperRight).background_style(WHITE.mix(0.8)).label_font(text(&INK));
    drawn(labels.draw())
}
