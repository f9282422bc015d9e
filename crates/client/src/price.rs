//! Pyth's price accounts: where they are, and what is in them, for local networks and tests, and to look at one before
//! using it.

use std::collections::BTreeMap;

use anchor_lang::{prelude::Pubkey, pubkey};
use perpetua_model::PriceUpdate;

/// The program that owns them.
pub const OWNER: Pubkey = perpetua::constants::PYTH_RECEIVER;

/// The program under which anyone keeps the account of a feed up to date.
pub const PUSH_ORACLE: Pubkey = pubkey!("pythWSnswVUd12oZpeFP8e9CVaEqJg25g1Vtc2biRsT");

/// The account of a feed that anyone keeps up to date. A feed has one in each shard, so that many can write at once;
/// shard 0 is the one that Pyth sponsors.
///
/// ```
/// let mut feed = [0; 32];
/// feed.copy_from_slice(&[0xe6, 0x2d, 0xf6, 0xc8, 0xb4, 0xa8, 0x5f, 0xe1, 0xa6, 0x7d, 0xb4, 0x4d, 0xc1, 0x2d, 0xe5, 0xdb,
///     0x33, 0x0f, 0x7a, 0xc6, 0x6b, 0x72, 0xdc, 0x65, 0x8a, 0xfe, 0xdf, 0x0f, 0x4a, 0x41, 0x5b, 0x43]); // BTC/USD
/// let account = perpetua_client::price::pushed(&feed, 0);
/// assert_eq!(account.to_string(), "4cSM2e6rvbGQUFiJbqytoVMi5GgghSMr8LwVrT9VPSPo");
/// ```
pub fn pushed(feed_id: &[u8; 32], shard: u16) -> Pubkey {
    Pubkey::find_program_address(&[&shard.to_le_bytes(), feed_id], &PUSH_ORACLE).0
}

/// Which account holds the price of a feed: the pushed one, unless another was named.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PriceAccounts {
    /// The shard of the pushed accounts.
    pub shard: u16,
    /// Accounts that are used in their place, by feed.
    pub others: BTreeMap<[u8; 32], Pubkey>,
}

impl PriceAccounts {
    /// The account for a feed.
    pub fn of(&self, feed_id: &[u8; 32]) -> Pubkey {
        self.others.get(feed_id).copied().unwrap_or_else(|| pushed(feed_id, self.shard))
    }

    /// The same with another account for a feed.
    #[must_use]
    pub fn with(mut self, feed_id: [u8; 32], account: Pubkey) -> Self {
        self.others.insert(feed_id, account);
        self
    }
}

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
