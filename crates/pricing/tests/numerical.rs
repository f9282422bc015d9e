//! The closed form against two numerical methods that do not know it, in floating point.

mod common;

use common::{big_real, big_usd};
use perpetua_pricing::{Curve, Real, Rounding, Side, Usd};

struct Case {
    side: Side,
    spot: f64,
    strike: f64,
    volatility: f64,
    years: f64,
    cap: f64,
}

/// Inputs that are exact in binary, so that both sides price the same option.
const CASES: [(Side, u64, u64, u64, u64, u64); 10] = [
    // side, spot, strike, volatility / 16, period in 1/64 years, cap / 16
    (Side::Call, 60_000, 60_000, 10, 1, 8),
    (Side::Call, 50_000, 60_000, 10, 1, 8),
    (Side::Call, 75_000, 60_000, 10, 2, 8),
    (Side::Call, 89_000, 60_000, 20, 4, 8),
    (Side::Call, 2_400, 2_600, 40, 5, 4),
    (Side::Put, 60_000, 60_000, 10, 1, 8),
    (Side::Put, 70_000, 60_000, 10, 1, 8),
    (Side::Put, 45_000, 60_000, 16, 2, 8),
    (Side::Put, 31_000, 60_000, 20, 4, 8),
    (Side::Put, 2_700, 2_600, 40, 5, 14),
];

#[allow(clippy::cast_precision_loss, reason = "small numbers")]
fn cases() -> impl Iterator<Item = (Case, f64, f64)> {
    CASES.into_iter().map(|(side, spot, strike, volatility, period, cap)| {
        let fraction = |numerator, denominator| Real::from_ratio(numerator, denominator).unwrap();
        let curve = Curve::new(side, fraction(volatility, 16), fraction(period, 64), fraction(cap, 16)).unwrap();
        let value = curve.value(Usd::from_integer(spot), Usd::from_integer(strike));
        let case = Case {
            side,
            spot: spot as f64,
            strike: strike as f64,
            volatility: volatility as f64 / 16.0,
            years: period as f64 / 64.0,
            cap: cap as f64 / 16.0,
        };
        let whole = big_usd(value.value(Rounding::Down)).to_f64().value();
        (case, whole, big_real(value.time_value).to_f64().value())
    })
}

/// `sqrt(SK) * integral of e^(-us) ds` by Simpson's rule.
fn quadrature(case: &Case) -> f64 {
    let u = (1.0 + 8.0 / (case.volatility * case.volatility * case.years)).sqrt();
    let y = (case.spot / case.strike).ln();
    let (h, in_the_money) = match case.side {
        Side::Call => (case.cap.ln_1p(), y > 0.0),
        Side::Put => (-(-case.cap).ln_1p(), y < 0.0),
    };
    let from = y.abs() / 2.0;
    let to = if in_the_money { h - from } else { h + from };
    let steps = 20_000;
    let width = (to - from) / f64::from(steps);
    let sum: f64 = (0..=steps)
        .map(|i| {
            let weight = if i == 0 || i == steps { 1.0 } else { 2.0 + 2.0 * f64::from(i % 2) };
            weight * (-u * (from + width * f64::from(i))).exp()
        })
        .sum();
    (case.spot * case.strike).sqrt() * sum * width / 3.0
}

/// `1/2 sigma^2 S^2 V'' = (V - phi) / T` in `x = ln(S/K)` by central differences from the cap to far out of the money,
/// with the payoff's kink on a node, solved by elimination.
fn finite_differences(case: &Case) -> f64 {
    let variance = case.volatility * case.volatility;
    let sign = if case.side == Side::Call { 1.0 } else { -1.0 };
    let cap_at = (sign * case.cap).ln_1p();
    let inside = 2_000;
    let width = cap_at.abs() / f64::from(inside);
    let outside = 50 * inside;
    let payoff = |x: f64| (sign * x.exp_m1()).max(0.0).min(case.cap);
    let diffusion = variance * case.years / 2.0;
    // V - diffusion (V'' - V') = phi on nodes -outside..inside counted towards the cap, so x = sign * node * width.
    let towards = diffusion * (1.0 / (width * width) - sign / (2.0 * width));
    let away = diffusion * (1.0 / (width * width) + sign / (2.0 * width));
    let diagonal = 1.0 + 2.0 * diffusion / (width * width);
    // Elimination from far out of the money, where V = 0: V_i = slope_i V_{i+1} + rest_i.
    let mut relations = vec![(0.0, 0.0)];
    for node in 1 - outside..inside {
        let (slope, rest) = relations[relations.len() - 1];
        let pivot = diagonal - away * slope;
        relations.push((towards / pivot, (payoff(sign * f64::from(node) * width) + away * rest) / pivot));
    }
    let mut value = case.cap;
    let spot = sign * (case.spot / case.strike).ln() / width;
    let mut upper = value;
    for (node, (slope, rest)) in (-outside..inside).zip(relations).rev() {
        upper = value;
        value = slope * value + rest;
        if f64::from(node) <= spot {
            // Linear between nodes is accurate to the square of the width, and exact enough for this test.
            let share = spot - f64::from(node);
            return case.strike * (value + share * (upper - value));
        }
    }
    case.strike * upper
}

#[test]
fn time_value_is_the_integral_of_the_design() {
    for (case, _, time_value) in cases() {
        let error = (quadrature(&case) / time_value - 1.0).abs();
        assert!(error < 1e-9, "{time_value} is off by {error:e}");
    }
}

#[test]
fn the_value_solves_the_pricing_equation() {
    for (case, value, _) in cases() {
        let error = (finite_differences(&case) / value - 1.0).abs();
        assert!(error < 1e-4, "{value} is off by {error:e}");
    }
}
