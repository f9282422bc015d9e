//! What instructions cost: the committed table, how a change moves it, and the document made of it.

use std::{collections::BTreeMap, fmt::Write, fs, path::PathBuf};

use anyhow::{Context, Result};
use serde::Deserialize;

use crate::{
    build,
    generated::Generated,
    shell::{Shell, run},
    test::DROP_IN,
};

/// Compute units that all transactions of a block may use of one account that they write to.
const ACCOUNT_LIMIT: u64 = 12_000_000;
/// Blocks in ten seconds.
const BLOCKS_IN_TEN_SECONDS: u64 = 25;

#[derive(Deserialize)]
struct Cost {
    typical: u64,
    worst: u64,
    ceiling: u64,
}

/// The table as the tests write it.
#[derive(Deserialize)]
struct Table {
    program_bytes: u64,
    instructions: BTreeMap<String, Cost>,
    growth: BTreeMap<String, BTreeMap<String, Vec<(u64, u64)>>>,
}

/// This project's goals: the bar that must be met and the one aimed at.
const BARS: &[(&str, u64, u64)] = &[
    ("crank_funding", 25_000, 12_000),
    ("deposit", 18_000, 12_000),
    ("withdraw", 18_000, 12_000),
    ("open_position", 32_000, 20_000),
    ("close_position", 32_000, 20_000),
    ("liquidate", 50_000, 30_000),
    ("settle_capped", 20_000, 12_000),
    ("mark_market", 50_000, 25_000),
    ("join_pool", 28_000, 18_000),
    ("request_withdrawal", 28_000, 18_000),
    ("execute_withdrawal", 28_000, 18_000),
];

/// What others publish or budget.
const OTHERS: &[(&str, &str)] = &[
    ("Drift, UpdateFundingRate of one rate", "102,636"),
    ("Adrena's keepers, open or close", "285,000-385,000"),
    ("gmx-solana, a market order", "227,000-353,000"),
    ("Percolator, liquidate", "about 206,000"),
];

/// Where the tests write what they measured.
pub fn measured(shell: &Shell) -> PathBuf {
    shell.target().join("compute_units.json")
}

/// Builds the program, measures it and prints every instruction with what changed since the committed table; writes that
/// table and the document anew with `bless`.
pub fn bench(shell: &Shell, bless: bool) -> Result<()> {
    build::program(shell)?;
    // The whole workspace's features, as in `cargo xtask test`: with others, cargo would compile all dependencies anew.
    let mut measure =
        shell.cargo(&["test", "--locked", "--workspace", "--features", DROP_IN, "--test", "compute_units"]);
    // Whatever it costs is shown below, also where it is above a ceiling.
    let outcome = run(measure.env("BENCH", "1"));
    let now = read(&measured(shell))?;
    let committed = read(&shell.root.join("compute_units.json"));
    print!("{}", differences(&now, committed.as_ref().ok()));
    if bless {
        let content = fs::read_to_string(measured(shell))?;
        Generated { path: "compute_units.json".to_owned(), content }.write(shell)?;
        document(shell)?.write(shell)?;
    }
    outcome
}

fn read(path: &std::path::Path) -> Result<Table> {
    let text = fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))?;
    serde_json::from_str(&text).with_context(|| format!("{} is no table of compute units", path.display()))
}

fn differences(now: &Table, before: Option<&Table>) -> String {
    let mut out = format!("{:24}{:>9}{:>9}{:>9}{:>9}{:>9}\n", "", "typical", "change", "worst", "change", "ceiling");
    let change = |now: u64, before: Option<u64>| match before {
        Some(before) if before != now => format!("{:+}", i128::from(now) - i128::from(before)),
        Some(_) => String::new(),
        None => "new".to_owned(),
    };
    for (name, cost) in &now.instructions {
        let known = before.and_then(|before| before.instructions.get(name));
        let typical = change(cost.typical, known.map(|known| known.typical));
        let worst = change(cost.worst, known.map(|known| known.worst));
        let (now, most, ceiling) = (cost.typical, cost.worst, cost.ceiling);
        // Writing to a string cannot fail.
        let _ = writeln!(out, "{name:24}{now:>9}{typical:>9}{most:>9}{worst:>9}{ceiling:>9}");
    }
    let size = change(now.program_bytes, before.map(|before| before.program_bytes));
    let _ = writeln!(out, "{:24}{:>9}{size:>9}", "bytes of the program", now.program_bytes);
    out
}

/// `COMPUTE.md`, made of the measured table.
///
/// Errors: if no test wrote the table.
pub fn document(shell: &Shell) -> Result<Generated> {
    Ok(Generated { path: "COMPUTE.md".to_owned(), content: write_document(&read(&measured(shell))?)? })
}

