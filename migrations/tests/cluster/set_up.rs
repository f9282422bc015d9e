//! Setting a cluster up with the command, over HTTP, on the compiled program.

use std::{sync::Arc, thread};

use perpetua_tests::{
    chain::changed,
    client::{
        account::read_copy,
        address,
        instruction::{self, VaultKeys},
        model::PoolKind,
        perpetua::state,
    },
    parameters::{dollar_parameters, guards, market_parameters, vault_parameters},
    price::FEEDS,
    token,
    world::DECLARED_VARIANCE,
};
use solana_keypair::{Keypair, write_keypair_file};
use solana_signer::Signer;

use crate::support::{Cluster, DEVNET, LOCALNET, MAINNET, MINTS, STEPS, all, keys, nvidia, refusal};

#[test]
fn an_empty_cluster_is_brought_to_the_declaration() {
    let cluster = Cluster::new();
    let run = cluster.set_up();
    assert_eq!(run.json()["outcome"], "created");
    assert_eq!(run.states(), all("created"));

    let chain = cluster.chain();
    let wallet = cluster.wallet.pubkey();
    let keys = keys();
    let index = address::index(&FEEDS[0]);
    let account = |address| chain.account(&address);
    let exchange = account(address::exchange());
    let exchange: state::Exchange = read_copy(&exchange.owner, &exchange.data).unwrap();
    assert_eq!([exchange.admin, exchange.guardian, exchange.fee_recipient], [wallet; 3]);
    let found = account(index);
    let found: state::Index = read_copy(&found.owner, &found.data).unwrap();
    assert_eq!(found.state.guards, guards().into());
    assert_eq!(found.state.variances.map(|variance| variance.0), [DECLARED_VARIANCE; 2]);
    let vault = account(keys.vault);
    let vault: state::Vault = read_copy(&vault.owner, &vault.data).unwrap();
    assert_eq!(vault.state.config, vault_parameters().into());
    assert_eq!(vault.share_mints, [PoolKind::Main, PoolKind::Insurance].map(|pool| keys.share_mint(pool)));
    assert_eq!(vault.markets[0], keys.market(index).market);
    let listed = |keys: &VaultKeys| {
        let vault = account(keys.vault);
        let vault: state::Vault = read_copy(&vault.owner, &vault.data).unwrap();
        vault.markets[..usize::from(vault.market_count)].to_vec()
    };
    let ether = address::index(&FEEDS[1]);
    let quanto = [(keys.market(index), 100_000), (keys.market(ether), 4_000)];
    let dollar = |keys: &VaultKeys| [(keys.dollar_market(index), 100_000), (keys.dollar_market(ether), 4_000)];
    assert_eq!(listed(&keys), [quanto, dollar(&keys)].concat().iter().map(|(keys, _)| keys.market).collect::<Vec<_>>());
    assert_eq!(listed(&nvidia()), dollar(&nvidia()).map(|(keys, _)| keys.market));
    let config = |address| {
        let market = account(address);
        let market: Box<state::Market> = Box::new(read_copy(&market.owner, &market.data).unwrap());
        market.state.config
    };
    for (market, reference) in quanto {
        assert_eq!(config(market.market), market_parameters(reference).into());
    }
    for (market, reference) in [dollar(&keys), dollar(&nvidia())].concat() {
        assert_eq!(config(market.market), dollar_parameters(reference).into());
    }
}

#[test]
fn a_second_run_changes_nothing() {
    let cluster = Cluster::new();
    cluster.set_up();
    let before = cluster.snapshot();
    let again = cluster.set_up();
    assert_eq!(again.json()["outcome"], "unchanged");
    assert_eq!(again.states(), all("as declared"));
    assert_eq!(changed(&before, &cluster.snapshot()), []);
}

