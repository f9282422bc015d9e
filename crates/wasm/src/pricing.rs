//! One option, without a market.

use bytemuck::Zeroable;
use perpetua_client::book::per_day;
use perpetua_model::{
    Market, MarketConfig, MarketTerms, ModelError, Result, Volatility,
    pricing::{Rounding, Signed, Usd},
};

use crate::wire::{OptionPrice, OptionTerms};

/// Fraction bits of sensitivities.
const FRACTION_BITS: u32 = 64;

/// Prices an option as a market with these terms does at its middle volatility.
///
/// Errors: [`ModelError::PriceOutOfRange`], [`ModelError::MathOverflow`] for terms that pricing does not support.
pub fn price(terms: &OptionTerms) -> Result<OptionPrice> {
    let side = terms.side.into();
    let (spot, strike) = (Usd::from_bits(terms.spot), Usd::from_bits(terms.strike));
    if !spot.is_price() || !strike.is_price() {
        return Err(ModelError::PriceOutOfRange);
    }
    let config = MarketConfig {
        period: terms.period,
        cap_bps: [terms.cap_bps; 2],
        carry_bps: terms.carry_bps,
        rent_bps: terms.rent_bps,
        // A ladder there must be; nothing here depends on it.
        reference_strike: strike.into(),
        strike_ratio_bps: 10_125,
        ..MarketConfig::default()
    };
    let curve = config.curve(side, Volatility(terms.volatility).real())?;
    let option = curve.value(spot, strike);
    let market = Market { config, terms: MarketTerms::new(&config)?, ..Market::zeroed() };
    Ok(OptionPrice {
        value: option.value(Rounding::Down).bits(),
        time_value: option.time_value.to_usd(Rounding::Down).bits(),
        delta: fixed(curve.delta(spot, strike)),
        gamma: fixed(curve.gamma(spot, strike)),
        vega: fixed(curve.vega(spot, strike)),
        funding_per_day: per_day(market.funding_rate(side, &option)?).bits(),
    })
}

/// The number with its fraction bits, rounded towards zero; the largest one where it does not fit.
fn fixed(number: Signed) -> i128 {
    let magnitude = number.magnitude.to_fixed_wide(FRACTION_BITS, Rounding::Down);
    let magnitude = magnitude.and_then(|bits| i128::try_from(bits).ok()).unwrap_or(i128::MAX);
    if number.negative { -magnitude } else { magnitude }
}
