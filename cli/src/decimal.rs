//! Exact conversions between decimals and the pricing crate's numbers.

use anyhow::{Result, anyhow, ensure};
use bigdecimal::{
    BigDecimal, ToPrimitive,
    num_bigint::{BigInt, Sign},
};
use perpetua_pricing::{Real, Signed, Usd};

/// A `Real` has 64 bits, a little over 19 digits.
const SIGNIFICANT_DIGITS: u64 = 20;
/// More digits than any sensible input, few enough to stay quick.
const LONGEST_INPUT: usize = 100;

/// Reads a decimal between two bounds, both allowed. `unit` completes "must be from .. to .. <unit>".
pub fn parse_within(name: &str, text: &str, low: &str, high: &str, unit: &str) -> Result<BigDecimal> {
    let value = parse(name, text)?;
    let in_bounds = value >= parse(name, low)? && value <= parse(name, high)?;
    ensure!(in_bounds, "{name} is {text}, but must be from {low} to {high} {unit}");
    Ok(value)
}

fn parse(name: &str, text: &str) -> Result<BigDecimal> {
    let plain = text.len() <= LONGEST_INPUT && text.bytes().all(|byte| byte.is_ascii_digit() || b".-+".contains(&byte));
    let value = if plain { text.parse().ok() } else { None };
    value.ok_or_else(|| {
        anyhow!("{name} is \"{text}\", which is not a decimal number; write it like 60000 or 0.25, with a point and without units")
    })
}

/// The value in units of 2^-64 dollars, rounded down. The value must be a price in range.
pub fn to_usd(value: &BigDecimal) -> Result<Usd> {
    let scaled = value * BigDecimal::from(BigInt::from(1) << 64);
    scaled.to_u128().map(Usd::from_bits).ok_or_else(|| anyhow!("{value} dollars cannot be represented"))
}

/// `numerator / denominator` truncated to 64 significant bits.
pub fn to_real(numerator: &BigDecimal, denominator: u64) -> Result<Real> {
    let unrepresentable = || anyhow!("{numerator} cannot be represented");
    // numerator = digits / 10^scale.
    let (digits, scale) = numerator.as_bigint_and_exponent();
    let power = BigInt::from(10).pow(scale.unsigned_abs().try_into()?);
    let (above, below) = if scale < 0 { (digits * power, denominator.into()) } else { (digits, power * denominator) };
    // The quotient gets 65 to 128 bits, so that truncation to 64 happens once, in the conversion.
    let excess = i64::try_from(below.bits())? - i64::try_from(above.bits())?;
    let shift = u32::try_from((excess + 96).max(0))?;
    let quotient = (above << shift) / below;
    Ok(Real::from_fixed_wide(quotient.to_u128().ok_or_else(unrepresentable)?, shift))
}

/// The exact value.
pub fn from_usd(value: Usd) -> BigDecimal {
    times_power_of_two(value.bits().into(), -64)
}

/// The exact value.
pub fn from_real(value: Real) -> BigDecimal {
    if value.is_zero() {
        return BigDecimal::from(0);
    }
    times_power_of_two(value.mantissa().into(), value.exponent())
}

/// The exact value.
pub fn from_signed(value: Signed) -> BigDecimal {
    let magnitude = from_real(value.magnitude);
    if value.negative { -magnitude } else { magnitude }
}

fn times_power_of_two(mantissa: BigInt, exponent: i32) -> BigDecimal {
    let power = exponent.unsigned_abs();
    if exponent >= 0 {
        return BigDecimal::from(mantissa << power);
    }
    // m / 2^n = m 5^n / 10^n.
    BigDecimal::new(mantissa * BigInt::from(5).pow(power), power.into())
}

/// The number with twenty significant digits, without an exponent.
pub fn print(value: &BigDecimal) -> String {
    if value.sign() == Sign::NoSign {
        return "0".into();
    }
    value.with_prec(SIGNIFICANT_DIGITS).to_plain_string()
}
