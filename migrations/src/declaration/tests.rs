use chrono::{Datelike, Days, Month, NaiveDate, Weekday};
use perpetua_client::perpetua::{PerSide, StockParameters};
use perpetua_tests::parameters::{
    dollar_parameters, guards, market_parameters, stock_parameters, stock_parameters_with_token_feed, vault_parameters,
};

use super::*;

const LOCALNET: &str = include_str!("../../localnet.toml");

fn localnet() -> Declaration {
    Declaration::from_toml(LOCALNET).unwrap()
}

fn changed(from: &str, to: &str) -> Result<Declaration> {
    assert!(LOCALNET.contains(from), "the file has no {from:?}");
    Declaration::from_toml(&LOCALNET.replacen(from, to, 1))
}

fn refusal(from: &str, to: &str) -> String {
    format!("{:#}", changed(from, to).expect_err("it should be refused"))
}

/// How an error names the line on which a text of the file stands first.
fn line_of(text: &str) -> String {
    let number = LOCALNET.lines().position(|line| line.contains(text)).unwrap() + 1;
    format!("line {number}, ")
}

// The harness of the behaviour tests spells the parameters independently.
#[test]
fn the_localnet_file_declares_the_starting_parameters() {
    let declaration = localnet();
    let [tesla, nvidia] = declaration.vaults.as_slice() else { panic!("two vaults") };
    let markets = |vault: &VaultDeclaration| {
        vault.markets.iter().map(|market| (market.index.clone(), market.parameters)).collect::<Vec<_>>()
    };
    let (bitcoin, ether) = ("BTC/USD".to_owned(), "ETH/USD".to_owned());
    let quanto = [(bitcoin.clone(), market_parameters(100_000)), (ether.clone(), market_parameters(4_000))];
    let dollar = [(bitcoin, dollar_parameters(100_000)), (ether, dollar_parameters(4_000))];
    assert_eq!(markets(tesla), [quanto, dollar.clone()].concat());
    assert_eq!(markets(nvidia), dollar);
    assert_eq!([tesla, nvidia].map(|vault| vault.parameters), [vault_parameters(); 2]);
    let indices = declaration.indices.iter().map(|index| (index.feed_id, index.guards)).collect::<Vec<_>>();
    assert_eq!(indices, [0, 1].map(|feed| (perpetua_tests::price::FEEDS[feed], guards())));
    assert_eq!(declaration.indices[0].declared_variance, Some(perpetua_tests::world::DECLARED_VARIANCE));
    // 0.75^2 = 9/16.
    assert_eq!(declaration.indices[1].declared_variance, Some(9 << 44));
}

#[test]
fn the_localnet_file_declares_the_stocks_that_the_tests_price() {
    let declaration = localnet();
    let stocks = declaration.vaults.iter().map(|vault| vault.stock.as_ref().unwrap().parameters).collect::<Vec<_>>();
    let nvidia = StockParameters { share_feed: perpetua_tests::price::FEEDS[3], ..stock_parameters() };
    assert_eq!(stocks, [stock_parameters_with_token_feed(), nvidia]);
}

fn date(year: i32, month: Month, day: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(year, month.number_from_month(), day).unwrap()
}

fn nth(year: i32, month: Month, weekday: Weekday, n: u8) -> NaiveDate {
    NaiveDate::from_weekday_of_month_opt(year, month.number_from_month(), weekday, n).unwrap()
}

/// Easter Sunday by the algorithm of Meeus, Jones and Butcher.
fn easter(year: i32) -> NaiveDate {
    let (a, b, c) = (year % 19, year / 100, year % 100);
    let h = (19 * a + b - b / 4 - (b - (b + 8) / 25 + 1) / 3 + 15) % 30;
    let l = (32 + 2 * (b % 4) + 2 * (c / 4) - h - c % 4) % 7;
    let m = (a + 11 * h + 22 * l) / 451;
    let n = u32::try_from(h + l - 7 * m + 114).unwrap();
    NaiveDate::from_ymd_opt(year, n / 31, n % 31 + 1).unwrap()
}

