//! Every parameter has hard bounds: the last value inside passes, the first outside is refused.

mod common;

use common::*;
use perpetua_model::{pricing::Usd, *};

const REFUSED: Result<()> = Err(ModelError::ParameterOutOfRange);

fn market(change: impl Fn(&mut MarketConfig)) -> Result<()> {
    let mut config = market_config(100_000);
    change(&mut config);
    config.validate()
}

/// `set` with each of `inside` passes, with each of `outside` is refused.
fn bounds<T: Copy + core::fmt::Debug>(set: impl Fn(&mut MarketConfig, T), inside: &[T], outside: &[T]) {
    for value in inside {
        assert_eq!(market(|config| set(config, *value)), Ok(()), "{value:?}");
    }
    for value in outside {
        assert_eq!(market(|config| set(config, *value)), REFUSED, "{value:?}");
    }
}

#[test]
fn a_market_refuses_amounts_outside_their_bounds() {
    bounds(|c, v| c.units_per_usd = UnitsPerUsd(v), &[1 << 14, (1 << 63) - 1], &[0, (1 << 14) - 1, 1 << 63]);
    let below = Usd::from_bits(Usd::MIN_PRICE.bits() - 1);
    let above = Usd::from_bits(Usd::MAX_PRICE.bits() + 1);
    bounds(|c, v: Usd| c.reference_strike = v.into(), &[Usd::MIN_PRICE, Usd::MAX_PRICE], &[Usd::ZERO, below, above]);
    bounds(|c, v| c.min_size = Size(v), &[1, 999_999_999], &[0, 1_000_000_000]);
    bounds(|c, v| c.dust_size = Size(v), &[0, 1_000_000_000], &[1_000_000_001]);
    bounds(|c, v| c.liquidation_fee_cents = v, &[25, 10_000], &[0, 24, 10_001]);
    bounds(|c, v| c.min_penalty_cents = v, &[0, 100], &[101]);
}

#[test]
fn a_market_refuses_times_outside_their_bounds() {
    bounds(|c, v| c.period = v, &[86_400, 30 * 86_400], &[86_399, 30 * 86_400 + 1]);
    bounds(|c, v| c.max_gap = v, &[60, 86_400], &[59, 86_401]);
    bounds(|c, v| c.margin_horizon = v, &[3_600, 7 * 86_400], &[3_599, 7 * 86_400 + 1]);
}

#[test]
fn a_market_refuses_rates_outside_their_bounds() {
    bounds(|c, v| c.penalty_bps = v, &[0, 1_000], &[1_001]);
    bounds(|c, v| c.strike_ratio_bps = v, &[10_050, 11_000], &[10_049, 11_001]);
    bounds(|c, v| c.cap_bps[0] = v, &[2_500, 9_000], &[2_499, 9_001]);
    bounds(|c, v| c.cap_bps[1] = v, &[2_500, 9_000], &[2_499, 9_001]);
    bounds(|c, v| c.carry_bps = v, &[0, 5_000], &[5_001]);
    bounds(|c, v| c.rent_bps = v, &[0, 5_000], &[5_001]);
    bounds(|c, v| c.min_volatility_bps = v, &[2_000, 25_000], &[1_999, 25_001]);
    bounds(|c, v| c.max_volatility_bps = v, &[2_000, 25_000], &[1_999, 25_001]);
    bounds(|c, v| c.markup_bps[0] = v, &[5_000, 20_000], &[4_999, 20_001]);
    bounds(|c, v| c.markup_bps[1] = v, &[5_000, 20_000], &[4_999, 20_001]);
    bounds(|c, v| c.spread_bps = v, &[20, 2_000], &[19, 2_001]); // at a slew of 10% an hour
    bounds(|c, v| c.slew_bps = v, &[10, 10_000], &[9, 10_001]);
    bounds(|c, v| c.fee_notional_bps = v, &[0, 100], &[101]);
    bounds(|c, v| c.fee_value_bps = v, &[0, 2_500], &[2_501]);
    bounds(|c, v| c.series_limit_bps = v, &[1, 10_000], &[0, 10_001]);
    bounds(|c, v| c.side_limit_bps = v, &[1, 10_000], &[0, 10_001]);
}

#[test]
fn a_market_refuses_a_slew_that_outruns_its_spread() {
    let slew = |spread, slew| {
        market(|config| {
            config.spread_bps = spread;
            config.slew_bps = slew;
        })
    };
    assert_eq!((slew(10, 500), slew(10, 501)), (Ok(()), REFUSED));
    assert_eq!((slew(200, 10_000), slew(199, 10_000)), (Ok(()), REFUSED));
}

#[test]
fn a_market_refuses_a_utilisation_spread_that_pricing_could_not_follow() {
    let spread = |spread, kink, full| {
        market(|config| {
            config.utilisation_spread_bps = spread;
            config.utilisation_kink_bps = kink;
            config.utilisation_full_bps = full;
        })
    };
    assert_eq!((spread(20_000, 0, 10_000), spread(20_001, 0, 10_000)), (Ok(()), REFUSED));
    // Above the full utilisation the line goes on: 125% at 85% would be 200% at 100%.
    assert_eq!((spread(12_500, 6_000, 8_500), spread(12_501, 6_000, 8_500)), (Ok(()), REFUSED));
    assert_eq!(spread(0, 8_500, 8_500), REFUSED);
    assert_eq!(spread(0, 9_999, 10_001), REFUSED);
}

