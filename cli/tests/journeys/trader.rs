//! What traders do.

use bigdecimal::BigDecimal;
use serde_json::Value;

use crate::net::{Net, Network, decimal, labelled, named, raw, table, text};

/// The market that most is done in, and the strike.
const AT: [&str; 3] = ["TSLAx:BTC:quanto", "call", "atm"];
const QUANTO: &str = "TSLAx:BTC/USD:quanto";

/// A command on the option at the money.
fn at_the_money<'a>(command: &'a str, rest: &[&'a str]) -> Vec<&'a str> {
    [&[command], &AT[..], rest].concat()
}

/// Deposits, looks, buys, holds for an hour, sells in two parts, and takes everything out.
pub fn deposits_buys_holds_sells_and_withdraws(net: &Net<impl Network>) {
    let trader = net.person("trader", 1_000).to_string();
    looks(net);
    let shown = net.shown("trader", &["deposit", "TSLAx", "600"]);
    assert!(shown.contains("deposit 600 TSLAx into margin account 0") && shown.contains("which is opened"), "{shown}");
    assert!(shown.contains("Deposited: amount 600 TSLAx, collateral 600 TSLAx"), "{shown}");

    let cost = quotes(net);
    let tried = net.ok("trader", &at_the_money("open", &["0.5", "--dry-run"]));
    assert_eq!(tried["outcome"], "dry run");
    let opened = net.ok("trader", &at_the_money("open", &["0.5"]));
    // The bound is 1% above the quote, and what was paid is what was quoted.
    let event = named(&opened["transactions"][0]["events"], "event", "PositionOpened")["fields"].clone();
    let quoted = raw(&opened["intent"]["quote"]["cost"]);
    assert_eq!(raw(&opened["intent"]["max_cost"]), (quoted * 101 + 99) / 100);
    let paid = raw(&event["premium"]) + raw(&event["fee"]);
    assert!(paid <= (quoted * 101 + 99) / 100 && (paid - cost).abs() * 50 < cost, "{paid}, quoted {cost}");
    assert_eq!(opened["transactions"][0]["explorer"], Value::Null);

    let account = holds(net, 600 * 100_000_000 - paid);
    net.network.pass(3_600);
    let shown = net.shown("trader", &["keeper", "crank", "TSLAx:BTC:quanto"]);
    assert!(shown.contains("FundingCranked: price $"), "{shown}");
    let later = net.ok("trader", &["account", "TSLAx"])["accounts"][0].clone();
    let (hourly, owed) = (raw(&account["funding_per_day"]) / 24, raw(&later["funding_owed"]));
    // The rate moves with the price.
    assert!((owed - hourly).abs() * 10 < hourly, "{owed} is not about {hourly}");

    let held = net.err("trader", &["withdraw", "TSLAx", "all"]);
    assert!(text(&held["cause"]).contains("positions are open"), "{held}");
    let strike = format!("tick:{}", account["positions"][0]["tick"]);
    let option = ["TSLAx:BTC:quanto", "call", &strike];
    let closed = net.ok("trader", &[&["close"], &option[..], &["0.2"]].concat());
    assert_eq!(
        named(&closed["transactions"][0]["events"], "event", "PositionClosed")["fields"]["position_size"],
        "0.3"
    );
    let shown = net.shown("trader", &[&["close"], &option[..], &["all"]].concat());
    assert!(shown.starts_with(&format!("sell 0.3 of {QUANTO} call ")), "{shown}");
    assert!(decimal(labelled(&shown, "at least").split(' ').next().unwrap()) > 0, "{shown}");
    assert!(shown.contains("PositionClosed: side call"), "{shown}");
    net.ok("trader", &["withdraw", "TSLAx", "all", "--close"]);
    let end = net.ok("trader", &["account", "TSLAx"]);
    assert_eq!(end["accounts"].as_array().unwrap().len(), 0);

    // Every step is in the history, the newest first; what came and went adds up to what the wallet holds.
    let history = net.ok("trader", &["history", &trader, "--limit", "100"])["events"].clone();
    let events = history.as_array().unwrap();
    let names: Vec<&str> = events.iter().map(|event| text(&event["event"])).collect();
    let expected = ["AccountClosed", "Withdrawn", "PositionClosed", "PositionClosed", "PositionOpened", "Deposited"];
    assert_eq!(names, [&expected[..], &["AccountOpened"]].concat());
    let moved = |name: &str| raw(&named(&history, "event", name)["fields"]["amount"]);
    let left = 1_000 * 100_000_000 - moved("Deposited") + moved("Withdrawn");
    assert_eq!(raw(&named(&end["wallet"], "token", "TSLAx")["amount"]), left);
    let shown = net.shown("trader", &["history", &trader]);
    assert!(shown.contains(" UTC  Deposited: amount 600 TSLAx, collateral 600 TSLAx\n  "), "{shown}");
}

/// Lists markets and strikes: what people are shown is what programs are told.
fn looks(net: &Net<impl Network>) {
    let markets = net.ok("trader", &["markets", "TSLAx"])["markets"].clone();
    let rows = table(&net.shown("trader", &["markets", "TSLAx"]), "market").len();
    assert_eq!(rows, markets.as_array().unwrap().len());
    let market = named(&markets, "market", QUANTO);
    assert_eq!((&market["can_open"], &market["settlement"]), (&true.into(), &"quanto".into()));
    let shown = net.shown("trader", &["markets", "TSLAx"]);
    let row = table(&shown, "market").into_iter().find(|row| row[0] == QUANTO).unwrap();
    assert_eq!(row[5], "open");
    assert!(is_rounded(row[1], &market["index_price"], false), "{row:?} of {market}");

    let ladder = net.ok("trader", &["ladder", AT[0], "--around", "3"]);
    let strikes = ladder["strikes"].as_array().unwrap();
    let shown = net.shown("trader", &["ladder", AT[0], "--around", "3"]);
    let rows = table(&shown, "call interest");
    assert_eq!((strikes.len(), rows.len()), (7, 7), "{shown}");
    for (row, strike) in rows.iter().zip(strikes) {
        assert!(is_rounded(row[4].trim_start_matches('>'), &strike["strike"], false), "{row:?} of {strike}");
        for (side, [funding, bid, ask, interest]) in [("call", [1, 2, 3, 0]), ("put", [7, 5, 6, 8])] {
            let told = &strike[side];
            assert!(is_rounded(row[funding], &told["funding_per_day"], true), "{row:?} of {strike}");
            assert!(is_rounded(row[bid], &told["bid"], false), "{row:?} of {strike}");
            assert!(is_rounded(row[ask], &told["ask"], true), "{row:?} of {strike}");
            assert_eq!(row[interest], told["open_interest"]);
            assert!(number(&told["bid"]) < number(&told["ask"]), "{strike}");
        }
    }
    // The strike nearest to the price is marked.
    assert_eq!(rows.iter().position(|row| row[4].starts_with('>')), Some(3));
    let ambiguous = net.err("trader", &["quote", "TSLAx:BTC", "call", "atm", "0.5"]);
    assert!(text(&ambiguous["remedy"]).contains("TSLAx:BTC/USD:dollar"), "{ambiguous}");
}

/// Quotes both ways; returns the cost.
fn quotes(net: &Net<impl Network>) -> i128 {
    let quote = net.ok("trader", &at_the_money("quote", &["0.5"]));
    let (buy, sell) = (&quote["buy"], &quote["sell"]);
    let cost = raw(&buy["cost"]);
    assert_eq!(raw(&buy["premium"]) + raw(&buy["fee"]), cost);
    assert_eq!(raw(&sell["payout"]) - raw(&sell["fee"]), raw(&sell["proceeds"]));
    assert!(raw(&sell["proceeds"]) < cost, "{quote}");
    let shown = net.shown("trader", &at_the_money("quote", &["0.5"]));
    assert_eq!(labelled(&shown, "cost"), format!("{} TSLAx", text(&buy["cost"])));
    assert_eq!(labelled(&shown, "proceeds"), format!("{} TSLAx", text(&sell["proceeds"])));
    assert_eq!(
        labelled(&shown, "funding"),
        format!("{} TSLAx per day at the rate of now", text(&quote["funding_per_day"]))
    );
    cost
}

/// Looks at the account, which must hold half an option.
fn holds(net: &Net<impl Network>, collateral: i128) -> Value {
    let account = net.ok("trader", &["account", "TSLAx"])["accounts"][0].clone();
    let shown = net.shown("trader", &["account", "TSLAx"]);
    assert_eq!(raw(&account["collateral"]), collateral);
    assert_eq!((&account["positions"][0]["size"], &account["liquidatable"]), (&"0.5".into(), &false.into()));
    for (label, field) in [
        ("collateral", "collateral"),
        ("funding owed", "funding_owed"),
        ("equity", "equity"),
        ("maintenance margin", "maintenance_margin"),
        ("initial margin", "initial_margin"),
        ("free to take out", "withdrawable"),
        ("funding per day", "funding_per_day"),
    ] {
        assert_eq!(labelled(&shown, label), format!("{} TSLAx", text(&account[field])), "{shown}");
    }
    assert!(labelled(&shown, "state").starts_with("covers "), "{shown}");
    let rows = table(&shown, "option");
    let position = &account["positions"][0];
    let tick = position["tick"].to_string();
    assert_eq!(rows[0][..2], [format!("{QUANTO} call").as_str(), tick.as_str()], "{shown}");
    assert_eq!(rows[0][4], format!("{} TSLAx", text(&position["proceeds"])), "{shown}");
    account
}

/// Is refused what cannot be done, and told why and what to do.
pub fn is_told_why_not_and_what_to_do(net: &Net<impl Network>) {
    net.person("careless", 100);
    let told = |arguments: &[&str], cause: &str, remedy: &str| {
        let error = net.err("careless", arguments);
        assert!(text(&error["cause"]).contains(cause), "{error}");
        assert!(text(&error["remedy"]).contains(remedy), "{error}");
        let shown = net.refused("careless", &[arguments, &["--yes"]].concat());
        assert!(shown.contains(text(&error["remedy"])), "{shown}");
        error
    };
    told(&at_the_money("open", &["0.5"]), "has no margin account 0", "perpetua deposit TSLAx");
    told(&["deposit", "TSLAx", "101"], "holds 100 TSLAx", "give a smaller amount");
    told(&["markets", "GOOGx"], "there is no vault GOOGx", "choose one of: ");
    told(&["ladder", "TSLAx:DOGE"], "there is no market TSLAx:DOGE", QUANTO);

    // Nobody can be asked, and nothing is sent.
    let unasked = net.refused("careless", &["deposit", "TSLAx", "10"]);
    assert!(unasked.contains("there is no terminal to confirm at") && unasked.contains("pass --yes"), "{unasked}");
    let (code, shown) = net.at_terminal("careless", &["deposit", "TSLAx", "10"], "Deposit it?", || (), "n\n");
    assert!(code == 6 && shown.contains("not confirmed; nothing was sent"), "{code}: {shown}");
    assert_eq!(net.ok("careless", &["account", "TSLAx"])["accounts"], Value::Array(Vec::new()));
    let (code, shown) = net.at_terminal("careless", &["deposit", "TSLAx", "10"], "Deposit it?", || (), "y\n");
    assert!(code == 0 && shown.contains("Deposited: amount 10 TSLAx"), "{code}: {shown}");

    // What can just be paid, but leaves no margin.
    let quote = net.ok("careless", &at_the_money("quote", &["1"]));
    let thousandths = 9_950 * 100_000_000 / raw(&quote["buy"]["cost"]);
    let size = format!("{}.{:03}", thousandths / 1_000, thousandths % 1_000);
    let poor = told(&at_the_money("open", &[&size]), "nothing was spent", "Deposit more collateral");
    assert_eq!((&poor["code"], &poor["kind"]), (&"BelowInitialMargin".into(), &"failed".into()), "{poor}");
    told(&at_the_money("open", &["0.00001"]), "", "Trade at least");
    told(&at_the_money("open", &["0.01", "--max-cost", "0.0001"]), "more than 0.0001 TSLAx", "--max-cost");
    told(&["close", "TSLAx:BTC:quanto", "put", "atm", "all"], "you hold no", "perpetua account");
    told(&["withdraw", "TSLAx", "11"], "the account holds 10 TSLAx", "take out less");

    // The price moves while somebody thinks it over.
    let before = net.ok("careless", &["account", "TSLAx"])["accounts"][0].clone();
    let buy = at_the_money("open", &["0.01"]);
    let (code, shown) = net.at_terminal("careless", &buy, "Buy it?", || net.network.move_bitcoin(2), "y\n");
    assert!(code == 4 && shown.contains("nothing was spent: CostAboveLimit"), "{code}: {shown}");
    assert!(shown.contains("what to do: Quote again and accept a higher cost, or trade less."), "{shown}");
    assert_eq!(net.ok("careless", &["account", "TSLAx"])["accounts"][0]["collateral"], before["collateral"]);
}

/// Trades options of all markets on both indices from one account.
pub fn trades_dollar_markets_beside_quanto_ones(net: &Net<impl Network>) {
    net.person("diverse", 1_000);
    net.ok("diverse", &["deposit", "TSLAx", "all"]);
    net.ok("diverse", &["open", "TSLAx:BTC:dollar", "put", "atm", "0.1", "--slippage", "0.5"]);
    net.ok("diverse", &["open", "TSLAx:ETH:quanto", "call", "atm", "1"]);
    net.ok("diverse", &["open", "TSLAx:ETH:dollar", "call", "atm", "1"]);
    let account = net.ok("diverse", &["account"])["accounts"][0].clone();
    assert_eq!(account["positions"].as_array().unwrap().len(), 3);
    let dollar = named(&account["positions"], "market", "TSLAx:BTC/USD:dollar");
    assert_eq!((&dollar["side"], &dollar["size"]), (&"put".into(), &"0.1".into()));
    net.ok("diverse", &["withdraw", "TSLAx", "10"]);
}

fn number(value: &Value) -> BigDecimal {
    text(value).parse().unwrap()
}

/// Whether a number is shown as it is told to programs, rounded up or down to what it is shown to.
fn is_rounded(shown: &str, told: &Value, up: bool) -> bool {
    let (shown, told): (BigDecimal, _) = (shown.parse().unwrap(), number(told));
    let unit = BigDecimal::new(1.into(), shown.fractional_digit_count());
    let difference = if up { &shown - &told } else { &told - &shown };
    difference >= BigDecimal::default() && difference < unit
}
