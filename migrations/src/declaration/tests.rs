use super::*;

const LOCALNET: &str = include_str!("../../localnet.toml");

fn refusal(from: &str, to: &str) -> String {
    assert!(LOCALNET.contains(from), "the file has no {from:?}");
    let error = Declaration::from_toml(&LOCALNET.replacen(from, to, 1)).expect_err("it should be refused");
    format!("{error:#}")
}

#[test]
fn the_localnet_file_declares_the_starting_parameters() {
    let declaration = Declaration::from_toml(LOCALNET).unwrap();
    let [vault] = declaration.vaults.as_slice() else { panic!("one vault") };
    let [market] = vault.markets.as_slice() else { panic!("one market") };
    // The harness of the behaviour tests spells them independently.
    assert_eq!(market.parameters, perpetua_tests::parameters::market_parameters(100_000));
    assert_eq!(vault.parameters(), perpetua_tests::parameters::vault_parameters());
    let [index] = declaration.indices.as_slice() else { panic!("one index") };
    assert_eq!(index.guards, perpetua_tests::parameters::guards());
    assert_eq!(index.feed_id, perpetua_tests::price::FEEDS[0]);
    assert_eq!(index.declared_variance, Some(perpetua_tests::world::DECLARED_VARIANCE));
}

#[test]
fn json_says_the_same_as_toml() {
    let value: serde_json::Value = toml::from_str(LOCALNET).unwrap();
    let from_json = Declaration::from_json(&value.to_string()).unwrap();
    assert_eq!(format!("{from_json:?}"), format!("{:?}", Declaration::from_toml(LOCALNET).unwrap()));
}

#[test]
fn a_misspelled_or_missing_parameter_is_named() {
    assert!(refusal("spread_bps = 200", "spraed_bps = 200").contains("spraed_bps"));
    assert!(refusal("slew_bps = 1000", "").contains("slew_bps"));
}

#[test]
fn a_value_that_the_program_would_refuse_is_refused_with_its_place() {
    assert!(refusal("strike_ratio_bps = 10125", "strike_ratio_bps = 9999").contains("the market on BTC/USD"));
    assert!(refusal("max_age_trade = 10", "max_age_trade = 9").contains("index BTC/USD: guards"));
    assert!(refusal("max_utilisation_bps = 8500", "max_utilisation_bps = 10001").contains("vault TSLAx"));
    assert!(refusal("\"0.36\"", "\"0.00009\"").contains("declared_variance"));
    assert!(refusal("\"250000\"", "\"a lot\"").contains("not a decimal number"));
    assert!(refusal("e62df6c8", "e62df6").contains("64 hexadecimal digits"));
    assert!(refusal("guardian = \"wallet\"", "guardian = \"me\"").contains("write it in base58"));
}

#[test]
fn a_market_on_an_undeclared_index_or_declared_twice_is_refused() {
    assert!(refusal("index = \"BTC/USD\"", "index = \"DOGE/USD\"").contains("no [[index]] is called \"DOGE/USD\""));
    let (_, market) = LOCALNET.split_once("[[vault.market]]").unwrap();
    let twice = format!("{LOCALNET}\n[[vault.market]]{market}");
    let error = format!("{:#}", Declaration::from_toml(&twice).unwrap_err());
    assert!(error.contains("declared twice"), "{error}");
}
