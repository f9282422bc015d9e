//! How single values are written in a declaration. The program's parameters are spelled field by field, under their own
//! names; the compiler sees to it that none is missing.

use std::str::FromStr;

use anchor_lang::prelude::Pubkey;
use anyhow::{Result, anyhow};
use perpetua_client::perpetua::{GuardParameters, MarketParameters, PerSide, PoolParameters, Settlement};
use serde::{Deserialize, Deserializer, de::Error};

use crate::decimal::{to_fixed, to_fixed_64};

/// Fraction bits of a price of one dollar in stock tokens.
pub const UNITS_FRACTION: u32 = 24;
/// Fraction bits of a price in dollars.
pub const USD_FRACTION: u32 = 64;
/// Fraction bits of a variance.
pub const VARIANCE_FRACTION: u32 = 48;

pub fn parse_address(text: &str) -> Result<Pubkey> {
    Pubkey::from_str(text).map_err(|error| anyhow!("\"{text}\" is not an address ({error}); write it in base58"))
}

pub fn address<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Pubkey, D::Error> {
    parse_address(&String::deserialize(deserializer)?).map_err(D::Error::custom)
}

pub fn feed_id<'de, D: Deserializer<'de>>(deserializer: D) -> Result<[u8; 32], D::Error> {
    let text = String::deserialize(deserializer)?;
    let digits = text.strip_prefix("0x").unwrap_or(&text);
    let mut bytes = [0; 32];
    hex::decode_to_slice(digits, &mut bytes).map_err(|error| {
        D::Error::custom(format!("\"{text}\" is not a Pyth feed id ({error}); write its 64 hexadecimal digits"))
    })?;
    Ok(bytes)
}

pub fn variance<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    let text: Option<String> = Option::deserialize(deserializer)?;
    text.map(|text| to_fixed_64(&text, VARIANCE_FRACTION)).transpose().map_err(D::Error::custom)
}

fn units_per_usd<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    to_fixed_64(&String::deserialize(deserializer)?, UNITS_FRACTION).map_err(D::Error::custom)
}

fn usd<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u128, D::Error> {
    to_fixed(&String::deserialize(deserializer)?, USD_FRACTION).map_err(D::Error::custom)
}

#[derive(Deserialize)]
#[serde(remote = "GuardParameters", deny_unknown_fields)]
pub struct GuardFields {
    max_age_trade: u32,
    max_age_crank: u32,
    max_confidence_bps: u16,
    average_band_bps: u16,
}

#[derive(Deserialize)]
#[serde(remote = "PoolParameters", deny_unknown_fields)]
pub struct PoolFields {
    virtual_shares: u64,
    wait: u32,
    exit_bps: u16,
    receivable_bps: u16,
}

#[derive(Deserialize)]
#[serde(remote = "Settlement", rename_all = "lowercase")]
enum SettlementName {
    Quanto,
    Dollar,
}

#[derive(Deserialize)]
#[serde(remote = "PerSide", deny_unknown_fields)]
struct PerSideFields {
    call: u16,
    put: u16,
}

#[derive(Deserialize)]
#[serde(remote = "MarketParameters", deny_unknown_fields)]
pub struct MarketFields {
    #[serde(with = "SettlementName")]
    settlement: Settlement,
    #[serde(deserialize_with = "units_per_usd")]
    units_per_usd: u64,
    #[serde(deserialize_with = "usd")]
    reference_strike: u128,
    min_size: u64,
    dust_size: u64,
    period: u32,
    max_gap: u32,
    margin_horizon: u32,
    liquidation_fee_cents: u32,
    min_penalty_cents: u32,
    penalty_bps: u16,
    strike_ratio_bps: u16,
    #[serde(with = "PerSideFields")]
    cap_bps: PerSide,
    carry_bps: u16,
    rent_bps: u16,
    min_volatility_bps: u16,
    max_volatility_bps: u16,
    #[serde(with = "PerSideFields")]
    markup_bps: PerSide,
    spread_bps: u16,
    slew_bps: u16,
    utilisation_spread_bps: u16,
    utilisation_kink_bps: u16,
    utilisation_full_bps: u16,
    fee_notional_bps: u16,
    fee_value_bps: u16,
    series_limit_bps: u16,
    side_limit_bps: u16,
    #[serde(with = "PerSideFields")]
    reserve_extra_bps: PerSide,
}
