//! What people call vaults, indices and markets.

use std::{fmt, str::FromStr};

use anchor_spl::{
    compat::{
        spl_token_2022_interface::{
            extension::{BaseStateWithExtensions, StateWithExtensions},
            state::Mint,
        },
        spl_token_metadata_interface::state::TokenMetadata,
    },
    token_2022,
};
use perpetua_client::{
    book::{Book, Listed},
    model,
    perpetua::{Pool, Settlement, Side},
    snapshot::RawAccount,
};

use crate::fault::refusal;

/// Names of Pyth's feeds; a feed without one is called by the first digits of its number.
const FEEDS: [(&str, &str); 2] = [
    ("BTC/USD", "e62df6c8b4a85fe1a67db44dc12de5db330f7ac66b72dc658afedf0f4a415b43"),
    ("ETH/USD", "ff61491a931112ddf1bd8147cd1b641375f79f5825126d665480874634fd0ace"),
];

fn hex(feed: &[u8; 32]) -> String {
    feed.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What an index on a feed is called.
pub fn of_feed(feed: &[u8; 32]) -> String {
    let digits = hex(feed);
    let known = FEEDS.iter().find(|(_, known)| *known == digits);
    known.map_or_else(|| digits.chars().take(8).collect(), |(name, _)| (*name).to_owned())
}

/// Whether `text` means an index on a feed: `BTC/USD`, `BTC`, or the feed's number.
fn means(text: &str, feed: &[u8; 32]) -> bool {
    let name = of_feed(feed);
    let base = name.split('/').next().unwrap_or(&name);
    [name.as_str(), base, &hex(feed)].iter().any(|known| known.eq_ignore_ascii_case(text))
}

/// The symbol that a mint carries.
pub fn symbol(mint: &RawAccount) -> Option<String> {
    let state = StateWithExtensions::<Mint>::unpack(&mint.data).ok().filter(|_| mint.owner == token_2022::ID)?;
    let metadata = state.get_variable_len_extension::<TokenMetadata>().ok()?;
    // It goes to a terminal.
    let plain = !metadata.symbol.is_empty() && metadata.symbol.chars().all(|letter| letter.is_ascii_graphic());
    plain.then_some(metadata.symbol)
}

/// What a market's settlement is called.
pub fn of_settlement(settlement: Settlement) -> &'static str {
    match settlement {
        Settlement::Quanto => "quanto",
        Settlement::Dollar => "dollar",
    }
}

/// How a market settles.
pub fn settlement(listed: &Listed) -> Settlement {
    match listed.market.state.config.settlement() {
        model::Settlement::Quanto(_) => Settlement::Quanto,
        model::Settlement::Dollar => Settlement::Dollar,
    }
}

/// What a market is called, such as `TSLAx:BTC/USD:quanto`.
pub fn of_market(symbol: &str, listed: &Listed) -> String {
    let settlement = of_settlement(settlement(listed));
    format!("{symbol}:{}:{settlement}", of_feed(&listed.index.feed_id))
}

/// What a side is called.
pub fn of_side(side: Side) -> &'static str {
    match side {
        Side::Call => "call",
        Side::Put => "put",
    }
}

/// What a pool is called.
pub fn of_pool(pool: u8) -> &'static str {
    if pool == Pool::Main as u8 { "main" } else { "insurance" }
}

/// A market as people write it: `TSLAx:BTC`, or `TSLAx:BTC/USD:dollar` where the vault has two on that index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MarketName {
    /// The vault: its token's symbol, mint, or address.
    pub vault: String,
    /// The index.
    pub index: String,
    /// How it settles.
    pub settlement: Option<Settlement>,
}

impl FromStr for MarketName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("\"{text}\" names no market; write TSLAx:BTC, or TSLAx:BTC:dollar");
        let mut parts = text.split(':').map(str::trim);
        let (Some(vault), Some(index), settlement, None) = (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(wrong());
        };
        let settlement = match settlement {
            None => None,
            Some("quanto") => Some(Settlement::Quanto),
            Some("dollar") => Some(Settlement::Dollar),
            Some(_) => return Err(wrong()),
        };
        if vault.is_empty() || index.is_empty() {
            return Err(wrong());
        }
        Ok(Self { vault: vault.to_owned(), index: index.to_owned(), settlement })
    }
}

impl fmt::Display for MarketName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.vault, self.index)?;
        self.settlement.map_or(Ok(()), |settlement| write!(f, ":{}", of_settlement(settlement)))
    }
}

impl MarketName {
    /// The number of the market in its vault.
    ///
    /// Errors: there is none, or two.
    pub fn find(&self, symbol: &str, book: &Book) -> anyhow::Result<u8> {
        let mut found = (0..).zip(&book.markets).filter(|(_, listed)| {
            let settles = self.settlement.is_none_or(|wanted| wanted == settlement(listed));
            settles && means(&self.index, &listed.index.feed_id)
        });
        let all = || book.markets.iter().map(|listed| of_market(symbol, listed)).collect::<Vec<_>>().join(", ");
        match (found.next(), found.next()) {
            (Some((number, _)), None) => Ok(number),
            (None, _) => Err(refusal(format!("there is no market {self}"), format!("choose one of: {}", all()))),
            (Some(_), Some(_)) => {
                Err(refusal(format!("{self} may be two markets"), format!("choose one of: {}", all())))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_market_is_written_with_or_without_its_settlement() {
        let name: MarketName = "TSLAx:BTC".parse().unwrap();
        assert_eq!((name.vault.as_str(), name.index.as_str(), name.settlement), ("TSLAx", "BTC", None));
        let name: MarketName = "TSLAx:BTC/USD:dollar".parse().unwrap();
        assert_eq!(name.settlement, Some(Settlement::Dollar));
        assert_eq!(name.to_string(), "TSLAx:BTC/USD:dollar");
        for wrong in ["TSLAx", "TSLAx:", ":BTC", "TSLAx:BTC:other", "a:b:dollar:d"] {
            assert!(wrong.parse::<MarketName>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn an_index_is_known_by_its_pair_its_base_or_its_feed() {
        let mut feed = [0; 32];
        for (place, byte) in feed.iter_mut().enumerate() {
            *byte = u8::from_str_radix(&FEEDS[0].1[place * 2..place * 2 + 2], 16).unwrap();
        }
        assert_eq!(of_feed(&feed), "BTC/USD");
        for text in ["BTC/USD", "btc", FEEDS[0].1] {
            assert!(means(text, &feed), "{text}");
        }
        assert!(!means("ETH", &feed));
        assert_eq!(of_feed(&[0xab; 32]), "abababab");
    }
}
