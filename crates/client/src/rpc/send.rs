//! Transactions, from instructions to a definite answer.
//!
//! A transaction is signed once, for one blockhash. Until that expires the same bytes are sent again and again, which
//! the network carries out at most once; afterwards it is asked what became of them. Nothing is ever signed anew.

use std::time::{Duration, Instant};

use anchor_lang::{prelude::Pubkey, solana_program::instruction::Instruction};
use solana_commitment_config::CommitmentConfig;
use solana_compute_budget_interface::ComputeBudgetInstruction;
use solana_message::Message;
use solana_rpc_client_api::{
    client_error::ErrorKind,
    config::{RpcSendTransactionConfig, RpcSimulateTransactionConfig, RpcTransactionConfig},
    request::RpcError,
};
use solana_signature::Signature;
use solana_signer::Signer;
use solana_transaction::Transaction;
use solana_transaction_error::TransactionError;
use solana_transaction_status_client_types::UiTransactionEncoding;

use super::{AsyncClient, ClientError, Failure};
use crate::budget;

/// Time between two questions for a transaction's outcome: the first, and the longest after it doubled.
const POLL: [Duration; 2] = [Duration::from_millis(100), Duration::from_millis(500)];
/// Time between two times that the same bytes are sent.
const RESEND: Duration = Duration::from_secs(2);
/// JSON-RPC's code for parameters that are refused, as a transaction that is too large, and Solana's for a signature
/// that is wrong: what is refused so was not sent on.
const NOT_SENT: [i64; 2] = [-32_602, -32_003];

/// How a transaction is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SendOptions {
    /// Compute units that the transaction may take; without it, what [`budget::limit`] says of its instructions.
    pub compute_limit: Option<u32>,
    /// Paid on top of the base fee, in millionths of a lamport for each unit of the limit.
    pub priority_fee_micro_lamports: u64,
    /// How long to wait for an answer. A blockhash lasts a minute or so; less leaves more outcomes unknown.
    pub patience: Duration,
}

impl Default for SendOptions {
    fn default() -> Self {
        Self { compute_limit: None, priority_fee_micro_lamports: 0, patience: Duration::from_secs(120) }
    }
}

/// A transaction that was carried out and succeeded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Confirmed {
    /// Its first signature, by which it is known.
    pub signature: Signature,
    /// The slot that it was carried out in.
    pub slot: u64,
    /// What it took; nothing if the network did not tell.
    pub compute_units: Option<u64>,
}

/// A transaction that waits for signatures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unsigned {
    /// What is to be signed.
    pub message: Message,
    /// The last block height at which it can be carried out.
    pub last_valid_block_height: u64,
}

impl Unsigned {
    /// The transaction with the signatures of all who must sign.
    ///
    /// Errors: [`ClientError::Signer`].
    pub fn sign(self, signers: &[&dyn Signer]) -> Result<Signed, ClientError> {
        let blockhash = self.message.recent_blockhash;
        let mut transaction = Transaction::new_unsigned(self.message);
        transaction.try_sign(signers, blockhash)?;
        Ok(Signed { transaction, last_valid_block_height: self.last_valid_block_height })
    }
}

/// A transaction that can be sent. Whoever must not lose sight of it stores signature and last block height first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signed {
    /// The transaction.
    pub transaction: Transaction,
    /// The last block height at which it can be carried out.
    pub last_valid_block_height: u64,
}

impl Signed {
    /// The signature by which it is known.
    pub fn signature(&self) -> Signature {
        self.transaction.signatures.first().copied().unwrap_or_default()
    }
}

/// What became of a transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It may still be carried out, or was and is not confirmed yet.
    Pending,
    /// It was carried out in this slot and succeeded.
    Landed(u64),
    /// It was carried out in this slot and failed.
    Failed(u64, TransactionError),
    /// It was not carried out and never will be.
    Expired,
}

/// What a transaction would do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Simulated {
    /// The slot that it was tried at.
    pub slot: u64,
    /// Compute units that it took.
    pub compute_units: u64,
    /// What the programs logged.
    pub logs: Vec<String>,
    /// What the last instruction returned, base64.
    pub returned: Option<String>,
}

/// The instructions with those in front that set compute limit and priority fee.
pub(super) fn with_budget(instructions: &[Instruction], options: &SendOptions) -> Vec<Instruction> {
    let limit = options.compute_limit.unwrap_or_else(|| budget::limit(instructions));
    let price = options.priority_fee_micro_lamports;
    let fee = (price > 0).then(|| ComputeBudgetInstruction::set_compute_unit_price(price));
    let limit = ComputeBudgetInstruction::set_compute_unit_limit(limit);
    [limit].into_iter().chain(fee).chain(instructions.iter().cloned()).collect()
}

