//! Numbers as people read them.

/// Raw token units with two decimals, without a detour over binary fractions, rounded half away from zero.
pub fn tokens(raw: i128, decimals: u8) -> String {
    let sign = if raw < 0 { "-" } else { "" };
    let cent = 10u128.pow(u32::from(decimals).saturating_sub(2));
    let cents = (raw.unsigned_abs() + cent / 2) / cent;
    format!("{sign}{}.{:02}", thousands(cents / 100), cents % 100)
}

/// The same with a sign in front of gains.
pub fn signed(raw: i128, decimals: u8) -> String {
    let sign = if raw > 0 { "+" } else { "" };
    format!("{sign}{}", tokens(raw, decimals))
}

/// Digits in groups of three.
pub fn thousands(number: impl ToString) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// Millionths of a bitcoin as bitcoins.
pub fn size(millionths: u64) -> String {
    let text = format!("{}.{:06}", millionths / 1_000_000, millionths % 1_000_000);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_rounded_to_two_decimals_with_their_sign() {
        assert_eq!(tokens(123_456_789_012, 8), "1,234.57");
        assert_eq!(tokens(-123_456_789_012, 8), "-1,234.57");
        assert_eq!(tokens(499_999, 8), "0.00");
        assert_eq!(signed(500_000, 8), "+0.01");
    }

    #[test]
    fn sizes_lose_no_digit() {
        assert_eq!(size(12_500_000), "12.5");
        assert_eq!(size(20_000_000), "20");
        assert_eq!(size(1), "0.000001");
    }
}
