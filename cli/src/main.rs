//! The `perpetua` command.

mod amounts;
mod commands;
mod decimal;
mod events;
mod fault;
mod names;
mod options;
mod output;
mod quote;
mod session;

use std::{env, process::ExitCode};

use clap::{CommandFactory, Parser};

use crate::{commands::Command, fault::Told, options::Options, output::Output};

const EXAMPLES: &str = "\
Examples, for a trader:
  perpetua markets                                  what can be traded
  perpetua ladder TSLAx:BTC                         strikes with bid, ask and funding
  perpetua deposit TSLAx 10                         post ten TSLAx as margin
  perpetua quote TSLAx:BTC call 60000 0.05          what 0.05 BTC of a call costs
  perpetua open TSLAx:BTC call 60000 0.05           buy it
  perpetua account                                  positions, margin, what is left until liquidation
  perpetua close TSLAx:BTC call 60000 all           sell it back
  perpetua withdraw TSLAx all                       take out what is free

For a provider of liquidity:
  perpetua pool deposit TSLAx main 100              share in premium and funding
  perpetua pool status TSLAx                        value of the shares, yield, the queue to leave
  perpetua pool request TSLAx main all              ask to leave; then execute, then claim

Amounts of tokens are as wallets show them, with the token's multiplier applied; sizes are in units of the index.
Every command takes --json (one document, all amounts are strings) and, where it sends something, --dry-run and --yes.

Exit codes: 0 done, 1 refused before anything was sent, 2 wrong arguments, 3 the network did not answer,
4 a transaction failed or was refused, 5 it is not known yet what became of a transaction, 6 not confirmed by you.";

/// Coin-margined perpetual options on tokenized stocks.
#[derive(Parser)]
#[command(name = "perpetua", version, after_help = EXAMPLES)]
struct Cli {
    #[command(flatten)]
    options: Options,
    #[command(subcommand)]
    command: Command,
}

/// The command line itself, for completions.
pub fn command_line() -> clap::Command {
    Cli::command()
}

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        // Help and version are no errors.
        Err(error) if error.use_stderr() && env::args().any(|argument| argument == "--json") => {
            println!("{:#}", Told::usage(&error.to_string()).json());
            return ExitCode::from(fault::USAGE);
        }
        Err(error) => error.exit(),
    };
    let json = cli.options.json;
    match cli.command.run(cli.options) {
        Ok(Output { text, json: document }) => {
            if json {
                println!("{document:#}");
            } else {
                print!("{text}");
            }
            ExitCode::SUCCESS
        }
        Err(error) => {
            let told = Told::of(&error);
            if json {
                println!("{:#}", told.json());
            } else {
                eprint!("{}", told.text());
            }
            ExitCode::from(told.kind.exit_code())
        }
    }
}
