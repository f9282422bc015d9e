//! The same for programs that wait.

use std::{future::Future, io};

use anchor_lang::{
    prelude::{Clock, Pubkey},
    solana_program::instruction::Instruction,
};
use perpetua::state::{Exchange, Index, MarginAccount, Market, Proposal, Stock, Vault, WithdrawalTicket};
use perpetua_model::PoolKind;
use solana_commitment_config::CommitmentConfig;
use solana_rpc_client::rpc_client::RpcClient;
use solana_signature::Signature;
use solana_signer::Signer;
use tokio::runtime::{Builder, Runtime};

use super::{
    AsyncClient, ClientError, Confirmed, Happened, Keyed, Outcome, Page, SendOptions, Signed, Simulated, Snapshot,
    Unsigned,
};
use crate::{
    account::Stored,
    book::Book,
    price::{PriceAccount, PriceAccounts},
    token::{MintInfo, TokenBalance},
};

/// A connection to a network whose calls wait for their answers. It carries a small runtime of its own, so it must not be
/// used from asynchronous code: that has [`AsyncClient`].
pub struct Client {
    client: AsyncClient,
    runtime: Runtime,
}

impl Client {
    /// A client of the endpoint at `url`, which reads what most of the stake voted for ("confirmed").
    ///
    /// Errors: the operating system gives no resources.
    pub fn new(url: impl Into<String>) -> io::Result<Self> {
        Self::wrap(AsyncClient::new(url))
    }

    /// A client of the endpoint at `url` that reads at a commitment of one's choice.
    ///
    /// Errors: the operating system gives no resources.
    pub fn with_commitment(url: impl Into<String>, commitment: CommitmentConfig) -> io::Result<Self> {
        Self::wrap(AsyncClient::with_commitment(url, commitment))
    }

    /// A client on a connection that exists, with its commitment.
    ///
    /// Errors: the operating system gives no resources.
    pub fn from_rpc(rpc: &RpcClient) -> io::Result<Self> {
        Self::wrap(AsyncClient::from_rpc(rpc.get_inner_client().clone()))
    }

    /// A client that waits for the answers of another.
    ///
    /// Errors: the operating system gives no resources.
    pub fn wrap(client: AsyncClient) -> io::Result<Self> {
        Ok(Self { client, runtime: Builder::new_current_thread().enable_all().build()? })
    }

    /// The client whose answers this one waits for.
    pub fn inner(&self) -> &AsyncClient {
        &self.client
    }

    /// Waits for anything that [`Self::inner`] does.
    pub fn wait<T>(&self, future: impl Future<Output = T>) -> T {
        self.runtime.block_on(future)
    }
}

macro_rules! waiting {
    ($($(<$kind:ident>)? $name:ident($($argument:ident: $of:ty),*) -> $answer:ty;)*) => {
        impl Client {
            $(
                #[doc = concat!("[`AsyncClient::", stringify!($name), "`], with its errors.")]
                pub fn $name$(<$kind: Stored>)?(&self, $($argument: $of),*) -> Result<$answer, ClientError> {
                    self.wait(self.client.$name($($argument),*))
                }
            )*
        }
    };
}

waiting! {
    multiple(addresses: &[Pubkey]) -> Snapshot;
    <T> account(address: &Pubkey) -> Keyed<T>;
    <T> find(address: &Pubkey) -> Option<Keyed<T>>;
    exchange() -> Keyed<Exchange>;
    index(address: &Pubkey) -> Keyed<Index>;
    indices() -> Vec<Keyed<Index>>;
    vault(address: &Pubkey) -> Keyed<Vault>;
    vault_of_mint(stock_mint: &Pubkey) -> Keyed<Vault>;
    vaults() -> Vec<Keyed<Vault>>;
    stock(vault: &Pubkey) -> Option<Keyed<Stock>>;
    market(address: &Pubkey) -> Keyed<Market>;
    markets() -> Vec<Keyed<Market>>;
    markets_of(vault: &Pubkey) -> Vec<Keyed<Market>>;
    margin_account(address: &Pubkey) -> Keyed<MarginAccount>;
    margin_accounts(vault: Option<&Pubkey>) -> Vec<Keyed<MarginAccount>>;
    margin_accounts_of(owner: &Pubkey) -> Vec<Keyed<MarginAccount>>;
    tickets(vault: &Pubkey, pool: PoolKind) -> Vec<Keyed<WithdrawalTicket>>;
    tickets_of(owner: &Pubkey) -> Vec<Keyed<WithdrawalTicket>>;
    proposals() -> Vec<Keyed<Proposal>>;
    clock() -> Clock;
    mint(mint: &Pubkey) -> MintInfo;
    token_balance(owner: &Pubkey, mint: &Pubkey) -> u64;
    token_account(address: &Pubkey) -> TokenBalance;
    price_update(address: &Pubkey) -> PriceAccount;
    book(vault: &Pubkey, prices: &PriceAccounts) -> Book;
    refresh(book: &Book, prices: &PriceAccounts) -> Book;
    history(address: &Pubkey, before: Option<&Signature>, limit: usize) -> Page;
    happened_in(signature: &Signature) -> Vec<Happened>;
    prepare(instructions: &[Instruction], payer: &Pubkey, options: &SendOptions) -> Unsigned;
    send(
        instructions: &[Instruction], payer: &Pubkey, signers: &[&(dyn Signer + Sync)], options: &SendOptions
    ) -> Confirmed;
    send_signed(signed: &Signed, options: &SendOptions) -> Confirmed;
    submit(signed: &Signed, skip_preflight: bool) -> ();
    outcome(signature: &Signature, last_valid_block_height: u64) -> Outcome;
    simulate(instructions: &[Instruction], payer: &Pubkey, options: &SendOptions) -> Simulated;
}