impl AsyncClient {
    /// A transaction of `instructions` for the newest blockhash, for others to sign.
    ///
    /// Errors: [`ClientError::Transport`].
    pub async fn prepare(
        &self,
        instructions: &[Instruction],
        payer: &Pubkey,
        options: &SendOptions,
    ) -> Result<Unsigned, ClientError> {
        let commitment = self.at_least_confirmed();
        let (blockhash, last_valid_block_height) = self.rpc.get_latest_blockhash_with_commitment(commitment).await?;
        let message = Message::new_with_blockhash(&with_budget(instructions, options), Some(payer), &blockhash);
        Ok(Unsigned { message, last_valid_block_height })
    }

    /// Signs a transaction of `instructions`, sends it and waits until it is known what became of it.
    ///
    /// Errors: [`ClientError::Refused`] if nothing happened and nothing was spent, [`ClientError::Failed`],
    /// [`ClientError::Expired`] if nothing happened and never will, [`ClientError::Unconfirmed`] if the network did not
    /// say within the patience of `options`; [`ClientError::Signer`] and [`ClientError::Transport`] before it was sent.
    pub async fn send(
        &self,
        instructions: &[Instruction],
        payer: &Pubkey,
        signers: &[&(dyn Signer + Sync)],
        options: &SendOptions,
    ) -> Result<Confirmed, ClientError> {
        let unsigned = self.prepare(instructions, payer, options).await?;
        // Signed in a scope of its own: what is not `Sync` must not live across a wait.
        let signed = {
            let signers: Vec<&dyn Signer> = signers.iter().map(|signer| *signer as &dyn Signer).collect();
            unsigned.sign(&signers)?
        };
        self.send_signed(&signed, options).await
    }

    /// Sends a transaction and waits until it is known what became of it.
    ///
    /// Errors: those of [`Self::send`].
    pub async fn send_signed(&self, signed: &Signed, options: &SendOptions) -> Result<Confirmed, ClientError> {
        let deadline = Instant::now() + options.patience;
        let mut sent = self.submit_first(signed).await?;
        let mut last_sent = Instant::now();
        let [mut pause, longest] = POLL;
        loop {
            // A network that does not answer is asked again: the transaction may be on its way.
            match self.outcome(&signed.signature(), signed.last_valid_block_height).await {
                Ok(Outcome::Pending) | Err(_) => {}
                Ok(Outcome::Landed(slot)) => return Ok(self.confirmed(signed.signature(), slot).await),
                Ok(Outcome::Failed(slot, error)) => return Err(self.failed(signed.signature(), slot, error).await),
                Ok(Outcome::Expired) => return Err(ClientError::Expired(signed.signature())),
            }
            if Instant::now() >= deadline {
                return Err(ClientError::Unconfirmed {
                    signature: signed.signature(),
                    last_valid_block_height: signed.last_valid_block_height,
                });
            }
            tokio::time::sleep(pause).await;
            pause = longest.min(2 * pause);
            if last_sent.elapsed() >= RESEND {
                last_sent = Instant::now();
                // Whether it arrives shows in the outcome. Without a check in front only what passed it once.
                sent |= self.submit(signed, sent).await.is_ok();
            }
        }
    }

    /// Sends a transaction for the first time. Returns whether the network surely took it.
    async fn submit_first(&self, signed: &Signed) -> Result<bool, ClientError> {
        match self.submit(signed, false).await {
            Ok(()) => Ok(true),
            Err(ClientError::Refused(failure)) => match failure.error {
                // The endpoint asked itself twice, or does not know the blockhash yet that another one gave.
                TransactionError::AlreadyProcessed => Ok(true),
                TransactionError::BlockhashNotFound => Ok(false),
                _ => Err(ClientError::Refused(failure)),
            },
            Err(ClientError::Transport(error)) => match error.kind() {
                ErrorKind::RpcError(RpcError::RpcResponseError { code, .. }) if NOT_SENT.contains(code) => {
                    Err(ClientError::Transport(error))
                }
                _ => Ok(false),
            },
            Err(other) => Err(other),
        }
    }

