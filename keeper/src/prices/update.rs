//! Signed price updates, as Pyth's services hand them out.

use byteorder::BE;
use pythnet_sdk::{
    messages::Message,
    wire::{
        from_slice,
        v1::{AccumulatorUpdateData, MerklePriceUpdate, Proof},
    },
};

/// The price of a feed with the proof that it was signed.
#[derive(Clone, Debug, PartialEq)]
pub struct Update {
    /// The feed.
    pub feed: [u8; 32],
    /// The price, in the feed's own power of ten.
    pub price: i64,
    /// When it was published, Unix seconds.
    pub publish_time: i64,
    /// When the one before it was published, Unix seconds.
    pub previous_publish_time: i64,
    /// The signed root that the proof leads to.
    pub vaa: Vec<u8>,
    /// The message and its proof.
    pub proof: MerklePriceUpdate,
}

/// The price updates in the bytes of an accumulator update; nothing if they are none.
pub fn decode(bytes: &[u8]) -> Option<Vec<Update>> {
    let Proof::WormholeMerkle { vaa, updates } = AccumulatorUpdateData::try_from_slice(bytes).ok()?.proof;
    let vaa: Vec<u8> = vaa.into();
    let mut found = Vec::new();
    for proof in updates {
        // Other kinds of messages may be among them.
        if let Ok(Message::PriceFeedMessage(message)) = from_slice::<BE, Message>(proof.message.as_ref()) {
            found.push(Update {
                feed: message.feed_id,
                price: message.price,
                publish_time: message.publish_time,
                previous_publish_time: message.prev_publish_time,
                vaa: vaa.clone(),
                proof,
            });
        }
    }
    Some(found)
}
