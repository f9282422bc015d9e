//! One module per subcommand.

mod account;
mod admin;
mod close;
mod completions;
mod deposit;
mod history;
mod keeper;
mod ladder;
mod markets;
mod open;
mod pool;
mod price;
mod quote;
mod series;
mod withdraw;

use anyhow::Result;
use clap::Subcommand;

use crate::{options::Options, output::Output, session::Session};

/// The subcommands.
#[derive(Subcommand)]
pub enum Command {
    /// What can be traded, at what volatility, and whether it can be now.
    Markets(markets::Arguments),
    /// The strikes of a market with bid, ask, funding per day and open interest.
    Ladder(ladder::Arguments),
    /// What buying or selling an option would cost or pay now.
    Quote(quote::Arguments),
    /// Positions, margin, and what is left until liquidation.
    Account(account::Arguments),
    /// Post stock tokens as margin.
    Deposit(deposit::Arguments),
    /// Take margin out.
    Withdraw(withdraw::Arguments),
    /// Buy an option.
    Open(open::Arguments),
    /// Sell an option back.
    Close(close::Arguments),
    /// Provide liquidity: deposit, status, yield, and the three steps to leave.
    #[command(subcommand)]
    Pool(pool::Command),
    /// What happened to your accounts, or to any address.
    History(history::Arguments),
    /// Do a keeper's work once.
    #[command(subcommand)]
    Keeper(keeper::Command),
    /// Set up and govern a cluster.
    #[command(subcommand)]
    Admin(admin::Command),
    /// Price a capped everlasting option, or many from a CSV, without a network.
    Price(price::Arguments),
    /// Print a completion script for your shell.
    Completions(completions::Arguments),
}

impl Command {
    /// Runs the subcommand.
    pub fn run(self, options: Options) -> Result<Output> {
        match self {
            Self::Price(arguments) => arguments.run(options.json),
            Self::Completions(arguments) => Ok(arguments.run()),
            Self::Markets(arguments) => arguments.run(&Session::open(options)?),
            Self::Ladder(arguments) => arguments.run(&Session::open(options)?),
            Self::Quote(arguments) => arguments.run(&Session::open(options)?),
            Self::Account(arguments) => arguments.run(&Session::open(options)?),
            Self::Deposit(arguments) => arguments.run(&Session::open(options)?),
            Self::Withdraw(arguments) => arguments.run(&Session::open(options)?),
            Self::Open(arguments) => arguments.run(&Session::open(options)?),
            Self::Close(arguments) => arguments.run(&Session::open(options)?),
            Self::Pool(command) => command.run(&Session::open(options)?),
            Self::History(arguments) => arguments.run(&Session::open(options)?),
            Self::Keeper(command) => command.run(&Session::open(options)?),
            Self::Admin(command) => command.run(&Session::open(options)?),
        }
    }
}
