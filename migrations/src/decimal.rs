//! Between decimals that people write and the program's fixed-point numbers.

use anyhow::{Result, anyhow, ensure};
use bigdecimal::{BigDecimal, ToPrimitive, num_bigint::BigInt};

/// More digits than any parameter needs, few enough to stay quick.
const LONGEST: usize = 60;

/// The decimal in units of 2^-`fraction_bits`, rounded down.
///
/// Errors: it is not a plain decimal number, or negative, or does not fit.
pub fn to_fixed(text: &str, fraction_bits: u32) -> Result<u128> {
    let plain = text.len() <= LONGEST && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let value: Option<BigDecimal> = if plain { text.parse().ok() } else { None };
    let value = value.ok_or_else(|| {
        anyhow!("\"{text}\" is not a decimal number; write it like \"60000\" or \"0.25\", without sign and units")
    })?;
    let scaled = (value * BigDecimal::from(BigInt::from(1) << fraction_bits)).to_u128();
    scaled.ok_or_else(|| anyhow!("{text} is too large"))
}

/// The same for a number of 64 bits, which must not become zero.
///
/// Errors: as [`to_fixed`]; it is zero, or too small to be told from it.
pub fn to_fixed_64(text: &str, fraction_bits: u32) -> Result<u64> {
    let bits = u64::try_from(to_fixed(text, fraction_bits)?).map_err(|_| anyhow!("{text} is too large"))?;
    ensure!(bits != 0, "{text} is too small");
    Ok(bits)
}

/// The exact value of `bits` in units of 2^-`fraction_bits`.
pub fn from_fixed(bits: u128, fraction_bits: u32) -> String {
    // m / 2^n = m 5^n / 10^n.
    let digits = BigInt::from(bits) * BigInt::from(5).pow(fraction_bits);
    BigDecimal::new(digits, fraction_bits.into()).normalized().to_plain_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decimal_is_rounded_down_to_the_programs_unit() {
        assert_eq!(to_fixed("250000", 24).unwrap(), 4_194_304_000_000);
        assert_eq!(to_fixed("0.5", 1).unwrap(), 1);
        assert_eq!(to_fixed("0.99", 1).unwrap(), 1);
        // 0.36 * 2^48 = 101330991615836.16, by hand.
        assert_eq!(to_fixed_64("0.36", 48).unwrap(), 101_330_991_615_836);
    }

    #[test]
    fn what_is_no_positive_number_in_range_is_refused() {
        for text in ["", "-1", "+1", "1e9", "1_000", "0x10", "1.2.3", "nan", "."] {
            assert!(to_fixed(text, 64).is_err(), "{text:?}");
        }
        assert!(to_fixed("18446744073709551616", 64).is_err());
        assert!(to_fixed_64("0", 24).is_err());
        assert!(to_fixed_64("0.00000001", 24).is_err());
        assert!(to_fixed_64("1099511627776", 24).is_err());
    }

    #[test]
    fn a_fixed_point_number_is_shown_exactly() {
        assert_eq!(from_fixed(3, 1), "1.5");
        assert_eq!(from_fixed(4_194_304_000_000, 24), "250000");
        assert_eq!(from_fixed(1 << 80, 64), "65536");
        assert_eq!(from_fixed(0, 64), "0");
    }
}
