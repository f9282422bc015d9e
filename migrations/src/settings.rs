//! Which network and whose key, as the Solana CLI chooses them.

use std::{
    env, fs, io,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, anyhow, ensure};
use serde::Deserialize;
use solana_keypair::{Keypair, read_keypair_file};

/// The Solana CLI's configuration file, under the home directory.
const CLI_CONFIG: &str = ".config/solana/cli/config.yml";
/// Where the Solana CLI keeps a key unless told otherwise, under the home directory.
const CLI_KEYPAIR: &str = ".config/solana/id.json";

/// What of the Solana CLI's configuration matters here.
#[derive(Debug, Default, Deserialize)]
struct CliConfig {
    #[serde(default)]
    json_rpc_url: String,
    #[serde(default)]
    keypair_path: String,
}

/// The network's URL and where the key is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// URL of the JSON-RPC endpoint.
    pub url: String,
    /// The file of the key that signs and pays.
    pub keypair: PathBuf,
}

impl Settings {
    /// What was given, and for the rest what the Solana CLI is configured to use in `config`, or in its usual place.
    ///
    /// Errors: the configuration cannot be read, or the URL is none.
    pub fn resolve(config: Option<&Path>, url: Option<&str>, keypair: Option<&str>) -> Result<Self> {
        let home = env::home_dir().context("there is no home directory; give --url and --keypair, and set HOME")?;
        Self::resolve_in(&home, config, url, keypair)
    }

    fn resolve_in(home: &Path, config: Option<&Path>, url: Option<&str>, keypair: Option<&str>) -> Result<Self> {
        let config = match config {
            Some(path) => CliConfig::read(path)?.with_context(|| {
                format!("there is no file {}; correct the path of the configuration", path.display())
            })?,
            None => CliConfig::read(&home.join(CLI_CONFIG))?.unwrap_or_default(),
        };
        let url = url.or_else(|| non_empty(&config.json_rpc_url)).unwrap_or("mainnet-beta");
        let path = keypair.or_else(|| non_empty(&config.keypair_path));
        let keypair = path.map_or_else(|| home.join(CLI_KEYPAIR), |path| expand(home, path));
        Ok(Self { url: expand_moniker(url)?, keypair })
    }

    /// The key that signs and pays.
    ///
    /// Errors: its file cannot be read.
    pub fn read_keypair(&self) -> Result<Keypair> {
        read_keypair_file(&self.keypair).map_err(|error| {
            let path = self.keypair.display();
            anyhow!(
                "cannot read a key from {path}: {error}; \
                 name a key file with --keypair (hardware wallets are not supported)"
            )
        })
    }
}

impl CliConfig {
    /// Nothing where there is no file.
    fn read(path: &Path) -> Result<Option<Self>> {
        match fs::read_to_string(path) {
            Ok(text) => serde_norway::from_str(&text)
                .map(Some)
                .with_context(|| format!("{} cannot be read; repair it with solana config set", path.display())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error).with_context(|| format!("{} cannot be read", path.display())),
        }
    }
}

fn non_empty(text: &str) -> Option<&str> {
    (!text.is_empty()).then_some(text)
}

fn expand(home: &Path, path: &str) -> PathBuf {
    path.strip_prefix("~/").map_or_else(|| PathBuf::from(path), |rest| home.join(rest))
}

/// The URL that a moniker of the Solana CLI stands for, or the URL itself.
fn expand_moniker(url: &str) -> Result<String> {
    let known = match url {
        "l" | "localhost" => "http://localhost:8899",
        "d" | "devnet" => "https://api.devnet.solana.com",
        "t" | "testnet" => "https://api.testnet.solana.com",
        "m" | "mainnet-beta" => "https://api.mainnet-beta.solana.com",
        other => other,
    };
    ensure!(
        known.starts_with("http://") || known.starts_with("https://"),
        "\"{url}\" is no URL; give localhost, devnet, testnet, mainnet-beta or a URL that starts with http"
    );
    Ok(known.to_owned())
}

#[cfg(test)]
mod tests;
