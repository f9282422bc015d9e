//! The main job of Perpetua on an embedded Solana VM: bitcoin's crash of March 2020, replayed on the compiled program.

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
use clap::Parser;
use indicatif::{ProgressBar, ProgressStyle};

use record::Record;

/// Replays bitcoin's crash of March 2020 on the compiled program and reports what happened.
#[derive(Parser)]
struct Arguments {
    /// Print the data of the run instead of a summary.
    #[arg(long)]
    json: bool,
    /// Where to write the report.
    #[arg(long, default_value = "target/demo/report.html")]
    report: PathBuf,
    /// Where to write the picture of all options, if anywhere.
    #[arg(long)]
    picture: Option<PathBuf>,
}

fn main() -> Result<ExitCode> {
    let arguments = Arguments::parse();
    let record = replay()?;
    write(&arguments.report, &report::page(&record)?)?;
    if let Some(path) = &arguments.picture {
        write(path, &report::picture(&record)?)?;
    }
    if arguments.json {
        println!("{}", serde_json::to_string_pretty(&record)?);
    } else {
        println!("{}\n\nThe report with pictures: {}", report::summary(&record), arguments.report.display());
    }
    Ok(if record.checks.iter().all(|check| check.holds) { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn replay() -> Result<Record> {
    let quotes = history::crash()?;
    let bar = ProgressBar::new(u64::try_from(quotes.len())?);
    bar.set_style(ProgressStyle::with_template("{msg} {wide_bar} {pos}/{len} hours, {eta} left")?);
    let record = scenario::crash::run(&quotes, |now| {
        bar.set_message(format!("{} BTC ${:.0}", report::date(now.time), now.usd()));
        bar.inc(1);
    });
    bar.finish_and_clear();
    record
}

fn write(path: &Path, text: &str) -> Result<()> {
    let folder = path.parent().unwrap_or(path);
    fs::create_dir_all(folder).with_context(|| format!("creating {}", folder.display()))?;
    fs::write(path, text).with_context(|| format!("writing {}", path.display()))
}
