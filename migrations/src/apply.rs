//! Does what is to be done, one step and one transaction after the other, so that a set-up that stops half way goes
//! on where it stopped.

use anyhow::{Context, Result};
use perpetua_client::rpc::{Client, SendOptions};
use solana_keypair::Keypair;
use solana_signature::Signature;
use solana_signer::Signer;

use crate::plan::{Plan, Step};

/// A step that was done.
#[derive(Clone, Debug)]
pub struct Done {
    /// What was done.
    pub step: Step,
    /// The transaction that did it.
    pub signature: Signature,
}

/// Does what can be done now. Tells `report` of each step once the network confirmed it.
///
/// Errors: a transaction is refused or not confirmed in time; what was done before stays.
pub fn apply(
    client: &Client,
    plan: &Plan,
    wallet: &Keypair,
    options: &SendOptions,
    report: &mut dyn FnMut(&Done),
) -> Result<Vec<Done>> {
    let total = plan.due().count();
    let mut all = Vec::new();
    for step in plan.due() {
        let sent = client.send(&step.instructions, &wallet.pubkey(), &[wallet], options).with_context(|| {
            let (number, done) = (all.len() + 1, step.action.done());
            format!("{number} of {total}, {}, was not {done}; once the cause is gone, run again to go on", step.what)
        })?;
        let done = Done { step: step.clone(), signature: sent.signature };
        report(&done);
        all.push(done);
    }
    Ok(all)
}
