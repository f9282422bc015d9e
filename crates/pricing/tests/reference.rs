//! The published reference values.

mod common;

use common::{Terms, absolute, big, big_real, big_signed, big_usd, parse, relative_error};
use perpetua_pricing::{Real, Rounding, Side, Usd};

struct Row {
    terms: Terms,
    spot: Usd,
    strike: Usd,
    value: String,
    time_value: String,
    delta: String,
}

fn decimal(text: &str) -> (u64, u32) {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    (format!("{whole}{fraction}").parse().unwrap(), u32::try_from(fraction.len()).unwrap())
}

fn dollars(text: &str) -> Usd {
    let (digits, places) = decimal(text);
    Usd::from_decimal(digits, -places.cast_signed()).unwrap()
}

fn fraction(text: &str) -> Real {
    let (digits, places) = decimal(text);
    Real::from_ratio(digits, 10u64.pow(places)).unwrap()
}

fn rows() -> Vec<Row> {
    let row = |line: &str| {
        let cells: Vec<&str> = line.split(',').collect();
        let [side, spot, strike, volatility, days, cap, value, time_value, delta] = cells[..] else {
            panic!("nine columns: {line}")
        };
        let side = if side == "call" { Side::Call } else { Side::Put };
        let period = Real::from_ratio(days.parse().unwrap(), 365).unwrap();
        Row {
            terms: Terms { side, volatility: fraction(volatility), period, cap: fraction(cap) },
            spot: dollars(spot),
            strike: dollars(strike),
            value: value.into(),
            time_value: time_value.into(),
            delta: delta.into(),
        }
    };
    let rows: Vec<Row> = include_str!("data/pricing.csv").lines().skip(1).map(row).collect();
    assert_eq!(rows.len(), 34);
    rows
}

#[test]
fn every_reference_value_and_time_value_is_met() {
    for row in rows() {
        let value = row.terms.curve().value(row.spot, row.strike);
        for rounding in [Rounding::Down, Rounding::Up] {
            let error = relative_error(&big_usd(value.value(rounding)), &parse(&row.value));
            assert!(error < 1e-15, "value {} is off by {error:e}", row.value);
        }
        let error = relative_error(&big_real(value.time_value), &parse(&row.time_value));
        // Next to the cap the time value is a small difference of two terms of the size of 3% of the strike.
        assert!(error < 1e-12, "time value {} is off by {error:e}", row.time_value);
    }
}

#[test]
fn every_reference_delta_is_met_and_none_is_left_at_the_cap() {
    for row in rows() {
        let delta = big_signed(row.terms.curve().delta(row.spot, row.strike));
        if row.time_value == "0.0" {
            assert_eq!(delta, big(0), "the reference gives the limit from inside the cap");
        } else {
            let error = relative_error(&delta, &parse(&row.delta));
            assert!(error < 1e-14, "delta {} is off by {error:e}", row.delta);
        }
    }
}

#[test]
fn the_high_precision_oracle_meets_the_reference_too() {
    for row in rows() {
        let value = row.terms.value(&big_usd(row.spot), &big_usd(row.strike));
        assert!(absolute(value / parse(&row.value) - big(1)) < parse("0.0000000000000001"));
    }
}
