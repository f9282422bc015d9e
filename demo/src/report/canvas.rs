//! What the charts have in common: a size, colours, a legend, a time axis.

use std::ops::Range;

use anyhow::{Result, anyhow};
use plotters::{
    coord::{
        Shift,
        combinators::WithKeyPoints,
        types::{RangedCoordf64, RangedCoordi64},
    },
    prelude::*,
};
use time::OffsetDateTime;

/// Colours that the style sheet replaces in the dark.
pub mod colour {
    use plotters::style::RGBColor;

    /// Text and the index.
    pub const INK: RGBColor = RGBColor(0x1d, 0x24, 0x2c);
    /// Axes and notes.
    pub const QUIET: RGBColor = RGBColor(0x6b, 0x75, 0x80);
    /// Grid lines.
    pub const FAINT: RGBColor = RGBColor(0xe3, 0xe6, 0xe9);
    /// Calls; and the first line of a chart.
    pub const BLUE: RGBColor = RGBColor(0x1f, 0x6f, 0xd0);
    /// Puts; and the second line.
    pub const ORANGE: RGBColor = RGBColor(0xd9, 0x5f, 0x1c);
    /// Third line.
    pub const GREEN: RGBColor = RGBColor(0x12, 0x8a, 0x5e);
    /// Fourth line.
    pub const VIOLET: RGBColor = RGBColor(0x7b, 0x4f, 0xc4);
    /// Fifth line.
    pub const GOLD: RGBColor = RGBColor(0xb0, 0x86, 0x00);
    /// Bad news; and the sixth line.
    pub const RED: RGBColor = RGBColor(0xcc, 0x2b, 0x4a);
    /// Seventh line.
    pub const TEAL: RGBColor = RGBColor(0x1a, 0x8f, 0xa8);
    /// Eighth line.
    pub const BROWN: RGBColor = RGBColor(0x8a, 0x5a, 0x3c);

    /// The lines of a chart in order.
    pub const LINES: [RGBColor; 8] = [BLUE, ORANGE, GREEN, VIOLET, GOLD, RED, TEAL, BROWN];
}

/// How large a chart is drawn: the page shows the one that fits the screen.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// Height of letters in pixels.
    pub font: u32,
    /// Weeks between two labels on the time axis.
    pub weeks: i64,
}

/// For desktops.
pub const WIDE: Size = Size { width: 960, height: 400, font: 14, weeks: 1 };
/// For phones.
pub const NARROW: Size = Size { width: 400, height: 340, font: 13, weeks: 3 };

/// How a legend's entry looks.
#[derive(Clone, Copy)]
pub enum Mark {
    /// A line.
    Line,
    /// A filled square.
    Square,
    /// A filled dot.
    Dot,
    /// A ring.
    Ring,
    /// A diamond.
    Diamond,
    /// A cross.
    Cross,
}

/// An entry of a legend.
pub struct Entry {
    /// What it says.
    pub text: String,
    /// The colour of its mark.
    pub colour: RGBColor,
    /// Its mark.
    pub mark: Mark,
}

/// An entry of a legend.
pub fn entry(text: impl Into<String>, colour: RGBColor, mark: Mark) -> Entry {
    Entry { text: text.into(), colour, mark }
}

/// A part of the picture.
pub type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
/// A chart over time.
pub type TimeChart<'a, 'b> =
    ChartContext<'b, SVGBackend<'a>, Cartesian2d<WithKeyPoints<RangedCoordi64>, RangedCoordf64>>;

/// Height of a row.
pub const ROW: i64 = 100;

/// Rows of marks over time.
pub type RowChart<'a, 'b> =
    ChartContext<'b, SVGBackend<'a>, Cartesian2d<WithKeyPoints<RangedCoordi64>, WithKeyPoints<RangedCoordi64>>>;

/// Turns the drawing library's errors into ours.
pub fn drawn<T, E: std::error::Error + Send + Sync>(result: Result<T, E>) -> Result<T> {
    result.map_err(|error| anyhow!("drawing: {error}"))
}

