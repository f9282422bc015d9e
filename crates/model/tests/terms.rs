//! What a market keeps of its configuration is what the configuration gives, at listing and after every change.

mod common;

use common::*;
use perpetua_model::{pricing::*, *};

fn float(stored: StoredReal) -> f64 {
    let real = stored.real();
    real.mantissa().to_string().parse::<f64>().unwrap() * 2f64.powi(real.exponent())
}

fn kept_as_configured(market: &Market) {
    let config = &market.config;
    assert_eq!(market.terms, MarketTerms::new(config).unwrap());
    assert_eq!(market.margin, MarginTerms::new(config).unwrap());
    assert_eq!(market.grid(), config.grid().unwrap());
    for side in [Side::Call, Side::Put] {
        assert_eq!(market.contract(side), config.contract(side).unwrap());
        assert_eq!(market.curve(side, Real::ONE), config.curve(side, Real::ONE));
    }
}

#[test]
fn a_market_keeps_what_its_configuration_gives_and_renews_it_with_every_change() {
    let mut world = World::new(1, 1);
    kept_as_configured(&world.markets[0]);
    let changes: [fn(&mut MarketConfig); 9] = [
        |config| config.carry_bps = 0,
        |config| config.rent_bps = 5_000,
        |config| config.markup_bps = [5_000, 20_000],
        |config| config.spread_bps = 2_000,
        |config| config.slew_bps = 50,
        |config| config.margin_horizon = 3_600,
        |config| config.min_volatility_bps = 2_500,
        |config| config.max_volatility_bps = 20_000,
        |config| config.reserve_extra_bps = [0; 2],
    ];
    for change in changes {
        world.step(60);
        let mut config = world.markets[0].config;
        change(&mut config);
        let moment = world.moment();
        let changed = world.markets[0].reconfigure(config, moment);
        assert!(changed == Ok(()) || config == world.markets[0].config, "{changed:?}");
        kept_as_configured(&world.markets[0]);
    }
    let tighter = MarketConfig { series_limit_bps: 1, ..world.markets[0].config };
    world.markets[0].tighten(tighter).unwrap();
    kept_as_configured(&world.markets[0]);
}

#[test]
fn what_a_market_keeps_is_what_the_formulas_say() {
    for (ratio, caps, period) in [(10_050, [2_500, 9_000], 86_400), (11_000, [9_000, 2_500], 30 * 86_400)] {
        let config = MarketConfig { strike_ratio_bps: ratio, cap_bps: caps, period, ..market_config(100_000) };
        let terms = MarketTerms::new(&config).unwrap();
        let rho = f64::from(ratio) / 1e4;
        let years = f64::from(period) / (365.0 * 86_400.0);
        let [call, put] = caps.map(|cap| f64::from(cap) / 1e4);
        let in_last_place = |rate: f64| rate * 2f64.powi(32);
        for (found, wanted) in [
            (terms.inverse_reference, 1e-5),
            (terms.log_rho, rho.ln()),
            (terms.inverse_log_rho, 1.0 / rho.ln()),
            (terms.inverse_rho, 1.0 / rho),
            (terms.period_years, years),
            (terms.eight_per_period, 8.0 / years),
            (terms.caps[0], call),
            (terms.caps[1], put),
            (terms.cap_distances[0], (1.0 + call).ln()),
            (terms.cap_distances[1], -(1.0 - put).ln()),
            (terms.time_value_rate, in_last_place(1.0 / years)),
            (terms.financed_rate, in_last_place(0.1)),
            (terms.strike_rates[0], in_last_place(0.04 * call)),
            (terms.strike_rates[1], in_last_place(0.04 * put)),
            (terms.markups[0], 1.15),
            (terms.markups[1], 1.05),
            (terms.bid, 0.98),
            (terms.ask, 1.02),
        ] {
            assert!((float(found) / wanted - 1.0).abs() < 1e-13, "{found:?} {wanted}");
        }
    }
}

#[test]
fn bytes_that_stand_for_no_number_are_read_as_zero() {
    for real in [Real::ZERO, Real::ONE, Real::MAX, Real::from_ratio(1, 3).unwrap()] {
        assert_eq!(StoredReal::from(real).real(), real);
    }
    assert_eq!(StoredReal { mantissa: 1, exponent: 0 }.real(), Real::ZERO);
    assert_eq!(StoredReal { mantissa: 1 << 63, exponent: i64::MIN }.real(), Real::ZERO);
}