#[test]
fn a_market_refuses_settlements_reserves_and_padding_it_does_not_know() {
    bounds(|c, v| c.settlement = v, &[SETTLEMENT_QUANTO], &[1, 255]);
    bounds(|c, v| c.reserve_extra_bps = v, &[[0, 0]], &[[1, 0], [0, 1]]);
    bounds(|c, v| c.padding[24] = v, &[0], &[1]);
}

#[test]
fn a_market_at_any_corner_of_its_bounds_still_has_a_curve_for_every_volatility_it_quotes() {
    for (lowest, highest) in [(2_000, 2_000), (25_000, 25_000)] {
        for (spread, utilisation) in [(10, 0), (2_000, 20_000)] {
            for cap in [2_500, 9_000] {
                for period in [86_400, 30 * 86_400] {
                    let config = MarketConfig {
                        min_volatility_bps: lowest,
                        max_volatility_bps: highest,
                        spread_bps: spread,
                        slew_bps: 10,
                        utilisation_spread_bps: utilisation,
                        utilisation_kink_bps: 0,
                        utilisation_full_bps: 10_000,
                        cap_bps: [cap; 2],
                        period,
                        ..market_config(100_000)
                    };
                    config.validate().unwrap();
                    every_quoted_volatility_has_a_curve(config);
                }
            }
        }
    }
}

fn every_quoted_volatility_has_a_curve(config: MarketConfig) {
    use perpetua_model::pricing::{Real, Side};
    let world = World::with_config(1, 1, |_| config);
    let market = &world.markets[0];
    for side in [Side::Call, Side::Put] {
        let full = market.utilisation_spread(Real::ONE, Real::ONE);
        market.config.curve(side, market.ask_volatility(side, full)).unwrap();
        market.config.curve(side, market.bid_volatility(side)).unwrap();
        market.config.curve(side, market.volatility_cap(side, 1 << 40)).unwrap();
    }
}

#[test]
fn guards_are_bounded_on_both_sides() {
    let change = |change: fn(&mut Guards, u32), value| {
        let mut guards = guards();
        change(&mut guards, value);
        guards.validate()
    };
    type Setter = fn(&mut Guards, u32);
    let cases: [(Setter, [u32; 2]); 4] = [
        (|g, v| g.max_age_trade = v, [10, 60]),
        (|g, v| g.max_age_crank = v, [10, 300]),
        (|g, v| g.max_confidence_bps = u16::try_from(v).unwrap(), [20, 500]),
        (|g, v| g.average_band_bps = u16::try_from(v).unwrap(), [300, 2_000]),
    ];
    for (set, [lowest, highest]) in cases {
        assert_eq!((change(set, lowest), change(set, highest)), (Ok(()), Ok(())));
        assert_eq!((change(set, lowest - 1), change(set, highest + 1)), (REFUSED, REFUSED));
    }
    assert_eq!(Guards { padding: [0, 0, 0, 1], ..guards() }.validate(), REFUSED);
    assert_eq!(Guards { max_age_trade: 30, max_age_crank: 29, ..guards() }.validate(), REFUSED);
}

#[test]
fn pools_and_vaults_are_bounded() {
    let pool = vault_config().main;
    for (changed, expected) in [
        (PoolConfig { virtual_shares: Shares(1), ..pool }, Ok(())),
        (PoolConfig { virtual_shares: Shares(0), ..pool }, REFUSED),
        (PoolConfig { virtual_shares: Shares(1_000_000_000), ..pool }, Ok(())),
        (PoolConfig { virtual_shares: Shares(1_000_000_001), ..pool }, REFUSED),
        (PoolConfig { wait: 3_600, ..pool }, Ok(())),
        (PoolConfig { wait: 3_599, ..pool }, REFUSED),
        (PoolConfig { wait: 60 * 86_400, ..pool }, Ok(())),
        (PoolConfig { wait: 60 * 86_400 + 1, ..pool }, REFUSED),
        (PoolConfig { exit_bps: 500, ..pool }, Ok(())),
        (PoolConfig { exit_bps: 501, ..pool }, REFUSED),
        (PoolConfig { receivable_bps: 10_000, ..pool }, Ok(())),
        (PoolConfig { receivable_bps: 10_001, ..pool }, REFUSED),
    ] {
        assert_eq!(changed.validate(), expected, "{changed:?}");
        assert_eq!(VaultConfig { main: changed, ..vault_config() }.validate(), expected);
        assert_eq!(Vault::new(VaultConfig { insurance: changed, ..vault_config() }).map(drop), expected);
    }
    for (bps, expected) in [(1_000, Ok(())), (999, REFUSED), (10_000, Ok(())), (10_001, REFUSED)] {
        assert_eq!(VaultConfig { max_utilisation_bps: bps, ..vault_config() }.validate(), expected);
    }
    assert_eq!(VaultConfig { padding: [1, 0, 0, 0, 0, 0], ..vault_config() }.validate(), REFUSED);
}

#[test]
fn an_index_refuses_variances_outside_one_to_a_thousand_percent_of_volatility() {
    let one = 1u64 << VOLATILITY_FRACTION_BITS;
    for (variance, expected) in [
        (one / 10_000, Ok(())),
        (one / 10_000 - 1, REFUSED),
        (0, REFUSED),
        (100 * one, Ok(())),
        (100 * one + 1, REFUSED),
    ] {
        assert_eq!(Index::new(guards(), Some(Variance(variance)), START).map(drop), expected);
    }
    assert_eq!(Index::new(Guards { max_age_trade: 9, ..guards() }, None, START).map(drop), REFUSED);
}
