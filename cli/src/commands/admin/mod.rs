//! `perpetua admin`: sets up and governs a cluster.

mod changes;
mod declaration;
mod govern;
mod multiplier;

use anyhow::Result;
use clap::Subcommand;

use crate::{output::Output, session::Session};

const EXAMPLES: &str = "\
Examples:
  perpetua admin plan migrations/localnet.toml      what is missing or differs; sends nothing
  perpetua admin apply migrations/localnet.toml     creates it, tightens at once, proposes the rest
  perpetua admin proposals                          what waits, and until when
  perpetua admin pause                              stop opening positions and joining pools at once
  perpetua admin acknowledge-mint TSLAx             accept what the issuer changed in the mint
  perpetua admin acknowledge-multiplier TSLAx       accept the split that the issuer announced
  perpetua admin hand-over ADDRESS                  name the next administrator; that key runs admin accept

A change that does more than tighten waits two days: apply proposes it, and applies it when it is run again after the
wait, within a week.";

/// Set up and govern a cluster.
#[derive(Subcommand)]
#[command(after_help = EXAMPLES)]
pub enum Command {
    /// Show what a cluster lacks of a declaration and how it differs.
    Plan(declaration::Arguments),
    /// Bring a cluster to a declaration.
    Apply(declaration::Arguments),
    /// Changes that were proposed.
    Proposals(changes::ListArguments),
    /// Apply a change that was proposed two days ago; anyone may.
    ApplyChange(changes::Arguments),
    /// Take a proposed change back; the administrator or the guardian may.
    CancelChange(changes::Arguments),
    /// Stop opening positions and joining pools; the administrator or the guardian may.
    Pause(govern::PauseArguments),
    /// Allow them again.
    Resume(govern::PauseArguments),
    /// Accept the mint's extensions and authorities as they are now.
    AcknowledgeMint(govern::VaultArguments),
    /// Accept a large change of the mint's multiplier, announced or in force.
    AcknowledgeMultiplier(multiplier::Arguments),
    /// Name who becomes administrator once he accepts.
    HandOver(govern::HandOverArguments),
    /// Become administrator, after having been named.
    Accept(govern::AcceptArguments),
    /// Pay the protocol's fees to the fee recipient.
    CollectFees(govern::VaultArguments),
}

impl Command {
    /// Runs the subcommand.
    pub fn run(&self, session: &Session) -> Result<Output> {
        match self {
            Self::Plan(arguments) => arguments.run(session, true),
            Self::Apply(arguments) => arguments.run(session, session.options.dry_run),
            Self::Proposals(arguments) => arguments.run(session),
            Self::ApplyChange(arguments) => arguments.apply(session),
            Self::CancelChange(arguments) => arguments.cancel(session),
            Self::Pause(arguments) => arguments.run(session, true),
            Self::Resume(arguments) => arguments.run(session, false),
            Self::AcknowledgeMint(arguments) => arguments.acknowledge_mint(session),
            Self::AcknowledgeMultiplier(arguments) => arguments.run(session),
            Self::HandOver(arguments) => arguments.run(session),
            Self::Accept(arguments) => arguments.run(session),
            Self::CollectFees(arguments) => arguments.collect_fees(session),
        }
    }
}
