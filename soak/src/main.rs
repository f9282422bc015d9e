//! The `perpetua-soak` command: months on a local network with hundreds of accounts, keepers that are killed and cut off,
//! and a judge. docs/operating.md says what came out.

mod chain;
mod faults;
mod judge;
mod keepers;
mod people;
mod report;
mod soak;

use std::{fs, path::PathBuf, process::ExitCode};

use anyhow::Result;
use clap::Parser;
use perpetua_localnet::Files;

/// Plays months of trading and keeping on a local network, breaks what can break, and judges what keepers did.
#[derive(Parser)]
#[command(name = "perpetua-soak", version)]
struct Arguments {
    #[command(flatten)]
    files: Files,
    /// The keeper's executable
    #[arg(long)]
    keeper: PathBuf,
    /// Folder for logs and the report
    #[arg(long)]
    folder: PathBuf,
    /// Margin accounts
    #[arg(long, default_value_t = 300)]
    accounts: usize,
    /// Days, 1 to 80
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=80))]
    days: u64,
    /// Seconds by which the clock is set ahead, a part of a day and a multiple of 300, at most 3600
    #[arg(long, default_value_t = 3_600, value_parser = clap::value_parser!(i64).range(300..=3_600))]
    step: i64,
    /// Which day is played in steps of five minutes, from zero
    #[arg(long, default_value_t = 14)]
    fine: u64,
    /// What is random follows from it
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Prints the report as one line of JSON
    #[arg(long)]
    json: bool,
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(Arguments::parse()).await {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> Result<ExitCode> {
    let Arguments { files, keeper, folder, accounts, days, step, fine, seed, json } = arguments;
    anyhow::ensure!(86_400 % step == 0 && step % 300 == 0, "--step {step} is no part of a day and multiple of 300");
    fs::create_dir_all(&folder)?;
    let plan = soak::Plan { keeper, folder: folder.clone(), accounts, days, step, fine, seed };
    let report = soak::run(&files, &plan).await?;
    fs::write(folder.join("report.json"), serde_json::to_string_pretty(&report)?)?;
    if json {
        println!("{}", serde_json::to_string(&report)?);
    } else {
        report.print();
        println!("\nthe report is in {}", folder.join("report.json").display());
    }
    let failed = report.failures.len();
    if failed > 0 {
        eprintln!("error: {failed} things happened that must not");
    }
    Ok(if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
