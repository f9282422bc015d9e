//! The clusters there are.

use std::fmt;

use perpetua_client::rpc::{Client, ClientError};
use serde::{Deserialize, Serialize};
use solana_hash::Hash;
use solana_signature::Signature;

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

    /// The cluster that a client is connected to.
    ///
    /// Errors: [`ClientError::Transport`].
    pub fn find(client: &Client) -> Result<Self, ClientError> {
        Ok(Self::of(&client.wait(client.inner().rpc().get_genesis_hash())?))
    }

    /// The cluster whose first block has this hash.
    fn of(genesis: &Hash) -> Self {
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
