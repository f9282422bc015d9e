//! The tables, once: the terminal and the page show the same rows.

use crate::{
    format::{signed, size, thousands, tokens},
    history::HOUR,
    record::{Actor, Group, Happening, Kind, Record, Subject},
    report::canvas::date_and_hour,
};

/// A table of text. The first `names` columns are words, the others numbers.
pub struct Table {
    /// What it shows.
    pub title: &'static str,
    /// What the reader should know before.
    pub note: String,
    /// Column heads.
    pub head: Vec<&'static str>,
    /// How many columns hold words.
    pub names: usize,
    /// The rows.
    pub rows: Vec<Vec<String>>,
    /// A last row with the sum.
    pub sum: Option<Vec<String>>,
}

/// How everybody came out of it.
pub fn results(record: &Record) -> Table {
    let decimals = record.setting.decimals;
    let row = |actor: &Actor| {
        vec![
            actor.name.clone(),
            group(actor.group).to_owned(),
            tokens(actor.paid_in.into(), decimals),
            tokens(actor.taken_out.into(), decimals),
            signed(actor.result(), decimals),
        ]
    };
    let total: i128 = record.actors.iter().map(Actor::result).sum();
    let paid_in: u64 = record.actors.iter().map(|actor| actor.paid_in).sum();
    let taken_out: u64 = record.actors.iter().map(|actor| actor.taken_out).sum();
    Table {
        title: "Profit and loss",
        note: format!(
            "In {}. Everybody has left at the end, so every number is tokens in and out of wallets. The sum is {total} raw units.",
            record.setting.token
        ),
        head: vec!["Who", "Role", "Paid in", "Taken out", "Result"],
        names: 2,
        rows: record.actors.iter().map(row).collect(),
        sum: Some(vec![
            "Sum".to_owned(),
            String::new(),
            tokens(paid_in.into(), decimals),
            tokens(taken_out.into(), decimals),
            signed(total, decimals),
        ]),
    }
}

/// Where tokens went.
pub fn flows(record: &Record) -> Table {
    lines("What moved", "In tokens, from the first hour to the last.", &record.flows, record.setting.decimals, false)
}

/// The vault at the end.
pub fn ledgers(record: &Record) -> Table {
    let note = "What is left when everybody is out, and who could still ask for it.";
    lines("Ledgers at the end", note, &record.ledgers, record.setting.decimals, true)
}

fn lines(title: &'static str, note: &str, lines: &[crate::record::Line], decimals: u8, raw: bool) -> Table {
    let amount = |line: &crate::record::Line| {
        if raw { thousands(line.tokens) } else { tokens(line.tokens.into(), decimals) }
    };
    Table {
        title,
        note: note.to_owned(),
        head: vec!["What", "Meaning", if raw { "Raw units" } else { "Tokens" }],
        names: 2,
        rows: lines.iter().map(|line| vec![line.name.clone(), line.note.clone(), amount(line)]).collect(),
        sum: None,
    }
}

/// What happened to positions and pools.
pub fn happenings(record: &Record) -> Table {
    Table {
        title: "What happened",
        note: "Hours are UTC; tokens are what was paid (bought, joined) or received.".to_owned(),
        head: vec!["When", "Who", "What", "Index", "Tokens"],
        names: 3,
        rows: record.happenings.iter().map(|happening| happening_row(record, happening)).collect(),
        sum: None,
    }
}

fn happening_row(record: &Record, happening: &Happening) -> Vec<String> {
    let name = record.actors.get(happening.actor).map_or("", |actor| &actor.name);
    let of = match &happening.of {
        Subject::Option { market, call, strike, size: amount, .. } => {
            let side = if *call { "call" } else { "put" };
            format!("{} BTC {}{side} at {strike:.0}", size(*amount), if *market == 0 { "" } else { "dollar " })
        }
        Subject::Pool(pool) => format!("{pool} pool"),
    };
    vec![
        date_and_hour(happening.time),
        name.to_owned(),
        format!("{} {of}", verb(happening.kind)),
        format!("{:.0}", happening.price),
        tokens(happening.tokens.into(), record.setting.decimals),
    ]
}

fn verb(kind: Kind) -> &'static str {
    match kind {
        Kind::Open => "buys",
        Kind::Close => "sells",
        Kind::Liquidation => "is liquidated:",
        Kind::Capped => "is paid the cap:",
        Kind::Retired => "has retired:",
        Kind::Join => "joins the",
        Kind::Request => "asks to leave the",
        Kind::Leave => "leaves the",
        Kind::Cancel => "stays after all in the",
    }
}

/// What the program refused.
pub fn refusals(record: &Record) -> Table {
    let row = |refusal: &crate::record::Refusal| {
        vec![
            refusal.error.clone(),
            refusal.message.clone(),
            refusal.wanted.join(", "),
            period(refusal.first, refusal.last),
            refusal.count.to_string(),
        ]
    };
    Table {
        title: "What the program refused",
        note: "A refusal changes nothing. People here try again the next hour if they still want it.".to_owned(),
        head: vec!["Error", "Meaning", "Who wanted what", "When", "Times"],
        names: 4,
        rows: record.refusals.iter().map(row).collect(),
        sum: None,
    }
}

/// From when to when.
pub fn period(first: i64, last: i64) -> String {
    if first / HOUR == last / HOUR {
        date_and_hour(first)
    } else {
        format!("{} to {}", date_and_hour(first), date_and_hour(last))
    }
}

/// Compute units by instruction.
pub fn compute(record: &Record) -> Table {
    let row = |compute: &crate::record::Compute| {
        vec![
            compute.instruction.clone(),
            thousands(compute.calls),
            thousands(compute.lowest),
            thousands(compute.median),
            thousands(compute.highest),
        ]
    };
    Table {
        title: "Compute units",
        note: "Each instruction alone, as the virtual machine counted it; a transaction may use 1,400,000.".to_owned(),
        head: vec!["Instruction", "Calls", "Fewest", "Median", "Most"],
        names: 1,
        rows: record.compute.iter().map(row).collect(),
        sum: None,
    }
}

/// What was verified.
pub fn checks(record: &Record) -> Table {
    let row = |check: &crate::record::Check| {
        vec![check.promise.clone(), check.detail.clone(), if check.holds { "holds" } else { "BROKEN" }.to_owned()]
    };
    Table {
        title: "What was verified",
        note: "Read from the accounts and the token balances; one that fails fails the run.".to_owned(),
        head: vec!["Promise", "Numbers", ""],
        names: 3,
        rows: record.checks.iter().map(row).collect(),
        sum: None,
    }
}

fn group(group: Group) -> &'static str {
    match group {
        Group::Trader => "trader",
        Group::Provider => "liquidity provider",
        Group::Keeper => "keeper",
        Group::Project => "project",
        Group::Protocol => "protocol fees",
        Group::Nobody => "left in the vault",
    }
}
