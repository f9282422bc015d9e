use anchor_lang::prelude::Pubkey;
use perpetua_client::address;
use solana_hash::Hash;
use solana_transaction_error::TransactionError;

use super::*;
use crate::{
    network::{Account, Cluster},
    plan::Action,
};

/// A network that takes every transaction and always says the same of it.
struct Constant(Status);

impl Network for Constant {
    fn genesis(&self) -> Result<Hash> {
        Ok(Hash::default())
    }

    fn account(&self, _: &Pubkey) -> Result<Option<Account>> {
        Ok(None)
    }

    fn latest_blockhash(&self) -> Result<Hash> {
        Ok(Hash::default())
    }

    fn send(&self, transaction: &Transaction) -> Result<Signature> {
        transaction.verify()?;
        Ok(transaction.signatures[0])
    }

    fn status(&self, _: &Signature) -> Result<Status> {
        Ok(self.0.clone())
    }
}

fn outcome(status: Status) -> Result<Vec<Done>> {
    let wallet = Keypair::new();
    let key = wallet.pubkey();
    let instructions = vec![perpetua_client::instruction::initialize_exchange(&key, &key, &key)];
    let (what, address, action) = ("exchange".to_owned(), address::exchange(), Action::Create);
    let step = Step { what, address, action, instructions, rent: 0, details: Vec::new() };
    let plan = Plan { cluster: Cluster::Localnet, steps: vec![step] };
    let patience = Patience { pause: Duration::from_millis(1), limit: Duration::from_millis(20) };
    apply(&Constant(status), &plan, &wallet, patience, &mut |_| ())
}

#[test]
fn a_transaction_that_never_lands_is_given_up_in_time_and_the_remedy_told() {
    let error = format!("{:#}", outcome(Status::Pending).unwrap_err());
    assert!(error.contains("not confirmed") && error.contains("run again"), "{error}");
}

#[test]
fn a_transaction_that_fails_on_chain_is_explained() {
    let json = serde_json::json!({ "InstructionError": [0, { "Custom": 6058 }] });
    let refused: TransactionError = serde_json::from_value(json).unwrap();
    let expected = failure(&refused);
    let error = format!("{:#}", outcome(Status::Failed(refused)).unwrap_err());
    assert!(error.contains("1 of 1, exchange, was not created") && error.contains(&expected), "{error}");
}

#[test]
fn a_confirmed_transaction_counts_as_created() {
    assert_eq!(outcome(Status::Confirmed).unwrap().len(), 1);
}
