//! How single values are written in a declaration. The program's parameters are spelled field by field, under their own
//! names; the compiler sees to it that none is missing.

use std::str::FromStr;

use anchor_lang::prelude::Pubkey;
use anyhow::{Result, anyhow};
use perpetua_client::perpetua::{GuardParameters, PoolParameters};
use serde::{Deserialize, Deserializer, de::Error};

use crate::decimal::to_fixed_64;

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

/// The id of a Pyth feed where it may be left out.
#[derive(Clone, Copy, Debug, Deserialize)]
pub struct FeedId(#[serde(deserialize_with = "feed_id")] pub [u8; 32]);

pub fn variance<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    let text: Option<String> = Option::deserialize(deserializer)?;
    text.map(|text| to_fixed_64(&text, VARIANCE_FRACTION)).transpose().map_err(D::Error::custom)
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
