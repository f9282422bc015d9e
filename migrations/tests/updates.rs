//! Bringing a cluster that exists to another declaration, over HTTP, on the compiled program.

mod support;

use perpetua_tests::{
    chain::changed,
    client::{account::read_copy, address, perpetua::state, price::pushed},
    price::{self, FEEDS},
};
use serde_json::Value;
use support::{Cluster, LOCALNET, Run, all, keys};

/// Two days and the week after them, seconds.
const DELAY: i64 = 48 * 3_600;
const WEEK: i64 = 7 * 86_400;

/// Replacements in the localnet file, each everywhere.
fn changed_file(cluster: &Cluster, changes: &[(&str, &str)]) {
    let mut text = LOCALNET.to_owned();
    for (from, to) in changes {
        assert!(text.contains(from), "the file has no {from:?}");
        text = text.replace(from, to);
    }
    cluster.write("other.toml", &text);
}

fn run(cluster: &Cluster, arguments: &[&str]) -> Run {
    let run = cluster.run_with("other.toml", "wallet.json", arguments);
    assert!(run.success, "{}", run.stderr);
    run
}

fn step(document: &Value, what: &str) -> Value {
    document["steps"].as_array().unwrap().iter().find(|step| step["what"] == what).unwrap().clone()
}

fn market(cluster: &Cluster) -> Box<state::Market> {
    let account = cluster.chain().account(&keys().market(address::index(&FEEDS[0])).market);
    Box::new(read_copy(&account.owner, &account.data).unwrap())
}

/// Lets time pass and publishes the prices of both indices, as changes of markets need.
fn pass(cluster: &Cluster, seconds: i64) {
    cluster.server.unsigned(|chain| {
        chain.wait(seconds);
        for (feed, dollars) in [(FEEDS[0], 100_000), (FEEDS[1], 4_000)] {
            let price = price::fresh(chain, feed, price::usd(dollars));
            price::post(chain, &pushed(&feed, 0), &price);
        }
    });
}

const CARRY: (&str, &str) = ("carry_bps = 1000", "carry_bps = 900");
const MARKET: &str = "quanto market BTC/USD on TSLAx";

#[test]
fn what_only_tightens_is_changed_at_once() {
    let cluster = Cluster::new();
    cluster.set_up();
    changed_file(
        &cluster,
        &[("series_limit_bps = 1000", "series_limit_bps = 900"), ("value_band_bps = 2500", "value_band_bps = 2400")],
    );
    let shown = run(&cluster, &["--dry-run"]).stdout;
    assert!(shown.contains("series_limit_bps is 1000, but declared as 900"), "{shown}");
    assert!(shown.contains("8 to tighten at once"), "{shown}");
    let document = run(&cluster, &["--yes", "--json"]).json();
    assert_eq!(document["outcome"], "changed");
    assert_eq!(step(&document, MARKET)["state"], "tightened");
    assert_eq!(market(&cluster).state.config.series_limit_bps, 900);
    assert_eq!(run(&cluster, &["--json"]).states(), all("as declared"));
}

#[test]
fn what_must_wait_is_proposed_waits_two_days_and_is_applied_after_a_crank() {
    let cluster = Cluster::new();
    cluster.set_up();
    let stranger = "SysvarRent111111111111111111111111111111111";
    changed_file(
        &cluster,
        &[
            CARRY,
            ("guardian = \"wallet\"", &format!("guardian = \"{stranger}\"")),
            ("exit_bps = 30", "exit_bps = 40"),
            ("max_age_crank = 60", "max_age_crank = 61"),
        ],
    );
    let shown = run(&cluster, &["--dry-run"]).stdout;
    assert!(shown.contains("13 to propose") && shown.contains("carry_bps is 1000, but declared as 900"), "{shown}");
    let proposed = run(&cluster, &["--yes", "--json"]).json();
    assert_eq!(proposed["outcome"], "changed");
    assert_eq!([&step(&proposed, MARKET)["state"], &step(&proposed, "exchange")["state"]], ["proposed"; 2]);
    assert_eq!(market(&cluster).state.config.carry_bps, 1_000);

    // Until two days are over there is nothing to do.
    let due = cluster.chain().now() + DELAY;
    let before = cluster.snapshot();
    let waits = run(&cluster, &["--yes", "--json"]).json();
    assert_eq!(waits["outcome"], "waiting");
    assert_eq!([&step(&waits, MARKET)["state"], &step(&waits, MARKET)["until"]], [&Value::from("wait"), &due.into()]);
    assert_eq!(changed(&before, &cluster.snapshot()), []);

    pass(&cluster, DELAY);
    let applied = run(&cluster, &["--yes", "--json"]).json();
    assert_eq!(step(&applied, MARKET)["state"], "applied");
    assert_eq!(step(&applied, "dollar market BTC/USD on TSLAx")["state"], "applied");
    assert_eq!(market(&cluster).state.config.carry_bps, 900);
    assert_eq!(run(&cluster, &["--json"]).states(), all("as declared"));
}

#[test]
fn another_change_or_one_that_expired_is_proposed_anew_in_its_place() {
    let cluster = Cluster::new();
    cluster.set_up();
    changed_file(&cluster, &[CARRY]);
    run(&cluster, &["--yes"]);
    pass(&cluster, DELAY - 1);
    changed_file(&cluster, &[("carry_bps = 1000", "carry_bps = 800")]);
    let document = run(&cluster, &["--yes", "--json"]).json();
    assert_eq!(step(&document, MARKET)["state"], "proposed");
    // The two days count from the second proposal.
    pass(&cluster, 1);
    assert_eq!(run(&cluster, &["--yes", "--json"]).json()["outcome"], "waiting");
    pass(&cluster, DELAY + WEEK);
    assert_eq!(step(&run(&cluster, &["--yes", "--json"]).json(), MARKET)["state"], "proposed");
    pass(&cluster, DELAY);
    run(&cluster, &["--yes"]);
    assert_eq!(market(&cluster).state.config.carry_bps, 800);
}
