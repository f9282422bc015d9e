//! Mints of stock tokens with the bytes of a real one, of which a key of this network may issue tokens.

use anyhow::{Context, Result};
use solana_pubkey::Pubkey;

/// A real mint; tests/data/mints/PROVENANCE.md says where it is from.
const TSLAX: &[u8] = include_bytes!("../../tests/data/mints/TSLAx.bin");
/// Its address.
const TSLAX_ADDRESS: Pubkey = Pubkey::from_str_const("XsDoVfqeBukxuZHWhdvWHBhgEHjGNst4MLodqsJHzoB");
/// Where the extensions begin: a kind and a length of two bytes each before every value.
const EXTENSIONS: usize = 166;
const TOKEN_METADATA: u16 = 19;
const PAUSABLE: u16 = 26;
/// Bytes of the metadata before its name: who may change it, and the mint.
const METADATA_KEYS: usize = 64;

/// A stock token of this network.
pub struct Stock {
    /// Address of its mint, which is that of the real one.
    pub mint: Pubkey,
    name: &'static str,
    symbol: &'static str,
}

/// Those of migrations/localnet.toml.
pub const STOCKS: [Stock; 2] = [
    Stock { mint: TSLAX_ADDRESS, name: "Tesla xStock", symbol: "TSLAx" },
    Stock {
        mint: Pubkey::from_str_const("Xsc9qvGR1efVDFGLrVsmkzv3qi45LTBjeUKSPmx9qEh"),
        name: "NVIDIA xStock",
        symbol: "NVDAx",
    },
];

impl Stock {
    /// The mint's bytes: those of TSLAx with this name, nothing issued, and `issuer` to mint, freeze and pause.
    ///
    /// Errors: the real mint's bytes are not what they should be.
    pub fn data(&self, issuer: &Pubkey) -> Result<Vec<u8>> {
        let mut data = TSLAX.get(..EXTENSIONS).context("a mint with extensions")?.to_vec();
        data[4..36].copy_from_slice(issuer.as_ref());
        data[36..44].fill(0);
        data[50..82].copy_from_slice(issuer.as_ref());
        let mut rest = &TSLAX[EXTENSIONS..];
        while let Some((&[k0, k1, l0, l1], after)) = rest.split_first_chunk() {
            let (kind, length) = (u16::from_le_bytes([k0, k1]), usize::from(u16::from_le_bytes([l0, l1])));
            let (value, after) = after.split_at_checked(length).context("an extension is cut off")?;
            rest = after;
            let value = self.extension(kind, value, issuer)?;
            data.extend([k0, k1]);
            data.extend(u16::try_from(value.len())?.to_le_bytes());
            data.extend(value);
        }
        Ok(data)
    }

    fn extension(&self, kind: u16, value: &[u8], issuer: &Pubkey) -> Result<Vec<u8>> {
        let mut value = value.to_vec();
        if kind == TOKEN_METADATA {
            value = self.metadata(&value)?;
        }
        if kind == PAUSABLE {
            value.get_mut(..32).context("a pausable mint")?.copy_from_slice(issuer.as_ref());
        }
        // The metadata and the pointer to it name the mint.
        while let Some(at) = value.windows(32).position(|window| window == TSLAX_ADDRESS.as_ref()) {
            if self.mint == TSLAX_ADDRESS {
                break;
            }
            value[at..at + 32].copy_from_slice(self.mint.as_ref());
        }
        Ok(value)
    }

    fn metadata(&self, value: &[u8]) -> Result<Vec<u8>> {
        let (keys, rest) = value.split_at_checked(METADATA_KEYS).context("metadata names its mint")?;
        let (_, rest) = split_text(rest)?;
        let (symbol, rest) = split_text(rest)?;
        let (uri, rest) = split_text(rest)?;
        let uri = uri.replace(symbol, self.symbol);
        let mut data = keys.to_vec();
        for text in [self.name, self.symbol, &uri] {
            data.extend(u32::try_from(text.len())?.to_le_bytes());
            data.extend(text.as_bytes());
        }
        data.extend(rest);
        Ok(data)
    }
}

/// A text with its length before it, and what follows.
fn split_text(data: &[u8]) -> Result<(&str, &[u8])> {
    let (length, rest) = data.split_first_chunk().context("a text has a length")?;
    let length = usize::try_from(u32::from_le_bytes(*length))?;
    let (text, rest) = rest.split_at_checked(length).context("a text is cut off")?;
    Ok((std::str::from_utf8(text)?, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tslax_keeps_its_bytes_but_for_who_issues_it_and_how_much() {
        let issuer = Pubkey::new_from_array([7; 32]);
        let data = STOCKS[0].data(&issuer).unwrap();
        assert_eq!(data.len(), TSLAX.len());
        let changed = (0..data.len()).filter(|at| data[*at] != TSLAX[*at]).count();
        assert!(changed <= 3 * 32 + 8, "{changed} bytes");
    }

    #[test]
    fn nvdax_has_the_extensions_of_tslax_and_its_own_name_and_address() {
        let issuer = Pubkey::new_from_array([7; 32]);
        let data = STOCKS[1].data(&issuer).unwrap();
        let holds = |bytes: &[u8]| data.windows(bytes.len()).any(|window| window == bytes);
        assert!(holds(b"NVIDIA xStock") && holds(b"NVDAx") && holds(STOCKS[1].mint.as_ref()));
        assert!(!holds(b"TSLAx") && !holds(TSLAX_ADDRESS.as_ref()));
    }
}
