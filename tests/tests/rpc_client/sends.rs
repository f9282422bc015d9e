//! How what is sent ends.

use std::{thread, time::Duration};

use perpetua_client::{
    budget, instruction,
    rpc::{ClientError, Outcome, SendOptions},
};
use perpetua_tests::rpc::Faults;

use crate::{COLLATERAL, Network};

fn deposit(network: &Network, amount: u64) -> perpetua_client::rpc::Unsigned {
    let (vault, account) = (&network.world.vault, network.account());
    let deposit = instruction::deposit(&network.owner(), vault, &account, &network.wallet(), amount);
    network.client.prepare(&[deposit], &network.owner(), &SendOptions::default()).unwrap()
}

fn collateral(network: &Network) -> u64 {
    network.margin_account().account.state.collateral.0
}

#[test]
fn a_transaction_asks_for_the_limit_of_its_instructions_and_says_what_it_took() {
    let network = Network::with_account();
    let owner = network.owner();
    let deposit = instruction::deposit(&owner, &network.world.vault, &network.account(), &network.wallet(), 5);
    let limit = budget::limit([&deposit]);
    let options = SendOptions { priority_fee_micro_lamports: 7, ..SendOptions::default() };
    let simulated = network.client.simulate(std::slice::from_ref(&deposit), &owner, &options).unwrap();
    assert_eq!(collateral(&network), COLLATERAL, "a simulation changes nothing");
    let confirmed = network.client.send(std::slice::from_ref(&deposit), &owner, &[&network.trader], &options).unwrap();
    assert_eq!(collateral(&network), COLLATERAL + 5);
    assert_eq!(confirmed.compute_units, Some(simulated.compute_units));
    assert!(confirmed.compute_units.unwrap() <= limit.into());
    let too_little = SendOptions { compute_limit: Some(5_000), ..options };
    let refused = network.client.send(&[deposit], &owner, &[&network.trader], &too_little).unwrap_err();
    assert!(matches!(refused, ClientError::Refused(_)), "{refused}");
    assert_eq!(collateral(&network), COLLATERAL + 5);
}

#[test]
fn a_refusal_names_cause_and_remedy_and_the_programs_number_and_nothing_was_spent() {
    let network = Network::with_account();
    let owner = network.owner();
    let lamports = network.server.chain().account(&owner).lamports;
    let (account, wallet) = (network.account(), network.wallet());
    let withdraw = instruction::withdraw(&owner, &network.world.vault, &account, &wallet, [], 2 * COLLATERAL);
    let error = network.client.send(&[withdraw], &owner, &[&network.trader], &SendOptions::default()).unwrap_err();
    let explanation = error.explanation().unwrap();
    assert_eq!(explanation.name, "InsufficientCollateral");
    assert_eq!(error.custom_code(), explanation.code);
    assert!(error.to_string().contains("Deposit more collateral."), "{error}");
    assert!(error.to_string().contains("nothing was spent"), "{error}");
    assert!(!error.failure().unwrap().logs.is_empty());
    // The instruction that sets the compute limit stands in front.
    assert_eq!(error.failure().unwrap().instruction(), Some(1));
    assert_eq!(network.server.chain().account(&owner).lamports, lamports);
}

#[test]
fn an_answer_that_got_lost_ends_with_the_truth_and_nothing_is_done_twice() {
    let network = Network::with_account();
    let signed = deposit(&network, 5).sign(&[&network.trader]).unwrap();
    network.server.fail(Faults { lost_answers: 2, ..Faults::default() });
    let confirmed = network.client.send_signed(&signed, &SendOptions::default()).unwrap();
    assert_eq!(confirmed.signature, signed.signature());
    assert_eq!(collateral(&network), COLLATERAL + 5);
    let again = network.client.send_signed(&signed, &SendOptions::default()).unwrap();
    assert_eq!(again.signature, confirmed.signature);
    assert_eq!(collateral(&network), COLLATERAL + 5);
}

