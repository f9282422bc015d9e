//! Reads the program's accounts from what a network returns.

use core::fmt;

use anchor_lang::{Discriminator, Owner, prelude::Pubkey};
use perpetua::{constants::VERSION, state};

/// Why bytes are not the account that was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReadError {
    /// Another program owns it.
    WrongOwner(Pubkey),
    /// It is another kind of account.
    WrongKind,
    /// Its size is not that of the kind of account.
    WrongSize(usize),
    /// Its bytes are not aligned to eight, as memory from an allocator is.
    Misaligned,
    /// Its layout is of another version than this library reads.
    UnknownVersion(u8),
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::WrongOwner(owner) => write!(f, "the account belongs to {owner}, not to Perpetua"),
            Self::WrongKind => f.write_str("the account is of another kind"),
            Self::WrongSize(size) => write!(f, "the account has an unexpected size of {size} bytes"),
            Self::Misaligned => f.write_str("the account's bytes are not aligned to eight"),
            Self::UnknownVersion(version) => {
                write!(f, "the account's layout has version {version}, which this library does not read")
            }
        }
    }
}

impl std::error::Error for ReadError {}

/// An account that this program stores.
pub trait Stored: bytemuck::Pod + Discriminator + Owner {
    /// The layout's version.
    fn version(&self) -> u8;
}

macro_rules! stored {
    ($($kind:ident),*) => {
        $(impl Stored for state::$kind {
            fn version(&self) -> u8 {
                self.version
            }
        })*
    };
}

stored!(Exchange, Index, Vault, Market, MarginAccount, WithdrawalTicket, Stock, Proposal);

/// The account in `data`, without copying it.
///
/// Errors: [`ReadError`], by which a caller learns that it read something else.
pub fn read<'a, T: Stored>(owner: &Pubkey, data: &'a [u8]) -> Result<&'a T, ReadError> {
    let value = bytemuck::try_from_bytes(body::<T>(owner, data)?).map_err(|_| ReadError::Misaligned)?;
    check_version(value)
}

/// The account in `data` as a copy, whatever the alignment of `data`.
///
/// Errors: as [`read`], never [`ReadError::Misaligned`].
pub fn read_copy<T: Stored>(owner: &Pubkey, data: &[u8]) -> Result<T, ReadError> {
    let value: T = bytemuck::pod_read_unaligned(body::<T>(owner, data)?);
    check_version(&value)?;
    Ok(value)
}

fn body<'a, T: Stored>(owner: &Pubkey, data: &'a [u8]) -> Result<&'a [u8], ReadError> {
    if *owner != T::owner() {
        return Err(ReadError::WrongOwner(*owner));
    }
    let body = data.strip_prefix(T::DISCRIMINATOR).ok_or(ReadError::WrongKind)?;
    if body.len() == size_of::<T>() { Ok(body) } else { Err(ReadError::WrongSize(data.len())) }
}

fn check_version<T: Stored>(value: &T) -> Result<&T, ReadError> {
    if value.version() == VERSION { Ok(value) } else { Err(ReadError::UnknownVersion(value.version())) }
}
