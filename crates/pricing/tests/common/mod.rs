//! An independent reference in 144-bit arithmetic, and conversions to it.
#![allow(dead_code, reason = "each test file uses its own part")]

pub mod strategies;

use dashu_float::{FBig, ops::SquareRoot, round::mode::HalfEven};
use dashu_int::IBig;
use perpetua_pricing::{Curve, Real, Side, Signed, Usd};

/// A binary float of high precision.
pub type Big = FBig<HalfEven, 2>;

const PRECISION: usize = 144;

pub fn big(value: impl Into<IBig>) -> Big {
    Big::from_parts(value.into(), 0).with_precision(PRECISION).value()
}

pub fn big_real(value: Real) -> Big {
    if value.is_zero() {
        return big(0);
    }
    Big::from_parts(value.mantissa().into(), isize::try_from(value.exponent()).unwrap())
        .with_precision(PRECISION)
        .value()
}

pub fn big_usd(value: Usd) -> Big {
    Big::from_parts(value.bits().into(), -64).with_precision(PRECISION).value()
}

pub fn big_signed(value: Signed) -> Big {
    let magnitude = big_real(value.magnitude);
    if value.negative { -magnitude } else { magnitude }
}

pub fn parse(decimal: &str) -> Big {
    let (whole, fraction) = decimal.split_once('.').unwrap_or((decimal, ""));
    let digits: IBig = format!("{whole}{fraction}").parse().unwrap();
    big(digits) / big(10).powi(fraction.len().into())
}

pub fn absolute(value: Big) -> Big {
    if value < big(0) { -value } else { value }
}

/// `|got / want - 1|` as a float for messages; infinite where only one is zero.
pub fn relative_error(got: &Big, want: &Big) -> f64 {
    if got == want {
        return 0.0;
    }
    if *want == big(0) {
        return f64::INFINITY;
    }
    absolute((got - want) / want).to_f64().value()
}

/// The parameters of an option, as the crate understands them.
#[derive(Clone, Copy, Debug)]
pub struct Terms {
    pub side: Side,
    pub volatility: Real,
    pub period: Real,
    pub cap: Real,
}

impl Terms {
    pub fn curve(&self) -> Curve {
        Curve::new(self.side, self.volatility, self.period, self.cap).unwrap()
    }

    /// `u` in high precision.
    pub fn u(&self) -> Big {
        let volatility = big_real(self.volatility);
        (big(1) + big(8) / (&volatility * &volatility * big_real(self.period))).sqrt()
    }

    /// The price at or past which the option is worth its cap.
    pub fn boundary(&self, strike: &Big) -> Big {
        match self.side {
            Side::Call => strike * (big(1) + big_real(self.cap)),
            Side::Put => strike * (big(1) - big_real(self.cap)),
        }
    }

    pub fn capped(&self, spot: &Big, strike: &Big) -> bool {
        match self.side {
            Side::Call => *spot >= self.boundary(strike),
            Side::Put => *spot <= self.boundary(strike),
        }
    }

    pub fn intrinsic(&self, spot: &Big, strike: &Big) -> Big {
        let in_the_money = match self.side {
            Side::Call => spot - strike,
            Side::Put => strike - spot,
        };
        in_the_money.max(big(0)).min(strike * big_real(self.cap))
    }

    /// The time value in the textbook form: powers of `S/K`, without the crate's rearrangements.
    pub fn time_value(&self, spot: &Big, strike: &Big) -> Big {
        if self.capped(spot, strike) {
            return big(0);
        }
        let u = self.u();
        let logarithm = (spot / strike).ln();
        let a = strike / &u * (&logarithm * (big(1) + &u) / big(2)).exp();
        let b = strike / &u * (&logarithm * (big(1) - &u) / big(2)).exp();
        let (rising, one_and_cap) = match self.side {
            Side::Call => (true, big(1) + big_real(self.cap)),
            Side::Put => (false, big(1) - big_real(self.cap)),
        };
        let ratio = one_and_cap.ln();
        let power = if rising { -&u * ratio } else { &u * ratio }.exp();
        match (self.side, spot <= strike) {
            (Side::Call, true) => a * (big(1) - power),
            (Side::Call, false) => b - a * power,
            (Side::Put, true) => a - b * power,
            (Side::Put, false) => b * (big(1) - power),
        }
    }

    pub fn value(&self, spot: &Big, strike: &Big) -> Big {
        self.intrinsic(spot, strike) + self.time_value(spot, strike)
    }
}
