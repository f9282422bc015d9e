//! What can go wrong between a program and a network.

use core::fmt;

use anchor_lang::{prelude::Pubkey, solana_program::instruction::error::InstructionError};
use perpetua_model::ModelError;
use solana_rpc_client_api::{
    client_error,
    request::{RpcError, RpcResponseErrorData},
};
use solana_signature::Signature;
use solana_signer::SignerError;
use solana_transaction_error::TransactionError;

use crate::{
    account::ReadError,
    error::{Explanation, explain},
    snapshot::AccountError,
};

/// Why a transaction failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// As the network says it.
    pub error: TransactionError,
    /// In words, with what to do about it.
    pub explanation: Explanation,
    /// What the programs logged; empty if the network did not tell.
    pub logs: Vec<String>,
}

impl Failure {
    pub(super) fn new(error: TransactionError, logs: Vec<String>) -> Self {
        Self { explanation: explain(&error), error, logs }
    }

    /// The place of the instruction that failed among those of the transaction, from zero. Those that set compute limit
    /// and priority fee count.
    pub fn instruction(&self) -> Option<u8> {
        match self.error {
            TransactionError::InstructionError(place, _) => Some(place),
            _ => None,
        }
    }

    /// The number that a program gave.
    pub fn custom_code(&self) -> Option<u32> {
        match self.error {
            TransactionError::InstructionError(_, InstructionError::Custom(code)) => Some(code),
            _ => None,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Explanation { name, message, remedy, .. } = &self.explanation;
        write!(f, "{name}: {}. {remedy}", message.trim_end_matches('.'))
    }
}

/// Why something was not read or not done.
#[derive(Debug)]
pub enum ClientError {
    /// The network did not answer, or not as it should. Of a transaction it says nothing: see [`Self::Unconfirmed`].
    Transport(Box<client_error::Error>),
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
    /// More accounts than a network returns at one slot.
    TooManyAccounts(usize),
    /// The model refuses a calculation.
    Model(ModelError),
    /// A signature is missing or was refused.
    Signer(SignerError),
    /// The network refused the transaction before it was sent on. Nothing happened and nothing was spent.
    Refused(Box<Failure>),
    /// The transaction was carried out and failed: nothing changed but that its fee was paid.
    Failed {
        /// The transaction.
        signature: Signature,
        /// When.
        slot: u64,
        /// Why.
        failure: Box<Failure>,
    },
    /// The transaction was not carried out and never will be. It can be built anew.
    Expired(Signature),
    /// It is not known what became of the transaction: the network did not say in time. It may still be carried out
    /// until the block height `last_valid_block_height`; ask [`AsyncClient::outcome`](super::AsyncClient::outcome).
    Unconfirmed {
        /// The transaction.
        signature: Signature,
        /// The last block height at which it can be carried out.
        last_valid_block_height: u64,
    },
}

impl ClientError {
    /// Why the transaction failed, if it did.
    pub fn failure(&self) -> Option<&Failure> {
        match self {
            Self::Refused(failure) | Self::Failed { failure, .. } => Some(failure),
            _ => None,
        }
    }

    /// Cause and remedy of a transaction's failure.
    pub fn explanation(&self) -> Option<&Explanation> {
        Some(&self.failure()?.explanation)
    }

    /// The number that a program gave, of a transaction that failed.
    pub fn custom_code(&self) -> Option<u32> {
        self.failure()?.custom_code()
    }

    /// What the caller can do.
    pub fn remedy(&self) -> &'static str {
        match self {
            Self::Transport(error) => of_endpoint(error),
            Self::NotFound(_) => "Check the address and that the endpoint is of the right cluster.",
            Self::Read { .. } => "Check the address, and that this library is of the program's version.",
            Self::Foreign { .. } => "Check the address.",
            Self::TooManyAccounts(_) => "Read at most 100 accounts at once.",
            Self::Model(_) => "Read the accounts anew, or choose other amounts.",
            Self::Signer(_) => "Pass a signer for each address that must sign.",
            Self::Refused(failure) | Self::Failed { failure, .. } => failure.explanation.remedy,
            Self::Expired(_) => "Build it anew and send that; a higher priority fee gets it in sooner.",
            Self::Unconfirmed { .. } => "Ask for its outcome before sending anything that does the same.",
        }
    }
}

/// What can be done about an endpoint that does not answer as it should.
fn of_endpoint(error: &client_error::Error) -> &'static str {
    let client_error::ErrorKind::Reqwest(error) = error.kind() else { return CHECK_ENDPOINT };
    match error.status().map(|status| status.as_u16()) {
        Some(429) => "The endpoint limits its requests: wait a minute, or use one of your own.",
        Some(401 | 403) => "The endpoint refuses access: check its key in the address.",
        _ => CHECK_ENDPOINT,
    }
}

const CHECK_ENDPOINT: &str = "Check the endpoint's address and that this machine is online, then try again.";

impl fmt::Display for ClientError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Transport(error) => write!(f, "the network did not answer as it should: {error}")?,
            Self::NotFound(address) => write!(f, "there is no account at {address}")?,
            Self::Read { address, error } => write!(f, "{address}: {error}")?,
            Self::Foreign { address, expected } => write!(f, "{address} is not {expected}")?,
            Self::TooManyAccounts(count) => write!(f, "{count} accounts cannot be read at one slot")?,
            Self::Model(error) => write!(f, "the program would refuse this: {error}")?,
            Self::Signer(error) => write!(f, "the transaction cannot be signed: {error}")?,
            Self::Refused(failure) => {
                return write!(f, "the network refuses the transaction, and nothing was spent: {failure}");
            }
            Self::Failed { signature, failure, .. } => {
                return write!(f, "transaction {signature} failed: {failure}");
            }
            Self::Expired(signature) => write!(f, "transaction {signature} expired and was not carried out")?,
            Self::Unconfirmed { signature, .. } => {
                write!(f, "it is not known yet whether transaction {signature} was carried out")?;
            }
        }
        write!(f, ". {}", self.remedy())
    }
}

impl std::error::Error for ClientError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Transport(error) => Some(error),
            Self::Read { error, .. } => Some(error),
            Self::Signer(error) => Some(error),
            _ => None,
        }
    }
}

impl From<client_error::Error> for ClientError {
    fn from(error: client_error::Error) -> Self {
        if let client_error::ErrorKind::RpcError(RpcError::RpcResponseError {
            data: RpcResponseErrorData::SendTransactionPreflightFailure(result),
            ..
        }) = error.kind()
            && let Some(cause) = &result.err
        {
            let logs = result.logs.clone().unwrap_or_default();
            return Self::Refused(Box::new(Failure::new(cause.clone().into(), logs)));
        }
        Self::Transport(Box::new(error))
    }
}

impl From<AccountError> for ClientError {
    fn from(error: AccountError) -> Self {
        match error {
            AccountError::NotFound(address) => Self::NotFound(address),
            AccountError::Read { address, error } => Self::Read { address, error },
            AccountError::Foreign { address, expected } => Self::Foreign { address, expected },
        }
    }
}

impl From<ModelError> for ClientError {
    fn from(error: ModelError) -> Self {
        Self::Model(error)
    }
}

impl From<SignerError> for ClientError {
    fn from(error: SignerError) -> Self {
        Self::Signer(error)
    }
}
