//! The capped everlasting option in closed form.
//!
//! `V = phi + TV` solves `1/2 sigma^2 S^2 V'' = (V - phi) / T` with `V = cK` at the cap (D. White and
//! S. Bankman-Fried, "Everlasting Options", Paradigm 2021, with a cap; see `docs/mechanism.md`). All exponentials are
//! written relative to the spot: with `y = |ln(S/K)|`, `h = |ln(1 +- c)|`, rates `a = (u - 1)/2`, `b = (u + 1)/2`
//! where terms shrink away from the money, and `D = e^-uh`:
//!
//! ```text
//! call  K >= S   M = S/u e^-ay   N = M D             TV = M - N   financed = a TV
//!       K <  S   M = S/u e^-by   N = S/u e^(ay-uh)   TV = M - N   financed = K - b M - a N
//! put   K <= S   M = S/u e^-by   N = M D             TV = M - N
//!       K >  S   M = S/u e^-ay   N = S/u e^(by-uh)   TV = M - N
//! ```

use crate::{
    Real, Rounding, Signed, Usd, exp, exp_negative, ln,
    wide::{join, mul_words, split},
};

/// The right that an option gives.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Side {
    /// To gain when the index rises.
    Call = 0,
    /// To gain when the index falls.
    Put = 1,
}

impl Side {
    /// Calls and puts, in the order in which whatever is kept for each of them lies.
    pub const BOTH: [Self; 2] = [Self::Call, Self::Put];

    /// How far an option is in the money, before the cap.
    #[inline(always)]
    pub(crate) fn moneyness(self, spot: Usd, strike: Usd) -> Usd {
        match self {
            Self::Call => spot.saturating_sub(strike),
            Self::Put => strike.saturating_sub(spot),
        }
    }
}

const PERCENT: Real = constant_ratio(1, 100);
const HOUR: Real = constant_ratio(1, 365 * 24);
const EIGHT: Real = Real::from_u64(8);
const TEN: Real = Real::from_u64(10);

/// Evaluated by the compiler, which refuses a denominator of zero.
pub(crate) const fn constant_ratio(numerator: u64, denominator: u64) -> Real {
    match Real::from_ratio(numerator, denominator) {
        Some(ratio) => ratio,
        None => panic!("the denominator is zero"),
    }
}

/// What holds for an everlasting option at any volatility, spot and strike, made by [`Contract::new`]. Its fields are open
/// so that who prices often can keep them instead of taking a logarithm and a quotient again.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Contract {
    /// The right that it gives.
    pub side: Side,
    /// The funding period `T` in years.
    pub period_years: Real,
    /// `8 / T`.
    pub eight_per_period: Real,
    /// The cap `c` as a fraction of the strike.
    pub cap: Real,
    /// `|ln(1 +- c)|`.
    pub cap_distance: Real,
}

/// An everlasting option's curve: all that depends on side, volatility, funding period and cap, but not on spot and
/// strike.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Curve {
    pub(crate) contract: Contract,
    volatility: Real,
    u: Real,
    /// `1 / u`.
    peak_fraction: Real,
    /// `(u - 1) / 2`: how fast terms shrink as the strike rises above the spot.
    pub(crate) rate_above: Real,
    /// `(u + 1) / 2`: how fast terms shrink as the strike falls below the spot.
    pub(crate) rate_below: Real,
    /// `u |ln(1 +- c)|`.
    pub(crate) cap_exponent: Real,
    /// `1 - e^(-u |ln(1 +- c)|)`: what the cap leaves of an out-of-the-money time value.
    pub(crate) below_cap: Real,
}

/// What one option is worth at one spot.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct OptionValue {
    /// `phi`: what the option would pay now, exact except for the cap's rounding down.
    pub intrinsic: Usd,
    /// `TV = V - phi` in dollars; zero at and past the cap.
    pub time_value: Real,
    /// Dollars that a seller must borrow to hedge a call, within `0..=K`; zero for puts, and at and past the cap.
    pub financed: Real,
    pub(crate) strike: Usd,
    pub(crate) cap: Real,
}

impl OptionValue {
    /// `V` in dollars, never below `phi` nor above `cK` rounded down.
    #[must_use]
    pub fn value(&self, rounding: Rounding) -> Usd {
        let value = self.intrinsic.saturating_add(self.time_value.to_usd(rounding));
        value.min(payout_cap(self.strike, self.cap)).max(self.intrinsic)
    }
}

