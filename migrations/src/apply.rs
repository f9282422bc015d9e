//! Creates what is missing, one step and one transaction after the other, so that a set-up that stops half way goes
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

/// An account that was created.
#[derive(Clone, Debug)]
pub struct Created {
    /// Where it is.
    pub step: Step,
    /// The transaction that created it.
    pub signature: Signature,
}

/// Creates what is missing, and tells `report` of each account once the network confirmed it.
///
/// Errors: a transaction is refused or not confirmed in time; what was created before stays.
pub fn apply(
    network: &dyn Network,
    plan: &Plan,
    wallet: &Keypair,
    patience: Patience,
    report: &mut dyn FnMut(&Created),
) -> Result<Vec<Created>> {
    let total = plan.missing().count();
    let mut created = Vec::new();
    for (step, instruction) in plan.missing() {
        let signature = create(network, wallet, instruction, patience).with_context(|| {
            let done = created.len();
            format!(
                "{} of {total}, {}, was not created; once the cause is gone, run again to go on",
                done + 1,
                step.what
            )
        })?;
        let done = Created { step: step.clone(), signature };
        report(&done);
        created.push(done);
    }
    Ok(created)
}

fn create(network: &dyn Network, wallet: &Keypair, instruction: &Instruction, patience: Patience) -> Result<Signature> {
    let blockhash = network.latest_blockhash()?;
    let message = Message::new(std::slice::from_ref(instruction), Some(&wallet.pubkey()));
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
