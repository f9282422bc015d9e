//! What administrators do.

use std::fs;

use serde_json::Value;

use crate::net::{DAY, LOCALNET, Net, Network, named, table, text};

/// Sets an empty cluster up from a file, after a look at what that would do.
pub fn sets_a_cluster_up(net: &Net<impl Network>) {
    let none = net.err("admin", &["markets", "TSLAx"]);
    assert!(text(&none["remedy"]).contains("admin apply"), "{none}");
    let plan = net.ok("admin", &["admin", "plan", LOCALNET]);
    assert_eq!((&plan["outcome"], &plan["steps"][0]["state"]), (&"dry run".into(), &"missing".into()));
    assert_eq!(net.ok("admin", &["admin", "apply", LOCALNET])["outcome"], "created");
    assert_eq!(net.ok("admin", &["admin", "apply", LOCALNET])["outcome"], "unchanged");
}

fn proposals(net: &Net<impl Network>) -> Vec<Value> {
    net.ok("admin", &["admin", "proposals"])["proposals"].as_array().unwrap().clone()
}

/// Changes every market's carry: sees the difference, proposes, waits, applies; and takes one change back.
pub fn changes_what_must_wait(net: &Net<impl Network>) {
    let declaration = fs::read_to_string(LOCALNET).unwrap();
    let other = net.write("other.toml", &declaration.replace("carry_bps = 1000", "carry_bps = 900"));
    let shown = net.shown("admin", &["admin", "apply", &other, "--dry-run"]);
    assert!(shown.contains("carry_bps is 1000, but declared as 900"), "{shown}");
    assert!(shown.contains("6 to propose") && shown.contains("dry run: nothing was sent"), "{shown}");
    let plan = net.ok("admin", &["admin", "plan", &other]);
    let step = named(&plan["steps"], "what", "quanto market BTC/USD on TSLAx");
    assert_eq!(
        (&step["state"], &step["details"][0]),
        (&"propose".into(), &"carry_bps is 1000, but declared as 900".into())
    );
    assert_eq!(proposals(net).len(), 0, "a dry run sends nothing");

    assert_eq!(net.ok("admin", &["admin", "apply", &other])["outcome"], "changed");
    let waiting = proposals(net);
    assert_eq!((waiting.len(), &waiting[0]["state"]), (6, &"waits".into()));
    let [first, second] = [0, 1].map(|place| text(&waiting[place]["target"]).to_owned());
    let shown = net.shown("admin", &["admin", "proposals"]);
    assert!(table(&shown, "account").iter().any(|row| row[0] == first && row[2] == "waits"), "{shown}");
    assert_eq!(net.ok("admin", &["admin", "apply", &other])["outcome"], "waiting");
    let early = net.err("admin", &["admin", "apply-change", &first]);
    assert!(text(&early["cause"]).contains("two days"), "{early}");
    net.ok("admin", &["admin", "cancel-change", &second]);

    net.network.pass(2 * DAY);
    // Anybody's hand.
    net.person("anybody", 0);
    let shown = net.shown("anybody", &["admin", "apply-change", &first]);
    assert!(shown.contains("ChangeApplied"), "{shown}");
    assert_eq!(proposals(net).len(), 4);
    // What was taken back is proposed anew, the rest applied.
    let applied = net.ok("admin", &["admin", "apply", &other]);
    let states =
        |state: &str| applied["steps"].as_array().unwrap().iter().filter(|step| step["state"] == state).count();
    assert_eq!((states("applied"), states("proposed")), (4, 1), "{applied}");
    net.network.pass(2 * DAY);
    net.ok("admin", &["admin", "apply", &other]);
    assert_eq!(net.ok("admin", &["admin", "apply", &other])["outcome"], "unchanged");
}

/// Pauses at once, and hands over.
pub fn pauses_and_hands_over(net: &Net<impl Network>) {
    let obstacles = |net: &Net<_>| {
        let markets = net.ok("admin", &["markets", "TSLAx"])["markets"].clone();
        named(&markets, "market", "TSLAx:BTC/USD:quanto")["obstacles"].clone()
    };
    let shown = net.shown("admin", &["admin", "pause"]);
    assert!(shown.contains("closing and leaving stay possible"), "{shown}");
    assert_eq!(obstacles(net)[0], "paused");
    net.person("late", 100);
    let refused = net.err("late", &["pool", "deposit", "TSLAx", "main", "10"]);
    assert_eq!(refused["code"], "OpeningPaused", "{refused}");
    net.ok("admin", &["admin", "resume"]);
    assert!(obstacles(net).as_array().unwrap().iter().all(|obstacle| obstacle != "paused"));

    let heir = net.person("heir", 0).to_string();
    assert_eq!(net.err("heir", &["admin", "accept"])["kind"], "refused");
    net.ok("admin", &["admin", "hand-over", &heir]);
    net.ok("heir", &["admin", "accept"]);
    let error = net.err("admin", &["admin", "hand-over", &heir]);
    assert_eq!([&error["code"], &error["kind"]], ["Unauthorized", "failed"]);
    // And back, for who comes after.
    let admin = solana_signer::Signer::pubkey(net.network.admin()).to_string();
    net.ok("heir", &["admin", "hand-over", &admin]);
    net.ok("admin", &["admin", "accept"]);
}