/// `cK`, rounded down; saturates. The cap is that of a curve, within 0.01..=10.
pub(crate) fn payout_cap(strike: Usd, cap: Real) -> Usd {
    let (high, low) = split(strike.bits());
    let (product_high, carried) = mul_words(high, cap.mantissa());
    let (carry, lowest) = mul_words(low, cap.mantissa());
    let (middle, overflow) = carried.overflowing_add(carry);
    // The high word of a product is at most 2^64 - 2.
    let top = product_high.wrapping_add(u64::from(overflow));
    // The product's three words, shifted by the cap's fractional bits without 128-bit shifts.
    Usd::from_bits(match -cap.exponent {
        bits @ 64..=127 => join(top >> (bits - 64), (middle >> (bits - 64)) | ((top << 1) << (127 - bits))),
        bits @ 1..=63 if top >> bits == 0 => {
            let up = 64 - bits;
            join((top << up) | (middle >> bits), (middle << up) | (lowest >> bits))
        }
        128.. => 0,
        _ => u128::MAX,
    })
}

/// Where the option stands, and the two terms of its time value.
pub(crate) enum Terms {
    Capped,
    OutOfTheMoney { main: Real },
    InTheMoney { main: Real, reflected: Real },
}

impl Contract {
    /// The contract of one side, funding period in years of 365 days and cap as a fraction of the strike.
    ///
    /// None when out of bounds: period 1 hour to 365 days, cap 1% to 1000% for calls and 1% to below 100% for puts.
    #[must_use]
    pub fn new(side: Side, period_years: Real, cap: Real) -> Option<Self> {
        let cap_in_bounds = match side {
            Side::Call => cap <= TEN,
            Side::Put => cap < Real::ONE,
        };
        let in_bounds = (HOUR..=Real::ONE).contains(&period_years) && cap >= PERCENT && cap_in_bounds;
        if !in_bounds {
            return None;
        }
        let boundary = match side {
            Side::Call => Real::ONE.add(cap),
            Side::Put => Real::ONE.saturating_sub(cap),
        };
        let eight_per_period = EIGHT.div(period_years)?;
        Some(Self { side, period_years, eight_per_period, cap, cap_distance: ln(boundary).magnitude })
    }

    /// The curve at a volatility (a fraction per square root of a year).
    ///
    /// None when the volatility is out of bounds: 1% to 1000%.
    #[must_use]
    pub fn curve(&self, volatility: Real) -> Option<Curve> {
        let u = self.u(volatility)?;
        let cap_exponent = u.mul(self.cap_distance);
        Some(Curve {
            contract: *self,
            volatility,
            u,
            peak_fraction: Real::ONE.div(u)?,
            rate_above: u.saturating_sub(Real::ONE).halve(),
            rate_below: u.add(Real::ONE).halve(),
            cap_exponent,
            below_cap: Real::ONE.saturating_sub(exp_negative(cap_exponent)),
        })
    }

    /// `u = sqrt(1 + 8 / (sigma^2 T))`. None when the volatility is out of bounds.
    #[inline(always)]
    pub(crate) fn u(&self, volatility: Real) -> Option<Real> {
        let in_bounds = (PERCENT..=TEN).contains(&volatility);
        let ratio = self.eight_per_period.div(volatility.mul(volatility)).filter(|_| in_bounds)?;
        Some(Real::ONE.add(ratio).sqrt())
    }
}

impl Curve {
    /// The curve for one side, volatility (a fraction per square root of a year), funding period in years of 365 days
    /// and cap as a fraction of the strike.
    ///
    /// None outside the bounds of [`Contract::new`] and [`Contract::curve`].
    #[must_use]
    pub fn new(side: Side, volatility: Real, period_years: Real, cap: Real) -> Option<Self> {
        Contract::new(side, period_years, cap)?.curve(volatility)
    }

    /// The same option's curve at another volatility, without another logarithm of the cap.
    ///
    /// None when the volatility is out of bounds.
    #[must_use]
    pub fn at_volatility(&self, volatility: Real) -> Option<Self> {
        self.contract.curve(volatility)
    }

    /// The side that this curve prices.
    #[must_use]
    pub const fn side(&self) -> Side {
        self.contract.side
    }

    /// `u = sqrt(1 + 8 / (sigma^2 T))`.
    #[must_use]
    pub const fn u(&self) -> Real {
        self.u
    }

