//! What the client remembers and follows.

use std::time::Duration;

use perpetua_client::{
    event::Event,
    instruction,
    rpc::{AsyncClient, SendOptions},
};

use crate::{COLLATERAL, Network};

fn deposit(network: &Network, amount: u64) {
    let (owner, vault, account) = (network.owner(), &network.world.vault, network.account());
    let deposit = instruction::deposit(&owner, vault, &account, &network.wallet(), amount);
    network.client.send(&[deposit], &owner, &[&network.trader], &SendOptions::default()).unwrap();
}

fn deposited(event: &Event) -> u64 {
    let Event::Deposited(deposited) = event else { panic!("{event:?}") };
    deposited.amount
}

#[test]
fn history_goes_back_page_by_page_from_the_newest_event_to_the_first() {
    let network = Network::with_account();
    for amount in 1..=4 {
        deposit(&network, amount);
    }
    let account = network.account();
    let first = network.client.history(&account, None, 2).unwrap();
    assert_eq!(first.events.iter().map(|happened| deposited(&happened.event)).collect::<Vec<_>>(), [4, 3]);
    let second = network.client.history(&account, first.before.as_ref(), 2).unwrap();
    assert_eq!(second.events.iter().map(|happened| deposited(&happened.event)).collect::<Vec<_>>(), [2, 1]);
    let last = network.client.history(&account, second.before.as_ref(), 2).unwrap();
    let [newer, older] = &last.events[..] else { panic!("{last:?}") };
    assert_eq!(deposited(&newer.event), COLLATERAL);
    assert!(matches!(older.event, Event::AccountOpened(opened) if opened.account == account));
    assert_eq!(older.event.name(), "AccountOpened");
    assert_eq!((older.signature, older.time), (newer.signature, Some(network.server.chain().now())));
    assert_eq!(last.before, None);
}

#[test]
fn what_failed_on_the_chain_is_not_history() {
    let network = Network::with_account();
    let (owner, account, wallet) = (network.owner(), network.account(), network.wallet());
    let withdraw = instruction::withdraw(&owner, &network.world.vault, &account, &wallet, [], 2 * COLLATERAL);
    let unsigned = network.client.prepare(&[withdraw], &owner, &SendOptions::default()).unwrap();
    let signed = unsigned.sign(&[&network.trader]).unwrap();
    network.client.submit(&signed, true).unwrap();
    assert!(network.client.happened_in(&signed.signature()).unwrap().is_empty());
    assert_eq!(network.client.history(&account, None, 10).unwrap().events.len(), 2);
}

#[test]
fn a_subscription_brings_every_event_once_and_in_order_even_without_a_websocket() {
    let network = Network::with_account();
    let client = AsyncClient::new(&network.server.url);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let mut subscription =
        runtime.block_on(client.subscribe_events("ws://127.0.0.1:1", network.account(), None)).unwrap();
    for amount in 1..=3 {
        deposit(&network, amount);
    }
    let mut amounts = Vec::new();
    while amounts.len() < 3 {
        let next = runtime.block_on(async { tokio::time::timeout(Duration::from_secs(30), subscription.next()).await });
        amounts.push(deposited(&next.unwrap().unwrap().unwrap().event));
    }
    assert_eq!(amounts, [1, 2, 3]);
}
