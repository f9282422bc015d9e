//! `perpetua pool`: what providers of liquidity do.

mod join;
mod leave;
mod status;

use anyhow::Result;
use clap::{Subcommand, ValueEnum};
use perpetua_client::{model::PoolKind, perpetua};

use crate::{output::Output, session::Session};

const EXAMPLES: &str = "\
Examples:
  perpetua pool status TSLAx                    both pools, your shares, the queue
  perpetua pool yield TSLAx                     what the pools are paid for a year at the rates of now
  perpetua pool deposit TSLAx main 100
  perpetua pool request TSLAx main 25           give up 25 shares
  perpetua pool execute TSLAx main              once the wait is over; anybody may
  perpetua pool claim TSLAx                     take the tokens

The main pool sells every option; the insurance pool stands behind it. To leave takes three steps: request, execute after
the wait (main pool three days, insurance fourteen) in the order of the queue, claim.";

/// What providers of liquidity do.
#[derive(Subcommand)]
#[command(after_help = EXAMPLES)]
pub enum Command {
    /// Value, utilisation, yield, your shares and the queue to leave.
    Status(status::Arguments),
    /// What the pools are paid for a year at the rates of now.
    Yield(status::YieldArguments),
    /// Put stock tokens into a pool.
    Deposit(join::Arguments),
    /// Give up shares to leave a pool.
    Request(leave::RequestArguments),
    /// Take the shares of a request back.
    Cancel(leave::TicketArguments),
    /// Execute the request at the front of the queue.
    Execute(leave::ExecuteArguments),
    /// Take the tokens of executed requests, and close what is finished.
    Claim(leave::ClaimArguments),
}

impl Command {
    /// Runs the subcommand.
    pub fn run(&self, session: &Session) -> Result<Output> {
        match self {
            Self::Status(arguments) => arguments.run(session),
            Self::Yield(arguments) => arguments.run(session),
            Self::Deposit(arguments) => arguments.run(session),
            Self::Request(arguments) => arguments.run(session),
            Self::Cancel(arguments) => arguments.cancel(session),
            Self::Execute(arguments) => arguments.run(session),
            Self::Claim(arguments) => arguments.run(session),
        }
    }
}

/// A pool of a vault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Pool {
    /// The sellers of options.
    Main,
    /// Those who stand behind them.
    Insurance,
}

impl Pool {
    const BOTH: [Self; 2] = [Self::Main, Self::Insurance];

    fn kind(self) -> PoolKind {
        perpetua::Pool::from(self).into()
    }

    fn name(self) -> &'static str {
        crate::names::of_pool(self.kind() as u8)
    }

    /// Decimals of its shares among those of both pools.
    fn decimals(self, token: &crate::amounts::Token) -> u8 {
        let [main, insurance] = token.share_decimals;
        if self == Self::Main { main } else { insurance }
    }
}

impl From<Pool> for perpetua::Pool {
    fn from(pool: Pool) -> Self {
        match pool {
            Pool::Main => Self::Main,
            Pool::Insurance => Self::Insurance,
        }
    }
}
