//! One module per subcommand.

mod price;

use clap::Subcommand;

/// The subcommands.
#[derive(Subcommand)]
pub enum Command {
    /// Price a capped everlasting option, or many from a CSV.
    Price(price::Arguments),
}

impl Command {
    /// Runs the subcommand.
    pub fn run(self) -> anyhow::Result<()> {
        match self {
            Self::Price(arguments) => arguments.run(),
        }
    }
}