#[test]
fn anyone_may_check_a_finished_set_up() {
    let declared = |cluster: &Cluster| LOCALNET.replace("\"wallet\"", &format!("\"{}\"", cluster.wallet.pubkey()));
    let cluster = Cluster::new();
    cluster.set_up();
    cluster.write("explicit.toml", &declared(&cluster));
    write_keypair_file(&Keypair::new(), cluster.path("stranger.json")).unwrap();
    let run = cluster.run_with("explicit.toml", "stranger.json", &["--json"]);
    assert_eq!(run.json()["outcome"], "unchanged", "{}", run.stderr);
}

#[test]
fn a_half_finished_set_up_is_completed() {
    let cluster = Cluster::prepared(|chain, wallet| {
        let wallet = wallet.pubkey();
        let done = [
            instruction::initialize_exchange(&wallet, &wallet, &wallet),
            instruction::create_vault(&wallet, &keys(), vault_parameters()),
        ];
        for step in done {
            chain.send(&[step]).unwrap();
        }
    });
    let run = cluster.set_up();
    let states: Vec<_> = run.states().into_iter().map(|(_, state)| state).collect();
    let mut expected = [1; STEPS.len()].map(|_| "created");
    (expected[0], expected[3]) = ("as declared", "as declared");
    assert_eq!(states, expected);
    assert_eq!(cluster.set_up().states(), all("as declared"));
}

#[test]
fn lamports_sent_to_an_address_beforehand_are_not_taken_for_an_account() {
    let cluster = Cluster::prepared(|chain, _| {
        for address in [address::exchange(), address::index(&FEEDS[0]), keys().vault] {
            chain.fund(&address);
        }
    });
    assert_eq!(cluster.run(&["--dry-run", "--json"]).states(), all("missing"));
    cluster.set_up();
    assert_eq!(cluster.run(&["--dry-run", "--json"]).states(), all("as declared"));
}

#[test]
fn what_never_changes_is_refused_by_field_and_value() {
    let cluster = Cluster::new();
    cluster.set_up();
    let told = |from: &str, to: &str, expected: &[&str]| {
        let message = refusal(&cluster, from, to);
        for part in expected.iter().chain(&["never changes", "Nothing was sent"]) {
            assert!(message.contains(part), "{part:?} is not in {message}");
        }
    };
    told("\"0.36\"", "\"0.25\"", &["declared_variance is 0.35999", "declared as 0.25"]);
    told("declared_variance = \"0.36\"", "", &["declared_variance is declared, but declared as not declared"]);
    told("\"250000\"", "\"250000.5\"", &["units_per_usd is 250000, but declared as 250000.5"]);
    told("\"100000\"", "\"90000\"", &["reference_strike is 100000, but declared as 90000"]);
    told("period = 604800", "period = 604801", &["quanto market BTC/USD on TSLAx (", "period is 604800"]);
    told("virtual_shares = 100000 #", "virtual_shares = 100001 #", &["vault TSLAx (", "main.virtual_shares is"]);
    told("share_feed = \"16", "share_feed = \"17", &["stock of TSLAx (", "share_feed is 16dad", "declared as 17dad"]);
    told(
        "share_feed_unit = \"share\"",
        "share_feed_unit = \"token\"",
        &["share_feed_unit is share, but declared as token"],
    );
    told(
        "token_feed_unit = \"token\"",
        "token_feed_unit = \"share\"",
        &["token_feed_unit is token, but declared as share"],
    );
    told("token_feed = \"47", "token_feed = \"48", &["token_feed is 47a15", "declared as 48a15"]);
    let feed = LOCALNET.lines().find(|line| line.starts_with("token_feed =")).unwrap();
    let none = format!("{feed}\ntoken_feed_unit = \"token\"\n");
    told(&none, "", &["token_feed is 47a15", "declared as none"]);
}

