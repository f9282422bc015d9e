//! `perpetua admin`: sets up and governs a cluster.

use anyhow::Result;
use clap::Subcommand;

use crate::{output::Output, session::Session};

/// Set up and govern a cluster.
#[derive(Subcommand)]
pub enum Command {
    /// nothing
    Nothing,
}

impl Command {
    /// Runs the subcommand.
    pub fn run(&self, _session: &Session) -> Result<Output> {
        Ok(Output::default())
    }
}
