//! The results as Markdown.

use perpetua_pricing::Side;
use time::OffsetDateTime;

use crate::{
    book::{Book, MONTH, Shortfall},
    correlation,
    history::Hour,
    position::{Hold, Outcome},
    sample::{HOLDS, SIDES, Sample, excess, worst},
};

/// The reserve factors of the tables.
pub const FACTORS: [f64; 7] = [0.0, 0.1, 0.25, 0.35, 0.5, 0.75, 1.0];
/// How the books of the tables hold.
const BOOKS: [Hold; 4] = [Hold::Days(7), Hold::Days(30), Hold::Days(90), Hold::Days(365)];
/// What a vault lets its reserves take of the main pool.
const MAX_UTILISATION: f64 = 0.85;

/// A pair of reserve factors: calls and puts.
#[derive(Clone, Copy)]
pub struct Factors {
    pub call: f64,
    pub put: f64,
}

impl Factors {
    /// That of a side.
    pub fn of(self, side: Side) -> f64 {
        match side {
            Side::Call => self.call,
            Side::Put => self.put,
        }
    }
}

/// All of them.
pub fn all(hours: &[Hour], samples: &[Sample], factors: Factors) -> String {
    let mut text = format!("{}\n{}", summary(hours, samples), correlations(hours));
    for side in SIDES {
        text += &format!("\n{}\n{}", shares(samples, side), means(samples, side));
        text += &format!("\n{}", books(samples, side));
    }
    text += &format!("\n{}\n{}\n{}", pools(samples, factors), strikes(samples, factors), capital());
    text
}

fn row(cells: impl IntoIterator<Item = String>) -> String {
    let cells: Vec<_> = cells.into_iter().collect();
    format!("| {} |\n", cells.join(" | "))
}

fn table(title: &str, head: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let mut text = format!("{title}\n\n");
    text += &row(head.iter().map(|cell| (*cell).to_owned()));
    text += &row(head.iter().map(|_| "---".to_owned()));
    rows.into_iter().for_each(|cells| text += &row(cells));
    text
}

fn percent(part: f64, digits: usize) -> String {
    format!("{:.digits$}%", part * 100.0)
}

/// Year, month and day, in UTC.
pub fn date(time: i64) -> String {
    OffsetDateTime::from_unix_timestamp(time).map_or_else(|_| String::new(), |moment| moment.date().to_string())
}

fn name(side: Side) -> &'static str {
    match side {
        Side::Call => "Calls",
        Side::Put => "Puts",
    }
}

fn describe(hold: Hold) -> String {
    match hold {
        Hold::Days(1) => "1 day".to_owned(),
        Hold::Days(days) => format!("{days} days"),
        Hold::Best(days) => format!("best hour of {days} days"),
    }
}

/// The finished options of one side, held in one way.
fn finished(samples: &[Sample], side: Side, hold: Hold) -> impl Iterator<Item = &Outcome> + Clone {
    let wanted = move |sample: &&Sample| sample.side == side && sample.hold == hold && sample.outcome.complete;
    samples.iter().filter(wanted).map(|sample| &sample.outcome)
}

fn summary(hours: &[Hour], samples: &[Sample]) -> String {
    let edge = |hour: Option<&Hour>| hour.map_or_else(String::new, |hour| date(hour.time));
    let options = samples.len() / HOLDS.len();
    format!("{options} options from {} to {}\n", edge(hours.first()), edge(hours.last()))
}

fn correlations(hours: &[Hour]) -> String {
    // A session has six full hours.
    let rows = [("hour", 1), ("session", 6), ("5 sessions", 30)].map(|(name, length)| {
        let found = correlation::of_returns(hours, length);
        let number = |value: f64| if value.is_nan() { "-".to_owned() } else { format!("{value:.2}") };
        vec![name.to_owned(), number(found.all), number(found.crashes), found.months.to_string()]
    });
    table("Correlation of returns", &["over one", "all", "crash months", "such months"], rows)
}

fn with_factors<'a>(first: &[&'a str], columns: &'a [String], last: &[&'a str]) -> Vec<&'a str> {
    first.iter().copied().chain(columns.iter().map(String::as_str)).chain(last.iter().copied()).collect()
}

fn factor_columns() -> Vec<String> {
    FACTORS.iter().map(|factor| format!("w {}", percent(*factor, 0))).collect()
}

fn shares(samples: &[Sample], side: Side) -> String {
    let columns = factor_columns();
    let rows = HOLDS.map(|hold| {
        let options = finished(samples, side, hold);
        let shares = FACTORS.map(|factor| percent(excess(options.clone(), factor).share, 3));
        [describe(hold), options.clone().count().to_string()].into_iter().chain(shares).collect()
    });
    let title = format!("{} that take more than their reserve", name(side));
    table(&title, &with_factors(&["held", "options"], &columns, &[]), rows)
}

