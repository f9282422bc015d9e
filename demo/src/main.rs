//! The main jobs of Perpetua on an embedded Solana VM: bitcoin's crash of March 2020, real weeks of Tesla and bitcoin
//! with a market that settles in dollars, and a night in which the stock halves.

mod audit;
mod book;
mod format;
mod history;
mod log;
mod record;
mod report;
mod scenario;

use std::{
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context, Result};
use clap::{Parser, ValueEnum};
use indicatif::{ProgressBar, ProgressStyle};

use record::{Check, Told};

/// Replays a piece of history on the compiled program and reports what happened.
#[derive(Parser)]
struct Arguments {
    /// What to replay.
    #[arg(long, value_enum, default_value_t)]
    scenario: Scenario,
    /// Print the data of the run instead of a summary.
    #[arg(long)]
    json: bool,
    /// Where to write the report [default: target/demo/report.html, with the scenario in its name unless it is the crash].
    #[arg(long)]
    report: Option<PathBuf>,
    /// Where to write the picture that tells most, if anywhere.
    #[arg(long)]
    picture: Option<PathBuf>,
}

/// What can be replayed.
#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum Scenario {
    /// Bitcoin's crash of March 2020, hour by hour, in a market whose settlement is fixed.
    #[default]
    Crash,
    /// Real weeks of Tesla and bitcoin in 2022, with a market that settles in dollars: weekends, a gap, a halt, a split.
    Weekend,
    /// Invented: Tesla halves overnight while puts on bitcoin pay their cap.
    Halving,
}

impl Scenario {
    fn report(self) -> PathBuf {
        let name = match self {
            Self::Crash => "report.html",
            Self::Weekend => "report-weekend.html",
            Self::Halving => "report-halving.html",
        };
        Path::new("target/demo").join(name)
    }
}

fn main() -> Result<ExitCode> {
    let arguments = Arguments::parse();
    let told = replay(arguments.scenario)?;
    let report = arguments.report.unwrap_or_else(|| arguments.scenario.report());
    write(&report, &report::page(&told)?)?;
    if let Some(path) = &arguments.picture {
        write(path, &report::picture(&told)?)?;
    }
    if arguments.json {
        println!("{}", serde_json::to_string_pretty(&told)?);
    } else {
        println!("{}\n\nThe report with pictures: {}", report::summary(&told), report.display());
    }
    let broken: Vec<&Check> = told.checks().filter(|check| !check.holds).collect();
    for check in &broken {
        eprintln!("BROKEN: {}: {}", check.promise, check.detail);
    }
    Ok(if broken.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn replay(scenario: Scenario) -> Result<Told> {
    let bar = ProgressBar::new(0);
    bar.set_style(ProgressStyle::with_template("{msg} {wide_bar} {pos}/{len} moments, {eta} left")?);
    let progress = |time: i64, usd: f64| {
        bar.set_message(format!("{} BTC ${usd:.0}", report::date(time)));
        bar.inc(1);
    };
    let told = match scenario {
        Scenario::Crash => {
            let quotes = history::crash()?;
            bar.set_length(u64::try_from(quotes.len())?);
            scenario::crash::run(&quotes, progress).map(Told::Crash)
        }
        Scenario::Weekend => {
            bar.set_length(u64::try_from(scenario::weekend::length()?)?);
            scenario::weekend::run(progress).map(Told::Weekend)
        }
        Scenario::Halving => {
            bar.set_length(u64::try_from(scenario::halving::length()?)?);
            scenario::halving::run(progress).map(Told::Halving)
        }
    };
    bar.finish_and_clear();
    told
}

fn write(path: &Path, text: &str) -> Result<()> {
    let folder = path.parent().unwrap_or(path);
    fs::create_dir_all(folder).with_context(|| format!("creating {}", folder.display()))?;
    fs::write(path, text).with_context(|| format!("writing {}", path.display()))
}