/// Holidays on a Saturday are observed on Friday, on a Sunday on Monday.
fn observed(day: NaiveDate) -> NaiveDate {
    match day.weekday() {
        Weekday::Sat => day - Days::new(1),
        Weekday::Sun => day + Days::new(1),
        _ => day,
    }
}

/// A year's short days by Rule 7.2 of the New York Stock Exchange, and the early closes that it announces each year: at
/// 13:00 on the Friday after Thanksgiving, and on the days before Independence Day and Christmas Day where both are
/// weekdays.
fn by_rule(year: i32) -> BTreeSet<String> {
    let new_year = date(year, Month::January, 1);
    let last_monday_of_may = nth(year, Month::June, Weekday::Mon, 1) - Days::new(7);
    let thanksgiving = nth(year, Month::November, Weekday::Thu, 4);
    let independence = date(year, Month::July, 4);
    let christmas = date(year, Month::December, 25);
    let closed = [
        nth(year, Month::January, Weekday::Mon, 3),
        nth(year, Month::February, Weekday::Mon, 3),
        easter(year) - Days::new(2),
        last_monday_of_may,
        observed(date(year, Month::June, 19)),
        observed(independence),
        nth(year, Month::September, Weekday::Mon, 1),
        thanksgiving,
        observed(christmas),
    ];
    // A New Year's Day on a Saturday is not observed, since the day before ends a year's accounts.
    let new_year = (new_year.weekday() != Weekday::Sat).then(|| observed(new_year));
    let eves = [independence, christmas].map(|day| day - Days::new(1));
    // Where the holiday is not on a weekday, its eve is regular or the holiday as observed.
    let eves = eves.into_iter().filter(|eve| eve.weekday().num_days_from_monday() < 4);
    let early = eves.chain([thanksgiving + Days::new(1)]).map(|day| format!("{day} until 13:00"));
    closed.into_iter().chain(new_year).map(|day| format!("{day} closed")).chain(early).collect()
}

#[test]
fn the_localnet_file_names_every_short_day_of_the_exchange_from_its_first_date_to_the_end_of_2027() {
    let expected: Vec<_> =
        [2026, 2027].into_iter().flat_map(by_rule).filter(|day| day.as_str() > "2026-11-22").collect();
    for vault in localnet().vaults {
        let days: Vec<_> = vault.stock.unwrap().short_days.iter().map(ToString::to_string).collect();
        assert_eq!(days, expected);
    }
    // What the exchange announced for 2024, which has every eve.
    let announced = "2024-01-01 closed, 2024-01-15 closed, 2024-02-19 closed, 2024-03-29 closed, 2024-05-27 closed, \
        2024-06-19 closed, 2024-07-03 until 13:00, 2024-07-04 closed, 2024-09-02 closed, 2024-11-28 closed, \
        2024-11-29 until 13:00, 2024-12-24 until 13:00, 2024-12-25 closed";
    assert_eq!(by_rule(2024).into_iter().collect::<Vec<_>>().join(", "), announced);
}

#[test]
fn the_weekdays_that_the_localnet_file_remarks_are_right() {
    let mut remarks = 0;
    for line in LOCALNET.lines().filter(|line| line.starts_with("  { date")) {
        let day: NaiveDate = line.split('"').nth(1).unwrap().parse().unwrap();
        let remark = line.split('#').nth(1).unwrap();
        // The last weekday of the remark is that of the date.
        let last = remark.rmatch_indices("day").find_map(|(at, _)| {
            let word = remark[..at + 3].rsplit([' ', ',']).next().unwrap();
            word.parse::<Weekday>().ok()
        });
        assert_eq!(last, Some(day.weekday()), "{line}");
        remarks += 1;
    }
    assert_eq!(remarks, 15);
}

#[test]
fn json_says_the_same_as_toml() {
    let value: serde_json::Value = toml::from_str(LOCALNET).unwrap();
    let from_json = Declaration::from_json(&value.to_string()).unwrap();
    assert_eq!(format!("{from_json:?}"), format!("{:?}", localnet()));
}

