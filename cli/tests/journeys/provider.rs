//! What providers of liquidity do.

use serde_json::Value;

use crate::net::{DAY, Net, Network, labelled, named, raw, table, text};

/// Puts tokens into both pools, so that there is something to trade against.
pub fn seeds(net: &Net<impl Network>) {
    net.person("seed", 60_000);
    net.ok("seed", &["pool", "deposit", "TSLAx", "main", "50000"]);
    net.ok("seed", &["pool", "deposit", "TSLAx", "insurance", "5000"]);
}

fn main_pool(net: &Net<impl Network>) -> Value {
    named(&net.ok("lp", &["pool", "status", "TSLAx"])["pools"], "pool", "main").clone()
}

fn wallet(net: &Net<impl Network>) -> i128 {
    raw(&net.ok("lp", &["account", "TSLAx"])["wallet"][0]["amount"])
}

/// Joins, looks at status and yield, requests, cancels, waits, executes, and claims.
pub fn joins_and_leaves_by_request_execution_and_claim(net: &Net<impl Network>) {
    net.person("lp", 1_000);
    let before = raw(&main_pool(net)["assets"]);
    let joined = net.shown("lp", &["pool", "deposit", "TSLAx", "main", "1000"]);
    assert!(joined.contains("put 1000 TSLAx into the main pool of TSLAx"), "{joined}");
    assert!(joined.contains("PoolJoined: pool main, amount 1000 TSLAx, shares "), "{joined}");
    let pool = main_pool(net);
    assert_eq!(raw(&pool["assets"]), before + 1_000 * 100_000_000);
    // What is left after the exit fee of 0.3%, less what rounding takes.
    let worth = raw(&pool["your_worth"]);
    assert!((99_600_000_000..=99_700_000_000).contains(&worth), "{pool}");
    looks(net, &pool);

    let whole = text(&pool["your_shares"]).split('.').next().unwrap();
    let half = (whole.parse::<u64>().unwrap() / 2).to_string();
    let requested = net.ok("lp", &["pool", "request", "TSLAx", "main", &half]);
    let ticket = text(&requested["intent"]["ticket"]).to_owned();
    let early = net.err("lp", &["pool", "execute", "TSLAx", "main"]);
    assert!(text(&early["cause"]).contains("is not ready yet"), "{early}");
    assert!(text(&early["remedy"]).starts_with("wait until "), "{early}");
    // One of two comes back.
    let second = net.ok("lp", &["pool", "request", "TSLAx", "main", "100"]);
    net.ok("lp", &["pool", "cancel", "TSLAx", text(&second["intent"]["ticket"])]);

    net.network.pass(3 * DAY);
    let shown = net.shown("lp", &["pool", "status", "TSLAx"]);
    let row = table(&shown, "ticket").into_iter().find(|row| row[5] == ticket).unwrap();
    assert_eq!((row[1], row[4]), (half.as_str(), "execute"), "{shown}");
    let executed = net.shown("lp", &["pool", "execute", "TSLAx", "main"]);
    assert!(executed.contains("WithdrawalExecuted: "), "{executed}");
    assert_eq!(named(&main_pool(net)["tickets"], "address", &ticket)["state"], "claim");
    let held = wallet(net);
    let claimed = net.ok("lp", &["pool", "claim", "TSLAx"]);
    let amount = raw(&claimed["intent"]["claims"][0]["amount"]);
    assert!(amount > 0, "{claimed}");
    assert_eq!(wallet(net), held + amount);
    let nothing = net.err("lp", &["pool", "claim", "TSLAx"]);
    assert!(text(&nothing["cause"]).contains("nothing to claim"), "{nothing}");
    let poor = net.err("lp", &["pool", "request", "TSLAx", "main", "1000000"]);
    assert!(text(&poor["cause"]).contains("shares of the main pool"), "{poor}");
}

/// What people are shown of both pools is what programs are told.
fn looks(net: &Net<impl Network>, pool: &Value) {
    let shown = net.shown("lp", &["pool", "status", "TSLAx"]);
    assert_eq!(labelled(&shown, "assets"), format!("{} TSLAx", text(&pool["assets"])));
    assert_eq!(labelled(&shown, "shares"), text(&pool["shares"]));
    let yours = format!("{} shares, worth {} TSLAx", text(&pool["your_shares"]), text(&pool["your_worth"]));
    assert!(labelled(&shown, "yours").starts_with(&yours), "{shown}");
    assert_eq!(labelled(&shown, "wait, exit fee"), "3 d 0 h, 0.3%");

    let earned = net.ok("lp", &["pool", "yield", "TSLAx"])["pools"].clone();
    let shown = net.shown("lp", &["pool", "yield", "TSLAx"]);
    for row in table(&shown, "pool") {
        let pool = named(&earned, "pool", row[0]);
        assert_eq!(row[1], format!("{} TSLAx", text(&pool["assets"])));
        assert_eq!(row[2], format!("{} TSLAx", text(&pool["income_per_day"])));
        let percent = raw(&pool["funding_yield_bps"]) / 100;
        assert_eq!(crate::net::decimal(row[3].trim_end_matches('%')), percent, "{shown}");
    }
}
