//! What needs no accounts: options by themselves, amounts as people read them, errors in words.

use perpetua::Side;
use perpetua_client::{
    amount::UiScale,
    error::{ALL, explain_code},
    model::{
        MarketConfig, Multiplier, Tokens, Volatility,
        pricing::{Real, Rounding, Signed, Usd},
    },
};
use serde_json::{Value, json};

use crate::{check, text};

/// One option by the pricing crate itself.
fn option_json(side: Side, [spot, strike]: [u64; 2], volatility_bps: u16, days: u32) -> Value {
    let config = MarketConfig {
        period: days * 86_400,
        cap_bps: [5_000; 2],
        carry_bps: 400,
        rent_bps: 150,
        ..MarketConfig::default()
    };
    let volatility = Volatility::from_bps(volatility_bps);
    let curve = config.curve(side.into(), volatility.real()).unwrap();
    let (spot, strike) = (Usd::from_integer(spot), Usd::from_integer(strike));
    let option = curve.value(spot, strike);
    // TV / T + carry * financed + rent * cap * K, as docs/mechanism.md section 2 has it.
    let carry = if side == Side::Call { option.financed.mul(ratio(400)) } else { Real::ZERO };
    let rent = Real::from(strike).mul(ratio(150)).mul(ratio(5_000));
    let rate = option.time_value.div(config.period_years()).unwrap().add(carry).add(rent);
    json!({
        "name": "option",
        "side": side as u8,
        "spot": text(spot.bits()),
        "strike": text(strike.bits()),
        "volatility": text(volatility.0),
        "period": days * 86_400,
        "value": text(option.value(Rounding::Down).bits()),
        "timeValue": text(option.time_value.to_usd(Rounding::Down).bits()),
        "delta": fixed(curve.delta(spot, strike)),
        "gamma": fixed(curve.gamma(spot, strike)),
        "vega": fixed(curve.vega(spot, strike)),
        "fundingPerDayAbout": text(rate.div(Real::from_u64(365)).unwrap().to_usd(Rounding::Up).bits()),
    })
}

fn ratio(bps: u64) -> Real {
    Real::from_ratio(bps, 10_000).unwrap()
}

/// With 64 fraction bits, towards zero.
fn fixed(number: Signed) -> Value {
    let bits = number.magnitude.to_fixed_wide(64, Rounding::Down).unwrap();
    Value::String(if number.negative && bits > 0 { format!("-{bits}") } else { bits.to_string() })
}

#[test]
fn options_amounts_and_errors_are_in_typescript_what_they_are_in_rust() {
    let mut records = Vec::new();
    for side in [Side::Call, Side::Put] {
        for prices in [[60_000, 60_000], [60_000, 72_000], [60_000, 48_000], [95_000, 60_000], [25_000, 60_000]] {
            records.extend(
                [(3_000, 7), (9_000, 30)].map(|(volatility, days)| option_json(side, prices, volatility, days)),
            );
        }
    }
    for multiplier in [1.0_f64, 1.003_9, 3.0, 1.0 / 3.0] {
        let scale = UiScale { decimals: 8, multiplier: Multiplier::from_bits(multiplier.to_bits()).unwrap() };
        for raw in [0, 1, 150_000_001, u64::MAX] {
            let [down, up] = [Rounding::Down, Rounding::Up].map(|side| scale.shown(Tokens(raw), side));
            let back = |rounding| {
                scale
                    .raw(down, rounding)
                    .map_or_else(|error| json!({ "refused": error.to_string() }), |raw| text(raw.0))
            };
            records.push(json!({
                "name": "amount",
                "multiplier": text(multiplier.to_bits()),
                "raw": text(raw),
                "down": down.to_string(),
                "up": up.to_string(),
                "rawOfDown": back(Rounding::Down),
                "rawOfDownUp": back(Rounding::Up),
            }));
        }
    }
    let codes = ALL.iter().map(|error| u32::from(*error)).chain([2_003, 1, 7_777]);
    records.extend(codes.map(|code| {
        let explained = explain_code(code);
        json!({
            "name": "error",
            "code": code,
            "title": explained.name,
            "message": explained.message,
            "remedy": explained.remedy,
        })
    }));
    check("values.json", &records);
}