#[test]
fn a_misspelled_or_missing_parameter_is_named() {
    let misspelled = refusal("spread_bps = 200", "spraed_bps = 200");
    assert!(misspelled.contains("spraed_bps") && misspelled.contains(&line_of("spread_bps = 200")), "{misspelled}");
    let missing = refusal("slew_bps = 1000", "");
    assert!(missing.contains("vault TSLAx: the market on BTC/USD: slew_bps is missing"), "{missing}");
    assert!(missing.contains("[defaults.market]"), "{missing}");
    assert!(refusal("settlement = \"quanto\", ", "").contains("settlement is missing"));
    assert!(refusal("value_band_bps = 2500", "").contains("missing field `value_band_bps`"));
    assert!(refusal("value_band_bps = 2500", "value_band = 2500").contains("unknown field `value_band`"));
    assert!(refusal("closed_haircut_bps = 500", "open_haircut_bps = 500").contains("open_haircut_bps"));
    assert!(refusal("[defaults]\n", "[defaults]\nspread_bps = 1\n").contains("unknown field `spread_bps`"));
    assert!(refusal("{ date = \"2026-11-26\" }", "{ day = \"2026-11-26\" }").contains("unknown field `day`"));
}

#[test]
fn a_market_overrides_defaults_and_no_other_market_changes() {
    let own = "reference_strike = \"100000\", spread_bps = 300, cap_bps = { call = 4000, put = 6000 }";
    let declaration = changed("reference_strike = \"100000\"", own).unwrap();
    let [first, rest @ ..] = declaration.vaults[0].markets.as_slice() else { panic!("no market") };
    let expected = MarketParameters {
        spread_bps: 300,
        cap_bps: PerSide { call: 4_000, put: 6_000 },
        ..market_parameters(100_000)
    };
    assert_eq!(first.parameters, expected);
    assert_eq!(format!("{rest:?}"), format!("{:?}", &localnet().vaults[0].markets[1..]));
}

#[test]
fn a_parameter_of_the_other_settlement_is_refused_but_for_zero() {
    let quanto = "settlement = \"quanto\"";
    let dollar = "settlement = \"dollar\"";
    let told = refusal(dollar, "settlement = \"dollar\", units_per_usd = \"1\"");
    assert!(told.contains("a dollar market takes units_per_usd from its stock; leave it out"), "{told}");
    let told = refusal(quanto, "settlement = \"quanto\", reserve_extra_bps = { call = 1, put = 0 }");
    assert!(told.contains("a quanto market reserves no reserve_extra_bps; leave it out"), "{told}");
    let told = refusal(quanto, "settlement = \"quanto\", units_per_usd = \"0\"");
    assert!(told.contains("needs a units_per_usd above zero"), "{told}");
    let same = |from, to| assert_eq!(format!("{:?}", changed(from, to).unwrap()), format!("{:?}", localnet()));
    same(dollar, "settlement = \"dollar\", units_per_usd = \"0\"");
    same(quanto, "settlement = \"quanto\", reserve_extra_bps = { call = 0, put = 0 }");
    assert!(refusal(quanto, "settlement = \"euro\"").contains("unknown variant `euro`"));
}

#[test]
fn a_value_that_the_program_would_refuse_is_refused_with_its_place() {
    assert!(refusal("strike_ratio_bps = 10125", "strike_ratio_bps = 9999").contains("the quanto market BTC/USD"));
    assert!(refusal("call = 3500", "call = 20001").contains("the dollar market BTC/USD"));
    assert!(refusal("max_age_trade = 10", "max_age_trade = 9").contains("index BTC/USD: guards"));
    assert!(refusal("max_utilisation_bps = 8500", "max_utilisation_bps = 10001").contains("vault TSLAx"));
    assert!(refusal("volatility_bps = 6000", "volatility_bps = 1999").contains("vault TSLAx: stock"));
    assert!(refusal("\"0.36\"", "\"0.00009\"").contains("declared_variance"));
    assert!(refusal("\"250000\"", "\"a lot\"").contains("not a decimal number"));
    assert!(refusal("e62df6c8", "e62df6").contains("64 hexadecimal digits"));
    assert!(refusal("47a15647", "47a156").contains("64 hexadecimal digits"));
    assert!(refusal("guardian = \"wallet\"", "guardian = \"me\"").contains("write it in base58"));
}

