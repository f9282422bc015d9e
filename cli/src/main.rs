//! The `perpetua` command.

mod commands;
mod decimal;
mod quote;

use std::process::ExitCode;

use clap::Parser;

use crate::commands::Command;

/// Coin-margined perpetual options on tokenized stocks.
#[derive(Parser)]
#[command(name = "perpetua", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

fn main() -> ExitCode {
    match Cli::parse().command.run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
