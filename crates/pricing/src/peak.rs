use crate::Real;

const EIGHT: Real = Real::from_u64(8);

/// `1/u = 1 / sqrt(1 + 8 / (sigma^2 T))`, which [`crate::Curve::peak_fraction`] gives for the same volatility (a fraction
/// per square root of a year) and funding period (years), without the rest of a curve.
///
/// None for a variance of zero.
#[must_use]
pub const fn peak_fraction(volatility: Real, period_years: Real) -> Option<Real> {
    match EIGHT.div(volatility.mul(volatility).mul(period_years)) {
        Some(ratio) => Real::ONE.div(Real::ONE.add(ratio).sqrt()),
        None => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Curve, Side};

    #[test]
    fn it_is_to_the_last_bit_what_a_curve_has() {
        for volatility in (1..=1_000).filter_map(|percent| Real::from_ratio(percent, 100)) {
            for period in [1, 24, 72, 168, 8_760].into_iter().filter_map(|hours| Real::from_ratio(hours, 8_760)) {
                let curve = Curve::new(Side::Put, volatility, period, Real::ONE.halve());
                assert_eq!(peak_fraction(volatility, period), curve.map(|curve| curve.peak_fraction()));
            }
        }
    }

    #[test]
    fn a_volatility_of_zero_has_none() {
        assert_eq!(peak_fraction(Real::ZERO, Real::ONE), None);
    }
}
