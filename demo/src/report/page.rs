//! The page: one file, no network, for phones and desktops, in light and dark.

use std::collections::BTreeSet;

use anyhow::Result;
use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::{
    canvas::{NARROW, Size, WIDE, date},
    charts,
    tables::{self, Table},
};
use crate::{
    format::{signed, thousands, tokens},
    record::{Group, Hour, Kind, Record},
};

const STYLE: &str = include_str!("style.css");
const DARK: &str = include_str!("dark.css");

/// The thresholds that the utilisation chart shows: where prices start to rise, and where opening ends.
const UTILISATION_LEVELS: [f64; 2] = [0.60, 0.85];

/// The whole page.
///
/// Errors: where drawing fails.
pub fn page(record: &Record) -> Result<String> {
    let token = &record.setting.token;
    let body = html! {
        (tiles(&[record]))
        (figure("Every option on the board", "Each line is an option at its strike, from when it was bought to when it ended.", |size| charts::index(record, size))?)
        (figure("Traders", &format!("What each would have won or lost by selling everything at the bid, in {token}. A steady fall is premium and funding being spent."), |size| charts::results(record, size))?)
        (figure("Sellers", &format!("A share of each pool in {token}, against 1 for keeping the token in a wallet."), |size| charts::shares(record, size))?)
        (figure("What the sellers earned and paid", &format!("Since the start, in {token}."), |size| charts::income(record, size))?)
        (figure("How much of the main pool was reserved", "Every payout is reserved in full when an option is bought.", |size| charts::utilisation(record, size, UTILISATION_LEVELS))?)
        (figure("The volatility that the market quoted", "It follows what bitcoin really did, at most 10% an hour.", |size| charts::volatility(record, size))?)
        (cast(record))
        (tables(record))
    };
    let heading = format!("Bitcoin options paid in {token}");
    Ok(frame("Perpetua: a replay of the bitcoin crash of March 2020", &heading, &story(record), &body))
}

/// A page around its body.
pub fn frame(title: &str, heading: &str, story: &[String], body: &Markup) -> String {
    let markup = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) }
                style { (PreEscaped(STYLE)) "@media (prefers-color-scheme: dark) {" (PreEscaped(DARK)) "}" }
            }
            body {
                main {
                    h1 { (heading) }
                    @for paragraph in story { p class="story" { (paragraph) } }
                    (body)
                    footer {
                        p { "Everything here ran on the compiled program in an embedded Solana VM. Prices: see demo/data/PROVENANCE.md." }
                    }
                }
            }
        }
    };
    markup.into_string()
}

/// The tables that every run has.
pub fn tables(record: &Record) -> Markup {
    html! {
        (table(&tables::results(record)))
        (table(&tables::flows(record)))
        (table(&tables::refusals(record)))
        (table(&tables::checks(record)))
        (table(&tables::ledgers(record)))
        (table(&tables::compute(record)))
        details { summary { "Everything that happened, in order" } (table(&tables::happenings(record))) }
    }
}

/// The picture of every option, as a file of its own.
///
/// Errors: where drawing fails.
pub fn picture(record: &Record) -> Result<String> {
    Ok(alone(&charts::index(record, WIDE)?))
}

/// A drawing as a file of its own, in light and dark.
pub fn alone(svg: &str) -> String {
    let style = format!(
        "<style>svg{{background:#fff}}@media (prefers-color-scheme:dark){{svg{{background:#14181d}}{DARK}}}</style>"
    );
    // Plotters writes the opening tag first and on a line of its own.
    svg.replacen(">\n", &format!(">\n{style}\n"), 1)
}

/// A chart for desktops and phones under its title.
///
/// Errors: where drawing fails.
pub fn figure(title: &str, note: &str, chart: impl Fn(Size) -> Result<String>) -> Result<Markup> {
    Ok(html! {
        figure {
            figcaption { h2 { (title) } p { (note) } }
            div class="wide" { (PreEscaped(chart(WIDE)?)) }
            div class="narrow" { (PreEscaped(chart(NARROW)?)) }
        }
    })
}

/// A table.
pub fn table(table: &Table) -> Markup {
    let class = |column: usize| (column >= table.names).then_some("number");
    html! {
        section {
            h2 { (table.title) }
            p { (table.note) }
            div class="scroll" {
                table {
                    thead { tr { @for (column, head) in table.head.iter().enumerate() { th class=[class(column)] { (head) } } } }
                    tbody { @for row in &table.rows { tr { @for (column, cell) in row.iter().enumerate() { td class=[class(column)] { (cell) } } } } }
                    @if let Some(sum) = &table.sum {
                        tfoot { tr { @for (column, cell) in sum.iter().enumerate() { td class=[class(column)] { (cell) } } } }
                    }
                }
            }
        }
    }
}