fn means(samples: &[Sample], side: Side) -> String {
    let columns = factor_columns();
    let rows = HOLDS.map(|hold| {
        let options = finished(samples, side, hold);
        let means = FACTORS.map(|factor| percent(excess(options.clone(), factor).mean, 4));
        let last = worst(options).map_or_else(<[String; 3]>::default, |outcome| {
            [percent(outcome.taken - 1.0, 1), date(outcome.opened), outcome.closed.map(date).unwrap_or_default()]
        });
        [describe(hold)].into_iter().chain(means).chain(last).collect()
    });
    let title = format!("{}: mean excess, and the worst at w 0%, in % of the reserve without w", name(side));
    table(&title, &with_factors(&["held"], &columns, &["worst", "opened", "closed"]), rows)
}

/// The book of the samples that have a reserve factor, held in one way.
pub fn book(samples: &[Sample], hold: Hold, factor: impl Fn(&Sample) -> Option<f64>) -> Option<Book> {
    let held = samples.iter().filter(|sample| sample.hold == hold);
    let options: Vec<_> = held.filter_map(|sample| Some((&sample.outcome, factor(sample)?))).collect();
    Book::new(&options, hold)
}

/// The worst of all windows of a month.
pub fn worst_month(samples: &[Sample], hold: Hold, factor: impl Fn(&Sample) -> Option<f64>) -> Option<Shortfall> {
    book(samples, hold, factor).and_then(|book| book.worst(MONTH))
}

fn books(samples: &[Sample], side: Side) -> String {
    let columns = factor_columns();
    let rows = BOOKS.iter().flat_map(|hold| {
        let books = FACTORS.map(|factor| book(samples, *hold, |sample| (sample.side == side).then_some(factor)));
        [("day", 1), ("30 days", MONTH)].map(|(name, days)| {
            let worst = books.each_ref().map(|book| book.as_ref().and_then(|book| book.worst(days)));
            let [first, ..] = worst;
            let cells = worst.map(|found| percent(part(found), 2));
            [describe(*hold), name.to_owned()].into_iter().chain(cells).chain([start(first)]).collect()
        })
    });
    let title = format!(
        "{}: a book's worst shortfall in % of its reserves (ten times that: of an insurance pool of 10% of them)",
        name(side)
    );
    table(&title, &with_factors(&["held", "worst"], &columns, &["from (w 0%)"]), rows)
}

fn pools(samples: &[Sample], factors: Factors) -> String {
    let kinds = [("both", SIDES.to_vec()), ("calls", vec![Side::Call]), ("puts", vec![Side::Put])];
    let rows = BOOKS.iter().flat_map(|hold| {
        kinds.each_ref().map(|(kind, sides)| {
            let book = book(samples, *hold, |sample| sides.contains(&sample.side).then(|| factors.of(sample.side)));
            let [day, month] = [1, MONTH].map(|days| book.as_ref().and_then(|book| book.worst(days)));
            let pool = book.as_ref().map_or(0.0, Book::pool);
            let [day, month] = [day, month].map(|found| [percent(part(found), 2), start(found)]);
            let cells = [describe(*hold), (*kind).to_owned()].into_iter().chain(day).chain(month);
            cells.chain([percent(pool, 1)]).collect()
        })
    });
    let title = format!(
        "Calls with w {}, puts with w {}: a book's worst shortfall, and the insurance pool that pays it without a claim, in % of reserves",
        percent(factors.call, 0),
        percent(factors.put, 0)
    );
    table(&title, &["held", "book", "worst day", "on", "worst 30 days", "from", "pool"], rows)
}

fn part(found: Option<Shortfall>) -> f64 {
    found.map_or(0.0, |found| found.of_reserves)
}

fn start(found: Option<Shortfall>) -> String {
    found.map_or_else(|| "-".to_owned(), |found| date(found.start))
}

fn strikes(samples: &[Sample], factors: Factors) -> String {
    const HOLD: Hold = Hold::Days(90);
    let mut ticks: Vec<i32> = samples.iter().map(|sample| sample.tick).collect();
    ticks.sort_unstable();
    ticks.dedup();
    let rows = ticks.into_iter().map(|tick| {
        let cells = SIDES.map(|side| {
            let wanted = |sample: &Sample| sample.side == side && sample.tick == tick;
            let held = samples.iter().filter(|sample| wanted(sample) && sample.hold == HOLD);
            let options = held.map(|sample| &sample.outcome).filter(|option| option.complete);
            let found = excess(options, factors.of(side));
            let month = worst_month(samples, HOLD, |sample| wanted(sample).then_some(factors.of(side)));
            [percent(found.share, 2), percent(found.mean, 3), percent(part(month), 1)]
        });
        [tick.to_string()].into_iter().chain(cells.into_iter().flatten()).collect()
    });
    let title = "By strike at the same factors, held 90 days: options with an excess, its mean, and the worst 30 days of a book of that strike alone";
    table(title, &["ticks above spot", "calls", "mean", "30 days", "puts", "mean", "30 days"], rows)
}

fn capital() -> String {
    let rows = FACTORS.map(|factor| {
        let sold = MAX_UTILISATION / (crate::history::CAP_FRACTION * (1.0 + factor));
        vec![percent(factor, 0), percent(sold, 0), percent(1.0 / (1.0 + factor), 0)]
    });
    table("What a pool can sell at the money", &["w", "notional / main pool", "of what w 0% sells"], rows)
}
