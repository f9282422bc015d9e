//! Amounts of tokens as people read and write them.
//!
//! A ledger counts raw units. A wallet shows `raw * multiplier / 10^decimals`, where the multiplier is Token-2022's
//! `ScaledUiAmount`, which changes with splits and dividends. Both ways are exact integers with one rounding, whose side
//! the caller names: down for what somebody receives, up for what he pays.

use core::{fmt, str::FromStr};

use perpetua_model::{
    Multiplier, Tokens,
    pricing::{Rounding, wide::mul_div},
};

use crate::token::MintInfo;

/// How a token's amounts are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UiScale {
    /// Decimals of the token, at most 19.
    pub decimals: u8,
    /// What a raw unit is multiplied by when it is shown.
    pub multiplier: Multiplier,
}

/// An amount as a wallet shows it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UiAmount {
    /// The amount in its last decimal place.
    pub units: u128,
    /// How many decimal places there are.
    pub decimals: u8,
}

/// Why a text is no amount.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AmountError {
    /// It is no decimal number such as `12.5`.
    NotDecimal,
    /// It has more decimal places than the token.
    TooPrecise(u8),
    /// It is larger than a ledger can hold.
    TooLarge,
}

impl fmt::Display for AmountError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotDecimal => f.write_str("this is no amount; write it like 12.5, with a point and without units"),
            Self::TooPrecise(decimals) => write!(f, "the token has no more than {decimals} decimal places"),
            Self::TooLarge => f.write_str("no account can hold so much"),
        }
    }
}

impl std::error::Error for AmountError {}

impl From<&MintInfo> for UiScale {
    fn from(mint: &MintInfo) -> Self {
        Self { decimals: mint.decimals, multiplier: mint.multiplier }
    }
}

impl UiScale {
    /// A raw amount as it is shown, to the token's last decimal place.
    ///
    /// ```
    /// use perpetua_client::{amount::UiScale, model::{Multiplier, Tokens, pricing::Rounding}};
    ///
    /// let scale = UiScale { decimals: 8, multiplier: Multiplier(1.003_9_f64.to_bits()) };
    /// assert_eq!(scale.shown(Tokens(150_000_000), Rounding::Down).to_string(), "1.50585");
    /// ```
    pub fn shown(&self, raw: Tokens, rounding: Rounding) -> UiAmount {
        let (numerator, denominator) = self.ratio();
        // Below 2^64 times 2^20.
        let units = mul_div(u128::from(raw.0), numerator, denominator, rounding).unwrap_or(u128::MAX);
        UiAmount { units, decimals: self.decimals }
    }

    /// What somebody receives as it is shown: rounded down.
    pub fn received(&self, raw: Tokens) -> UiAmount {
        self.shown(raw, Rounding::Down)
    }

    /// What somebody pays as it is shown: rounded up.
    pub fn paid(&self, raw: Tokens) -> UiAmount {
        self.shown(raw, Rounding::Up)
    }

    /// The raw amount of what is shown.
    ///
    /// Errors: [`AmountError::TooPrecise`], [`AmountError::TooLarge`].
    pub fn raw(&self, shown: UiAmount, rounding: Rounding) -> Result<Tokens, AmountError> {
        let units = shown.to_decimals(self.decimals)?;
        let (numerator, denominator) = self.ratio();
        let raw = mul_div(units, denominator, numerator, rounding).ok_or(AmountError::TooLarge)?;
        u64::try_from(raw).map(Tokens).map_err(|_| AmountError::TooLarge)
    }

    /// The raw amount of what somebody wrote.
    ///
    /// Errors: [`AmountError`].
    ///
    /// ```
    /// use perpetua_client::{amount::UiScale, model::{Multiplier, Tokens, pricing::Rounding}};
    ///
    /// let scale = UiScale { decimals: 8, multiplier: Multiplier::ONE };
    /// assert_eq!(scale.parse("12.5", Rounding::Down), Ok(Tokens(1_250_000_000)));
    /// ```
    pub fn parse(&self, text: &str, rounding: Rounding) -> Result<Tokens, AmountError> {
        self.raw(text.parse()?, rounding)
    }

    /// The multiplier as an exact fraction.
    fn ratio(&self) -> (u128, u128) {
        // Between 2^-20 and 2^20 with 53 significant bits of 64, so the exponent is from -83 to -43.
        let multiplier = self.multiplier.real();
        (u128::from(multiplier.mantissa()), 1 << multiplier.exponent().unsigned_abs().min(127))
    }
}

