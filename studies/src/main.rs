//! Calibrates the wrong-way reserve factors of dollar-settled markets; `docs/wrong-way.md` explains the study.

mod book;
mod correlation;
mod history;
mod picture;
mod position;
mod sample;
mod series;
mod tables;
mod volatility;

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use clap::Parser;
use indicatif::{ProgressBar, ProgressStyle};

use sample::Plan;
use tables::Factors;

/// Measures how often options of a dollar-settled market pay more stock than they reserved.
#[derive(Parser)]
struct Arguments {
    /// Gzip CSV of the stock's split-adjusted prices: `unix_seconds,price`, an hour or less apart while it trades.
    #[arg(long)]
    stock: PathBuf,
    /// Gzip CSV of the index's hourly prices: `unix_seconds,price`.
    #[arg(long)]
    index: PathBuf,
    /// Hours from one opening of all strikes to the next, at least.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(i64).range(1..=720))]
    every: i64,
    /// Ticks from one strike to the next.
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(i32).range(1..=28))]
    step: i32,
    /// Reserve factor of calls in the tables of both sides, percent.
    #[arg(long, default_value_t = 25.0)]
    call: f64,
    /// Reserve factor of puts in the tables of both sides, percent.
    #[arg(long, default_value_t = 50.0)]
    put: f64,
    /// Where to write the picture, if anywhere.
    #[arg(long)]
    picture: Option<PathBuf>,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let hours = history::join(&series::load(&arguments.stock)?, &series::load(&arguments.index)?)?;
    let plan = Plan { every: arguments.every * 3_600, step: arguments.step };
    let bar = ProgressBar::new(u64::try_from(sample::opening_hours(&hours, plan.every).len())?);
    bar.set_style(ProgressStyle::with_template("{wide_bar} {pos}/{len} openings, {eta} left")?);
    let samples = sample::collect(&hours, plan, || bar.inc(1));
    bar.finish_and_clear();
    let factors = Factors { call: arguments.call / 100.0, put: arguments.put / 100.0 };
    println!("{}", tables::all(&hours, &samples, factors));
    arguments.picture.map_or(Ok(()), |path| write(&path, &picture::draw(&samples, factors)?))
}

fn write(path: &Path, text: &str) -> Result<()> {
    fs::write(path, text).with_context(|| format!("writing {}", path.display()))
}