/// Writes a title along the top and returns the rest of the area.
pub fn titled<'a>(area: &Area<'a>, size: Size, title: &str) -> Result<Area<'a>> {
    let font = i32::try_from(size.font)?;
    let style = ("sans-serif", size.font + 1).into_font().style(FontStyle::Bold).color(&colour::INK);
    drawn(area.draw(&Text::new(title.to_owned(), (font / 2, font / 2), style)))?;
    Ok(area.split_vertically(font * 2).1)
}

/// Draws on a new canvas and returns the SVG.
pub fn draw(size: Size, paint: impl FnOnce(&Area<'_>) -> Result<()>) -> Result<String> {
    let mut svg = String::new();
    {
        let root = SVGBackend::with_string(&mut svg, (size.width, size.height)).into_drawing_area();
        paint(&root)?;
        drawn(root.present())?;
    }
    Ok(svg)
}

/// Writes a legend along the top and returns the rest of the area.
pub fn legend<'a>(area: &Area<'a>, size: Size, entries: &[Entry]) -> Result<Area<'a>> {
    let font = i32::try_from(size.font)?;
    let (right, line) = (i32::try_from(size.width)?, font + 8);
    let (mut x, mut y) = (font / 2, font);
    for entry in entries {
        let text = i32::try_from(entry.text.chars().count())? * font / 2;
        let whole = text + font * 5 / 2;
        if x + whole > right && x > font {
            (x, y) = (font / 2, y + line);
        }
        draw_mark(area, (x + font / 2, y), entry)?;
        let style = ("sans-serif", size.font).into_font().color(&colour::INK);
        drawn(area.draw(&Text::new(entry.text.clone(), (x + font * 3 / 2, y - font * 2 / 5), style)))?;
        x += whole;
    }
    Ok(area.split_vertically(y + line / 2).1)
}

fn draw_mark(area: &Area<'_>, (x, y): (i32, i32), entry: &Entry) -> Result<()> {
    let (ink, full) = (entry.colour.stroke_width(2), entry.colour.filled());
    match entry.mark {
        Mark::Line => drawn(area.draw(&PathElement::new([(x - 6, y), (x + 6, y)], entry.colour.stroke_width(3)))),
        Mark::Square => drawn(area.draw(&Rectangle::new([(x - 5, y - 5), (x + 5, y + 5)], full))),
        Mark::Dot => drawn(area.draw(&Circle::new((x, y), 4, full))),
        Mark::Ring => drawn(area.draw(&Circle::new((x, y), 4, ink))),
        Mark::Cross => drawn(area.draw(&Cross::new((x, y), 5, ink))),
        Mark::Diamond => drawn(area.draw(&Polygon::new([(x - 6, y), (x, y - 6), (x + 6, y), (x, y + 6)], full))),
    }
}

/// Axes for rows of marks over time, each with its name; the first row is on top.
pub fn row_chart<'a, 'b>(area: &'b Area<'a>, size: Size, time: Range<i64>, names: &[&str]) -> Result<RowChart<'a, 'b>> {
    let rows = i64::try_from(names.len())?;
    let mut builder = ChartBuilder::on(area);
    builder.margin(6).margin_right(size.font * 2).x_label_area_size(size.font * 2).y_label_area_size(size.font * 9);
    let times = time.clone().with_key_points(mondays(time, size.weeks));
    // Names stand in the middle of their rows.
    let middles = (0..rows).map(|row| ROW * row + ROW / 2).collect();
    let mut chart = drawn(builder.build_cartesian_2d(times, (0..ROW * rows).with_key_points(middles)))?;
    let text = ("sans-serif", size.font).into_font().color(&colour::QUIET);
    let name = |at: &i64| {
        let row = usize::try_from(rows - 1 - at.div_euclid(ROW)).ok();
        row.and_then(|row| names.get(row)).map_or_else(String::new, |name| (*name).to_owned())
    };
    let mut mesh = chart.configure_mesh();
    mesh.disable_mesh().axis_style(colour::QUIET).label_style(text).x_label_formatter(&|time| date(*time));
    drawn(mesh.y_label_formatter(&name).draw())?;
    Ok(chart)
}

/// Axes for a chart over time.
pub fn time_chart<'a, 'b>(
    area: &'b Area<'a>,
    size: Size,
    time: Range<i64>,
    values: Range<f64>,
    label: &dyn Fn(&f64) -> String,
) -> Result<TimeChart<'a, 'b>> {
    let days = mondays(time.clone(), size.weeks);
    chart_with_days(area, size, time, days, values, label)
}

