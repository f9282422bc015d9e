//! The trader's, the provider's, the administrator's and the keeper's journeys, by the command over JSON-RPC on the
//! compiled program.

#[path = "../support/mod.rs"]
mod support;

mod admin;
mod keeper;
mod machine;
mod net;
mod network;
mod provider;
mod terminal;
mod trader;

use perpetua_client::{account::read_copy, address, perpetua::state};
use perpetua_tests::{stock::set_multiplier, token};
use serde_json::Value;

use crate::{
    machine::Machine,
    net::{DAY, MINTS, Net, Network, text},
    network::Local,
};

/// A network that is set up, with seeded pools.
fn ready() -> Net<Machine> {
    let net = Machine::set_up();
    provider::seeds(&net);
    net
}

#[test]
fn an_administrator_sets_a_cluster_up_and_changes_what_must_wait() {
    let net = Machine::empty();
    admin::sets_a_cluster_up(&net);
    admin::changes_what_must_wait(&net);
}

#[test]
fn an_administrator_pauses_acknowledges_a_mint_and_hands_over() {
    let net = ready();
    admin::pauses_and_hands_over(&net);
    let nothing = net.err("admin", &["admin", "acknowledge-mint", "TSLAx"]);
    assert!(text(&nothing["cause"]).contains("as it was acknowledged"), "{nothing}");
    // The issuer names another authority for the multiplier.
    let mint = MINTS[0].parse().unwrap();
    token::edit_extension(&mut net.network.chain(), &mint, token::extension::SCALED_UI, |value| value[0] ^= 1);
    net.person("trader", 10);
    let closed = net.err("trader", &["deposit", "TSLAx", "10"]);
    assert_eq!(closed["code"], "MintChanged", "{closed}");
    net.ok("admin", &["admin", "acknowledge-mint", "TSLAx"]);
    net.ok("trader", &["deposit", "TSLAx", "10"]);

    // And announces a split.
    {
        let mut chain = net.network.chain();
        let tomorrow = chain.now() + DAY;
        set_multiplier(&mut chain, &mint, 1.0, 3.0, tomorrow);
    }
    let shown = net.shown("admin", &["admin", "acknowledge-multiplier", "TSLAx"]);
    assert!(shown.contains("accept the multiplier 3 of TSLAx from 2026-"), "{shown}");
    let stock = net.network.data(&net.vault().stock());
    let stock: state::Stock = read_copy(&address::PROGRAM, &stock).unwrap();
    assert_eq!(stock.state.acknowledged.0, 3.0_f64.to_bits());
    let again = net.err("admin", &["admin", "acknowledge-multiplier", "TSLAx"]);
    assert!(text(&again["cause"]).contains("the multiplier 3 of TSLAx is acknowledged"), "{again}");
}

/// Acknowledged while a split is announced, the multiplier in force would make the next price count, whatever it is: the
/// share's feed may know of the split hours before the mint, and every dollar would buy three times its tokens.
#[test]
fn an_announced_split_is_what_is_acknowledged_and_no_doubted_price_is_believed_unasked() {
    let net = ready();
    let crank = || drop(net.ok("admin", &["keeper", "crank", "TSLAx:BTC:dollar"]));
    let stock = || read_copy::<state::Stock>(&address::PROGRAM, &net.network.data(&net.vault().stock())).unwrap().state;
    crank();
    let nothing = net.err("admin", &["admin", "acknowledge-multiplier", "TSLAx"]);
    assert!(text(&nothing["cause"]).contains("no other one is announced"), "{nothing}");
    let from = {
        let mut chain = net.network.chain();
        let from = chain.now() + 4 * 3_600;
        set_multiplier(&mut chain, &MINTS[0].parse().unwrap(), 1.0, 3.0, from);
        from
    };
    crank();
    let doubted = stock().doubt_bps;
    let done = net.ok("admin", &["admin", "acknowledge-multiplier", "TSLAx"]);
    assert_eq!([&done["intent"]["multiplier"], &done["intent"]["in_force"]], ["3", "1"]);
    assert_eq!((stock().doubt_bps, stock().acknowledged.0), (doubted, 3f64.to_bits()));

    let seconds = from - 30 - net.network.chain().now();
    net.network.pass(seconds);
    net.network.chain().wait(40);
    crank();
    assert_eq!((stock().multiplier.0, stock().unacknowledged), (3f64.to_bits(), 0));
    assert_eq!(net.err("admin", &["admin", "acknowledge-multiplier", "TSLAx"])["kind"], "refused");
    let done = net.ok("admin", &["admin", "acknowledge-multiplier", "TSLAx", "--believe-next-price"]);
    assert_eq!(
        [&done["intent"]["multiplier"], &done["intent"]["believe_next_price"]],
        [&"3".into(), &Value::Bool(true)]
    );
}

#[test]
fn a_provider_joins_and_leaves_by_request_execution_and_claim() {
    provider::joins_and_leaves_by_request_execution_and_claim(&ready());
}

#[test]
fn a_trader_deposits_buys_holds_sells_and_withdraws() {
    trader::deposits_buys_holds_sells_and_withdraws(&ready());
}

#[test]
fn a_trader_is_told_why_not_and_what_to_do() {
    trader::is_told_why_not_and_what_to_do(&ready());
}

#[test]
fn dollar_markets_are_traded_beside_quanto_ones_and_accounts_that_cannot_pay_are_liquidated() {
    let net = ready();
    trader::trades_dollar_markets_beside_quanto_ones(&net);
    keeper::liquidates_who_cannot_pay_and_nobody_else(&net);
}

/// In an order in which nothing stands in the way of what follows.
#[test]
#[ignore = "takes a real network, which tools/surfnet builds, and does not pass there yet: transactions expire"]
fn every_journey_ends_on_a_real_network_as_on_the_virtual_machine() {
    let net = Local::start();
    let journeys = [
        provider::seeds,
        trader::trades_dollar_markets_beside_quanto_ones,
        trader::deposits_buys_holds_sells_and_withdraws,
        trader::is_told_why_not_and_what_to_do,
        keeper::liquidates_who_cannot_pay_and_nobody_else,
        provider::joins_and_leaves_by_request_execution_and_claim,
        admin::changes_what_must_wait,
        admin::pauses_and_hands_over,
    ];
    for journey in journeys {
        // Each begins when volatility is sampled, by whatever it cranks first.
        net.network.pass(1);
        journey(&net);
    }
}

#[test]
fn amounts_have_the_multiplier_applied_and_say_so() {
    let net = Machine::set_up();
    let owner = net.person("trader", 100);
    {
        let (mint, mut chain) = (MINTS[0].parse().unwrap(), net.network.chain());
        let now = chain.now();
        set_multiplier(&mut chain, &mint, 3.0, 3.0, now);
    }
    let shown = net.shown("trader", &["deposit", "TSLAx", "30"]);
    assert!(shown.contains("times the multiplier 3 of TSLAx"), "{shown}");
    assert!(shown.contains("Deposited: amount 30 TSLAx"), "{shown}");
    let account = net.ok("trader", &["account", "TSLAx"]);
    assert_eq!(account["accounts"][0]["collateral"], "30");
    assert_eq!(account["wallet"][0]["amount"], "270");
    assert_eq!(account["accounts"][0]["multiplier"], "3");
    // Raw units know nothing of it.
    let data = net.network.data(&net.vault().margin_account(&owner, 0));
    let found: state::MarginAccount = read_copy(&address::PROGRAM, &data).unwrap();
    assert_eq!(found.state.collateral.0, 10 * token::ONE);
}
