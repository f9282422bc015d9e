//! The network under a clock that this program alone moves: its blocks, and what is on it.

use std::{collections::BTreeMap, future::Future, sync::Arc, time::Duration};

use anyhow::{Context, Result};
use perpetua_client::{
    address,
    book::Book,
    event::Event,
    perpetua::state::MarginAccount,
    price::{PriceAccount, PriceAccounts},
    rpc::{AsyncClient, decode_events},
    snapshot::Keyed,
};
use perpetua_keeper::plan::View;
use perpetua_localnet::Localnet;
use perpetua_tests::chain::Snapshot;
use serde_json::json;
use solana_account::{Account, AccountSharedData};
use solana_commitment_config::CommitmentConfig;
use solana_pubkey::Pubkey;
use solana_rpc_client_api::{
    config::RpcBlockConfig,
    request::RpcRequest,
    response::{Response, RpcKeyedAccount},
};
use solana_transaction_status_client_types::{
    EncodedConfirmedTransactionWithStatusMeta, EncodedTransaction, EncodedTransactionWithStatusMeta,
    TransactionDetails, UiMessage, UiTransactionEncoding,
};

/// Time on the wall that a block takes.
const BLOCK: Duration = Duration::from_millis(50);
/// Time of the chain that a block takes, milliseconds: twenty times as much.
const BLOCK_MILLISECONDS: i64 = 1_000;

/// The network.
pub struct Chain {
    /// The network and its people.
    pub localnet: Arc<Localnet>,
    /// A way to it that is never cut.
    pub client: AsyncClient,
    /// Where prices are.
    pub prices: PriceAccounts,
    /// The vaults, in the order of `mint::STOCKS`.
    pub vaults: Vec<Pubkey>,
    /// The vaults as they were read last.
    books: Vec<Book>,
    blocks: Vec<Block>,
    /// The slot that is being filled, and its time.
    open: (u64, i64),
}

/// A block.
#[derive(Clone, Debug)]
pub struct Block {
    /// Its slot.
    pub slot: u64,
    /// The chain's clock in it, Unix seconds.
    pub now: i64,
    /// What the feeds said while it was filled.
    pub said: Vec<PriceAccount>,
    /// What was carried out in it.
    pub transactions: Vec<Carried>,
}

/// A transaction that was carried out.
#[derive(Clone, Debug)]
pub struct Carried {
    /// By which it is known.
    pub signature: String,
    /// Who paid.
    pub payer: String,
    /// What.
    pub fee: u64,
    /// Whether it failed.
    pub failed: bool,
    /// What happened in it.
    pub events: Vec<Event>,
}

/// Everything that is judged, of a moment in which nothing was under way.
pub struct Seen {
    /// The vaults with their accounts.
    pub views: Vec<View>,
}

impl Chain {
    /// A network whose time stands still.
    pub async fn new(localnet: Localnet) -> Result<Self> {
        let client = AsyncClient::new(localnet.rpc());
        let stocks = perpetua_localnet::mint::STOCKS.iter();
        let vaults: Vec<Pubkey> = stocks.map(|stock| address::vault(&stock.mint)).collect();
        let open = {
            let mut player = localnet.player().await;
            player.pass(BLOCK_MILLISECONDS).await?;
            (player.slot(), player.now())
        };
        let (prices, mut books) = (PriceAccounts::default(), Vec::new());
        for vault in &vaults {
            books.push(client.book(vault, &prices).await?);
        }
        Ok(Self { localnet: Arc::new(localnet), client, prices, vaults, books, blocks: Vec::new(), open })
    }

    /// The chain's clock.
    pub fn now(&self) -> i64 {
        self.open.1
    }

    /// The slot that is being filled.
    pub fn slot(&self) -> u64 {
        self.open.0
    }

    /// Ends the block and lets so many seconds pass before the next.
    pub async fn jump(&mut self, seconds: i64) -> Result<()> {
        self.pass(seconds * 1_000).await
    }

    /// Waits a block's time and ends it.
    pub async fn block(&mut self) -> Result<()> {
        tokio::time::sleep(BLOCK).await;
        self.pass(BLOCK_MILLISECONDS).await
    }

