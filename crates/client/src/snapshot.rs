//! Accounts as they were together at one slot.

use core::fmt;
use std::collections::BTreeMap;

use anchor_lang::prelude::{Clock, Pubkey};

use crate::{
    account::{ReadError, Stored, read_copy},
    address::CLOCK,
    price::{self, PriceAccount},
    token::{MintInfo, TokenBalance},
};

/// An account as the network stores it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawAccount {
    /// The program that owns it.
    pub owner: Pubkey,
    /// Its balance.
    pub lamports: u64,
    /// Its bytes.
    pub data: Vec<u8>,
}

impl RawAccount {
    pub(crate) fn read<T: Stored>(&self, address: Pubkey, slot: u64) -> Result<Keyed<T>, AccountError> {
        let account = read_copy(&self.owner, &self.data).map_err(|error| AccountError::Read { address, error })?;
        Ok(Keyed { address, slot, account })
    }
}

/// An account with the address that it is at and the slot that it was read at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keyed<T> {
    /// Its address.
    pub address: Pubkey,
    /// The slot of the chain that it was read at.
    pub slot: u64,
    /// What is in it.
    pub account: T,
}

/// Why an account of a snapshot cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccountError {
    /// There is no account.
    NotFound(Pubkey),
    /// The account is not what was asked for.
    Read {
        /// Where it is.
        address: Pubkey,
        /// What it is instead.
        error: ReadError,
    },
    /// An account of another program does not hold what it should.
    Foreign {
        /// Where it is.
        address: Pubkey,
        /// What it should be.
        expected: &'static str,
    },
}

impl fmt::Display for AccountError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotFound(address) => write!(f, "there is no account at {address}"),
            Self::Read { address, error } => write!(f, "{address}: {error}"),
            Self::Foreign { address, expected } => write!(f, "{address} is not {expected}"),
        }
    }
}

impl std::error::Error for AccountError {}

/// Several accounts at one slot.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Snapshot {
    /// The slot of the chain that all of them were read at.
    pub slot: u64,
    /// Those that exist.
    pub accounts: BTreeMap<Pubkey, RawAccount>,
}

impl Snapshot {
    /// An account as the network stores it.
    ///
    /// Errors: [`AccountError::NotFound`].
    pub fn raw(&self, address: &Pubkey) -> Result<&RawAccount, AccountError> {
        self.accounts.get(address).ok_or(AccountError::NotFound(*address))
    }

    /// One of the program's accounts.
    ///
    /// Errors: [`AccountError::NotFound`], [`AccountError::Read`].
    pub fn read<T: Stored>(&self, address: &Pubkey) -> Result<Keyed<T>, AccountError> {
        self.raw(address)?.read(*address, self.slot)
    }

    /// One of the program's accounts, if it exists. An address that somebody only sent lamports to has none.
    ///
    /// Errors: [`AccountError::Read`].
    pub fn find<T: Stored>(&self, address: &Pubkey) -> Result<Option<Keyed<T>>, AccountError> {
        let found = self.accounts.get(address).filter(|account| !account.data.is_empty());
        found.map(|account| account.read(*address, self.slot)).transpose()
    }

    /// The chain's clock, if [`CLOCK`] was read.
    ///
    /// Errors: [`AccountError::NotFound`], [`AccountError::Foreign`].
    pub fn clock(&self) -> Result<Clock, AccountError> {
        let address = CLOCK;
        decode_clock(&self.raw(&address)?.data).ok_or(AccountError::Foreign { address, expected: "the clock" })
    }

    /// A stock token's mint, with its multiplier at `now`, Unix seconds.
    ///
    /// Errors: [`AccountError::NotFound`], [`AccountError::Foreign`].
    pub fn mint(&self, address: &Pubkey, now: i64) -> Result<MintInfo, AccountError> {
        let RawAccount { owner, data, .. } = self.raw(address)?;
        MintInfo::decode(address, owner, data, now)
            .ok_or(AccountError::Foreign { address: *address, expected: "a mint of a token" })
    }

    /// A token account.
    ///
    /// Errors: [`AccountError::NotFound`], [`AccountError::Foreign`].
    pub fn token_account(&self, address: &Pubkey) -> Result<TokenBalance, AccountError> {
        let RawAccount { owner, data, .. } = self.raw(address)?;
        TokenBalance::decode(owner, data)
            .ok_or(AccountError::Foreign { address: *address, expected: "a token account" })
    }

    /// A Pyth price account.
    ///
    /// Errors: [`AccountError::NotFound`], [`AccountError::Foreign`].
    pub fn price_update(&self, address: &Pubkey) -> Result<PriceAccount, AccountError> {
        let RawAccount { owner, data, .. } = self.raw(address)?;
        let found = if *owner == price::OWNER { PriceAccount::decode(data) } else { None };
        found.ok_or(AccountError::Foreign { address: *address, expected: "a fully verified Pyth price" })
    }
}

/// The clock's sysvar: slot, start of the epoch, epoch, epoch of the leader schedule and Unix seconds, eight bytes each.
fn decode_clock(data: &[u8]) -> Option<Clock> {
    let ([slot, epoch_start, epoch, leader_epoch, now], []) = data.as_chunks::<8>() else { return None };
    Some(Clock {
        slot: u64::from_le_bytes(*slot),
        epoch_start_timestamp: i64::from_le_bytes(*epoch_start),
        epoch: u64::from_le_bytes(*epoch),
        leader_schedule_epoch: u64::from_le_bytes(*leader_epoch),
        unix_timestamp: i64::from_le_bytes(*now),
    })
}
