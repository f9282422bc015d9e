//! The configuration that a cluster is to have, as a file says it.

pub(crate) mod fields;

use std::{collections::BTreeSet, fs, path::Path};

use anchor_lang::prelude::Pubkey;
use anyhow::{Context, Result, anyhow, bail, ensure};
use perpetua_client::{
    model::{Guards, Index, MARKETS, MarketConfig, Variance, VaultConfig},
    perpetua::{GuardParameters, MarketParameters, PoolParameters, VaultParameters},
};
use serde::Deserialize;

use crate::network::Cluster;

/// Everything that is to exist.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Declaration {
    /// The cluster that it is for; no other is touched.
    pub cluster: Cluster,
    /// The program's one configuration account.
    pub exchange: ExchangeDeclaration,
    /// The underlyings.
    #[serde(rename = "index")]
    pub indices: Vec<IndexDeclaration>,
    /// The stock tokens.
    #[serde(rename = "vault")]
    pub vaults: Vec<VaultDeclaration>,
}

/// The exchange. Its administrator is the program's upgrade authority.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExchangeDeclaration {
    /// May pause the opening of positions.
    pub guardian: Holder,
    /// Owner of the token accounts that protocol fees are paid to.
    pub fee_recipient: Holder,
}

/// An address, or `wallet` for that of the key that sets the cluster up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum Holder {
    /// The key that sets the cluster up.
    Wallet,
    /// Any address.
    Address(Pubkey),
}

impl Holder {
    /// The address, where `wallet` sets the cluster up.
    pub fn resolve(self, wallet: &Pubkey) -> Pubkey {
        match self {
            Self::Wallet => *wallet,
            Self::Address(address) => address,
        }
    }
}

impl TryFrom<String> for Holder {
    type Error = anyhow::Error;

    fn try_from(text: String) -> Result<Self> {
        if text == "wallet" { Ok(Self::Wallet) } else { Ok(Self::Address(fields::parse_address(&text)?)) }
    }
}

/// An underlying.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IndexDeclaration {
    /// What this file calls it, such as `BTC/USD`.
    pub name: String,
    /// The Pyth feed, as 64 hexadecimal digits.
    #[serde(deserialize_with = "fields::feed_id")]
    pub feed_id: [u8; 32],
    /// Annualised variance, so that positions may open before a day of samples; Q16.48.
    #[serde(default, deserialize_with = "fields::variance")]
    pub declared_variance: Option<u64>,
    /// The guards.
    #[serde(with = "fields::GuardFields")]
    pub guards: GuardParameters,
}

/// A stock token with its vault.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VaultDeclaration {
    /// What this file calls it, such as `TSLAx`.
    pub name: String,
    /// The stock token's mint.
    #[serde(deserialize_with = "fields::address")]
    pub stock_mint: Pubkey,
    /// Largest share of main pool assets that may be reserved for payouts, in bps.
    pub max_utilisation_bps: u16,
    /// The main pool.
    #[serde(with = "fields::PoolFields")]
    pub main: PoolParameters,
    /// The insurance pool.
    #[serde(with = "fields::PoolFields")]
    pub insurance: PoolParameters,
    /// Its markets, in the order in which they are listed.
    #[serde(rename = "market", default)]
    pub markets: Vec<MarketDeclaration>,
}

impl VaultDeclaration {
    /// The parameters as the program takes them.
    pub fn parameters(&self) -> VaultParameters {
        let Self { main, insurance, max_utilisation_bps, .. } = *self;
        VaultParameters { main, insurance, max_utilisation_bps }
    }
}

/// A market of a vault.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MarketDeclaration {
    /// The name of its index in this file.
    pub index: String,
    /// The parameters.
    #[serde(with = "fields::MarketFields")]
    pub parameters: MarketParameters,
}

impl Declaration {
    /// Reads a file in TOML, or in JSON where its name ends in `.json`, and checks it.
    ///
    /// Errors say what is wrong where, and what would be right.
    pub fn load(path: &Path) -> Result<Self> {
        let text = fs::read_to_string(path)
            .with_context(|| format!("cannot read {}; name the declaration with --config", path.display()))?;
        let json = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("json"));
        let parsed = if json { Self::from_json(&text) } else { Self::from_toml(&text) };
        parsed.with_context(|| format!("{} is not a usable declaration", path.display()))
    }

    /// Reads TOML and checks it. Errors: as [`Declaration::load`].
    pub fn from_toml(text: &str) -> Result<Self> {
        toml::from_str::<Self>(text)?.checked()
    }

    /// Reads JSON and checks it. Errors: as [`Declaration::load`].
    pub fn from_json(text: &str) -> Result<Self> {
        serde_json::from_str::<Self>(text)?.checked()
    }

    /// The index of this name.
    ///
    /// Errors: there is none.
    pub fn index(&self, name: &str) -> Result<&IndexDeclaration> {
        let found = self.indices.iter().find(|index| index.name == name);
        found.ok_or_else(|| anyhow!("no [[index]] is called \"{name}\"; declare it, or correct the market's index"))
    }

    fn checked(self) -> Result<Self> {
        unique("index name", self.indices.iter().map(|index| index.name.clone()))?;
        unique("feed_id", self.indices.iter().map(|index| hex::encode(index.feed_id)))?;
        unique("vault name", self.vaults.iter().map(|vault| vault.name.clone()))?;
        unique("stock_mint", self.vaults.iter().map(|vault| vault.stock_mint.to_string()))?;
        for index in &self.indices {
            index.check().with_context(|| format!("index {}", index.name))?;
        }
        for vault in &self.vaults {
            self.check_vault(vault).with_context(|| format!("vault {}", vault.name))?;
        }
        Ok(self)
    }

    fn check_vault(&self, vault: &VaultDeclaration) -> Result<()> {
        in_bounds("max_utilisation_bps, main or insurance", VaultConfig::from(vault.parameters()).validate())?;
        ensure!(vault.markets.len() <= MARKETS, "it has {} markets; a vault holds {MARKETS}", vault.markets.len());
        unique("market on one index", vault.markets.iter().map(|market| market.index.clone()))?;
        for market in &vault.markets {
            self.index(&market.index)?;
            let what = format!("the market on {}", market.index);
            in_bounds(&what, MarketConfig::from(market.parameters).validate())?;
        }
        Ok(())
    }
}

impl IndexDeclaration {
    fn check(&self) -> Result<()> {
        in_bounds("guards", Guards::from(self.guards).validate())?;
        let declared = Index::new(self.guards.into(), self.declared_variance.map(Variance), 0);
        in_bounds("declared_variance", declared.map(|_| ()))
    }
}

fn in_bounds(what: &str, result: perpetua_client::model::Result<()>) -> Result<()> {
    result.map_err(|error| {
        anyhow!("{what}: {error}; the program would refuse it: compare each value with migrations/localnet.toml")
    })
}

fn unique(what: &str, values: impl Iterator<Item = String>) -> Result<()> {
    let mut seen = BTreeSet::new();
    for value in values {
        if let Some(twice) = seen.replace(value) {
            bail!("{what} \"{twice}\" is declared twice; keep one");
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
