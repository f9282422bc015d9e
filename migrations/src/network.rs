//! What setting up needs of a network, whatever carries it.

use std::fmt;

use anchor_lang::prelude::Pubkey;
use anyhow::Result;
use serde::{Deserialize, Serialize};
use solana_hash::Hash;
use solana_signature::Signature;
use solana_transaction::Transaction;
use solana_transaction_error::TransactionError;

/// A connection to a cluster. Errors name their cause and what to do.
pub trait Network {
    /// The hash by which a cluster is known.
    fn genesis(&self) -> Result<Hash>;
    /// The account, if there is one.
    fn account(&self, address: &Pubkey) -> Result<Option<Account>>;
    /// A recent blockhash for a transaction.
    fn latest_blockhash(&self) -> Result<Hash>;
    /// Sends a signed transaction, after the network has simulated it.
    fn send(&self, transaction: &Transaction) -> Result<Signature>;
    /// What became of a transaction.
    fn status(&self, signature: &Signature) -> Result<Status>;
}

/// An account as the network stores it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// The program that owns it.
    pub owner: Pubkey,
    /// Its balance.
    pub lamports: u64,
    /// Its bytes.
    pub data: Vec<u8>,
}

/// What became of a transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Status {
    /// Not known, or not confirmed yet.
    Pending,
    /// Most of the stake voted for it.
    Confirmed,
    /// It was carried out and failed.
    Failed(TransactionError),
}

/// A cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cluster {
    /// Any that is not public.
    Localnet,
    /// The developers'.
    Devnet,
    /// The validators'.
    Testnet,
    /// The one with real money.
    MainnetBeta,
}

impl Cluster {
    const PUBLIC: [(Self, &str); 3] = [
        (Self::Devnet, "EtWTRABZaYq6iMfeYKouRu166VU2xqa1wcaWoxkrZBAG"),
        (Self::Testnet, "4uhcVJyU9pJkvQyS88uRDiswHXSCkY3zQawwpjk2NsNY"),
        (Self::MainnetBeta, "5eykt4UsFv8P8NJdTREpY1vzqKqZKvdpKuc147dw2N9d"),
    ];

    /// The cluster whose first block has this hash.
    pub fn of(genesis: &Hash) -> Self {
        let genesis = genesis.to_string();
        let known = Self::PUBLIC.into_iter().find(|(_, hash)| *hash == genesis);
        known.map_or(Self::Localnet, |(cluster, _)| cluster)
    }

    /// Where a transaction can be looked at; nowhere on a local network.
    pub fn explorer(self, signature: &Signature) -> Option<String> {
        let suffix = match self {
            Self::Localnet => return None,
            Self::Devnet => "?cluster=devnet",
            Self::Testnet => "?cluster=testnet",
            Self::MainnetBeta => "",
        };
        Some(format!("https://explorer.solana.com/tx/{signature}{suffix}"))
    }
}

impl fmt::Display for Cluster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Localnet => "localnet",
            Self::Devnet => "devnet",
            Self::Testnet => "testnet",
            Self::MainnetBeta => "mainnet-beta",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_public_cluster_is_known_by_its_genesis_and_has_an_explorer() {
        let of = |text: &str| Cluster::of(&text.parse().unwrap());
        let signature = Signature::default();
        let devnet = of("EtWTRABZaYq6iMfeYKouRu166VU2xqa1wcaWoxkrZBAG");
        assert_eq!(devnet, Cluster::Devnet);
        assert!(devnet.explorer(&signature).unwrap().ends_with("?cluster=devnet"));
        let mainnet = of("5eykt4UsFv8P8NJdTREpY1vzqKqZKvdpKuc147dw2N9d");
        assert_eq!(mainnet.explorer(&signature).unwrap(), format!("https://explorer.solana.com/tx/{signature}"));
    }

    #[test]
    fn any_other_genesis_is_a_local_network_without_explorer() {
        let cluster = Cluster::of(&Hash::default());
        assert_eq!(cluster, Cluster::Localnet);
        assert_eq!(cluster.explorer(&Signature::default()), None);
    }
}
