//! A cluster from a file.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;
use perpetua_migrations::{declaration::Declaration, report::Console, run::Run};

use crate::{fault::declined, output::Output, session::Session};

const EXAMPLES: &str = "\
What the file holds is said in migrations/README.md; migrations/localnet.toml is a pattern with every parameter.";

/// Bring a cluster to a declaration.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    /// The declaration, in TOML, or in JSON where its name ends in .json.
    file: PathBuf,
}

impl Arguments {
    /// Shows what is to be done and, unless only that is wanted, asks and does it.
    pub fn run(&self, session: &Session, dry_run: bool) -> Result<Output> {
        let declaration = Declaration::load(&self.file)?;
        let json = Run {
            declaration: &declaration,
            client: &session.client,
            prices: session.prices(),
            options: session.send_options(),
            url: session.url(),
            keypair: session.keypair()?,
            console: Console { json: session.options.json },
            dry_run,
            yes: session.options.yes,
        }
        .carry_out()?;
        if json["outcome"] == "declined" {
            return Err(declined());
        }
        // The story was told while it happened.
        Ok(Output { text: String::new(), json })
    }
}
