//! The keypair whose public key is a program's address when it is first deployed.

use std::{
    fs::OpenOptions,
    io::{ErrorKind, Write},
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

use anyhow::{Context, Result, anyhow};
use ed25519_dalek::SigningKey;

/// Writes a new keypair in Solana's format, readable by the owner alone, unless the file exists.
pub fn write_keypair_if_missing(path: &Path) -> Result<()> {
    let mut file = match OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::AlreadyExists => return Ok(()),
        Err(error) => return Err(error).with_context(|| format!("creating {}", path.display())),
    };
    let mut secret = [0; 32];
    getrandom::fill(&mut secret).map_err(|error| anyhow!("the system's random numbers: {error}"))?;
    let bytes = SigningKey::from_bytes(&secret).to_keypair_bytes();
    let text = serde_json::to_string(bytes.as_slice())?;
    file.write_all(text.as_bytes()).with_context(|| format!("writing {}", path.display()))
}
