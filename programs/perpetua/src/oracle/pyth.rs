//! Reads Pyth's `PriceUpdateV2` accounts, posted and pushed ones alike.

use anchor_lang::prelude::*;
use perpetua_model::PriceUpdate;

use crate::{
    constants::PYTH_RECEIVER,
    error::{OrProgramError, PerpetuaError},
    instructions::common::{same_bytes, same_key},
};

/// First bytes of an account of this type: `sha256("account:PriceUpdateV2")`.
const DISCRIMINATOR: [u8; 8] = [0x22, 0xf1, 0x23, 0x63, 0x9d, 0x7e, 0xf4, 0xcd];
/// Verification level of an update that a quorum of guardians signed. A partial one has one more byte behind it, so that
/// every later field is elsewhere.
const FULLY_VERIFIED: u8 = 1;
/// Bytes up to the last field that is read.
const READ: usize = 8 + 32 + 1 + 32 + 8 + 8 + 4 + 8 + 8 + 8;

/// The price that `account` holds, if it is a fully verified update of `feed_id`. Whether it is fresh and certain enough
/// is the index's to judge.
///
/// Errors: [`PerpetuaError::WrongOracleOwner`], [`PerpetuaError::MalformedPrice`], [`PerpetuaError::PriceNotVerified`],
/// [`PerpetuaError::WrongFeed`], [`PerpetuaError::PriceNotPositive`], [`PerpetuaError::PriceOutOfRange`].
pub fn read_price(account: &AccountInfo, feed_id: &[u8; 32]) -> Result<PriceUpdate> {
    require!(same_key(account.owner, &PYTH_RECEIVER), PerpetuaError::WrongOracleOwner);
    parse(&account.try_borrow_data()?, feed_id)
}

fn parse(data: &[u8], feed_id: &[u8; 32]) -> Result<PriceUpdate> {
    // One look at the length: the compiler sees that every field lies within.
    let mut fields = Fields(data.get(..READ).ok_or(PerpetuaError::MalformedPrice)?);
    require!(fields.take::<8>()? == DISCRIMINATOR, PerpetuaError::MalformedPrice);
    let _write_authority = fields.take::<32>()?;
    require!(fields.take::<1>()? == [FULLY_VERIFIED], PerpetuaError::PriceNotVerified);
    require!(same_bytes(&fields.take()?, feed_id), PerpetuaError::WrongFeed);
    let price = i64::from_le_bytes(fields.take()?);
    let confidence = u64::from_le_bytes(fields.take()?);
    let exponent = i32::from_le_bytes(fields.take()?);
    let publish_time = i64::from_le_bytes(fields.take()?);
    let previous_publish_time = i64::from_le_bytes(fields.take()?);
    let average = i64::from_le_bytes(fields.take()?);
    PriceUpdate::parse(price, confidence, average, exponent, publish_time, previous_publish_time).or_program_error()
}

/// What of an account is not read yet.
struct Fields<'a>(&'a [u8]);

impl Fields<'_> {
    fn take<const N: usize>(&mut self) -> Result<[u8; N]> {
        let (field, rest) = self.0.split_first_chunk().ok_or(PerpetuaError::MalformedPrice)?;
        self.0 = rest;
        Ok(*field)
    }
}

#[cfg(test)]
mod tests;
