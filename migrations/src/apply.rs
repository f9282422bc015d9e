//! Does what is to be done, one step and one transaction after the other, so that a set-up that stops half way goes
//! on where it stopped.

use std::{
    thread,
    time::{Duration, Instant},
};

use anchor_lang::solana_program::instruction::Instruction;
use anyhow::{Context, Result, bail};
use solana_keypair::Keypair;
use solana_message::Message;
use solana_signature::Signature;
use solana_signer::Signer;
use solana_transaction::Transaction;

use crate::{
    network::{Network, Status},
    plan::{Plan, Step},
    rpc::failure,
};

/// How long to wait for a transaction.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// Between two looks.
    pub pause: Duration,
    /// Altogether. A transaction can land for about 80 seconds after it was made.
    pub limit: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self { pause: Duration::from_millis(500), limit: Duration::from_secs(90) }
    }
}

/// A step that was done.
#[derive(Clone, Debug)]
pub struct Done {
    /// What was done.
    pub step: Step,
    /// The transaction that did it.
    pub signature: Signature,
}

/// Does what can be done now, and tells `report` of each step once the network confirmed it.
///
/// Errors: a transaction is refused or not confirmed in time; what was done before stays.
pub fn apply(
    network: &dyn Network,
    plan: &Plan,
    wallet: &Keypair,
    patience: Patience,
    report: &mut dyn FnMut(&Done),
) -> Result<Vec<Done>> {
    let total = plan.due().count();
    let mut all = Vec::new();
    for step in plan.due() {
        let signature = send(network, wallet, &step.instructions, patience).with_context(|| {
            format!(
                "{} of {total}, {}, was not {}; once the cause is gone, run again to go on",
                all.len() + 1,
                step.what,
                step.action.done()
            )
        })?;
        let done = Done { step: step.clone(), signature };
        report(&done);
        all.push(done);
    }
    Ok(all)
}

fn send(network: &dyn Network, wallet: &Keypair, instructions: &[Instruction], patience: Patience) -> Result<Signature> {
    let blockhash = network.latest_blockhash()?;
    let message = Message::new(instructions, Some(&wallet.pubkey()));
    let mut transaction = Transaction::new_unsigned(message);
    transaction.try_sign(&[wallet], blockhash).context("the wallet cannot sign the transaction")?;
    let signature = network.send(&transaction)?;
    let start = Instant::now();
    loop {
        match network.status(&signature)? {
            Status::Confirmed => return Ok(signature),
            Status::Failed(error) => bail!("transaction {signature} failed: {}", failure(&error)),
            Status::Pending if start.elapsed() >= patience.limit => bail!(
                "transaction {signature} was not confirmed within {} seconds and can land no more; \
                 the network may be congested",
                patience.limit.as_secs()
            ),
            Status::Pending => thread::sleep(patience.pause),
        }
    }
}

#[cfg(test)]
mod tests;
