//! The administrator's, the trader's and the liquidity provider's journeys, by the command over JSON-RPC on the compiled
//! program.

mod support;

use perpetua_client::{
    account::read_copy,
    model::{Multiplier, Size},
    perpetua::state,
};
use perpetua_tests::{stock::set_multiplier, token};
use serde_json::Value;
use support::{LOCALNET, MINTS, Net, raw};

const DAY: i64 = 86_400;

fn named<'a>(list: &'a Value, field: &str, value: &str) -> &'a Value {
    list.as_array().unwrap().iter().find(|entry| entry[field] == value).unwrap_or_else(|| panic!("{value} in {list}"))
}

#[test]
fn an_administrator_sets_a_cluster_up_changes_it_and_hands_it_over() {
    let net = Net::empty();
    assert!(net.err("admin", &["markets", "TSLAx"])["remedy"].as_str().unwrap().contains("admin apply"));
    let plan = net.ok("admin", &["admin", "plan", LOCALNET]);
    assert_eq!(plan["outcome"], "dry run");
    assert_eq!(net.ok("admin", &["admin", "apply", LOCALNET])["outcome"], "created");
    assert_eq!(net.ok("admin", &["admin", "apply", LOCALNET])["outcome"], "unchanged");

    // A change that waits.
    let declaration = std::fs::read_to_string(LOCALNET).unwrap();
    let other = net.write("other.toml", &declaration.replace("carry_bps = 1000", "carry_bps = 900"));
    assert_eq!(net.ok("admin", &["admin", "apply", &other])["outcome"], "changed");
    let proposals = net.ok("admin", &["admin", "proposals"])["proposals"].clone();
    assert_eq!(proposals.as_array().unwrap().len(), 6);
    let target = proposals[0]["target"].as_str().unwrap().to_owned();
    assert_eq!(proposals[0]["state"], "waits");
    let early = net.err("admin", &["admin", "apply-change", &target]);
    assert!(early["cause"].as_str().unwrap().contains("two days"), "{early}");
    let second = proposals[1]["target"].as_str().unwrap();
    net.ok("admin", &["admin", "cancel-change", second]);
    net.wait(2 * DAY);
    net.ok("admin", &["admin", "apply-change", &target]);
    assert_eq!(net.ok("admin", &["admin", "proposals"])["proposals"].as_array().unwrap().len(), 4);

    // What takes effect at once.
    net.ok("admin", &["admin", "pause"]);
    let markets = net.ok("admin", &["markets", "TSLAx"])["markets"].clone();
    assert_eq!(named(&markets, "market", "TSLAx:BTC/USD:quanto")["obstacles"][0], "paused");
    net.ok("admin", &["admin", "resume"]);
    let nothing = net.err("admin", &["admin", "acknowledge-mint", "TSLAx"]);
    assert!(nothing["cause"].as_str().unwrap().contains("as it was acknowledged"), "{nothing}");
    {
        let mint = MINTS[0].parse().unwrap();
        // The issuer names another authority for the multiplier.
        token::edit_extension(&mut net.chain(), &mint, token::extension::SCALED_UI, |value| value[0] ^= 1);
    }
    net.ok("admin", &["admin", "acknowledge-mint", "TSLAx"]);
    let nothing = net.err("admin", &["admin", "acknowledge-multiplier", "TSLAx"]);
    assert!(nothing["cause"].as_str().unwrap().contains("no other one is announced"), "{nothing}");

    // Another administrator.
    let heir = net.person("heir", 1).to_string();
    assert_eq!(net.err("heir", &["admin", "accept"])["kind"], "refused");
    net.ok("admin", &["admin", "hand-over", &heir]);
    net.ok("heir", &["admin", "accept"]);
    let error = net.err("admin", &["admin", "hand-over", &heir]);
    assert_eq!([&error["code"], &error["kind"]], ["Unauthorized", "failed"]);
}

