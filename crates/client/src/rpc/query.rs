//! What is asked for all accounts of a kind, without asking it.

use core::{marker::PhantomData, mem::offset_of, str::FromStr};
use std::collections::BTreeMap;

use anchor_lang::prelude::Pubkey;
use perpetua::state::{MarginAccount, Market, WithdrawalTicket};
use perpetua_model::PoolKind;
use serde_json::{Value, json};
use solana_commitment_config::CommitmentConfig;
use solana_rpc_client_api::{
    client_error,
    filter::{Memcmp, RpcFilterType},
    request::RpcError,
    response::{Response, RpcKeyedAccount, UiAccount},
};

use super::ClientError;
use crate::{
    account::Stored,
    address,
    snapshot::{Keyed, RawAccount, Snapshot},
};

/// Most accounts that a network returns at one slot.
const MOST: usize = 100;

/// Bytes in front of an account's fields.
const DISCRIMINATOR: usize = 8;

/// All accounts of a kind whose fields have certain values.
pub(super) struct Query<T> {
    filters: Vec<RpcFilterType>,
    kind: PhantomData<T>,
}

impl<T: Stored> Query<T> {
    /// All accounts of the kind.
    pub(super) fn all() -> Self {
        let size = u64::try_from(DISCRIMINATOR + size_of::<T>()).unwrap_or(u64::MAX);
        let kind = RpcFilterType::Memcmp(Memcmp::new_base58_encoded(0, T::DISCRIMINATOR));
        Self { filters: vec![RpcFilterType::DataSize(size), kind], kind: PhantomData }
    }

    /// Those among them that have `bytes` at `offset` of their fields.
    fn with(mut self, offset: usize, bytes: &[u8]) -> Self {
        self.filters.push(RpcFilterType::Memcmp(Memcmp::new_base58_encoded(DISCRIMINATOR + offset, bytes)));
        self
    }

    /// The parameters of `getProgramAccounts`.
    pub(super) fn parameters(&self, commitment: CommitmentConfig) -> Value {
        let options = json!({
            "encoding": "base64",
            "commitment": commitment.commitment,
            "withContext": true,
            "filters": self.filters,
        });
        json!([address::PROGRAM.to_string(), options])
    }

    /// The accounts in the answer, by address.
    pub(super) fn decode(&self, answer: Response<Vec<RpcKeyedAccount>>) -> Result<Vec<Keyed<T>>, ClientError> {
        let slot = answer.context.slot;
        let mut found = answer
            .value
            .into_iter()
            .map(|RpcKeyedAccount { pubkey, account }| {
                let address = parse(&pubkey, "an address")?;
                Ok(decode(account)?.read(address, slot)?)
            })
            .collect::<Result<Vec<Keyed<T>>, ClientError>>()?;
        found.sort_by_key(|keyed| keyed.address);
        Ok(found)
    }
}

impl Query<Market> {
    /// Those of a vault.
    pub(super) fn of_vault(vault: &Pubkey) -> Self {
        Self::all().with(offset_of!(Market, vault), vault.as_ref())
    }
}

impl Query<MarginAccount> {
    /// Those in a vault.
    pub(super) fn in_vault(vault: &Pubkey) -> Self {
        Self::all().with(offset_of!(MarginAccount, vault), vault.as_ref())
    }

    /// Those of an owner.
    pub(super) fn of_owner(owner: &Pubkey) -> Self {
        Self::all().with(offset_of!(MarginAccount, owner), owner.as_ref())
    }
}

impl Query<WithdrawalTicket> {
    /// Those of a pool.
    pub(super) fn of_pool(vault: &Pubkey, pool: PoolKind) -> Self {
        let of_vault = Self::all().with(offset_of!(WithdrawalTicket, vault), vault.as_ref());
        of_vault.with(offset_of!(WithdrawalTicket, pool), &[pool as u8])
    }

    /// Those of an owner.
    pub(super) fn of(owner: &Pubkey) -> Self {
        Self::all().with(offset_of!(WithdrawalTicket, owner), owner.as_ref())
    }
}

/// The parameters of `getMultipleAccounts`.
pub(super) fn several(addresses: &[Pubkey], commitment: CommitmentConfig) -> Result<Value, ClientError> {
    if addresses.len() > MOST {
        return Err(ClientError::TooManyAccounts(addresses.len()));
    }
    let addresses: Vec<String> = addresses.iter().map(ToString::to_string).collect();
    Ok(json!([addresses, { "encoding": "base64", "commitment": commitment.commitment }]))
}

/// The accounts in the answer to a question for `addresses`.
pub(super) fn decode_several(
    addresses: &[Pubkey],
    answer: Response<Vec<Option<UiAccount>>>,
) -> Result<Snapshot, ClientError> {
    if answer.value.len() != addresses.len() {
        return Err(unexpected("an account for each address"));
    }
    let found = addresses.iter().zip(answer.value).filter_map(|(address, account)| Some((*address, account?)));
    let accounts = found
        .map(|(address, account)| Ok((address, decode(account)?)))
        .collect::<Result<BTreeMap<_, _>, ClientError>>()?;
    Ok(Snapshot { slot: answer.context.slot, accounts })
}

fn decode(account: UiAccount) -> Result<RawAccount, ClientError> {
    let data = account.data.decode().ok_or_else(|| unexpected("base64 account data"))?;
    Ok(RawAccount { owner: parse(&account.owner, "an address")?, lamports: account.lamports, data })
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
