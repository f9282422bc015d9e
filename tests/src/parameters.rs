//! The starting parameters of `docs/mechanism.md` section 9.

use perpetua::{
    GuardParameters, MarketParameters, PerSide, PoolParameters, PricedUnit, Settlement, StockParameters,
    VaultParameters,
};

use crate::price::{SHARE_FEED, TOKEN_FEED};

/// Raw stock-token units per US dollar: a token of 400 US dollars with eight decimals.
pub const UNITS_PER_USD: u64 = 250_000;

/// The guards of every index.
pub fn guards() -> GuardParameters {
    GuardParameters { max_age_trade: 10, max_age_crank: 60, max_confidence_bps: 50, average_band_bps: 500 }
}

/// The pools of every vault.
pub fn vault_parameters() -> VaultParameters {
    let virtual_shares = 100_000;
    VaultParameters {
        main: PoolParameters { virtual_shares, wait: 3 * 86_400, exit_bps: 30, receivable_bps: 8_000 },
        insurance: PoolParameters { virtual_shares, wait: 14 * 86_400, exit_bps: 30, receivable_bps: 1_500 },
        max_utilisation_bps: 8_500,
    }
}

/// A quanto market whose tick 0 is struck at `reference` whole US dollars.
pub fn market_parameters(reference: i64) -> MarketParameters {
    MarketParameters {
        settlement: Settlement::Quanto,
        units_per_usd: UNITS_PER_USD << 24,
        reference_strike: u128::from(reference.unsigned_abs()) << 64,
        min_size: 100,
        dust_size: 100,
        period: 7 * 86_400,
        max_gap: 3_600,
        margin_horizon: 6 * 3_600,
        liquidation_fee_cents: 100,
        min_penalty_cents: 25,
        penalty_bps: 100,
        strike_ratio_bps: 10_125,
        cap_bps: PerSide { call: 5_000, put: 5_000 },
        carry_bps: 1_000,
        rent_bps: 400,
        min_volatility_bps: 2_000,
        max_volatility_bps: 25_000,
        markup_bps: PerSide { call: 11_500, put: 10_500 },
        spread_bps: 200,
        slew_bps: 1_000,
        utilisation_spread_bps: 5_000,
        utilisation_kink_bps: 6_000,
        utilisation_full_bps: 8_500,
        fee_notional_bps: 5,
        fee_value_bps: 1_250,
        series_limit_bps: 1_000,
        side_limit_bps: 5_000,
        reserve_extra_bps: PerSide { call: 0, put: 0 },
    }
}

/// A dollar market whose tick 0 is struck at `reference` whole US dollars.
pub fn dollar_parameters(reference: i64) -> MarketParameters {
    MarketParameters {
        settlement: Settlement::Dollar,
        units_per_usd: 0,
        reserve_extra_bps: PerSide { call: 3_500, put: 5_000 },
        ..market_parameters(reference)
    }
}

/// A stock whose share feed prices a share and whose token feed a token.
pub fn stock_parameters() -> StockParameters {
    StockParameters {
        share_feed: SHARE_FEED,
        share_feed_unit: PricedUnit::Share,
        token_feed: None,
        token_feed_unit: PricedUnit::Token,
        guards: guards(),
        volatility_bps: 6_000,
        closed_haircut_bps: 500,
        multiplier_change_bps: 200,
        value_band_bps: 2_500,
    }
}

/// The same with the feed that runs day and night.
pub fn stock_parameters_with_token_feed() -> StockParameters {
    StockParameters { token_feed: Some(TOKEN_FEED), ..stock_parameters() }
}