/// Acknowledged while a split is announced, the multiplier in force would make the next price count, whatever it is: the
/// share's feed may know of the split hours before the mint, and every dollar would buy three times its tokens.
#[test]
fn an_announced_split_is_what_is_acknowledged_and_no_doubted_price_is_believed_unasked() {
    let net = Net::ready();
    net.ok("admin", &["keeper", "crank", "TSLAx:BTC:dollar"]);
    let mint = MINTS[0].parse().unwrap();
    let from = {
        let mut chain = net.chain();
        let from = chain.now() + 4 * 3_600;
        set_multiplier(&mut chain, &mint, 1.0, 3.0, from);
        from
    };
    // Without a newer price, as in the night, the last one stays in doubt.
    net.chain().wait(20);
    net.ok("admin", &["keeper", "crank", "TSLAx:BTC:dollar"]);
    let stock = || {
        let found = net.chain().account(&perpetua_client::address::stock(&net.vault().vault));
        read_copy::<state::Stock>(&found.owner, &found.data).unwrap().state
    };
    let doubted = stock().doubt_bps;
    assert!(doubted != 0 && doubted != u16::MAX);
    let done = net.ok("admin", &["admin", "acknowledge-multiplier", "TSLAx"]);
    assert_eq!([&done["intent"]["multiplier"], &done["intent"]["in_force"]], ["3", "1"]);
    assert_eq!((stock().doubt_bps, stock().acknowledged.0), (doubted, 3f64.to_bits()));

    let seconds = from - 30 - net.chain().now();
    net.wait(seconds);
    net.chain().wait(40);
    net.ok("admin", &["keeper", "crank", "TSLAx:BTC:dollar"]);
    assert_eq!((stock().multiplier.0, stock().unacknowledged), (3f64.to_bits(), 0));
    let refused = net.err("admin", &["admin", "acknowledge-multiplier", "TSLAx"]);
    assert!(refused["remedy"].as_str().unwrap().contains("--believe-next-price"), "{refused}");
    net.ok("admin", &["admin", "acknowledge-multiplier", "TSLAx", "--believe-next-price"]);
    assert_eq!(stock().doubt_bps, u16::MAX);
}

#[test]
fn a_provider_joins_both_pools_and_leaves_by_request_execution_and_claim() {
    let net = Net::ready();
    let status = net.ok("lp", &["pool", "status", "TSLAx"]);
    let main = named(&status["pools"], "pool", "main").clone();
    assert_eq!(main["assets"], "50000");
    assert_eq!(main["your_shares"], "50000");
    // The exit fee stays.
    assert_eq!(raw(&main["your_worth"]), 50_000 * 99_700_000);
    assert_eq!(net.ok("lp", &["pool", "yield", "TSLAx"])["pools"][0]["funding_yield_bps"], "0");

    let requested = net.ok("lp", &["pool", "request", "TSLAx", "main", "20000"]);
    let ticket = requested["intent"]["ticket"].as_str().unwrap().to_owned();
    let early = net.err("lp", &["pool", "execute", "TSLAx", "main"]);
    assert!(early["remedy"].as_str().unwrap().starts_with("wait until 2026-01-09"), "{early}");
    // One of two comes back.
    let second = net.ok("lp", &["pool", "request", "TSLAx", "main", "100"]);
    net.ok("lp", &["pool", "cancel", "TSLAx", second["intent"]["ticket"].as_str().unwrap()]);
    net.wait(3 * DAY);
    let ready = net.ok("lp", &["pool", "status", "TSLAx"]);
    let own = &named(&ready["pools"], "pool", "main")["tickets"];
    assert_eq!(named(own, "address", &ticket)["state"], "execute");
    net.ok("lp", &["pool", "execute", "TSLAx", "main"]);
    let wallet = raw(&net.ok("lp", &["account", "TSLAx"])["wallet"][0]["amount"]);
    let claimed = net.ok("lp", &["pool", "claim", "TSLAx"]);
    let amount = raw(&claimed["intent"]["claims"][0]["amount"]);
    assert_eq!(amount, 20_000 * 99_700_000);
    assert_eq!(raw(&net.ok("lp", &["account", "TSLAx"])["wallet"][0]["amount"]), wallet + amount);
    assert!(net.err("lp", &["pool", "claim", "TSLAx"])["cause"].as_str().unwrap().contains("nothing to claim"));
}

