//! What of a configuration may change and how soon, field by field.

mod common;

use common::*;
use perpetua_model::*;

/// How the change of one field may come about, as docs/mechanism.md section 10 says; each field is named here once.
macro_rules! fields {
    ($before:expr, $($field:ident: $expected:ident = $value:expr;)*) => {
        $(
            let mut after = $before;
            after.$field = $value;
            assert_eq!($before.change_to(&after), Change::$expected, stringify!($field));
        )*
    };
}

#[test]
fn of_a_market_limits_tighten_at_once_and_what_was_bought_never_changes() {
    let before = market_config(100_000);
    assert_eq!(before.change_to(&before), Change::None);
    fields! { before,
        units_per_usd: Never = UnitsPerUsd(1);
        reference_strike: Never = Wide { low: 0, high: 1 };
        period: Never = 1;
        cap_bps: Never = [5_000, 4_999];
        strike_ratio_bps: Never = 10_126;
        settlement: Never = SETTLEMENT_DOLLAR;
        min_size: Waits = Size(99);
        dust_size: Waits = Size(99);
        max_gap: Waits = 3_599;
        margin_horizon: Waits = 3_600;
        liquidation_fee_cents: Waits = 99;
        min_penalty_cents: Waits = 24;
        penalty_bps: Waits = 99;
        carry_bps: Waits = 999;
        rent_bps: Waits = 401;
        min_volatility_bps: Waits = 2_001;
        max_volatility_bps: Waits = 24_999;
        markup_bps: Waits = [11_501, 10_500];
        spread_bps: Waits = 199;
        slew_bps: Waits = 999;
        utilisation_spread_bps: Waits = 5_001;
        utilisation_kink_bps: Waits = 6_001;
        utilisation_full_bps: Waits = 8_501;
        fee_notional_bps: Waits = 4;
        fee_value_bps: Waits = 1_249;
        reserve_extra_bps: Waits = [1, 0];
        series_limit_bps: AtOnce = 999;
        side_limit_bps: AtOnce = 4_999;
    }
    fields! { before,
        series_limit_bps: Waits = 1_001;
        side_limit_bps: Waits = 5_001;
    }
}

#[test]
fn guards_tighten_at_once_and_loosen_after_a_wait() {
    let before = guards();
    fields! { before,
        max_age_trade: Waits = 11;
        max_age_crank: Waits = 61;
        max_confidence_bps: Waits = 51;
        average_band_bps: Waits = 501;
    }
    fields! { before,
        max_age_trade: AtOnce = 9;
        max_age_crank: AtOnce = 59;
        max_confidence_bps: AtOnce = 49;
        average_band_bps: AtOnce = 499;
    }
}

#[test]
fn of_a_vault_utilisation_tightens_at_once_and_virtual_shares_never_change() {
    let before = vault_config();
    let pool = before.main;
    fields! { before,
        max_utilisation_bps: AtOnce = 8_499;
        main: Never = PoolConfig { virtual_shares: Shares(1), ..pool };
        insurance: Waits = PoolConfig { wait: 1, ..before.insurance };
    }
    fields! { before,
        max_utilisation_bps: Waits = 8_501;
        main: Waits = PoolConfig { exit_bps: 0, ..pool };
        insurance: Waits = PoolConfig { receivable_bps: 0, ..before.insurance };
    }
}

#[test]
fn of_a_stock_bands_tighten_at_once_and_what_its_feeds_price_never_changes() {
    let before = stock_config();
    fields! { before,
        decimals: Never = 6;
        share_feed_unit: Never = 1;
        token_feed_unit: Never = 1;
        has_token_feed: Never = 1;
        volatility_bps: Waits = 6_001;
        closed_haircut_bps: Waits = 499;
        multiplier_change_bps: AtOnce = 199;
        value_band_bps: AtOnce = 2_499;
    }
    fields! { before,
        multiplier_change_bps: Waits = 201;
        value_band_bps: Waits = 2_501;
    }
}

#[test]
fn one_tightening_does_not_carry_a_loosening_with_it() {
    let before = market_config(100_000);
    let mixed = MarketConfig { series_limit_bps: 1, side_limit_bps: 5_001, ..before };
    assert_eq!(before.change_to(&mixed), Change::Waits);
    let smuggled = MarketConfig { series_limit_bps: 1, period: 86_400, ..before };
    assert_eq!(before.change_to(&smuggled), Change::Never);
}

#[test]
fn a_volatility_outside_new_bounds_comes_within_them_so_that_margin_stays_a_bound() {
    let mut world = World::new(1, 1);
    world.step(1);
    let config = MarketConfig { min_volatility_bps: 20_000, ..world.markets[0].config };
    let moment = world.moment();
    world.markets[0].reconfigure(config, moment).unwrap();
    for volatility in world.markets[0].middle.into_iter().chain(world.markets[0].target) {
        assert_eq!(volatility, Volatility::from_bps(20_000));
    }
    world.slot += 1;
    let back = MarketConfig { min_volatility_bps: 2_000, ..config };
    let late = world.moment();
    assert_eq!(world.markets[0].reconfigure(back, late), Err(ModelError::MarketNotAccrued));
}
