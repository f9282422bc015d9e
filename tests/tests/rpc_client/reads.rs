//! What the client reads.

use perpetua_client::{
    account::ReadError,
    address, instruction,
    model::{Multiplier, PoolKind, Tokens, pricing::Rounding},
    perpetua::{Pool, state},
    rpc::{AsyncClient, ClientError, SendOptions},
};
use perpetua_tests::{actor, price::FEEDS, stock, token};

use crate::{COLLATERAL, Network};

#[test]
fn accounts_are_found_by_their_kind_their_vault_and_their_owner_and_no_others() {
    let network = Network::with_account();
    let (client, world) = (&network.client, &network.world);
    let vault = world.vault.vault;
    assert_eq!(client.exchange().unwrap().account.admin, world.admin);
    let mut indices: Vec<_> = FEEDS.iter().map(address::index).collect();
    indices.sort();
    assert_eq!(client.indices().unwrap().iter().map(|index| index.address).collect::<Vec<_>>(), indices);
    assert_eq!(client.index(&indices[0]).unwrap().address, indices[0]);
    assert_eq!(client.vaults().unwrap().len(), 1);
    assert_eq!(client.vault_of_mint(&world.vault.stock_mint).unwrap().address, client.vault(&vault).unwrap().address);
    assert_eq!(client.stock(&vault).unwrap().unwrap().account.stock_mint, world.vault.stock_mint);
    assert!(client.stock(&actor("no vault")).unwrap().is_none());
    let markets: Vec<_> = client.markets_of(&vault).unwrap().iter().map(|market| market.address).collect();
    assert_eq!(markets, world.markets.iter().map(|market| market.market).collect::<Vec<_>>());
    assert_eq!(client.markets().unwrap().len(), 2);
    assert!(client.markets_of(&actor("no vault")).unwrap().is_empty());
    assert_eq!(client.market(&markets[1]).unwrap().account.number, 1);
    let accounts = client.margin_accounts(Some(&vault)).unwrap();
    assert_eq!(accounts.len(), 1);
    assert_eq!(accounts[0].account.state.collateral, Tokens(COLLATERAL));
    assert_eq!(accounts[0].address, network.account());
    assert_eq!(client.margin_accounts(None).unwrap().len(), 1);
    assert_eq!(client.margin_accounts_of(&network.owner()).unwrap().len(), 1);
    assert!(client.margin_accounts_of(&world.admin).unwrap().is_empty());
    assert!(client.proposals().unwrap().is_empty());
}

#[test]
fn a_pools_tickets_are_listed_by_number_and_by_owner() {
    let network = Network::with_account();
    let (owner, vault) = (network.owner(), &network.world.vault);
    let shares = {
        let mut chain = network.server.chain();
        let unchecked = chain.svm.clone();
        chain.svm = unchecked.with_sigverify(false).with_blockhash_check(false);
        let share_mint = vault.share_mint(PoolKind::Main);
        let shares = token::open(&mut chain, &owner, &share_mint, &token::SPL_TOKEN);
        let checked = chain.svm.clone();
        chain.svm = checked.with_sigverify(true).with_blockhash_check(true);
        shares
    };
    let book = network.client.book(&vault.vault, &network.prices()).unwrap();
    let join = book.join(&owner, Pool::Main, &network.wallet(), &shares, Tokens(100_000), Default::default()).unwrap();
    network.client.send(&join, &owner, &[&network.trader], &SendOptions::default()).unwrap();
    let held = network.client.token_account(&shares).unwrap().amount;
    assert!(held > 0);
    for amount in [held / 4, held / 2] {
        let book = network.client.book(&vault.vault, &network.prices()).unwrap();
        let request = book.request(&owner, Pool::Main, &shares, perpetua_client::model::Shares(amount));
        network.client.send(&[request], &owner, &[&network.trader], &SendOptions::default()).unwrap();
    }
    let tickets = network.client.tickets(&vault.vault, PoolKind::Main).unwrap();
    let waiting: Vec<_> = tickets.iter().map(|ticket| ticket.account.state.shares.0).collect();
    assert_eq!(waiting, [held / 4, held / 2]);
    assert_eq!(network.client.tickets_of(&owner).unwrap().len(), 2);
    assert!(network.client.tickets(&vault.vault, PoolKind::Insurance).unwrap().is_empty());
    assert!(network.client.tickets_of(&network.world.admin).unwrap().is_empty());
}