#[test]
fn a_date_that_is_none_or_no_weekday_is_refused_with_its_line_and_a_remedy() {
    let refused = |written: &str, expected: &str| {
        let told = refusal("{ date = \"2026-11-26\" }", written);
        assert!(told.contains(&line_of("2026-11-26")) && told.contains(expected), "{written}: {told}");
    };
    refused("{ date = \"2027-02-29\" }", "\"2027-02-29\" is not a date; write one of New York like");
    refused("{ date = \"26.11.2026\" }", "is not a date");
    refused("{ date = \"2026-11-5\" }", "is not a date");
    refused("{ date = \"2026-11-28\" }", "2026-11-28 is a Sat, when the exchange never trades; name the weekday");
    refused("{ date = \"2026-11-29\" }", "2026-11-29 is a Sun");
    refused("{ date = \"1969-12-31\" }", "from 1970 to 2149");
    refused("{ date = \"2149-06-09\" }", "from 1970 to 2149");
    for close in ["16:00", "09:30", "13", "25:00", "13:00:30", "1pm"] {
        refused(
            &format!("{{ date = \"2026-11-26\", close = \"{close}\" }}"),
            "is not an early close; write New York's",
        );
    }
    let twice = refusal("{ date = \"2026-11-26\" }", "{ date = \"2026-11-27\" }");
    assert!(twice.contains("date \"2026-11-27\" is declared twice"), "{twice}");
}

#[test]
fn a_stock_may_have_short_days_of_its_own_or_none() {
    let days = |written: &str| {
        let declaration = changed("[vault.stock]\n", &format!("[vault.stock]\nshort_days = {written}\n")).unwrap();
        let days = declaration.vaults.iter().map(|vault| vault.stock.as_ref().unwrap().short_days.clone());
        let days: Vec<Vec<String>> = days.map(|days| days.iter().map(ToString::to_string).collect()).collect();
        assert_eq!(days[1].len(), 15, "the other stock keeps the defaults");
        days[0].clone()
    };
    assert_eq!(days("[]"), Vec::<String>::new());
    assert_eq!(days("[{ date = \"2026-12-31\", close = \"09:31\" }]"), ["2026-12-31 until 09:31"]);
}

#[test]
fn feeds_that_contradict_each_other_are_refused() {
    let told = refusal("token_feed_unit = \"token\"\n", "");
    assert!(told.contains("vault TSLAx: stock: token_feed and token_feed_unit come together"), "{told}");
    let share = "16dad506d7db8da01c87581c87ca897a012a153557d4d578c3b9c9e1bc0632f1";
    let told = refusal("47a156470288850a440df3a6ce85a55917b813a19bb5b31128a33a986566a362", share);
    assert!(told.contains("share_feed and token_feed are the same"), "{told}");
    assert!(refusal("share_feed_unit = \"share\"", "share_feed_unit = \"lot\"").contains("unknown variant `lot`"));
}

#[test]
fn a_dollar_market_without_a_stock_is_refused() {
    let (start, rest) = LOCALNET.split_once("[vault.stock]").unwrap();
    let (_, markets) = rest.split_once("[[vault.market]]").unwrap();
    let error = Declaration::from_toml(&format!("{start}[[vault.market]]{markets}")).unwrap_err();
    let told = format!("{error:#}");
    assert!(told.contains("the dollar market BTC/USD needs the stock's price; declare a [vault.stock]"), "{told}");
}

#[test]
fn a_market_on_an_undeclared_index_or_declared_twice_is_refused() {
    assert!(refusal("index = \"BTC/USD\"", "index = \"DOGE/USD\"").contains("no [[index]] is called \"DOGE/USD\""));
    let twice = refusal("settlement = \"dollar\"", "settlement = \"quanto\"");
    assert!(twice.contains("market \"quanto market BTC/USD\" is declared twice"), "{twice}");
    let (_, market) = LOCALNET.rsplit_once("[[vault.market]]").unwrap();
    let many = format!("{LOCALNET}{}", format!("[[vault.market]]{market}").repeat(3));
    let told = format!("{:#}", Declaration::from_toml(&many).unwrap_err());
    assert!(told.contains("it has 5 markets; a vault holds 4"), "{told}");
}