    /// `1/u`: time value never exceeds this fraction of the lower of spot and strike.
    #[must_use]
    pub const fn peak_fraction(&self) -> Real {
        self.peak_fraction
    }

    /// The volatility, a fraction per square root of a year.
    #[must_use]
    pub const fn volatility(&self) -> Real {
        self.volatility
    }

    /// The cap as a fraction of the strike.
    #[must_use]
    pub const fn cap(&self) -> Real {
        self.contract.cap
    }

    /// The funding period in years.
    #[must_use]
    pub const fn period_years(&self) -> Real {
        self.contract.period_years
    }

    /// The most that an option of this strike ever pays: `cK`, rounded down.
    #[must_use]
    pub fn payout_cap(&self, strike: Usd) -> Usd {
        payout_cap(strike, self.contract.cap)
    }

    /// The option's worth at `spot`. A spot at or past the cap gives `cK` and no time value.
    #[must_use]
    pub fn value(&self, spot: Usd, strike: Usd) -> OptionValue {
        self.assemble(spot, strike, self.terms(spot, strike).1)
    }

    pub(crate) fn assemble(&self, spot: Usd, strike: Usd, terms: Terms) -> OptionValue {
        let time_value = self.time_value_of(&terms);
        let financed = match (self.contract.side, &terms) {
            (Side::Put, _) | (_, Terms::Capped) => Real::ZERO,
            (Side::Call, Terms::OutOfTheMoney { .. }) => time_value.mul(self.rate_above),
            (Side::Call, Terms::InTheMoney { main, reflected }) => {
                let owned = main.mul(self.rate_below).add(reflected.mul(self.rate_above));
                Real::from(strike).saturating_sub(owned)
            }
        };
        let intrinsic = match terms {
            Terms::Capped => self.payout_cap(strike),
            _ => self.moneyness(spot, strike),
        };
        OptionValue { intrinsic, time_value, financed, strike, cap: self.contract.cap }
    }

    /// How far the option is in the money, before the cap.
    pub(crate) fn moneyness(&self, spot: Usd, strike: Usd) -> Usd {
        self.contract.side.moneyness(spot, strike)
    }

    /// `ln(S/K)` and the terms there.
    pub(crate) fn terms(&self, spot: Usd, strike: Usd) -> (Signed, Terms) {
        if self.moneyness(spot, strike) >= self.payout_cap(strike) {
            return (Signed::ZERO, Terms::Capped);
        }
        let Some(ratio) = Real::from(spot).div(Real::from(strike)) else {
            return (Signed::ZERO, Terms::Capped); // a strike of zero pays nothing
        };
        let distance = ln(ratio);
        (distance, self.terms_at(distance, Real::from(spot).mul(self.peak_fraction())))
    }

    /// The terms below the cap at `ln(S/K)`, for `scale` of `S/u`.
    #[inline(always)]
    fn terms_at(&self, distance: Signed, scale: Real) -> Terms {
        let (rate, opposite) =
            if distance.negative { (self.rate_above, self.rate_below) } else { (self.rate_below, self.rate_above) };
        let main = scale.mul(exp_negative(distance.magnitude.mul(rate)));
        let in_the_money = distance.negative == (self.contract.side == Side::Put) && !distance.magnitude.is_zero();
        if in_the_money {
            let reflected = scale.mul(self.reflection(distance.magnitude.mul(opposite)));
            Terms::InTheMoney { main, reflected }
        } else {
            Terms::OutOfTheMoney { main }
        }
    }

    fn time_value_of(&self, terms: &Terms) -> Real {
        match terms {
            Terms::Capped => Real::ZERO,
            Terms::OutOfTheMoney { main } => main.mul(self.below_cap),
            Terms::InTheMoney { main, reflected } => main.saturating_sub(*reflected),
        }
    }

    /// `TV` in dollars below the cap at `ln(S/K)`, for `scale` of `S/u`.
    pub(crate) fn time_value(&self, distance: Signed, scale: Real) -> Real {
        self.time_value_of(&self.terms_at(distance, scale))
    }

    /// `e^(exponent - u h)`.
    pub(crate) fn reflection(&self, exponent: Real) -> Real {
        if exponent > self.cap_exponent {
            exp(exponent.saturating_sub(self.cap_exponent))
        } else {
            exp_negative(self.cap_exponent.saturating_sub(exponent))
        }
    }
}
