//! Accounts as they were together at one slot.

use core::str::FromStr;
use std::collections::BTreeMap;

use anchor_lang::prelude::{Clock, Pubkey};
use serde_json::{Value, json};
use solana_commitment_config::CommitmentConfig;
use solana_rpc_client_api::{
    client_error,
    request::RpcError,
    response::{Response, UiAccount},
};

use super::{ClientError, Keyed};
use crate::{
    account::{Stored, read_copy},
    address::CLOCK,
    price::{self, PriceAccount},
    token::{MintInfo, TokenBalance},
};

/// Most accounts that a network returns at one slot.
const MOST: usize = 100;

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
    pub(super) fn decode(account: UiAccount) -> Result<Self, ClientError> {
        let data = account.data.decode().ok_or_else(|| unexpected("base64 account data"))?;
        Ok(Self { owner: parse(&account.owner, "an address")?, lamports: account.lamports, data })
    }

    pub(super) fn read<T: Stored>(&self, address: Pubkey, slot: u64) -> Result<Keyed<T>, ClientError> {
        let account = read_copy(&self.owner, &self.data).map_err(|error| ClientError::Read { address, error })?;
        Ok(Keyed { address, slot, account })
    }
}

/// Several accounts at one slot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// The slot of the chain that all of them were read at.
    pub slot: u64,
    /// Those that exist.
    pub accounts: BTreeMap<Pubkey, RawAccount>,
}

impl Snapshot {
    /// The parameters of `getMultipleAccounts`.
    pub(super) fn parameters(addresses: &[Pubkey], commitment: CommitmentConfig) -> Result<Value, ClientError> {
        if addresses.len() > MOST {
            return Err(ClientError::TooManyAccounts(addresses.len()));
        }
        let addresses: Vec<String> = addresses.iter().map(ToString::to_string).collect();
        Ok(json!([addresses, { "encoding": "base64", "commitment": commitment.commitment }]))
    }

    /// The accounts in the answer to a question for `addresses`.
    pub(super) fn decode(addresses: &[Pubkey], answer: Response<Vec<Option<UiAccount>>>) -> Result<Self, ClientError> {
        if answer.value.len() != addresses.len() {
            return Err(unexpected("an account for each address"));
        }
        let found = addresses.iter().zip(answer.value).filter_map(|(address, account)| Some((*address, account?)));
        let accounts = found
            .map(|(address, account)| Ok((address, RawAccount::decode(account)?)))
            .collect::<Result<BTreeMap<_, _>, ClientError>>()?;
        Ok(Self { slot: answer.context.slot, accounts })
    }

    /// An account as the network stores it.
    ///
    /// Errors: [`ClientError::NotFound`].
    pub fn raw(&self, address: &Pubkey) -> Result<&RawAccount, ClientError> {
        self.accounts.get(address).ok_or(ClientError::NotFound(*address))
    }

    /// One of the program's accounts.
    ///
    /// Errors: [`ClientError::NotFound`], [`ClientError::Read`].
    pub fn read<T: Stored>(&self, address: &Pubkey) -> Result<Keyed<T>, ClientError> {
        self.raw(address)?.read(*address, self.slot)
    }

    /// One of the program's accounts, if it exists. An address that somebody only sent lamports to has none.
    ///
    /// Errors: [`ClientError::Read`].
    pub fn find<T: Stored>(&self, address: &Pubkey) -> Result<Option<Keyed<T>>, ClientError> {
        let found = self.accounts.get(address).filter(|account| !account.data.is_empty());
        found.map(|account| account.read(*address, self.slot)).transpose()
    }

    /// The chain's clock, if [`CLOCK`] was read.
    ///
    /// Errors: [`ClientError::NotFound`], [`ClientError::Foreign`].
    pub fn clock(&self) -> Result<Clock, ClientError> {
        let address = CLOCK;
        decode_clock(&self.raw(&address)?.data).ok_or(ClientError::Foreign { address, expected: "the clock" })
    }

    /// A stock token's mint, with its multiplier at `now`, Unix seconds.
    ///
    /// Errors: [`ClientError::NotFound`], [`ClientError::Foreign`].
    pub fn mint(&self, address: &Pubkey, now: i64) -> Result<MintInfo, ClientError> {
        let RawAccount { owner, data, .. } = self.raw(address)?;
        MintInfo::decode(address, owner, data, now)
            .ok_or(ClientError::Foreign { address: *address, expected: "a mint of a token" })
    }

    /// A token account.
    ///
    /// Errors: [`ClientError::NotFound`], [`ClientError::Foreign`].
    pub fn token_account(&self, address: &Pubkey) -> Result<TokenBalance, ClientError> {
        let RawAccount { owner, data, .. } = self.raw(address)?;
        TokenBalance::decode(owner, data).ok_or(ClientError::Foreign { address: *address, expected: "a token account" })
    }

    /// A Pyth price account.
    ///
    /// Errors: [`ClientError::NotFound`], [`ClientError::Foreign`].
    pub fn price_update(&self, address: &Pubkey) -> Result<PriceAccount, ClientError> {
        let RawAccount { owner, data, .. } = self.raw(address)?;
        let found = if *owner == price::OWNER { PriceAccount::decode(data) } else { None };
        found.ok_or(ClientError::Foreign { address: *address, expected: "a fully verified Pyth price" })
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

/// What the network said, as it should be.
pub(super) fn parse<T: FromStr>(text: &str, expected: &str) -> Result<T, ClientError> {
    text.parse().map_err(|_| unexpected(expected))
}

/// The error of an answer that is not as it should be.
pub(super) fn unexpected(expected: &str) -> ClientError {
    let kind = client_error::ErrorKind::RpcError(RpcError::ParseError(expected.to_owned()));
    ClientError::Transport(Box::new(kind.into()))
}
