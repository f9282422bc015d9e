//! Random options.

use perpetua_pricing::{Real, Side, Usd};
use proptest::prelude::*;

use super::Terms;

pub fn any_side() -> impl Strategy<Value = Side> {
    prop_oneof![Just(Side::Call), Just(Side::Put)]
}

/// Terms that markets are listed with: volatility 20% to 250%, period 1 to 30 days, cap 25% to 90%.
pub fn market_terms() -> impl Strategy<Value = Terms> {
    (any_side(), 2_000u64..=25_000, 24u64..=720, 2_500u64..=9_000).prop_map(|(side, volatility, hours, cap)| Terms {
        side,
        volatility: Real::from_ratio(volatility, 10_000).unwrap(),
        period: Real::from_ratio(hours, 8_760).unwrap(),
        cap: Real::from_ratio(cap, 10_000).unwrap(),
    })
}

/// All terms that a curve accepts.
pub fn any_terms() -> impl Strategy<Value = Terms> {
    (any_side(), 100u64..=100_000, 1u64..=8_760, 100u64..=100_000).prop_map(|(side, volatility, hours, cap)| Terms {
        side,
        volatility: Real::from_ratio(volatility, 10_000).unwrap(),
        period: Real::from_ratio(hours, 8_760).unwrap(),
        cap: match side {
            Side::Call => Real::from_ratio(cap, 10_000).unwrap(),
            // 1% to 99.9%.
            Side::Put => Real::from_ratio(cap, 100_100).unwrap().max(Real::from_ratio(1, 100).unwrap()),
        },
    })
}

/// A price from one cent to a million dollars, all magnitudes equally likely.
pub fn any_price() -> impl Strategy<Value = Usd> {
    (0u32..27, 1u64 << 32..1 << 33).prop_map(|(power, bits)| {
        let price = Usd::from_bits(u128::from(bits) << (power + 25));
        price.clamp(Usd::MIN_PRICE, Usd::from_integer(1_000_000))
    })
}

/// A strike, and a spot from a quarter to three times the strike.
pub fn strike_and_spot() -> impl Strategy<Value = (Usd, Usd)> {
    let ratio = prop_oneof![
        4 => 250_000u64..=3_000_000,
        2 => 900_000u64..=1_100_000,
        1 => Just(1_000_000u64),
    ];
    (any_price(), ratio).prop_map(|(strike, millionths)| (strike, scale(strike, millionths)))
}

/// The price times `millionths / 10^6`.
pub fn scale(price: Usd, millionths: u64) -> Usd {
    Usd::from_bits(price.bits() * u128::from(millionths) / 1_000_000)
}
