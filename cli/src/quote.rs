//! From the text of a request to the numbers of a quote.

use anyhow::{Context, Result, bail};
use bigdecimal::BigDecimal;
use perpetua_pricing::{Curve, Side, Usd};
use serde::Serialize;

use crate::decimal::{from_real, from_signed, from_usd, parse_within, print, to_real, to_usd};

const DAYS_PER_YEAR: u64 = 365;

/// What a holder pays besides the time value, per year.
pub struct Holding<Rate> {
    /// Financing rate of the index.
    carry: Rate,
    /// Charge on the largest payout.
    rent: Rate,
}

impl Holding<BigDecimal> {
    /// Reads the yearly rates; a missing one is zero.
    pub fn parse(carry: Option<&str>, rent: Option<&str>) -> Result<Self> {
        let rate = |name, text: Option<&str>| {
            parse_within(name, text.unwrap_or("0"), "0", "100", "per year (0.05 is five percent)")
        };
        Ok(Self { carry: rate("carry", carry)?, rent: rate("rent", rent)? })
    }
}

/// An option and the spot to price it at.
pub struct Request {
    curve: Curve,
    spot: Usd,
    strike: Usd,
    period_days: BigDecimal,
}

impl Request {
    /// Reads side, spot, strike, volatility, period in days and cap, and refuses what is out of range.
    pub fn parse([side, spot, strike, volatility, period_days, cap]: [&str; 6]) -> Result<Self> {
        let side = match side {
            "call" => Side::Call,
            "put" => Side::Put,
            other => bail!("side is \"{other}\"; write call or put"),
        };
        let price = |name, text| to_usd(&parse_within(name, text, "0.01", "16777216", "dollars")?);
        let volatility =
            parse_within("volatility", volatility, "0.01", "10", "as a fraction per year (0.6 is 60%, not 60)")?;
        let period_days = parse_within("period_days", period_days, "0.0416666666666666666667", "365", "days")?;
        let highest = if side == Side::Call { "10" } else { "0.999999999" };
        let cap = parse_within("cap", cap, "0.01", highest, "as a fraction of the strike (0.5 is 50%, not 50)")?;
        let curve =
            Curve::new(side, to_real(&volatility, 1)?, to_real(&period_days, DAYS_PER_YEAR)?, to_real(&cap, 1)?)
                .context("the option is outside the model's bounds; see perpetua price --help for the ranges")?;
        Ok(Self { curve, spot: price("spot", spot)?, strike: price("strike", strike)?, period_days })
    }

    /// Prices the option.
    pub fn quote(&self, holding: &Holding<BigDecimal>) -> Result<Quote> {
        let Self { curve, spot, strike, period_days } = self;
        let worth = curve.value(*spot, *strike);
        let (intrinsic, time_value) = (from_usd(worth.intrinsic), from_real(worth.time_value));
        let payout_cap = from_usd(curve.payout_cap(*strike));
        let yearly = &holding.carry * from_real(worth.financed) + &holding.rent * &payout_cap;
        let funding = &time_value / period_days + yearly / BigDecimal::from(DAYS_PER_YEAR);
        Ok(Quote {
            value: print(&(intrinsic + &time_value).min(payout_cap)),
            time_value: print(&time_value),
            delta: print(&from_signed(curve.delta(*spot, *strike))),
            gamma: print(&from_signed(curve.gamma(*spot, *strike))),
            vega: print(&from_signed(curve.vega(*spot, *strike))),
            funding_per_day: print(&funding),
        })
    }
}

/// The result, as decimals of twenty significant digits.
#[derive(Serialize)]
pub struct Quote {
    value: String,
    time_value: String,
    delta: String,
    gamma: String,
    vega: String,
    funding_per_day: String,
}

impl Quote {
    /// The names of the columns, in order.
    pub const COLUMNS: [&str; 6] = ["value", "time_value", "delta", "gamma", "vega", "funding_per_day"];

    /// The columns, in the order of their names.
    pub fn columns(&self) -> [&str; 6] {
        [&self.value, &self.time_value, &self.delta, &self.gamma, &self.vega, &self.funding_per_day]
    }
}