#[test]
fn a_trader_deposits_buys_holds_sells_and_withdraws() {
    let net = Net::ready();
    let trader = net.person("trader", 1_000);
    let ladder = net.ok("trader", &["ladder", "TSLAx:BTC:quanto", "--around", "3"]);
    assert_eq!(ladder["strikes"].as_array().unwrap().len(), 7);
    let poor = net.err("trader", &["open", "TSLAx:BTC:quanto", "call", "atm", "0.5"]);
    assert!(poor["remedy"].as_str().unwrap().contains("perpetua deposit TSLAx"), "{poor}");
    let deposited = net.ok("trader", &["deposit", "TSLAx", "600"]);
    assert_eq!(deposited["intent"]["opens_account"], true);
    let ambiguous = net.err("trader", &["quote", "TSLAx:BTC", "call", "atm", "0.5"]);
    assert!(ambiguous["remedy"].as_str().unwrap().contains("TSLAx:BTC/USD:dollar"), "{ambiguous}");

    let quote = net.ok("trader", &["quote", "TSLAx:BTC:quanto", "call", "atm", "0.5"]);
    let cost = raw(&quote["buy"]["cost"]);
    let dear = net.err("trader", &["open", "TSLAx:BTC:quanto", "call", "atm", "0.5", "--max-cost", "0.1"]);
    assert!(dear["cause"].as_str().unwrap().contains("more than 0.1 TSLAx"), "{dear}");
    let tried = net.ok("trader", &["open", "TSLAx:BTC:quanto", "call", "atm", "0.5", "--dry-run"]);
    assert_eq!(tried["outcome"], "dry run");
    let opened = net.ok("trader", &["open", "TSLAx:BTC:quanto", "call", "atm", "0.5"]);
    // The bound is 1% above the quote, and what was paid is what was quoted.
    assert_eq!(raw(&opened["intent"]["max_cost"]), (cost * 101 + 99) / 100);
    let event = named(&opened["transactions"][0]["events"], "event", "PositionOpened")["fields"].clone();
    assert_eq!(raw(&event["premium"]) + raw(&event["fee"]), cost);
    assert_eq!(opened["transactions"][0]["explorer"], Value::Null);

    let account = net.ok("trader", &["account", "TSLAx"])["accounts"][0].clone();
    assert_eq!(raw(&account["collateral"]), 600 * 100_000_000 - cost);
    assert_eq!(account["positions"][0]["size"], "0.5");
    assert_eq!(account["liquidatable"], false);
    let tick = account["positions"][0]["tick"].to_string();

    net.wait(3_600);
    net.ok("trader", &["keeper", "crank", "TSLAx:BTC:quanto"]);
    let later = net.ok("trader", &["account", "TSLAx"])["accounts"][0].clone();
    let hourly = raw(&account["funding_per_day"]) / 24;
    let owed = raw(&later["funding_owed"]);
    assert!((owed - hourly).abs() * 50 < hourly, "{owed} is not about {hourly}");

    let held = net.err("trader", &["withdraw", "TSLAx", "all"]);
    assert!(held["cause"].as_str().unwrap().contains("positions are open"), "{held}");
    let strike = format!("tick:{tick}");
    let closed = net.ok("trader", &["close", "TSLAx:BTC:quanto", "call", &strike, "0.2"]);
    assert_eq!(
        named(&closed["transactions"][0]["events"], "event", "PositionClosed")["fields"]["position_size"],
        "0.3"
    );
    net.ok("trader", &["close", "TSLAx:BTC:quanto", "call", &strike, "all"]);
    net.ok("trader", &["withdraw", "TSLAx", "all", "--close"]);
    let end = net.ok("trader", &["account", "TSLAx"]);
    assert_eq!(end["accounts"].as_array().unwrap().len(), 0);
    let lost = 1_000 * 100_000_000 - raw(&end["wallet"][0]["amount"]);
    assert!(lost > owed && lost < cost, "{lost} of {cost}");

    let history = net.ok("trader", &["history", &trader.to_string(), "--limit", "100"]);
    let names: Vec<&str> =
        history["events"].as_array().unwrap().iter().map(|event| event["event"].as_str().unwrap()).collect();
    assert_eq!(names.last(), Some(&"AccountOpened"));
    assert_eq!(names.first(), Some(&"AccountClosed"));
}

