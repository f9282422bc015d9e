//! What every command understands.

use std::path::PathBuf;

use clap::Args;

/// The options of all commands.
#[derive(Args, Clone, Debug, Default)]
pub struct Options {
    /// localhost, devnet, testnet, mainnet-beta, their first letters, or a URL [default: as the Solana CLI is configured].
    #[arg(short, long, global = true, value_name = "URL", help_heading = "Global options")]
    pub url: Option<String>,
    /// File of the key that signs and pays [default: as the Solana CLI is configured].
    #[arg(short, long, global = true, value_name = "FILE", help_heading = "Global options")]
    pub keypair: Option<String>,
    /// The Solana CLI's configuration [default: ~/.config/solana/cli/config.yml].
    #[arg(short = 'C', long = "config", global = true, value_name = "FILE", help_heading = "Global options")]
    pub config: Option<PathBuf>,
    /// Print one JSON document; every amount in it is a decimal string.
    #[arg(long, global = true, help_heading = "Global options")]
    pub json: bool,
    /// Do not ask before sending.
    #[arg(short, long, global = true, help_heading = "Global options")]
    pub yes: bool,
    /// Show what would be sent and let the network try it; send nothing.
    #[arg(long, global = true, help_heading = "Global options")]
    pub dry_run: bool,
    /// Priority fee in millionths of a lamport for each compute unit.
    #[arg(long, global = true, value_name = "FEE", default_value_t = 0, help_heading = "Global options")]
    pub priority_fee: u64,
    /// Shard of the Pyth price accounts to use.
    #[arg(long, global = true, value_name = "SHARD", default_value_t = 0, help_heading = "Global options")]
    pub price_shard: u16,
}
