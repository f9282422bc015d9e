//! Keys for the network's people, in files as the Solana CLI keeps them.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Result, anyhow};
use solana_keypair::{Keypair, read_keypair_file, write_keypair_file};

/// Sets up the exchange, and issues the stock tokens.
pub const ADMIN: &str = "admin";
/// Those who are given tokens.
pub const HOLDERS: [&str; 3] = ["trader", "lp", "keeper"];

/// The network's people.
pub struct Wallets {
    folder: PathBuf,
    keys: Vec<(&'static str, Keypair)>,
}

impl Wallets {
    /// The wallets in a folder; those that are not there are made.
    ///
    /// Errors: a file cannot be read or written.
    pub fn load(folder: &Path) -> Result<Self> {
        fs::create_dir_all(folder)?;
        let names = [ADMIN].into_iter().chain(HOLDERS);
        let keys = names.map(|name| Ok((name, read_or_make(&file(folder, name))?))).collect::<Result<_>>()?;
        Ok(Self { folder: folder.to_owned(), keys })
    }

    /// Every wallet with its name.
    pub fn all(&self) -> impl Iterator<Item = (&'static str, &Keypair)> {
        self.keys.iter().map(|(name, key)| (*name, key))
    }

    /// Whoever sets up the exchange.
    ///
    /// # Panics
    /// Never: [`Self::load`] begins with this one.
    pub fn admin(&self) -> &Keypair {
        &self.keys[0].1
    }

    /// A wallet by its name.
    ///
    /// Errors: there is none of this name.
    pub fn get(&self, name: &str) -> Result<&Keypair> {
        let found = self.all().find(|(found, _)| *found == name);
        found.map(|(_, key)| key).ok_or_else(|| anyhow!("there is no wallet of {name}"))
    }

    /// Where a wallet's key is.
    pub fn file(&self, name: &str) -> PathBuf {
        file(&self.folder, name)
    }
}

fn file(folder: &Path, name: &str) -> PathBuf {
    folder.join(name).with_extension("json")
}

fn read_or_make(file: &Path) -> Result<Keypair> {
    let told =
        |error: Box<dyn std::error::Error>| anyhow!("{}: {error}; delete the file to get a new key", file.display());
    if file.exists() {
        return read_keypair_file(file).map_err(told);
    }
    let key = Keypair::new();
    write_keypair_file(&key, file).map_err(told)?;
    Ok(key)
}