fn write_document(table: &Table) -> Result<String> {
    let mut out = String::from(INTRODUCTION);
    writeln!(out, "The program has {} bytes (must 409,600, aim 256,000).\n", number(table.program_bytes))?;
    writeln!(
        out,
        "| instruction | typical | worst | ceiling | must | aim |\n| --- | ---: | ---: | ---: | ---: | ---: |"
    )?;
    for (name, cost) in &table.instructions {
        let [typical, worst, ceiling] = [cost.typical, cost.worst, cost.ceiling].map(number);
        let bar = BARS.iter().find(|(known, ..)| known == name);
        let (must, aim) = bar.map_or_else(Default::default, |(_, must, aim)| (number(*must), number(*aim)));
        writeln!(out, "| `{name}` | {typical} | {worst} | {ceiling} | {must} | {aim} |")?;
    }
    out.push_str(GROWTH);
    for (name, series) in &table.growth {
        for (what, points) in series {
            let (heads, units): (Vec<_>, Vec<_>) =
                points.iter().map(|(count, units)| (count.to_string(), number(*units))).unzip();
            let line = vec!["---:"; heads.len()].join(" | ");
            writeln!(out, "\n| `{name}`: {what} | {} |\n| --- | {line} |", heads.join(" | "))?;
            writeln!(out, "| compute units | {} |", units.join(" | "))?;
        }
    }
    throughput(&mut out, table)?;
    out.push_str("\n## Others\n\n| what others publish or budget | compute units |\n| --- | ---: |\n");
    for (who, units) in OTHERS {
        writeln!(out, "| {who} | {units} |")?;
    }
    Ok(out)
}

fn throughput(out: &mut String, table: &Table) -> Result<()> {
    out.push_str(THROUGHPUT);
    let cost = |name: &str| table.instructions.get(name).with_context(|| format!("{name} was not measured"));
    let crank = cost("crank_funding")?;
    for name in ["open_position", "close_position"] {
        let trade = cost(name)?;
        let sums = [crank.typical + trade.typical, crank.worst + trade.worst];
        let [typical, worst] = sums.map(|sum| format!("{} | {}", number(sum), per_second(sum)));
        writeln!(out, "| `crank_funding` + `{name}` | {typical} | {worst} |")?;
    }
    Ok(())
}

/// Transactions a second, with one decimal, of which each uses `units` of the same account's limit.
fn per_second(units: u64) -> String {
    let tenths = ACCOUNT_LIMIT / units.max(1) * BLOCKS_IN_TEN_SECONDS;
    format!("{}.{}", tenths / 10, tenths % 10)
}

/// A number with separators.
fn number(value: u64) -> String {
    let digits = value.to_string();
    let mut out = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

const INTRODUCTION: &str = "# What it costs

Generated by `cargo xtask test --bless` from [compute_units.json](compute_units.json); `cargo xtask test` proves it fresh, and
`cargo bench-cu` prints what a change moves.

Compute units of the program that `tools/sbf` builds, on LiteSVM, with a Token-2022 mint with all eight extensions of an
xStock. Token transfers and the event, which is a call of the program to itself, are included. *Typical* is an instruction's
scene in `tests/src/scenes.rs`; *worst* is the highest over prices, states, positions and open interest that
`tests/tests/compute_units.rs` tries. That test fails above the *ceiling*. *Must* and *aim* are this project's goals; where worst is
above must, the goal is not met yet.

";

const GROWTH: &str = "
## How cost grows

A crank computes a few exponentials and then goes from strike to strike by products. Opening and withdrawing add up the margin of
every position; closing looks at one. A liquidation here closes every position.
";

const THROUGHPUT: &str = "
## Trades a second

All transactions of a block may together use 12 million units of an account that they write to, and a block takes 400 ms. A trade
writes its market and its vault, so this holds for the markets of one vault together. Each trade is counted with a crank of its own,
which trades in the same slot and after the same price can share.

| transaction | typical | a second | worst | a second |
| --- | ---: | ---: | ---: | ---: |
";

#[cfg(test)]
mod tests {
    use super::*;

    fn table(worst: u64) -> Table {
        let cost = Cost { typical: 1_000, worst, ceiling: 50_000 };
        Table { program_bytes: 9, instructions: BTreeMap::from([("act".to_owned(), cost)]), growth: BTreeMap::new() }
    }

    #[test]
    fn a_difference_is_shown_with_its_sign_and_none_is_not() {
        let out = differences(&table(2_100), Some(&table(2_345)));
        let line: Vec<&str> = out.lines().nth(1).unwrap().split_whitespace().collect();
        assert_eq!(line, ["act", "1000", "2100", "-245", "50000"]);
        assert!(differences(&table(1), None).contains("new"));
    }

    #[test]
    fn a_block_holds_whole_transactions() {
        assert_eq!(per_second(12_000_000), "2.5");
        assert_eq!(per_second(7_000_000), "2.5");
        assert_eq!(per_second(50_000), "600.0");
    }

    #[test]
    fn numbers_have_separators() {
        assert_eq!([0, 999, 1_000, 1_234_567].map(number), ["0", "999", "1,000", "1,234,567"]);
    }
}