    /// Sends a transaction and does not wait. It may be sent again: the network carries it out at most once.
    ///
    /// Errors: [`ClientError::Refused`] if the endpoint tried it and it failed, unless `skip_preflight`;
    /// [`ClientError::Transport`], which does not say whether it was sent.
    pub async fn submit(&self, signed: &Signed, skip_preflight: bool) -> Result<(), ClientError> {
        let config = RpcSendTransactionConfig {
            skip_preflight,
            preflight_commitment: Some(self.at_least_confirmed().commitment),
            // This library sends again itself, and knows until when.
            max_retries: Some(0),
            ..RpcSendTransactionConfig::default()
        };
        self.rpc.send_transaction_with_config(&signed.transaction, config).await?;
        Ok(())
    }

    /// What became of a transaction that can be carried out up to a block height.
    ///
    /// Errors: [`ClientError::Transport`].
    pub async fn outcome(&self, signature: &Signature, last_valid_block_height: u64) -> Result<Outcome, ClientError> {
        // The height comes first: what was not carried out by then is missing in every later answer.
        let commitment = self.at_least_confirmed();
        let height = self.rpc.get_epoch_info_with_commitment(commitment).await?;
        let over = height.block_height > last_valid_block_height;
        let signatures = [*signature];
        let answer = if over {
            self.rpc.get_signature_statuses_with_history(&signatures).await?
        } else {
            self.rpc.get_signature_statuses(&signatures).await?
        };
        // Endpoints are often several nodes: one that is behind does not know yet what it has not carried out.
        let knows_all = answer.context.slot >= height.absolute_slot;
        Ok(match answer.value.into_iter().next().flatten() {
            None if over && knows_all => Outcome::Expired,
            None => Outcome::Pending,
            Some(status) if !status.satisfies_commitment(self.commitment()) => Outcome::Pending,
            Some(status) => match status.err {
                None => Outcome::Landed(status.slot),
                Some(error) => Outcome::Failed(status.slot, error),
            },
        })
    }

    /// What a transaction of `instructions` would do now. Nobody need sign.
    ///
    /// Errors: [`ClientError::Refused`] if it would fail, [`ClientError::Transport`].
    pub async fn simulate(
        &self,
        instructions: &[Instruction],
        payer: &Pubkey,
        options: &SendOptions,
    ) -> Result<Simulated, ClientError> {
        let message = Message::new(&with_budget(instructions, options), Some(payer));
        let config = RpcSimulateTransactionConfig {
            replace_recent_blockhash: true,
            commitment: Some(self.commitment()),
            ..RpcSimulateTransactionConfig::default()
        };
        let transaction = Transaction::new_unsigned(message);
        let answer = self.rpc.simulate_transaction_with_config(&transaction, config).await?;
        let logs = answer.value.logs.unwrap_or_default();
        match answer.value.err {
            Some(error) => Err(ClientError::Refused(Box::new(Failure::new(error.into(), logs)))),
            None => Ok(Simulated {
                slot: answer.context.slot,
                compute_units: answer.value.units_consumed.unwrap_or_default(),
                logs,
                returned: answer.value.return_data.map(|returned| returned.data.0),
            }),
        }
    }

    async fn confirmed(&self, signature: Signature, slot: u64) -> Confirmed {
        let compute_units = self.trace(&signature).await.and_then(|(units, _)| units);
        Confirmed { signature, slot, compute_units }
    }

    async fn failed(&self, signature: Signature, slot: u64, error: TransactionError) -> ClientError {
        let logs = self.trace(&signature).await.map(|(_, logs)| logs).unwrap_or_default();
        ClientError::Failed { signature, slot, failure: Box::new(Failure::new(error, logs)) }
    }

    /// Compute units and log of a transaction, as far as the network tells.
    async fn trace(&self, signature: &Signature) -> Option<(Option<u64>, Vec<String>)> {
        let config = RpcTransactionConfig {
            encoding: Some(UiTransactionEncoding::Base64),
            commitment: Some(self.at_least_confirmed()),
            max_supported_transaction_version: Some(0),
        };
        let meta = self.rpc.get_transaction_with_config(signature, config).await.ok()?.transaction.meta?;
        let logs: Option<Vec<String>> = meta.log_messages.into();
        Some((meta.compute_units_consumed.into(), logs.unwrap_or_default()))
    }

    /// The client's commitment, but never less than "confirmed": what is only processed may be gone again.
    pub(super) fn at_least_confirmed(&self) -> CommitmentConfig {
        if self.commitment().is_finalized() { self.commitment() } else { CommitmentConfig::confirmed() }
    }
}
