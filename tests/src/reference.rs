//! The mechanism's formulas once more, in 200-bit floating point from another library: what tests compare with.

use dashu_float::{FBig, ops::SquareRoot, round::mode::HalfEven};
use perpetua_model::pricing::Side;

/// A number of 200 bits.
pub type Big = FBig<HalfEven, 2>;

/// The year that rates refer to: 365 days.
const SECONDS_PER_YEAR: i64 = 31_536_000;

/// A whole number.
pub fn big(value: i64) -> Big {
    wide(value.into())
}

/// A whole number of up to 128 bits.
pub fn wide(value: i128) -> Big {
    Big::from_parts(value.into(), 0).with_precision(200).value()
}

/// A fraction.
pub fn ratio(numerator: i64, denominator: i64) -> Big {
    big(numerator) / big(denominator)
}

/// A number with `bits` fraction bits.
pub fn fixed(value: u128, bits: isize) -> Big {
    Big::from_parts(value.into(), -bits).with_precision(200).value()
}

/// Seconds in years.
pub fn years(seconds: i64) -> Big {
    ratio(seconds, SECONDS_PER_YEAR)
}

fn power(base: &Big, exponent: &Big) -> Big {
    (base.ln() * exponent).exp()
}

/// The terms of an option.
#[derive(Clone, Debug)]
pub struct Terms {
    /// Call or put.
    pub side: Side,
    /// Annualised volatility.
    pub volatility: Big,
    /// Funding period in years.
    pub period: Big,
    /// Payout cap as a fraction of the strike.
    pub cap: Big,
}

/// What an option is worth per index unit, in US dollars.
#[derive(Clone, Debug)]
pub struct Worth {
    /// What it pays now.
    pub intrinsic: Big,
    /// What it is worth beyond that.
    pub time_value: Big,
    /// What its seller borrows to hedge it; nothing for a put.
    pub financed: Big,
}

impl Worth {
    /// `V`.
    pub fn value(&self) -> Big {
        &self.intrinsic + &self.time_value
    }
}

impl Terms {
    /// `docs/mechanism.md` section 2.
    pub fn worth(&self, spot: &Big, strike: &Big) -> Worth {
        let (one, two) = (big(1), big(2));
        let u = (&one + big(8) / (&self.volatility * &self.volatility * &self.period)).sqrt();
        let moneyness = spot / strike;
        let scale = strike / &u;
        let a = &scale * power(&moneyness, &((&one + &u) / &two));
        let b = &scale * power(&moneyness, &((&one - &u) / &two));
        let most = strike * &self.cap;
        let none = big(0);
        let (intrinsic, time_value, financed) = match self.side {
            Side::Call => {
                let far = power(&(&one + &self.cap), &-u.clone());
                let boundary = strike * (&one + &self.cap);
                if *spot >= boundary {
                    (most, none.clone(), none)
                } else if spot <= strike {
                    let time_value = a * (&one - far);
                    let financed = (&u - &one) / &two * &time_value;
                    (none, time_value, financed)
                } else {
                    let financed = strike - (&one + &u) / &two * &b + (&one - &u) / &two * &a * &far;
                    (spot - strike, b - a * far, financed)
                }
            }
            Side::Put => {
                let far = power(&(&one - &self.cap), &u);
                let boundary = strike * (&one - &self.cap);
                if *spot <= boundary {
                    (most, none.clone(), none)
                } else if spot >= strike {
                    (none.clone(), b * (&one - far), none)
                } else {
                    (strike - spot, a - b * far, none)
                }
            }
        };
        Worth { intrinsic, time_value, financed }
    }

    /// What a holder pays per index unit and year: `TV/T + carry * financed + rent * cK`.
    pub fn funding_rate(&self, spot: &Big, strike: &Big, carry: &Big, rent: &Big) -> Big {
        let worth = self.worth(spot, strike);
        worth.time_value / &self.period + carry * worth.financed + rent * &self.cap * strike
    }
}

/// The strike at `tick` of the grid.
pub fn strike(reference: &Big, step: &Big, tick: i16) -> Big {
    power(step, &big(tick.into())) * reference
}

/// `conf + 1.5 sigma S sqrt((age + 2 s) / 1 year)`.
pub fn half_width(confidence: &Big, volatility: &Big, spot: &Big, age: i64) -> Big {
    confidence + ratio(3, 2) * volatility * spot * years(age + 2).sqrt()
}

/// The number rounded up, for what a user pays.
pub fn up(value: &Big) -> u64 {
    u64::try_from(value.ceil().to_int().value()).expect("amounts fit 64 bits")
}

/// The number rounded down, for what a user receives.
pub fn down(value: &Big) -> u64 {
    u64::try_from(value.floor().to_int().value()).expect("amounts fit 64 bits")
}

/// Asserts that a payer pays what `exact` says: never less, and at most one unit in 2^44 and one whole unit more.
pub fn assert_paid_up(paid: u64, exact: &Big, what: &str) {
    let least = up(exact);
    let slack = 1 + (least >> 44);
    assert!((least..=least + slack).contains(&paid), "{what}: paid {paid}, exactly {exact}");
}

/// Asserts that a receiver gets what `exact` says: never more, and at most one unit in 2^44 and one whole unit less.
pub fn assert_received_down(received: u64, exact: &Big, what: &str) {
    let most = down(exact);
    let slack = 1 + (most >> 44);
    assert!((most - slack..=most).contains(&received), "{what}: received {received}, exactly {exact}");
}
