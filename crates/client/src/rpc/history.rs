//! What happened, from the events that transactions logged.

use anchor_lang::prelude::Pubkey;
use solana_rpc_client::rpc_client::GetConfirmedSignaturesForAddress2Config;
use solana_rpc_client_api::config::RpcTransactionConfig;
use solana_signature::Signature;
use solana_transaction_status_client_types::{
    EncodedConfirmedTransactionWithStatusMeta, EncodedTransaction, UiInnerInstructions, UiInstruction,
    UiLoadedAddresses, UiMessage, UiTransactionEncoding,
};

use super::{
    AsyncClient, ClientError,
    query::{parse, unexpected},
};
use crate::{
    address,
    event::{self, Event},
};

/// Transactions that are fetched at the same time.
const AT_ONCE: usize = 8;
/// Most transactions that a network lists at once.
pub(super) const MOST_LISTED: usize = 1_000;

/// An event with when and where it happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Happened {
    /// The transaction.
    pub signature: Signature,
    /// The slot of the chain.
    pub slot: u64,
    /// When, Unix seconds; nothing if the network does not know.
    pub time: Option<i64>,
    /// What.
    pub event: Event,
}

/// A part of the history.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// What happened, the newest first.
    pub events: Vec<Happened>,
    /// What to ask for to go on from here; nothing at the beginning of history.
    pub before: Option<Signature>,
}

/// The events of a transaction in order.
///
/// Errors: [`ClientError::Transport`] if the network did not answer in the encoding that was asked for.
pub fn decode_events(transaction: &EncodedConfirmedTransactionWithStatusMeta) -> Result<Vec<Event>, ClientError> {
    let EncodedTransaction::Json(found) = &transaction.transaction.transaction else {
        return Err(unexpected("a transaction as JSON"));
    };
    let UiMessage::Raw(message) = &found.message else { return Err(unexpected("a message that is not parsed")) };
    let meta = transaction.transaction.meta.as_ref().ok_or_else(|| unexpected("what the transaction did"))?;
    if meta.err.is_some() {
        return Ok(Vec::new());
    }
    let loaded: Option<UiLoadedAddresses> = meta.loaded_addresses.clone().into();
    let loaded = loaded.into_iter().flat_map(|loaded| loaded.writable.into_iter().chain(loaded.readonly));
    let program = address::PROGRAM.to_string();
    let keys = message.account_keys.iter().cloned().chain(loaded);
    let ours: Vec<bool> = keys.map(|key| key == program).collect();
    let inner: Option<Vec<UiInnerInstructions>> = meta.inner_instructions.clone().into();
    let calls = inner.into_iter().flatten().flat_map(|inner| inner.instructions);
    let mut events = Vec::new();
    for call in calls {
        let UiInstruction::Compiled(call) = call else { return Err(unexpected("instructions that are not parsed")) };
        if ours.get(usize::from(call.program_id_index)) == Some(&true) {
            let data = bs58::decode(&call.data).into_vec().map_err(|_| unexpected("an instruction's data"))?;
            events.extend(event::decode(&data));
        }
    }
    Ok(events)
}

impl AsyncClient {
    /// What happened in the last `limit` successful transactions (at most 1,000) with an address in them, such as a margin
    /// account, a vault or an owner. `before` names the transaction to go back from.
    ///
    /// A transaction's events are given all together, also those of others in it, such as the cranks in front of a trade.
    ///
    /// Errors: [`ClientError::Transport`].
    pub async fn history(
        &self,
        address: &Pubkey,
        before: Option<&Signature>,
        limit: usize,
    ) -> Result<Page, ClientError> {
        let limit = limit.clamp(1, MOST_LISTED);
        let listed = self.listed(address, before.copied(), None, limit).await?;
        let last = (listed.len() == limit).then(|| listed.last().map(|(signature, _)| *signature)).flatten();
        let wanted: Vec<Signature> =
            listed.into_iter().filter_map(|(signature, failed)| (!failed).then_some(signature)).collect();
        let mut events = Vec::new();
        for several in wanted.chunks(AT_ONCE) {
            for found in self.happened_in_each(several).await? {
                events.extend(found.into_iter().rev());
            }
        }
        Ok(Page { events, before: last })
    }

    /// What happened in a transaction, in order.
    ///
    /// Errors: [`ClientError::Transport`].
    pub async fn happened_in(&self, signature: &Signature) -> Result<Vec<Happened>, ClientError> {
        let config = RpcTransactionConfig {
            encoding: Some(UiTransactionEncoding::Json),
            commitment: Some(self.at_least_confirmed()),
            max_supported_transaction_version: Some(0),
        };
        let found = self.rpc.get_transaction_with_config(signature, config).await?;
        let (signature, slot, time) = (*signature, found.slot, found.block_time);
        let events = decode_events(&found)?;
        Ok(events.into_iter().map(|event| Happened { signature, slot, time, event }).collect())
    }

    /// What happened in several transactions, fetched at the same time.
    pub(super) async fn happened_in_each(&self, signatures: &[Signature]) -> Result<Vec<Vec<Happened>>, ClientError> {
        let mut fetches = tokio::task::JoinSet::new();
        for (place, signature) in signatures.iter().copied().enumerate() {
            let client = self.clone();
            fetches.spawn(async move { (place, client.happened_in(&signature).await) });
        }
        let mut found = vec![Vec::new(); signatures.len()];
        while let Some(done) = fetches.join_next().await {
            // A fetch neither panics nor is it cancelled while this waits for it.
            let (place, events) = done.map_err(|_| unexpected("an answer"))?;
            if let Some(slot) = found.get_mut(place) {
                *slot = events?;
            }
        }
        Ok(found)
    }

    /// Transactions with an address in them, the newest first, and whether each failed.
    pub(super) async fn listed(
        &self,
        address: &Pubkey,
        before: Option<Signature>,
        until: Option<Signature>,
        limit: usize,
    ) -> Result<Vec<(Signature, bool)>, ClientError> {
        let commitment = Some(self.at_least_confirmed());
        let config = GetConfirmedSignaturesForAddress2Config { before, until, limit: Some(limit), commitment };
        let listed = self.rpc.get_signatures_for_address_with_config(address, config).await?;
        listed.into_iter().map(|listed| Ok((parse(&listed.signature, "a signature")?, listed.err.is_some()))).collect()
    }
}