    async fn pass(&mut self, milliseconds: i64) -> Result<()> {
        let (slot, now) = self.open;
        let said = {
            let mut player = self.localnet.player().await;
            let said = player.said().collect();
            player.pass(milliseconds).await?;
            self.open = (player.slot(), player.now());
            said
        };
        let transactions = self.carried(slot).await?;
        self.blocks.push(Block { slot, now, said, transactions });
        Ok(())
    }

    /// Makes blocks until something is done.
    pub async fn during<T>(&mut self, something: impl Future<Output = T>) -> Result<T> {
        tokio::pin!(something);
        loop {
            tokio::select! {
                done = &mut something => return Ok(done),
                () = tokio::time::sleep(BLOCK) => self.pass(BLOCK_MILLISECONDS).await?,
            }
        }
    }

    /// The blocks since this was asked last.
    pub fn take_blocks(&mut self) -> Vec<Block> {
        core::mem::take(&mut self.blocks)
    }

    async fn carried(&self, slot: u64) -> Result<Vec<Carried>> {
        let config = RpcBlockConfig {
            encoding: Some(UiTransactionEncoding::Json),
            transaction_details: Some(TransactionDetails::Full),
            rewards: Some(false),
            commitment: Some(CommitmentConfig::confirmed()),
            max_supported_transaction_version: Some(0),
        };
        let block = self.client.rpc().get_block_with_config(slot, config).await.context("a block is missing")?;
        block.transactions.unwrap_or_default().into_iter().map(|found| read(slot, found)).collect()
    }

    /// Reads all vaults with their accounts.
    pub async fn see(&mut self) -> Result<Seen> {
        let mut by_vault: BTreeMap<Pubkey, Vec<Keyed<MarginAccount>>> = BTreeMap::new();
        for account in self.client.margin_accounts(None).await? {
            by_vault.entry(account.account.vault).or_default().push(account);
        }
        let mut views = Vec::new();
        for book in &mut self.books {
            *book = self.client.refresh(book, &self.prices).await?;
            let accounts = by_vault.remove(&book.keys.vault).unwrap_or_default();
            views.push(View { book: book.clone(), accounts, heads: [None, None], own: None });
        }
        Ok(Seen { views })
    }

    /// The vaults as they were read last.
    pub fn books(&self) -> &[Book] {
        &self.books
    }

    /// All of the program's accounts, and the token accounts and mints of its vaults.
    pub async fn everything(&self) -> Result<Snapshot> {
        let options = json!({ "encoding": "base64", "commitment": "confirmed", "withContext": true });
        let parameters = json!([address::PROGRAM.to_string(), options]);
        let answer: Response<Vec<RpcKeyedAccount>> =
            self.client.rpc().send(RpcRequest::GetProgramAccounts, parameters).await?;
        let mut all = Snapshot::new();
        for RpcKeyedAccount { pubkey, account: found } in answer.value {
            let data = found.data.decode().context("base64 account data")?;
            let account = Account { lamports: found.lamports, data, owner: found.owner.parse()?, ..Account::default() };
            all.insert(pubkey.parse()?, AccountSharedData::from(account));
        }
        let mut others = Vec::new();
        for vault in self.client.vaults().await? {
            others.push(vault.account.tokens);
            others.extend(vault.account.share_mints);
        }
        for (address, found) in self.client.multiple(&others).await?.accounts {
            let account =
                Account { lamports: found.lamports, data: found.data, owner: found.owner, ..Account::default() };
            all.insert(address, AccountSharedData::from(account));
        }
        Ok(all)
    }
}

fn read(slot: u64, found: EncodedTransactionWithStatusMeta) -> Result<Carried> {
    let EncodedTransaction::Json(transaction) = &found.transaction else { anyhow::bail!("a transaction is not JSON") };
    let UiMessage::Raw(message) = &transaction.message else { anyhow::bail!("a message is parsed") };
    let signature = transaction.signatures.first().context("a transaction has a signature")?.clone();
    let payer = message.account_keys.first().context("a transaction has a payer")?.clone();
    let meta = found.meta.as_ref().context("a block says what its transactions did")?;
    let (fee, failed) = (meta.fee, meta.err.is_some());
    let found = EncodedConfirmedTransactionWithStatusMeta { slot, transaction: found, block_time: None };
    let events = decode_events(&found)?;
    Ok(Carried { signature, payer, fee, failed, events })
}
