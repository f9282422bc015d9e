use super::*;

fn pool(virtual_shares: u64) -> PoolParameters {
    PoolParameters { virtual_shares, wait: 2, exit_bps: 3, receivable_bps: 4 }
}

#[test]
fn a_whole_share_starts_at_a_whole_token_where_virtual_shares_are_a_power_of_ten() {
    // A raw share starts at 1 / S0 raw tokens, so that 10^decimals raw tokens buy S0 * 10^decimals raw shares.
    for (virtual_shares, stock_decimals) in [(1u64, 6u8), (1_000, 6), (100_000, 8), (1_000_000_000, 9)] {
        let decimals = pool(virtual_shares).share_decimals(stock_decimals);
        assert_eq!(10u128.pow(decimals.into()), u128::from(virtual_shares) * 10u128.pow(stock_decimals.into()));
    }
}

#[test]
fn share_decimals_exist_for_any_parameters() {
    assert_eq!(pool(0).share_decimals(8), 8);
    assert_eq!(pool(u64::MAX).share_decimals(u8::MAX), u8::MAX);
}

#[test]
fn every_parameter_of_an_index_and_of_a_vault_arrives_where_it_belongs() {
    let guards = GuardParameters { max_age_trade: 1, max_age_crank: 2, max_confidence_bps: 3, average_band_bps: 4 };
    let expected =
        Guards { max_age_trade: 1, max_age_crank: 2, max_confidence_bps: 3, average_band_bps: 4, padding: [0; 4] };
    assert_eq!(Guards::from(guards), expected);
    let vault = VaultParameters { main: pool(1), insurance: pool(5), max_utilisation_bps: 6 };
    let config = VaultConfig::from(vault);
    assert_eq!(config.main, PoolConfig { virtual_shares: Shares(1), wait: 2, exit_bps: 3, receivable_bps: 4 });
    assert_eq!(config.insurance.virtual_shares, Shares(5));
    assert_eq!(config.max_utilisation_bps, 6);
}

#[test]
fn every_parameter_of_a_market_arrives_where_it_belongs() {
    let sides = |call| PerSide { call, put: call + 1 };
    let config = MarketConfig::from(MarketParameters {
        settlement: Settlement::Dollar,
        units_per_usd: 1,
        reference_strike: 2 << 64 | 3,
        min_size: 4,
        dust_size: 5,
        period: 6,
        max_gap: 7,
        margin_horizon: 8,
        liquidation_fee_cents: 9,
        min_penalty_cents: 10,
        penalty_bps: 11,
        strike_ratio_bps: 12,
        cap_bps: sides(13),
        carry_bps: 15,
        rent_bps: 16,
        min_volatility_bps: 17,
        max_volatility_bps: 18,
        markup_bps: sides(19),
        spread_bps: 21,
        slew_bps: 22,
        utilisation_spread_bps: 23,
        utilisation_kink_bps: 24,
        utilisation_full_bps: 25,
        fee_notional_bps: 26,
        fee_value_bps: 27,
        series_limit_bps: 28,
        side_limit_bps: 29,
        reserve_extra_bps: sides(30),
    });
    let expected = MarketConfig {
        units_per_usd: UnitsPerUsd(1),
        reference_strike: Wide { low: 3, high: 2 },
        min_size: Size(4),
        dust_size: Size(5),
        period: 6,
        max_gap: 7,
        margin_horizon: 8,
        liquidation_fee_cents: 9,
        min_penalty_cents: 10,
        penalty_bps: 11,
        strike_ratio_bps: 12,
        cap_bps: [13, 14],
        carry_bps: 15,
        rent_bps: 16,
        min_volatility_bps: 17,
        max_volatility_bps: 18,
        markup_bps: [19, 20],
        spread_bps: 21,
        slew_bps: 22,
        utilisation_spread_bps: 23,
        utilisation_kink_bps: 24,
        utilisation_full_bps: 25,
        fee_notional_bps: 26,
        fee_value_bps: 27,
        series_limit_bps: 28,
        side_limit_bps: 29,
        reserve_extra_bps: [30, 31],
        settlement: 1,
        padding: [0; 25],
    };
    assert_eq!(config, expected);
}

#[test]
fn every_parameter_of_a_stock_arrives_where_it_belongs() {
    let guards = GuardParameters { max_age_trade: 1, max_age_crank: 2, max_confidence_bps: 3, average_band_bps: 4 };
    let parameters = StockParameters {
        share_feed: [1; 32],
        share_feed_unit: PricedUnit::Share,
        token_feed: Some([2; 32]),
        token_feed_unit: PricedUnit::Token,
        guards,
        volatility_bps: 5,
        closed_haircut_bps: 6,
        multiplier_change_bps: 7,
        value_band_bps: 8,
    };
    let expected = StockConfig {
        guards: guards.into(),
        volatility_bps: 5,
        closed_haircut_bps: 6,
        multiplier_change_bps: 7,
        value_band_bps: 8,
        decimals: 9,
        share_feed_unit: 0,
        token_feed_unit: 1,
        has_token_feed: 1,
        padding: [0; 4],
    };
    assert_eq!(parameters.config(9), expected);
}