#[test]
fn a_dollar_market_is_traded_and_told_apart() {
    let net = Net::ready();
    net.person("trader", 1_000);
    net.ok("trader", &["deposit", "TSLAx", "all"]);
    net.ok("trader", &["open", "TSLAx:BTC:dollar", "put", "95000", "0.1", "--slippage", "0.5"]);
    net.ok("trader", &["open", "TSLAx:ETH:quanto", "call", "atm", "1"]);
    net.ok("trader", &["open", "TSLAx:ETH:dollar", "call", "atm", "1"]);
    let account = net.ok("trader", &["account"])["accounts"][0].clone();
    assert_eq!(account["positions"].as_array().unwrap().len(), 3);
    named(&account["positions"], "market", "TSLAx:BTC/USD:dollar");
    net.ok("trader", &["withdraw", "TSLAx", "10"]);
}

#[test]
fn amounts_have_the_multiplier_applied_and_say_so() {
    let net = Net::ready();
    net.person("trader", 100);
    {
        let (mint, mut chain) = (MINTS[0].parse().unwrap(), net.chain());
        let now = chain.now();
        set_multiplier(&mut chain, &mint, 3.0, 3.0, now);
    }
    let told = net.run("trader", &["deposit", "TSLAx", "30", "--yes"]);
    assert_eq!(told.code, 0, "{}", told.stderr);
    assert!(told.stderr.contains("times the multiplier 3 of TSLAx"), "{}", told.stderr);
    assert!(told.stdout.contains("Deposited: amount 30 TSLAx"), "{}", told.stdout);
    let account = net.ok("trader", &["account", "TSLAx"]);
    assert_eq!(account["accounts"][0]["collateral"], "30");
    assert_eq!(account["wallet"][0]["amount"], "270");
    assert_eq!(account["accounts"][0]["multiplier"], "3");
    // Raw units know nothing of it.
    let owner = account["owner"].as_str().unwrap().parse().unwrap();
    let found = net.chain().account(&net.vault().margin_account(&owner, 0));
    let found: state::MarginAccount = read_copy(&found.owner, &found.data).unwrap();
    assert_eq!(found.state.collateral.0, 10 * token::ONE);
    assert_eq!(Multiplier(3.0_f64.to_bits()), Multiplier::from_bits(3.0_f64.to_bits()).unwrap());
}

#[test]
fn a_keeper_liquidates_who_cannot_pay_and_nobody_else() {
    let net = Net::ready();
    net.person("trader", 1_000);
    net.person("keeper", 1);
    net.ok("trader", &["deposit", "TSLAx", "400"]);
    net.ok("trader", &["open", "TSLAx:BTC:quanto", "call", "atm", "0.5"]);
    let healthy = net.err("keeper", &["keeper", "liquidate", "TSLAx"]);
    assert!(healthy["cause"].as_str().unwrap().contains("none is below"), "{healthy}");
    let account = net.ok("trader", &["account", "TSLAx"])["accounts"][0]["address"].as_str().unwrap().to_owned();
    assert_eq!(net.err("keeper", &["keeper", "settle", &account])["kind"], "refused");
    {
        // Nothing is left but a raw unit of collateral: what was posted is gone to funding, say.
        let address = account.parse().unwrap();
        let mut chain = net.chain();
        let found = chain.account(&address);
        let mut found: state::MarginAccount = read_copy(&found.owner, &found.data).unwrap();
        let gone = found.state.collateral.0 - 1;
        found.state.collateral.0 = 1;
        let vault = chain.account(&net.vault().vault);
        let mut vault: state::Vault = read_copy(&vault.owner, &vault.data).unwrap();
        vault.state.margin.0 -= gone;
        vault.state.main.assets.0 += gone;
        chain.edit(&address, |data| data[8..].copy_from_slice(bytemuck::bytes_of(&found)));
        chain.edit(&net.vault().vault, |data| data[8..].copy_from_slice(bytemuck::bytes_of(&vault)));
    }
    let done = net.ok("keeper", &["keeper", "liquidate", "TSLAx"]);
    let last = done["transactions"].as_array().unwrap().last().unwrap();
    let event = named(&last["events"], "event", "AccountLiquidated")["fields"].clone();
    assert!(raw(&event["keeper_reward"]) > 0, "{event}");
    let found = net.chain().account(&account.parse().unwrap());
    let found: state::MarginAccount = read_copy(&found.owner, &found.data).unwrap();
    assert!(found.state.positions.iter().map(|position| position.size).max() < Some(Size(500_000)));
}