/// The same for a few days.
pub fn day_chart<'a, 'b>(
    area: &'b Area<'a>,
    size: Size,
    time: Range<i64>,
    values: Range<f64>,
    label: &dyn Fn(&f64) -> String,
) -> Result<TimeChart<'a, 'b>> {
    const DAY: i64 = 86_400;
    let first = time.start + (-time.start).rem_euclid(DAY);
    let days = (first..=time.end).step_by(86_400).collect();
    chart_with_days(area, size, time, days, values, label)
}

fn chart_with_days<'a, 'b>(
    area: &'b Area<'a>,
    size: Size,
    time: Range<i64>,
    days: Vec<i64>,
    values: Range<f64>,
    label: &dyn Fn(&f64) -> String,
) -> Result<TimeChart<'a, 'b>> {
    let mut builder = ChartBuilder::on(area);
    builder.margin(6).margin_right(size.font * 2).x_label_area_size(size.font * 2).y_label_area_size(size.font * 4);
    let mut chart = drawn(builder.build_cartesian_2d(time.with_key_points(days), values))?;
    let text = ("sans-serif", size.font).into_font().color(&colour::QUIET);
    let mut mesh = chart.configure_mesh();
    mesh.disable_x_mesh().light_line_style(TRANSPARENT).bold_line_style(colour::FAINT).axis_style(colour::QUIET);
    mesh.y_labels(6).label_style(text).x_label_formatter(&|time| date(*time));
    drawn(mesh.y_label_formatter(label).draw())?;
    Ok(chart)
}

/// Midnights between Sunday and Monday, every so many weeks.
fn mondays(time: Range<i64>, weeks: i64) -> Vec<i64> {
    const WEEK: i64 = 7 * 86_400;
    // The first day of 1970 was a Thursday.
    const FIRST_MONDAY: i64 = 4 * 86_400;
    let step = usize::try_from(weeks * WEEK).unwrap_or(1);
    let first = time.start + (FIRST_MONDAY - time.start).rem_euclid(WEEK);
    (first..=time.end).step_by(step).collect()
}

/// A line through points.
pub fn line(
    chart: &mut TimeChart<'_, '_>,
    points: impl Iterator<Item = (i64, f64)>,
    style: impl Into<ShapeStyle>,
) -> Result<()> {
    drawn(chart.draw_series(LineSeries::new(points, style)))?;
    Ok(())
}

/// Bands over the whole height.
pub fn bands(
    chart: &mut TimeChart<'_, '_>,
    times: impl Iterator<Item = Range<i64>>,
    values: Range<f64>,
    style: impl Into<ShapeStyle>,
) -> Result<()> {
    let style = style.into();
    let band = |time: Range<i64>| Rectangle::new([(time.start, values.start), (time.end, values.end)], style);
    drawn(chart.draw_series(times.map(band)))?;
    Ok(())
}

/// A level part from one time to another.
pub fn level(chart: &mut TimeChart<'_, '_>, time: Range<i64>, value: f64, style: impl Into<ShapeStyle>) -> Result<()> {
    line(chart, [(time.start, value), (time.end, value)].into_iter(), style)
}

/// A range that holds all values and some air.
pub fn around(values: impl Iterator<Item = f64>) -> Range<f64> {
    let (low, high) = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| (low.min(v), high.max(v)));
    if low > high {
        return 0.0..1.0;
    }
    let air = (high - low).max(high.abs() * 1e-3) * 0.06;
    low - air..high + air
}

/// Month and day.
pub fn date(time: i64) -> String {
    let Ok(moment) = OffsetDateTime::from_unix_timestamp(time) else { return String::new() };
    let month = moment.month().to_string();
    format!("{} {}", moment.day(), month.get(..3).unwrap_or(&month))
}

/// Day, month and hour, in UTC.
pub fn date_and_hour(time: i64) -> String {
    let hour = OffsetDateTime::from_unix_timestamp(time).map_or(0, OffsetDateTime::hour);
    format!("{}, {hour:02}:00", date(time))
}