#[test]
fn a_mint_is_read_with_the_multiplier_that_is_effective_by_the_chains_clock() {
    let network = Network::new();
    let (mint, now) = (network.world.vault.stock_mint, network.world.chain.now());
    stock::set_multiplier(&mut network.server.chain(), &mint, 1.0, 3.0, now + 60);
    let before = network.client.mint(&mint).unwrap();
    assert_eq!((before.decimals, before.multiplier, before.paused), (8, Multiplier::ONE, false));
    assert_eq!(before.token_program, token::TOKEN_2022);
    network.server.chain().wait(60);
    token::pause(&mut network.server.chain(), &mint, true);
    let after = network.client.mint(&mint).unwrap();
    assert_eq!((after.multiplier.0, after.paused), (3.0_f64.to_bits(), true));
    let scale = perpetua_client::amount::UiScale::from(&after);
    assert_eq!(scale.shown(Tokens(COLLATERAL), Rounding::Down).to_string(), "3000");
    assert_eq!(network.client.token_balance(&network.owner(), &mint).unwrap(), 2 * COLLATERAL);
    assert_eq!(network.client.token_balance(&actor("nobody"), &mint).unwrap(), 0);
}

#[test]
fn several_accounts_come_from_one_slot_and_no_more_than_a_network_gives() {
    let network = Network::new();
    let (vault, exchange) = (network.vault(), address::exchange());
    let snapshot = network.client.multiple(&[vault, exchange, actor("nobody"), address::CLOCK]).unwrap();
    assert_eq!(snapshot.accounts.len(), 3);
    assert_eq!(snapshot.clock().unwrap().slot, snapshot.slot);
    assert_eq!(snapshot.read::<state::Vault>(&vault).unwrap().slot, snapshot.slot);
    let many = vec![vault; 101];
    assert!(matches!(network.client.multiple(&many), Err(ClientError::TooManyAccounts(101))));
}

#[test]
fn what_is_missing_or_of_another_kind_is_said_with_what_to_do() {
    let network = Network::new();
    let nobody = actor("nobody");
    let missing = network.client.vault(&nobody).unwrap_err();
    assert!(matches!(missing, ClientError::NotFound(address) if address == nobody));
    assert!(missing.to_string().contains("there is no account") && missing.to_string().contains("Check the address"));
    let exchange = address::exchange();
    let other = network.client.vault(&exchange).unwrap_err();
    assert!(matches!(other, ClientError::Read { error: ReadError::WrongKind, .. }), "{other}");
    assert!(matches!(network.client.mint(&exchange), Err(ClientError::Foreign { .. })));
    assert!(matches!(network.client.price_update(&exchange), Err(ClientError::Foreign { .. })));
    assert!(matches!(network.client.token_account(&exchange), Err(ClientError::Foreign { .. })));
    let price = network.client.price_update(&network.world.prices[0]).unwrap();
    assert_eq!(price.feed_id, FEEDS[0]);
}

#[test]
fn an_endpoint_that_is_not_there_is_an_error_that_names_the_remedy() {
    let client = perpetua_client::rpc::Client::new("http://127.0.0.1:1").unwrap();
    let error = client.exchange().unwrap_err();
    assert!(matches!(error, ClientError::Transport(_)));
    assert!(error.to_string().contains("Check the endpoint's address"), "{error}");
}

#[test]
fn before_anything_is_set_up_lists_are_empty_and_the_exchange_is_missing() {
    let world = perpetua_tests::World::bare();
    let server = perpetua_tests::rpc::Server::start(world.chain);
    let client = perpetua_client::rpc::Client::new(&server.url).unwrap();
    assert!(client.vaults().unwrap().is_empty());
    assert!(matches!(client.exchange(), Err(ClientError::NotFound(_))));
}

#[tokio::test]
async fn the_asynchronous_client_can_be_spawned_and_copied_and_reads_the_same() {
    let network = tokio::task::spawn_blocking(Network::with_account).await.unwrap();
    let client = AsyncClient::new(&network.server.url);
    let copy = client.clone();
    let (vault, prices) = (network.vault(), network.prices());
    let book = tokio::spawn(async move { copy.book(&vault, &prices).await }).await.unwrap().unwrap();
    let refreshed = client.refresh(&book, &network.prices()).await.unwrap();
    assert_eq!(refreshed.addresses, book.addresses);
    assert_eq!(refreshed.markets.len(), 2);
    let owner = network.owner();
    let (vault, trader) = (network.world.vault, network.trader.insecure_clone());
    let sent = tokio::spawn(async move {
        let close = instruction::open_account(&owner, &owner, &vault, 1);
        client.send(&[close], &owner, &[&trader], &SendOptions::default()).await
    });
    assert!(sent.await.unwrap().is_ok());
    // A client that waits must not be dropped where waiting is not allowed.
    tokio::task::spawn_blocking(move || drop(network)).await.unwrap();
}