#[test]
fn a_transaction_that_was_dropped_is_sent_again_with_the_same_signature() {
    let network = Network::with_account();
    let signed = deposit(&network, 5).sign(&[&network.trader]).unwrap();
    network.server.fail(Faults { dropped: 1, ..Faults::default() });
    let confirmed = network.client.send_signed(&signed, &SendOptions::default()).unwrap();
    assert_eq!(confirmed.signature, signed.signature());
    assert_eq!(collateral(&network), COLLATERAL + 5);
}

#[test]
fn a_transaction_that_never_lands_is_said_to_have_expired_only_after_its_last_block() {
    let network = Network::with_account();
    let signed = deposit(&network, 5).sign(&[&network.trader]).unwrap();
    let (signature, last) = (signed.signature(), signed.last_valid_block_height);
    let slot = network.server.chain().slot();
    network.server.fail(Faults { dropped: u32::MAX, height: last - slot, ..Faults::default() });
    assert_eq!(network.client.outcome(&signature, last).unwrap(), Outcome::Pending);
    thread::scope(|scope| {
        scope.spawn(|| {
            thread::sleep(Duration::from_millis(800));
            network.server.fail(Faults { dropped: u32::MAX, height: last - slot + 1, ..Faults::default() });
        });
        let error = network.client.send_signed(&signed, &SendOptions::default()).unwrap_err();
        assert!(matches!(error, ClientError::Expired(expired) if expired == signature), "{error}");
        assert!(error.to_string().contains("was not carried out"), "{error}");
    });
    assert_eq!(collateral(&network), COLLATERAL);
}

#[test]
fn a_network_that_falls_silent_leaves_the_outcome_open_and_it_can_be_asked_for_later() {
    let network = Network::with_account();
    let signed = deposit(&network, 5).sign(&[&network.trader]).unwrap();
    network.client.submit(&signed, false).unwrap();
    network.server.fail(Faults { refused: u32::MAX, ..Faults::default() });
    let hasty = SendOptions { patience: Duration::from_millis(700), ..SendOptions::default() };
    let error = network.client.send_signed(&signed, &hasty).unwrap_err();
    let ClientError::Unconfirmed { signature, last_valid_block_height } = error else { panic!("{error}") };
    assert_eq!((signature, last_valid_block_height), (signed.signature(), signed.last_valid_block_height));
    network.server.fail(Faults::default());
    // The server confirms when it is asked for the second time.
    network.client.outcome(&signature, last_valid_block_height).unwrap();
    let outcome = network.client.outcome(&signature, last_valid_block_height).unwrap();
    assert!(matches!(outcome, Outcome::Landed(_)), "{outcome:?}");
}

#[test]
fn a_transaction_that_was_carried_out_and_failed_is_told_from_one_that_was_refused() {
    let network = Network::with_account();
    let (owner, account, wallet) = (network.owner(), network.account(), network.wallet());
    let withdraw = instruction::withdraw(&owner, &network.world.vault, &account, &wallet, [], 2 * COLLATERAL);
    let unsigned = network.client.prepare(&[withdraw], &owner, &SendOptions::default()).unwrap();
    let signed = unsigned.sign(&[&network.trader]).unwrap();
    network.client.submit(&signed, true).unwrap();
    let error = network.client.send_signed(&signed, &SendOptions::default()).unwrap_err();
    let ClientError::Failed { signature, failure, .. } = &error else { panic!("{error}") };
    assert_eq!(*signature, signed.signature());
    assert_eq!(failure.explanation.name, "InsufficientCollateral");
    assert!(failure.logs.iter().any(|line| line.contains("InsufficientCollateral")), "{:?}", failure.logs);
}

#[test]
fn a_signature_that_is_missing_is_an_error_before_anything_is_sent() {
    let network = Network::with_account();
    let error = deposit(&network, 5).sign(&[]).unwrap_err();
    assert!(matches!(error, ClientError::Signer(_)), "{error}");
    assert!(error.to_string().contains("Pass a signer"), "{error}");
}