/// Who took part.
pub fn cast(record: &Record) -> Markup {
    html! {
        section {
            h2 { "Who took part" }
            dl { @for actor in record.actors.iter().filter(|actor| !actor.rule.is_empty()) { dt { (actor.name) } dd { (actor.rule) } } }
        }
    }
}

/// A few numbers of runs together.
pub fn tiles(records: &[&Record]) -> Markup {
    let decimals = records.first().map_or(0, |record| record.setting.decimals);
    let actors = || records.iter().flat_map(|record| &record.actors);
    let of = |group: Group| actors().filter(move |actor| actor.group == group);
    let traders: i128 = of(Group::Trader).map(crate::record::Actor::result).sum();
    let sellers: i128 = of(Group::Provider).chain(of(Group::Project)).map(crate::record::Actor::result).sum();
    let happenings = || records.iter().flat_map(|record| &record.happenings);
    let count = |kind: Kind| happenings().filter(|happening| happening.kind == kind).count();
    let checks = || records.iter().flat_map(|record| &record.checks);
    let refused = records.iter().flat_map(|record| &record.refusals).map(|refusal| refusal.count).sum::<usize>();
    let transactions: usize = records.iter().map(|record| record.transactions).sum();
    let broken = checks().filter(|check| !check.holds).count();
    let tile = |value: String, label: &str| html! { div class="tile" { strong { (value) } span { (label) } } };
    html! {
        div class="tiles" {
            (tile(signed(traders, decimals), "tokens: all traders together"))
            (tile(signed(sellers, decimals), "tokens: all sellers together"))
            (tile(count(Kind::Open).to_string(), "purchases of options"))
            (tile(thousands(transactions), "transactions on the program"))
            (tile(refused.to_string(), "refused, and why is below"))
            (tile(if broken == 0 { "all hold".to_owned() } else { format!("{broken} BROKEN") }, &format!("of {} promises checked", checks().count())))
        }
    }
}

/// The run in a few sentences.
pub fn story(record: &Record) -> Vec<String> {
    let (Some(first), Some(last)) = (record.hours.first(), record.hours.last()) else { return Vec::new() };
    vec![setting(record, first, last), traders(record), sellers(record, last)]
}

fn setting(record: &Record, first: &Hour, last: &Hour) -> String {
    let lowest = record.hours.iter().min_by(|a, b| a.price.total_cmp(&b.price)).unwrap_or(first);
    let setting = &record.setting;
    format!(
        "{} hours of real bitcoin prices, {} to {} 2020, replayed hour by hour on the compiled program. Bitcoin starts at \
         ${:.0}, falls to ${:.0} on {} and ends at ${:.0}. Every premium, funding payment and payout is in {token}: a dollar of \
         option value is always {} raw units of it, as many as a dollar bought when the market was listed and a share of \
         TSLA cost ${}.{:02}.",
        thousands(record.hours.len()),
        date(first.time),
        date(last.time),
        first.price,
        lowest.price,
        date(lowest.time),
        last.price,
        thousands(setting.units_per_usd),
        setting.stock_price_cents / 100,
        setting.stock_price_cents % 100,
        token = setting.token,
    )
}

fn traders(record: &Record) -> String {
    let of = |kind: Kind| record.happenings.iter().filter(move |happening| happening.kind == kind);
    let liquidated: BTreeSet<_> = of(Kind::Liquidation).map(|happening| happening.actor).collect();
    format!(
        "Traders bought {} times and sold {} times. Keepers paid {} positions their cap, retired {} that had drifted too far \
         from the price, and liquidated {} trader{} in {} small steps, each closing no more than his margin needed.",
        of(Kind::Open).count(),
        of(Kind::Close).count(),
        of(Kind::Capped).count(),
        of(Kind::Retired).count(),
        liquidated.len(),
        if liquidated.len() == 1 { "" } else { "s" },
        of(Kind::Liquidation).count(),
    )
}

fn sellers(record: &Record, last: &Hour) -> String {
    let hours = &record.hours;
    let days = hours.iter().zip(hours.iter().skip(24)).map(|(before, after)| after.price / before.price - 1.0);
    let worst_day = days.fold(0.0, f64::min);
    let share = hours.iter().map(|hour| hour.share_price).fold(f64::INFINITY, f64::min);
    let used = hours.iter().map(|hour| hour.utilisation).fold(0.0, f64::max);
    let amount = |raw: u64| tokens(raw.into(), record.setting.decimals);
    format!(
        "The slice was chosen for its worst day, {:.0}% within 24 hours: the season in which sellers lose. They took in {} \
         tokens of premium and their part of {} of funding, and paid out {}. A share of their pool was worth {share:.3} tokens at \
         its worst and {:.3} when the last ones left; never was more than {:.0}% of the pool reserved, and every payout was \
         there when it was due.",
        worst_day * 100.0,
        amount(last.premium),
        amount(last.funding),
        amount(last.payout),
        last.share_price,
        used * 100.0,
    )
}