#[test]
fn an_index_that_has_sampled_since_is_still_as_declared() {
    let cluster = Cluster::new();
    cluster.set_up();
    let address = address::index(&FEEDS[0]);
    {
        let mut chain = cluster.chain();
        let account = chain.account(&address);
        let mut index: state::Index = read_copy(&account.owner, &account.data).unwrap();
        index.state.sample_mark = chain.now() / 300;
        index.state.variances[0].0 += 1;
        chain.edit(&address, |data| data[8..].copy_from_slice(bytemuck::bytes_of(&index)));
    }
    assert_eq!(cluster.set_up().states(), all("as declared"));
}

#[test]
fn a_dry_run_shows_what_is_missing_and_changes_nothing() {
    let cluster = Cluster::new();
    let before = cluster.snapshot();
    let run = cluster.run(&["--dry-run", "--json"]);
    assert!(run.success, "{}", run.stderr);
    assert_eq!(run.json()["outcome"], "dry run");
    assert_eq!(run.states(), all("missing"));
    assert_eq!(changed(&before, &cluster.snapshot()), []);
    let told = cluster.run(&["--dry-run"]).stdout;
    assert!(told.contains("15 to create") && told.contains("dry run: nothing was sent"), "{told}");
    assert!(told.contains("2026-11-26 closed, 2026-11-27 until 13:00, 2026-12-24 until 13:00"), "{told}");
}

#[test]
fn nothing_is_spent_where_nobody_can_confirm() {
    let cluster = Cluster::new();
    let before = cluster.snapshot();
    let run = cluster.run(&[]);
    assert!(!run.success && run.stderr.contains("pass --yes"), "{}", run.stderr);
    assert_eq!(changed(&before, &cluster.snapshot()), []);
}

#[test]
fn a_key_that_is_not_the_upgrade_authority_is_told_which_one_is() {
    let stranger = Keypair::new();
    let cluster = Cluster::prepared(|chain, _| chain.fund(&stranger.pubkey()));
    write_keypair_file(&stranger, cluster.path("stranger.json")).unwrap();
    let run = cluster.run_with("localnet.toml", "stranger.json", &["--yes", "--json"]);
    assert!(!run.success);
    let error = run.json()["error"].as_str().unwrap().to_owned();
    let authority = cluster.wallet.pubkey().to_string();
    assert!(
        error.contains("upgrade authority") && error.contains(&authority) && error.contains("--keypair"),
        "{error}"
    );
    assert!(!cluster.has_exchange());
}

#[test]
fn a_key_that_is_not_the_administrator_is_told_who_is_when_something_is_missing() {
    let admin = Keypair::new().pubkey();
    let cluster = Cluster::prepared(|chain, wallet| {
        chain.fund(&admin);
        chain.set_upgrade_authority(Some(&admin));
        let wallet = wallet.pubkey();
        chain.send(&[instruction::initialize_exchange(&admin, &wallet, &wallet)]).unwrap();
    });
    let run = cluster.run(&["--yes"]);
    assert!(!run.success && run.stderr.contains(&format!("only the administrator {admin}")), "{}", run.stderr);
}

#[test]
fn a_program_without_upgrade_authority_or_not_deployed_is_told() {
    let last = Cluster::prepared(|chain, _| chain.set_upgrade_authority(None));
    assert!(last.run(&["--yes"]).stderr.contains("no upgrade authority any more"));
    let none = Cluster::prepared(|chain, _| chain.set(&address::program_data(), Default::default()));
    assert!(none.run(&["--yes"]).stderr.contains("not deployed"));
}

#[test]
fn a_wallet_without_sol_is_told() {
    let cluster = Cluster::prepared(|chain, wallet| chain.set(&wallet.pubkey(), Default::default()));
    assert!(cluster.run(&["--yes"]).stderr.contains("holds no SOL"));
}

#[test]
fn a_stock_token_that_is_missing_or_not_accepted_stops_the_set_up_before_anything_is_spent() {
    let mint = MINTS[0].parse().unwrap();
    let none = Cluster::prepared(|chain, _| chain.set(&mint, Default::default()));
    assert!(none.run(&["--yes"]).stderr.contains("there is no mint at"));
    assert!(!none.has_exchange());
    let refused =
        Cluster::prepared(|chain, _| token::add_extension(chain, &mint, token::extension::NON_TRANSFERABLE, &[]));
    let message = refused.run(&["--yes"]).stderr;
    assert!(message.contains("MintExtensionNotAllowed"), "{message}");
    assert!(!refused.has_exchange());
}

