//! Setting a cluster up with the command, over HTTP, on the compiled program.

mod support;

use perpetua_migrations::{network::Network, rpc::Rpc};
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
use solana_message::Message;
use solana_signer::Signer;
use solana_transaction::Transaction;
use support::{Cluster, LOCALNET, MINTS, STEPS, all, keys, nvidia, refusal};

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
fn an_account_that_differs_is_refused_by_field_and_value() {
    let cluster = Cluster::new();
    cluster.set_up();
    let told = |from: &str, to: &str, expected: &[&str]| {
        let message = refusal(&cluster, from, to);
        for part in expected {
            assert!(message.contains(part), "{part:?} is not in {message}");
        }
    };
    let stranger = "11111111111111111111111111111112";
    told("guardian = \"wallet\"", &format!("guardian = \"{stranger}\""), &["exchange (", "guardian is", stranger]);
    told("max_age_crank = 60", "max_age_crank = 61", &["guards.max_age_crank is 60, but declared as 61"]);
    told("\"0.36\"", "\"0.25\"", &["declared_variance is 0.35999", "declared as 0.25"]);
    told("declared_variance = \"0.36\"", "", &["declared_variance is declared, but declared as not declared"]);
    told("exit_bps = 30", "exit_bps = 40", &["vault TSLAx (", "main.exit_bps is 30, but declared as 40"]);
    told("= 8500\n\n[vault.main]", "= 8000\n\n[vault.main]", &["max_utilisation_bps is 8500, but declared as 8000"]);
    told("\"250000\"", "\"250000.5\"", &["units_per_usd is 250000, but declared as 250000.5"]);
    told("\"100000\"", "\"90000\"", &["reference_strike is 100000, but declared as 90000"]);
    told("carry_bps = 1000", "carry_bps = 999", &["quanto market BTC/USD on TSLAx (", "carry_bps is 1000"]);
    told("call = 11500", "call = 11600", &["markup_bps is [11500, 10500]", "Nothing was created"]);
    told("call = 3500", "call = 2500", &["dollar market ETH/USD on NVDAx (", "reserve_extra_bps is [3500, 5000]"]);
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
    told("volatility_bps = 6000", "volatility_bps = 6001", &["volatility_bps is 6000, but declared as 6001"]);
    told("closed_haircut_bps = 500", "closed_haircut_bps = 400", &["closed_haircut_bps is 500"]);
    told("multiplier_change_bps = 200", "multiplier_change_bps = 0", &["multiplier_change_bps is 200"]);
    told("value_band_bps = 2500", "value_band_bps = 2400", &["value_band_bps is 2500"]);
    told(
        "[vault.stock.guards]\nmax_age_trade = 10",
        "[vault.stock.guards]\nmax_age_trade = 11",
        &["guards.max_age_trade is 10"],
    );
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
    assert!(told.contains("15 to create") && told.contains("dry run: nothing was created"), "{told}");
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
fn an_endpoint_that_cannot_be_reached_or_speaks_no_rpc_is_told_with_a_remedy() {
    let nobody = Rpc::new("http://127.0.0.1:9");
    let error = format!("{:#}", nobody.genesis().unwrap_err());
    assert!(error.contains("cannot reach") && error.contains("--url"), "{error}");

    let http = tiny_http::Server::http("127.0.0.1:0").unwrap();
    let url = format!("http://{}", http.server_addr());
    let answers = std::thread::spawn(move || {
        for status in [200, 404, 429, 403] {
            let request = http.recv().unwrap();
            request.respond(tiny_http::Response::from_string("hello").with_status_code(status)).unwrap();
        }
    });
    for expected in ["does not answer", "does not answer", "limits its requests", "refuses access"] {
        let error = format!("{:#}", Rpc::new(&url).genesis().unwrap_err());
        assert!(error.contains(expected), "{expected:?} is not in {error}");
    }
    answers.join().unwrap();
}

#[test]
fn a_refusal_by_the_program_is_told_by_its_name_and_remedy() {
    let cluster = Cluster::new();
    cluster.set_up();
    let stranger = Keypair::new();
    cluster.chain().fund(&stranger.pubkey());
    let network = Rpc::new(&cluster.server.url);
    let pause = instruction::set_opening_paused(&stranger.pubkey(), true);
    let mut transaction = Transaction::new_unsigned(Message::new(&[pause], Some(&stranger.pubkey())));
    transaction.try_sign(&[&stranger], network.latest_blockhash().unwrap()).unwrap();
    let error = format!("{:#}", network.send(&transaction).unwrap_err());
    assert!(error.contains("Unauthorized") && error.contains("Sign with the account that may do this"), "{error}");
    assert!(error.contains("custom program error"), "the log is missing in {error}");
}
