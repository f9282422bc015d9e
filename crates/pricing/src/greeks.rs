//! Sensitivities, differentiated from the closed form. For tools: the exchange itself never needs them.
//!
//! With the terms of [`crate::option`]: `dTV/dS` follows from `A ~ S^b` and `B ~ S^-a`, gamma from the equation that
//! the value solves, and vega from `TV = sqrt(SK) * integral of e^(-us) ds`.

use crate::{Curve, Real, Side, Signed, Usd, option::Terms};

impl Curve {
    /// `dV/dS`, dollars per dollar: 0 at and past the cap, where the payoff is flat.
    #[must_use]
    pub fn delta(&self, spot: Usd, strike: Usd) -> Signed {
        let per_dollar = |amount: Real| amount.div(Real::from(spot)).unwrap_or(Real::ZERO);
        match (self.terms(spot, strike).1, self.side()) {
            (Terms::Capped, _) => Signed::ZERO,
            (Terms::OutOfTheMoney { main }, Side::Call) => {
                Signed::positive(per_dollar(main.mul(self.below_cap).mul(self.rate_below)))
            }
            (Terms::OutOfTheMoney { main }, Side::Put) => {
                Signed::positive(per_dollar(main.mul(self.below_cap).mul(self.rate_above))).negate()
            }
            (Terms::InTheMoney { main, reflected }, Side::Call) => {
                let lost = main.mul(self.rate_above).add(reflected.mul(self.rate_below));
                Signed::difference(Real::ONE, per_dollar(lost))
            }
            (Terms::InTheMoney { main, reflected }, Side::Put) => {
                let lost = main.mul(self.rate_below).add(reflected.mul(self.rate_above));
                Signed::difference(per_dollar(lost), Real::ONE)
            }
        }
    }

    /// `d2V/dS2` per dollar: `2 TV / (sigma^2 S^2 T)`; 0 at and past the cap.
    #[must_use]
    pub fn gamma(&self, spot: Usd, strike: Usd) -> Signed {
        let diffusion = self.volatility().mul(Real::from(spot));
        let diffusion = diffusion.mul(diffusion).mul(self.period_years());
        let twice = self.value(spot, strike).time_value.scale_by_power_of_two(1);
        Signed::positive(twice.div(diffusion).unwrap_or(Real::ZERO))
    }

    /// `dV/dsigma` in dollars per 1.00 of volatility; 0 at and past the cap.
    ///
    /// `-dTV/du = M (p + 1/u) - N (q + 1/u)` for the integral's bounds `p = y/2` and `q = h +- y/2`, and
    /// `-du/dsigma = 8 / (sigma^3 T u)`.
    #[must_use]
    pub fn vega(&self, spot: Usd, strike: Usd) -> Signed {
        let (distance, terms) = self.terms(spot, strike);
        let from = distance.magnitude.halve();
        let (main, reflected, to) = match terms {
            Terms::Capped => return Signed::ZERO,
            Terms::OutOfTheMoney { main } => {
                (main, main.mul(Real::ONE.saturating_sub(self.below_cap)), self.contract.cap_distance.add(from))
            }
            Terms::InTheMoney { main, reflected } => (main, reflected, self.contract.cap_distance.saturating_sub(from)),
        };
        let inverse = self.peak_fraction();
        let per_u = main.mul(from.add(inverse)).saturating_sub(reflected.mul(to.add(inverse)));
        let volatility = self.volatility();
        let cube = volatility.mul(volatility).mul(volatility).mul(self.period_years()).mul(self.u());
        let u_per_volatility = Real::from_u64(8).div(cube).unwrap_or(Real::ZERO);
        Signed::positive(per_u.mul(u_per_volatility))
    }
}
