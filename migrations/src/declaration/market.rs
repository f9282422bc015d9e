//! A market's parameters: what it says itself, and for the rest the file's defaults.

use anyhow::{Result, anyhow, ensure};
use perpetua_client::perpetua::{MarketParameters, PerSide, Settlement};
use serde::Deserialize;

use super::fields::{UNITS_FRACTION, USD_FRACTION};
use crate::decimal::{to_fixed, to_fixed_64};

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum SettlementName {
    Quanto,
    Dollar,
}

impl From<SettlementName> for Settlement {
    fn from(name: SettlementName) -> Self {
        match name {
            SettlementName::Quanto => Self::Quanto,
            SettlementName::Dollar => Self::Dollar,
        }
    }
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct CallAndPut {
    call: u16,
    put: u16,
}

impl From<CallAndPut> for PerSide {
    fn from(CallAndPut { call, put }: CallAndPut) -> Self {
        Self { call, put }
    }
}

/// `X` of a quanto market, Q40.24.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(try_from = "String")]
struct Units(u64);

impl TryFrom<String> for Units {
    type Error = anyhow::Error;

    fn try_from(text: String) -> Result<Self> {
        // A dollar market may say what it stores.
        if text == "0" { Ok(Self(0)) } else { Ok(Self(to_fixed_64(&text, UNITS_FRACTION)?)) }
    }
}

impl From<Units> for u64 {
    fn from(Units(units): Units) -> Self {
        units
    }
}

/// US dollars, Q64.64.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(try_from = "String")]
struct Usd(u128);

impl TryFrom<String> for Usd {
    type Error = anyhow::Error;

    fn try_from(text: String) -> Result<Self> {
        Ok(Self(to_fixed(&text, USD_FRACTION)?))
    }
}

impl From<Usd> for u128 {
    fn from(Usd(usd): Usd) -> Self {
        usd
    }
}

/// The program's parameters under their own names; the compiler sees to it that none is missing here.
macro_rules! market_fields {
    ($($field:ident: $written:ty,)*) => {
        /// The parameters of a market as far as one table says them.
        #[derive(Clone, Copy, Debug, Default, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct MarketFields {
            $($field: Option<$written>,)*
        }

        impl MarketFields {
            fn or(self, defaults: Self) -> Self {
                Self { $($field: self.$field.or(defaults.$field),)* }
            }

            fn complete(self) -> Result<MarketParameters> {
                Ok(MarketParameters { $($field: self.$field.ok_or_else(|| missing(stringify!($field)))?.into(),)* })
            }
        }
    };
}

market_fields! {
    settlement: SettlementName,
    units_per_usd: Units,
    reference_strike: Usd,
    min_size: u64,
    dust_size: u64,
    period: u32,
    max_gap: u32,
    margin_horizon: u32,
    liquidation_fee_cents: u32,
    min_penalty_cents: u32,
    penalty_bps: u16,
    strike_ratio_bps: u16,
    cap_bps: CallAndPut,
    carry_bps: u16,
    rent_bps: u16,
    min_volatility_bps: u16,
    max_volatility_bps: u16,
    markup_bps: CallAndPut,
    spread_bps: u16,
    slew_bps: u16,
    utilisation_spread_bps: u16,
    utilisation_kink_bps: u16,
    utilisation_full_bps: u16,
    fee_notional_bps: u16,
    fee_value_bps: u16,
    series_limit_bps: u16,
    side_limit_bps: u16,
    reserve_extra_bps: CallAndPut,
}

impl MarketFields {
    /// These, and for the rest the defaults. `units_per_usd` is of quanto markets only and `reserve_extra_bps` of dollar
    /// markets only: the others have zero, whatever the defaults say.
    ///
    /// Errors: a parameter is in neither; one of these two belongs to the other settlement.
    pub fn resolve(self, defaults: Self) -> Result<MarketParameters> {
        let merged = match self.settlement.or(defaults.settlement) {
            Some(SettlementName::Quanto) => Self {
                reserve_extra_bps: self.reserve_extra_bps.or(Some(CallAndPut { call: 0, put: 0 })),
                ..self.or(defaults)
            },
            Some(SettlementName::Dollar) => {
                Self { units_per_usd: self.units_per_usd.or(Some(Units(0))), ..self.or(defaults) }
            }
            None => return Err(missing("settlement")),
        };
        let parameters = merged.complete()?;
        match parameters.settlement {
            Settlement::Quanto => {
                ensure!(parameters.units_per_usd > 0, "a quanto market needs a units_per_usd above zero");
                let none = PerSide { call: 0, put: 0 };
                ensure!(
                    parameters.reserve_extra_bps == none,
                    "a quanto market reserves no reserve_extra_bps; leave it out, or settle in dollars"
                );
            }
            Settlement::Dollar => ensure!(
                parameters.units_per_usd == 0,
                "a dollar market takes units_per_usd from its stock; leave it out, or settle as quanto"
            ),
        }
        Ok(parameters)
    }
}

fn missing(field: &str) -> anyhow::Error {
    anyhow!("{field} is missing; give it in the market's parameters or in [defaults.market]")
}
