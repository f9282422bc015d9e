//! `perpetua keeper`: a keeper's work, once. `perpetua-keeper` does it unattended.

mod crank;
mod liquidate;
mod settle;

use anyhow::Result;
use clap::Subcommand;

use crate::{output::Output, session::Session};

const EXAMPLES: &str = "\
Examples:
  perpetua keeper crank TSLAx              take in the newest prices and accrue funding, all markets
  perpetua keeper crank TSLAx:BTC:quanto   one market
  perpetua keeper liquidate TSLAx          every account of the vault that cannot pay
  perpetua keeper liquidate TSLAx --account ADDRESS
  perpetua keeper settle ADDRESS           positions at their cap, dead ones, abandoned ones

Anyone may. Half of a liquidation's penalty goes into your margin account of that vault.";

/// A keeper's work, once.
#[derive(Subcommand)]
#[command(after_help = EXAMPLES)]
pub enum Command {
    /// Take in the newest prices and accrue funding.
    Crank(crank::Arguments),
    /// Liquidate accounts below their maintenance margin.
    Liquidate(liquidate::Arguments),
    /// Settle positions at their cap, far out of the money, or abandoned by their feed.
    Settle(settle::Arguments),
}

impl Command {
    /// Runs the subcommand.
    pub fn run(&self, session: &Session) -> Result<Output> {
        match self {
            Self::Crank(arguments) => arguments.run(session),
            Self::Liquidate(arguments) => arguments.run(session),
            Self::Settle(arguments) => arguments.run(session),
        }
    }
}
