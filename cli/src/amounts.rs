//! Amounts, prices and rates as they are shown and written.

use anyhow::Result;
use bigdecimal::{BigDecimal, RoundingMode, num_bigint::BigInt};
use perpetua_client::{
    amount::{AmountError, UiScale},
    model::{
        BPS, Multiplier, Shares, Size, Tokens, Volatility,
        pricing::{Rounding, Usd},
    },
};

use crate::{
    decimal::{from_usd, parse_within, print, to_usd},
    fault::refusal,
};

/// Sizes are millionths of an index unit.
const SIZES: UiScale = UiScale { decimals: 6, multiplier: Multiplier::ONE };
/// Cents that people see; small prices get more.
const CENTS: i64 = 2;
const FINE: i64 = 6;

/// A stock token's symbol and how its amounts are shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// Such as `TSLAx`.
    pub symbol: String,
    /// Decimals and multiplier.
    pub scale: UiScale,
    /// Decimals of the main and of the insurance pool's shares.
    pub share_decimals: [u8; 2],
}

impl Token {
    /// What somebody receives: rounded down.
    pub fn received(&self, raw: Tokens) -> String {
        format!("{} {}", self.scale.received(raw), self.symbol)
    }

    /// What somebody pays: rounded up.
    pub fn paid(&self, raw: Tokens) -> String {
        format!("{} {}", self.scale.paid(raw), self.symbol)
    }

    /// The same without the symbol, for programs.
    pub fn json_received(&self, raw: Tokens) -> String {
        self.scale.received(raw).to_string()
    }

    /// The same without the symbol, for programs.
    pub fn json_paid(&self, raw: Tokens) -> String {
        self.scale.paid(raw).to_string()
    }

    /// A signed amount, rounded away from what its owner would like.
    pub fn signed(&self, raw: i128) -> String {
        let magnitude = Tokens(u64::try_from(raw.unsigned_abs()).unwrap_or(u64::MAX));
        if raw < 0 { format!("-{}", self.scale.paid(magnitude)) } else { self.scale.received(magnitude).to_string() }
    }

    /// Raw units of what somebody wrote.
    ///
    /// Errors: it is no amount of this token.
    pub fn parse(&self, text: &str, rounding: Rounding) -> Result<Tokens> {
        self.scale.parse(text, rounding).map_err(|error| no_amount("the amount", text, error))
    }

    /// The multiplier as the mint has it.
    pub fn multiplier(&self) -> String {
        multiplier(self.scale.multiplier)
    }

    /// What amounts are, in a line, where the multiplier is not one.
    pub fn note(&self) -> String {
        if self.scale.multiplier == Multiplier::ONE {
            return String::new();
        }
        format!(
            "Amounts are as wallets show them: raw units times the multiplier {} of {}.\n",
            self.multiplier(),
            self.symbol
        )
    }
}

/// A multiplier as the mint has it, which is a double.
pub fn multiplier(multiplier: Multiplier) -> String {
    f64::from_bits(multiplier.0).to_string()
}

fn no_amount(what: &str, text: &str, error: AmountError) -> anyhow::Error {
    let remedy = match error {
        AmountError::NotDecimal => "write it like 12.5, with a point and without units",
        AmountError::TooPrecise(_) => "leave out the last places",
        AmountError::TooLarge => "give a smaller one",
    };
    refusal(format!("{what} \"{text}\" cannot be used: {error}"), remedy)
}

/// A size in units of the index.
pub fn size(size: Size) -> String {
    SIZES.received(Tokens(size.0)).to_string()
}

/// Reads a size in units of the index.
///
/// Errors: it is none, or finer than a millionth.
pub fn parse_size(text: &str) -> Result<Size> {
    SIZES.parse(text, Rounding::Down).map(|raw| Size(raw.0)).map_err(|error| no_amount("the size", text, error))
}

/// Shares of a pool, whose mint has no multiplier.
pub fn shares(shares: Shares, decimals: u8) -> String {
    share_scale(decimals).received(Tokens(shares.0)).to_string()
}

/// Reads an amount of shares.
///
/// Errors: it is none.
pub fn parse_shares(text: &str, decimals: u8) -> Result<Shares> {
    let raw = share_scale(decimals).parse(text, Rounding::Down);
    raw.map(|raw| Shares(raw.0)).map_err(|error| no_amount("the number of shares", text, error))
}

fn share_scale(decimals: u8) -> UiScale {
    UiScale { decimals, multiplier: Multiplier::ONE }
}

/// Dollars for people, to the cent, below ten dollars to a millionth.
pub fn usd(value: Usd, rounding: Rounding) -> String {
    let exact = from_usd(value);
    let fine = value != Usd::ZERO && value < Usd::from_integer(10);
    let places = if fine { FINE } else { CENTS };
    let mode = if rounding == Rounding::Up { RoundingMode::Up } else { RoundingMode::Down };
    exact.with_scale_round(places, mode).to_plain_string()
}

/// Dollars for programs: twenty significant digits.
pub fn json_usd(value: Usd) -> String {
    print(&from_usd(value))
}

