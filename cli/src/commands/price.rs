//! `perpetua price`: value, sensitivities and funding of options.

use std::io::{self, Read, Write};

use anyhow::{Context, Result, ensure};
use bigdecimal::BigDecimal;
use clap::Args;

use crate::{
    output::Output,
    quote::{Holding, Quote, Request},
};

const INPUT_COLUMNS: [&str; 6] = ["side", "spot", "strike", "volatility", "period_days", "cap"];

const NOTES: &str = "\
Amounts are US dollars for one unit of the index. Delta is per dollar of the index, gamma per dollar squared, vega per
1.00 (100 percentage points) of volatility. A year has 365 days. Numbers are decimals and are read exactly.

Funding per day is time value / period, plus --carry times what a call's seller must borrow to hedge, plus --rent times
the largest payout (cap times strike); the last two are rates per year and zero when not given.

With --csv, standard input starts with the header
  side,spot,strike,volatility,period_days,cap
and every line comes back with value,time_value,delta,gamma,vega,funding_per_day appended.";

/// Price a capped everlasting option, or many from a CSV.
#[derive(Args)]
#[command(after_help = NOTES)]
pub struct Arguments {
    /// call or put.
    #[arg(long, required_unless_present = "csv")]
    side: Option<String>,
    /// Index price in dollars, 0.01 to 16777216.
    #[arg(long, required_unless_present = "csv")]
    spot: Option<String>,
    /// Strike in dollars, 0.01 to 16777216.
    #[arg(long, required_unless_present = "csv")]
    strike: Option<String>,
    /// Yearly volatility as a fraction (0.6 = 60%), 0.01 to 10.
    #[arg(long, required_unless_present = "csv")]
    volatility: Option<String>,
    /// Funding period in days, 1/24 to 365.
    #[arg(long, required_unless_present = "csv")]
    period_days: Option<String>,
    /// Largest payout as a fraction of the strike: 0.01 to 10 for calls, below 1 for puts.
    #[arg(long, required_unless_present = "csv")]
    cap: Option<String>,
    /// Yearly financing rate of the index, as a fraction.
    #[arg(long)]
    carry: Option<String>,
    /// Yearly charge on the largest payout, as a fraction.
    #[arg(long)]
    rent: Option<String>,
    /// Price the lines of a CSV from standard input.
    #[arg(long, conflicts_with_all = ["side", "spot", "strike", "volatility", "period_days", "cap"])]
    csv: bool,
}

impl Arguments {
    /// Prices. The lines of a CSV are printed as they come.
    pub fn run(self, json: bool) -> Result<Output> {
        let holding = Holding::parse(self.carry.as_deref(), self.rent.as_deref())?;
        if self.csv {
            ensure!(!json, "--csv prints lines of its own; leave out --json");
            price_lines(io::stdin().lock(), io::stdout().lock(), &holding)?;
            return Ok(Output::default());
        }
        // clap has made sure that all are present.
        let text = [&self.side, &self.spot, &self.strike, &self.volatility, &self.period_days, &self.cap]
            .map(|argument| argument.as_deref().unwrap_or_default());
        let quote = Request::parse(text)?.quote(&holding)?;
        let rows = Quote::COLUMNS.iter().zip(quote.columns());
        let text = rows.map(|(name, value)| format!("{name:<16} {value:>28}\n")).collect();
        Ok(Output { text, json: serde_json::to_value(&quote)? })
    }
}

fn price_lines(input: impl Read, output: impl Write, holding: &Holding<BigDecimal>) -> Result<()> {
    let mut reader = csv::ReaderBuilder::new().flexible(true).trim(csv::Trim::All).from_reader(input);
    let mut writer = csv::Writer::from_writer(output);
    let header = reader.headers().context("line 1: the header cannot be read; save the file as UTF-8")?;
    ensure!(
        header == INPUT_COLUMNS.as_slice(),
        "line 1: the header is \"{}\"; make it \"{}\"",
        header.iter().collect::<Vec<_>>().join(","),
        INPUT_COLUMNS.join(",")
    );
    writer.write_record(INPUT_COLUMNS.iter().chain(&Quote::COLUMNS))?;
    for record in reader.records() {
        let record = record.map_err(|error| {
            let line = error.position().map_or(0, csv::Position::line);
            anyhow::anyhow!("line {line}: {error}; save the file as UTF-8 text")
        })?;
        let line = record.position().map_or(0, csv::Position::line);
        let fields: Vec<&str> = record.iter().collect();
        let quote = <[&str; 6]>::try_from(fields)
            .map_err(|fields| {
                anyhow::anyhow!("{} columns instead of 6; give {}", fields.len(), INPUT_COLUMNS.join(","))
            })
            .and_then(|fields| Request::parse(fields)?.quote(holding));
        let quote = match quote {
            Ok(quote) => quote,
            Err(error) => {
                writer.flush()?; // the lines before stay usable
                anyhow::bail!("line {line}: {error:#}");
            }
        };
        writer.write_record(record.iter().chain(quote.columns()))?;
    }
    writer.flush()?;
    Ok(())
}
