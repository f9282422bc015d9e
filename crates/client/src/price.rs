//! Pyth's price accounts as bytes, for local networks and tests, and to look at one before using it.

use anchor_lang::prelude::Pubkey;
use perpetua_model::PriceUpdate;

/// The program that owns them.
pub const OWNER: Pubkey = perpetua::constants::PYTH_RECEIVER;

/// First eight bytes of a `PriceUpdateV2` account.
pub const DISCRIMINATOR: [u8; 8] = [0x22, 0xf1, 0x23, 0x63, 0x9d, 0x7e, 0xf4, 0xcd];

/// Size of a fully verified `PriceUpdateV2` account.
pub const LENGTH: usize = 134;

/// A fully verified price as Pyth stores it: integers to be multiplied by `10^exponent`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PriceAccount {
    /// Who may write the account.
    pub write_authority: Pubkey,
    /// The feed.
    pub feed_id: [u8; 32],
    /// Spot.
    pub price: i64,
    /// Half-width of the confidence interval.
    pub confidence: u64,
    /// Power of ten of every price here.
    pub exponent: i32,
    /// When it was published, Unix seconds.
    pub publish_time: i64,
    /// When the price before it was published, Unix seconds.
    pub previous_publish_time: i64,
    /// Moving average of spot.
    pub average: i64,
    /// Moving average of the confidence.
    pub average_confidence: u64,
    /// Slot of the chain in which it was posted.
    pub posted_slot: u64,
}

impl PriceAccount {
    /// The account's data.
    pub fn encode(&self) -> [u8; LENGTH] {
        let mut data = [0; LENGTH];
        let fields: [&[u8]; 12] = [
            &DISCRIMINATOR,
            self.write_authority.as_ref(),
            &[1], // fully verified
            &self.feed_id,
            &self.price.to_le_bytes(),
            &self.confidence.to_le_bytes(),
            &self.exponent.to_le_bytes(),
            &self.publish_time.to_le_bytes(),
            &self.previous_publish_time.to_le_bytes(),
            &self.average.to_le_bytes(),
            &self.average_confidence.to_le_bytes(),
            &self.posted_slot.to_le_bytes(),
        ];
        let mut at = 0;
        for field in fields {
            data[at..at + field.len()].copy_from_slice(field);
            at += field.len();
        }
        data
    }

    /// Reads an account's data; nothing unless it is a fully verified price.
    pub fn decode(data: &[u8]) -> Option<Self> {
        let rest = data.strip_prefix(&DISCRIMINATOR)?;
        let (write_authority, rest) = rest.split_first_chunk::<32>()?;
        let rest = rest.strip_prefix(&[1])?;
        let (feed_id, rest) = rest.split_first_chunk::<32>()?;
        let (price, rest) = rest.split_first_chunk()?;
        let (confidence, rest) = rest.split_first_chunk()?;
        let (exponent, rest) = rest.split_first_chunk()?;
        let (publish_time, rest) = rest.split_first_chunk()?;
        let (previous_publish_time, rest) = rest.split_first_chunk()?;
        let (average, rest) = rest.split_first_chunk()?;
        let (average_confidence, rest) = rest.split_first_chunk()?;
        let (posted_slot, _) = rest.split_first_chunk()?;
        Some(Self {
            write_authority: Pubkey::new_from_array(*write_authority),
            feed_id: *feed_id,
            price: i64::from_le_bytes(*price),
            confidence: u64::from_le_bytes(*confidence),
            exponent: i32::from_le_bytes(*exponent),
            publish_time: i64::from_le_bytes(*publish_time),
            previous_publish_time: i64::from_le_bytes(*previous_publish_time),
            average: i64::from_le_bytes(*average),
            average_confidence: u64::from_le_bytes(*average_confidence),
            posted_slot: u64::from_le_bytes(*posted_slot),
        })
    }

    /// The price in the model's units.
    ///
    /// Errors: those of [`PriceUpdate::parse`].
    pub fn update(&self) -> perpetua_model::Result<PriceUpdate> {
        PriceUpdate::parse(
            self.price,
            self.confidence,
            self.average,
            self.exponent,
            self.publish_time,
            self.previous_publish_time,
        )
    }
}