impl UiAmount {
    /// The amount in the last of `decimals` places.
    fn to_decimals(self, decimals: u8) -> Result<u128, AmountError> {
        let power = |places: u8| 10_u128.checked_pow(places.into()).ok_or(AmountError::TooLarge);
        match decimals.checked_sub(self.decimals) {
            Some(more) => self.units.checked_mul(power(more)?).ok_or(AmountError::TooLarge),
            None => {
                let divisor = power(self.decimals.saturating_sub(decimals))?;
                let fits = self.units.is_multiple_of(divisor);
                if fits { Ok(self.units / divisor) } else { Err(AmountError::TooPrecise(decimals)) }
            }
        }
    }
}

/// As short as it can be written exactly: `12.5`, not `12.50000000`.
impl fmt::Display for UiAmount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let places = usize::from(self.decimals);
        let digits = format!("{:0>width$}", self.units, width = places + 1);
        let (whole, fraction) = digits.split_at(digits.len() - places);
        let fraction = fraction.trim_end_matches('0');
        let text = if fraction.is_empty() { whole.to_owned() } else { format!("{whole}.{fraction}") };
        f.pad(&text)
    }
}

impl FromStr for UiAmount {
    type Err = AmountError;

    fn from_str(text: &str) -> Result<Self, AmountError> {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
        let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        if !digits(whole) || !digits(fraction) {
            return Err(AmountError::NotDecimal);
        }
        let fraction = fraction.trim_end_matches('0');
        let units = format!("{whole}{fraction}").parse().map_err(|_| AmountError::TooLarge)?;
        let decimals = u8::try_from(fraction.len()).map_err(|_| AmountError::TooLarge)?;
        Ok(Self { units, decimals })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scale(multiplier: f64) -> UiScale {
        UiScale { decimals: 8, multiplier: Multiplier::from_bits(multiplier.to_bits()).unwrap() }
    }

    #[test]
    fn without_a_multiplier_both_ways_are_exact() {
        for raw in [0, 1, 99_999_999, 100_000_000, u64::MAX] {
            let shown = scale(1.0).shown(Tokens(raw), Rounding::Down);
            assert_eq!(shown, scale(1.0).shown(Tokens(raw), Rounding::Up));
            assert_eq!(scale(1.0).raw(shown, Rounding::Down), Ok(Tokens(raw)));
        }
        assert_eq!(scale(1.0).shown(Tokens(123), Rounding::Up).to_string(), "0.00000123");
    }

    #[test]
    fn what_is_received_is_rounded_down_and_what_is_paid_is_rounded_up_and_never_by_a_whole_unit() {
        for multiplier in [0.000_001, 1.0 / 3.0, 1.003_9, 3.0, 1_000.1] {
            for raw in [1, 7, 1_000_003, 123_456_789_012, u64::MAX] {
                let (down, up) = (scale(multiplier).received(Tokens(raw)), scale(multiplier).paid(Tokens(raw)));
                assert!(down.units <= up.units && up.units - down.units <= 1, "{raw} at {multiplier}");
                // The way back from a wider number gives no less, from a narrower one no more.
                assert!(scale(multiplier).raw(down, Rounding::Down).unwrap() <= Tokens(raw));
                // The most that a ledger holds, rounded up, may be more than it holds.
                let back = scale(multiplier).raw(up, Rounding::Up);
                let fits = back.is_ok_and(|back| back >= Tokens(raw));
                assert!(fits || (raw == u64::MAX && back == Err(AmountError::TooLarge)), "{raw} at {multiplier}");
            }
        }
    }

    #[test]
    fn a_three_for_one_split_shows_three_times_as_much() {
        assert_eq!(scale(3.0).received(Tokens(150_000_000)).to_string(), "4.5");
        assert_eq!(scale(3.0).parse("4.5", Rounding::Down), Ok(Tokens(150_000_000)));
        assert_eq!(scale(3.0).parse("1", Rounding::Down), Ok(Tokens(33_333_333)));
        assert_eq!(scale(3.0).parse("1", Rounding::Up), Ok(Tokens(33_333_334)));
    }

    #[test]
    fn what_is_no_amount_is_refused_with_its_reason() {
        for text in ["", ".", "1.", ".5", "-1", "+1", "1e3", "1,5", "0x1", " 1", "TSLAx"] {
            assert_eq!(scale(1.0).parse(text, Rounding::Down), Err(AmountError::NotDecimal), "{text}");
        }
        assert_eq!(scale(1.0).parse("0.000000001", Rounding::Down), Err(AmountError::TooPrecise(8)));
        assert_eq!(scale(1.0).parse("0.0000000010", Rounding::Down), Err(AmountError::TooPrecise(8)));
        assert_eq!(scale(1.0).parse("1.500000000000", Rounding::Down), Ok(Tokens(150_000_000)));
        for text in ["184467440738", "1e99", "99999999999999999999999999999999999999999999"] {
            assert!(scale(1.0).parse(text, Rounding::Down).is_err(), "{text}");
        }
        assert_eq!(scale(1.0).parse("184467440737.09551615", Rounding::Down), Ok(Tokens(u64::MAX)));
    }
}
