//! The configuration that a cluster is to have, as a file says it.

pub(crate) mod fields;
mod market;
mod stock;

use std::{collections::BTreeSet, fs, path::Path};

use anchor_lang::prelude::Pubkey;
use anyhow::{Context, Result, anyhow, bail, ensure};
use perpetua_client::{
    model::{Guards, Index, MARKETS, MarketConfig, Variance, VaultConfig},
    perpetua::{GuardParameters, MarketParameters, PoolParameters, Settlement, VaultParameters},
};
use serde::Deserialize;

use crate::cluster::Cluster;
use market::MarketFields;
use stock::StockFields;
pub use stock::{ShortDay, StockDeclaration};

/// A file as written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    cluster: Cluster,
    exchange: ExchangeDeclaration,
    #[serde(default)]
    defaults: Defaults,
    #[serde(rename = "index")]
    indices: Vec<IndexDeclaration>,
    #[serde(rename = "vault")]
    vaults: Vec<VaultFields>,
}

/// What holds wherever nothing else is said.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Defaults {
    #[serde(default)]
    short_days: Vec<ShortDay>,
    #[serde(default)]
    market: MarketFields,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct VaultFields {
    name: String,
    #[serde(deserialize_with = "fields::address")]
    stock_mint: Pubkey,
    max_utilisation_bps: u16,
    #[serde(with = "fields::PoolFields")]
    main: PoolParameters,
    #[serde(with = "fields::PoolFields")]
    insurance: PoolParameters,
    stock: Option<StockFields>,
    #[serde(rename = "market", default)]
    markets: Vec<ListedFields>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ListedFields {
    index: String,
    parameters: MarketFields,
}

/// Everything that is to exist.
#[derive(Clone, Debug)]
pub struct Declaration {
    /// The cluster that it is for; no other is touched.
    pub cluster: Cluster,
    /// The program's one configuration account.
    pub exchange: ExchangeDeclaration,
    /// The underlyings.
    pub indices: Vec<IndexDeclaration>,
    /// The stock tokens.
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
#[derive(Clone, Debug)]
pub struct VaultDeclaration {
    /// What this file calls it, such as `TSLAx`.
    pub name: String,
    /// The stock token's mint.
    pub stock_mint: Pubkey,
    /// The parameters.
    pub parameters: VaultParameters,
    /// The stock behind the token, for dollar markets.
    pub stock: Option<StockDeclaration>,
    /// Its markets, in the order in which they are listed.
    pub markets: Vec<MarketDeclaration>,
}

/// A market of a vault.
#[derive(Clone, Debug)]
pub struct MarketDeclaration {
    /// The name of its index in this file.
    pub index: String,
    /// The parameters.
    pub parameters: MarketParameters,
}

impl MarketDeclaration {
    /// What it is called, such as `quanto market BTC/USD`.
    pub fn name(&self) -> String {
        let settlement = match self.parameters.settlement {
            Settlement::Quanto => "quanto",
            Settlement::Dollar => "dollar",
        };
        format!("{settlement} market {}", self.index)
    }
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
        Self::resolve(toml::from_str(text)?)
    }

    /// Reads JSON and checks it. Errors: as [`Declaration::load`].
    pub fn from_json(text: &str) -> Result<Self> {
        Self::resolve(serde_json::from_str(text)?)
    }

    /// The index of this name.
    ///
    /// Errors: there is none.
    pub fn index(&self, name: &str) -> Result<&IndexDeclaration> {
        let found = self.indices.iter().find(|index| index.name == name);
        found.ok_or_else(|| anyhow!("no [[index]] is called \"{name}\"; declare it, or correct the market's index"))
    }

    fn resolve(file: File) -> Result<Self> {
        let File { cluster, exchange, defaults, indices, vaults } = file;
        let resolve = |vault: VaultFields| {
            let name = vault.name.clone();
            vault.resolve(&defaults).with_context(|| format!("vault {name}"))
        };
        let vaults = vaults.into_iter().map(resolve).collect::<Result<_>>()?;
        let declaration = Self { cluster, exchange, indices, vaults };
        declaration.check()?;
        Ok(declaration)
    }

    fn check(&self) -> Result<()> {
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
        Ok(())
    }

    fn check_vault(&self, vault: &VaultDeclaration) -> Result<()> {
        in_bounds("max_utilisation_bps, main or insurance", VaultConfig::from(vault.parameters).validate())?;
        ensure!(vault.markets.len() <= MARKETS, "it has {} markets; a vault holds {MARKETS}", vault.markets.len());
        unique("market", vault.markets.iter().map(MarketDeclaration::name))?;
        for market in &vault.markets {
            self.index(&market.index)?;
            in_bounds(&format!("the {}", market.name()), MarketConfig::from(market.parameters).validate())?;
            ensure!(
                vault.stock.is_some() || market.parameters.settlement == Settlement::Quanto,
                "the {} needs the stock's price; declare a [vault.stock], or settle as quanto",
                market.name()
            );
        }
        Ok(())
    }
}

impl VaultFields {
    fn resolve(self, defaults: &Defaults) -> Result<VaultDeclaration> {
        let Self { name, stock_mint, max_utilisation_bps, main, insurance, stock, markets } = self;
        let stock = stock.map(|stock| stock.resolve(&defaults.short_days)).transpose().context("stock")?;
        let resolve = |ListedFields { index, parameters }: ListedFields| {
            let parameters = parameters.resolve(defaults.market).with_context(|| format!("the market on {index}"))?;
            Ok(MarketDeclaration { index, parameters })
        };
        let markets = markets.into_iter().map(resolve).collect::<Result<_>>()?;
        let parameters = VaultParameters { main, insurance, max_utilisation_bps };
        Ok(VaultDeclaration { name, stock_mint, parameters, stock, markets })
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
