//! Pyth price accounts for tests.

use perpetua_client::price::{OWNER, PriceAccount};
use solana_account::Account;
use solana_pubkey::Pubkey;

use crate::Chain;

/// The feeds of the indices that tests use: BTC/USD, ETH/USD and two more.
pub const FEEDS: [[u8; 32]; 4] = [
    hex("e62df6c8b4a85fe1a67db44dc12de5db330f7ac66b72dc658afedf0f4a415b43"),
    hex("ff61491a931112ddf1bd8147cd1b641375f79f5825126d665480874634fd0ace"),
    hex("16dad506d7db8da01c87581c87ca897a012a153557d4d578c3b9c9e1bc0632f1"),
    hex("b1073854ed24cbc755dc527418f52b7d271f6cc967bbf8d8129112b18860a593"),
];

/// The feed of TSLA/USD, which publishes while the exchange trades.
pub const SHARE_FEED: [u8; 32] = FEEDS[2];
/// The feed of TSLAx/USD, which publishes day and night.
pub const TOKEN_FEED: [u8; 32] = hex("47a156470288850a440df3a6ce85a55917b813a19bb5b31128a33a986566a362");

/// Power of ten of the prices here: Pyth gives crypto prices in 10^-8 US dollars.
pub const EXPONENT: i32 = -8;

/// Whole US dollars as Pyth gives them.
pub fn usd(dollars: i64) -> i64 {
    dollars * 100_000_000
}

const fn hex(text: &str) -> [u8; 32] {
    const fn digit(character: u8) -> u8 {
        if character >= b'a' { character - b'a' + 10 } else { character - b'0' }
    }
    let text = text.as_bytes();
    let mut bytes = [0; 32];
    let mut at = 0;
    while at < 32 {
        bytes[at] = digit(text[2 * at]) << 4 | digit(text[2 * at + 1]);
        at += 1;
    }
    bytes
}

/// A certain price, published now, one second after the update before it, equal to its moving average.
pub fn fresh(chain: &Chain, feed_id: [u8; 32], price: i64) -> PriceAccount {
    PriceAccount {
        feed_id,
        price,
        confidence: u64::try_from(price / 10_000).unwrap_or(0),
        exponent: EXPONENT,
        publish_time: chain.now(),
        previous_publish_time: chain.now() - 1,
        average: price,
        average_confidence: u64::try_from(price / 10_000).unwrap_or(0),
        posted_slot: chain.slot(),
        ..PriceAccount::default()
    }
}

/// Writes a price account as the Pyth receiver program would.
pub fn post(chain: &mut Chain, address: &Pubkey, price: &PriceAccount) {
    let account = Account { lamports: 1_825_020, data: price.encode().to_vec(), owner: OWNER, ..Account::default() };
    chain.set(address, account);
}