#[test]
fn a_declaration_for_another_cluster_is_refused() {
    let cluster = Cluster::new();
    let message = refusal(&cluster, "cluster = \"localnet\"", "cluster = \"mainnet-beta\"");
    assert!(message.contains("this is localnet, but the declaration is for mainnet-beta"), "{message}");
}

#[test]
fn the_file_for_devnet_sets_up_the_exchange_and_both_indices() {
    let cluster = Cluster::new();
    cluster.write("other.toml", &DEVNET.replace("\"devnet\"", "\"localnet\""));
    let run = cluster.run_with("other.toml", "wallet.json", &["--yes", "--json"]);
    let created: Vec<String> = run.states().into_iter().map(|(what, state)| format!("{what} {state}")).collect();
    assert_eq!(created, ["exchange created", "index BTC/USD created", "index ETH/USD created"]);
}

#[test]
fn the_file_for_mainnet_is_refused_until_guardian_and_fee_recipient_are_in_it() {
    let cluster = Cluster::new();
    let file = MAINNET.replace("\"mainnet-beta\"", "\"localnet\"");
    cluster.write("other.toml", &file);
    let unfinished = cluster.run_with("other.toml", "wallet.json", &["--yes"]);
    assert!(!unfinished.success && unfinished.stderr.contains("missing field `guardian`"), "{}", unfinished.stderr);

    let named = file.replace("# guardian", "guardian").replace("# fee_recipient", "fee_recipient");
    cluster.write("other.toml", &named.replace("an address", &Keypair::new().pubkey().to_string()));
    let run = cluster.run_with("other.toml", "wallet.json", &["--yes", "--json"]);
    assert_eq!(run.json()["outcome"], "created", "{}", run.stderr);
    assert_eq!(run.states().iter().filter(|(what, _)| what.starts_with("dollar market")).count(), 4);
}

#[test]
fn an_endpoint_that_cannot_be_reached_or_speaks_no_rpc_is_told_with_a_remedy() {
    let cluster = Cluster::new();
    let nobody = cluster.run_at("http://127.0.0.1:9", &["--dry-run"]).stderr;
    assert!(nobody.contains("did not answer") && nobody.contains("Check the endpoint's address"), "{nobody}");

    for (status, expected) in [(200, "Check the endpoint's address"), (429, "limits its requests"), (403, "its key")] {
        let http = Arc::new(tiny_http::Server::http("127.0.0.1:0").unwrap());
        let (url, server) = (format!("http://{}", http.server_addr()), http.clone());
        let answers = thread::spawn(move || {
            for request in server.incoming_requests() {
                request.respond(tiny_http::Response::from_string("hello").with_status_code(status)).unwrap();
            }
        });
        let told = cluster.run_at(&url, &["--dry-run"]).stderr;
        assert!(told.contains(expected), "{expected:?} is not in {told}");
        http.unblock();
        answers.join().unwrap();
    }
}

#[test]
fn what_the_network_refuses_is_told_with_its_log_and_where_to_go_on() {
    // Enough for a fee, not for the rent of anything.
    let cluster = Cluster::prepared(|chain, wallet| {
        let mut account = chain.account(&wallet.pubkey());
        account.lamports = 1_000_000;
        chain.set(&wallet.pubkey(), account);
    });
    let run = cluster.run(&["--yes"]);
    assert!(!run.success && !cluster.has_exchange());
    for expected in ["1 of 15, exchange, was not created", "nothing was spent", "insufficient lamports", "run again"] {
        assert!(run.stderr.contains(expected), "{expected:?} is not in {}", run.stderr);
    }
}
