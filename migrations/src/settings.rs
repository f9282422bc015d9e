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

/// The network's URL and the key.
#[derive(Debug)]
pub struct Settings {
    /// URL of the JSON-RPC endpoint.
    pub url: String,
    /// The key that signs and pays.
    pub keypair: Keypair,
}

impl Settings {
    /// What was given, and for the rest what the Solana CLI is configured to use.
    ///
    /// Errors: the configuration or the key cannot be read, or the URL is none.
    pub fn resolve(url: Option<&str>, keypair: Option<&str>) -> Result<Self> {
        let home = env::home_dir().context("there is no home directory; give --url and --keypair, and set HOME")?;
        Self::resolve_in(&home, url, keypair)
    }

    fn resolve_in(home: &Path, url: Option<&str>, keypair: Option<&str>) -> Result<Self> {
        let config = CliConfig::read(&home.join(CLI_CONFIG))?;
        let url = url.or_else(|| non_empty(&config.json_rpc_url)).unwrap_or("mainnet-beta");
        let path = keypair.or_else(|| non_empty(&config.keypair_path));
        let path = path.map_or_else(|| home.join(CLI_KEYPAIR), |path| expand(home, path));
        let keypair = read_keypair_file(&path).map_err(|error| {
            let path = path.display();
            anyhow!(
                "cannot read a key from {path}: {error}; \
                 name a key file with --keypair (hardware wallets are not supported)"
            )
        })?;
        Ok(Self { url: expand_moniker(url)?, keypair })
    }
}

impl CliConfig {
    fn read(path: &Path) -> Result<Self> {
        match fs::read_to_string(path) {
            Ok(text) => serde_norway::from_str(&text)
                .with_context(|| format!("{} cannot be read; repair it with solana config set", path.display())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Self::default()),
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