/// Reads a price in dollars.
///
/// Errors: it is none between 0.01 and 2^24.
pub fn parse_usd(name: &str, text: &str) -> Result<Usd> {
    to_usd(&parse_within(name, text, "0.01", "16777216", "dollars")?)
}

/// An annualised volatility in percent, for people.
pub fn percent_of(volatility: Volatility) -> String {
    let percent = fixed(u128::from(volatility.0), 48) * BigDecimal::from(100);
    format!("{}%", percent.with_scale_round(1, RoundingMode::HalfEven).to_plain_string())
}

/// An annualised volatility as a fraction, for programs.
pub fn json_volatility(volatility: Volatility) -> String {
    print(&fixed(u128::from(volatility.0), 48))
}

/// Hundredths of a percent as percent.
pub fn percent(bps: u64) -> String {
    format!("{}%", UiScale { decimals: 2, multiplier: Multiplier::ONE }.received(Tokens(bps)))
}

/// Reads percent, such as `1` or `0.5%`, to hundredths.
///
/// Errors: it is none, or above a hundred.
pub fn parse_percent(text: &str) -> Result<u64> {
    let scale = UiScale { decimals: 2, multiplier: Multiplier::ONE };
    let parsed = scale.parse(text.trim_end_matches('%'), Rounding::Down);
    let bps = parsed.map_err(|error| no_amount("the percentage", text, error))?.0;
    if bps > BPS {
        return Err(refusal(format!("{text} is more than 100%"), "give a smaller percentage"));
    }
    Ok(bps)
}

/// The amount and `bps` of it more, rounded up.
pub fn at_most(amount: Tokens, bps: u64) -> Tokens {
    let more = (u128::from(amount.0) * u128::from(BPS + bps)).div_ceil(u128::from(BPS));
    Tokens(u64::try_from(more).unwrap_or(u64::MAX))
}

/// The amount and `bps` of it less, rounded up, so that less is never accepted; `bps` is at most all of it.
pub fn at_least(amount: u64, bps: u64) -> u64 {
    let less = (u128::from(amount) * u128::from(BPS.saturating_sub(bps))).div_ceil(u128::from(BPS));
    u64::try_from(less).unwrap_or(u64::MAX)
}

/// Seconds in the largest two units that fit.
pub fn duration(seconds: u64) -> String {
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds} s"),
        (0, 0, _) => format!("{minutes} min"),
        (0, _, _) => format!("{hours} h {minutes} min"),
        _ => format!("{days} d {hours} h"),
    }
}

/// A moment in UTC.
pub fn time(unix: i64) -> String {
    chrono::DateTime::from_timestamp(unix, 0)
        .map_or_else(|| unix.to_string(), |time| time.format("%Y-%m-%d %H:%M:%S UTC").to_string())
}

fn fixed(bits: u128, fraction_bits: u32) -> BigDecimal {
    BigDecimal::from(BigInt::from(bits)) / BigDecimal::from(BigInt::from(1) << fraction_bits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slippage_bound_is_never_looser_than_it_says() {
        // 1% of 101 is 1.01: at most 102.01 is shown as 103 raw units, at least 99.99 as 100.
        assert_eq!(at_most(Tokens(101), 100), Tokens(103));
        assert_eq!(at_least(101, 100), 100);
        assert_eq!(at_least(101, BPS), 0);
        assert_eq!(at_most(Tokens(u64::MAX), 1), Tokens(u64::MAX));
    }

    #[test]
    fn percent_and_sizes_are_read_exactly() {
        assert_eq!(parse_percent("0.5%").unwrap(), 50);
        assert_eq!(parse_percent("100").unwrap(), BPS);
        assert!(parse_percent("100.01").is_err());
        assert!(parse_percent("0.001").is_err());
        assert_eq!(parse_size("0.05").unwrap(), Size(50_000));
        assert!(parse_size("0.0000001").is_err());
        assert_eq!(size(Size(1_500_000)), "1.5");
    }

    #[test]
    fn a_bid_is_shown_rounded_down_and_an_ask_rounded_up() {
        let third = Usd::from_bits((100 << 64) / 3);
        assert_eq!(usd(third, Rounding::Down), "33.33");
        assert_eq!(usd(third, Rounding::Up), "33.34");
        assert_eq!(usd(Usd::from_cents(5), Rounding::Up), "0.050000");
        assert_eq!(usd(Usd::ZERO, Rounding::Up), "0.00");
    }

    #[test]
    fn a_token_with_a_multiplier_says_so() {
        let scale = UiScale { decimals: 8, multiplier: Multiplier(1.003_9_f64.to_bits()) };
        let token = Token { symbol: "SPYx".into(), scale, share_decimals: [13; 2] };
        assert_eq!(token.received(Tokens(150_000_000)), "1.50585 SPYx");
        assert!(token.note().contains("1.0039"), "{}", token.note());
        assert_eq!(Token { scale: UiScale { multiplier: Multiplier::ONE, ..scale }, ..token }.note(), "");
    }
}
