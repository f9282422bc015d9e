//! Reads of the program's accounts and of those around them.

use std::collections::BTreeSet;

use anchor_lang::prelude::{Clock, Pubkey};
use perpetua::state::{Exchange, Index, MarginAccount, Market, Proposal, Stock, Vault, WithdrawalTicket};
use perpetua_model::PoolKind;
use solana_rpc_client_api::request::RpcRequest;

use super::{
    AsyncClient, ClientError, Keyed, Snapshot,
    query::{self, Query},
};
use crate::{
    account::Stored,
    address,
    book::Book,
    price::{PriceAccount, PriceAccounts},
    token::{MintInfo, TokenBalance, associated},
};

impl AsyncClient {
    /// Several accounts, at most 100, as they were together at one slot.
    ///
    /// Errors: [`ClientError::Transport`], [`ClientError::TooManyAccounts`].
    pub async fn multiple(&self, addresses: &[Pubkey]) -> Result<Snapshot, ClientError> {
        let parameters = query::several(addresses, self.commitment())?;
        query::decode_several(addresses, self.rpc.send(RpcRequest::GetMultipleAccounts, parameters).await?)
    }

    /// One of the program's accounts.
    ///
    /// Errors: [`ClientError::Transport`], [`ClientError::NotFound`], [`ClientError::Read`].
    pub async fn account<T: Stored>(&self, address: &Pubkey) -> Result<Keyed<T>, ClientError> {
        Ok(self.multiple(&[*address]).await?.read(address)?)
    }

    /// One of the program's accounts, if it exists.
    ///
    /// Errors: [`ClientError::Transport`], [`ClientError::Read`].
    pub async fn find<T: Stored>(&self, address: &Pubkey) -> Result<Option<Keyed<T>>, ClientError> {
        Ok(self.multiple(&[*address]).await?.find(address)?)
    }

    async fn all<T: Stored>(&self, query: Query<T>) -> Result<Vec<Keyed<T>>, ClientError> {
        let parameters = query.parameters(self.commitment());
        query.decode(self.rpc.send(RpcRequest::GetProgramAccounts, parameters).await?)
    }

    /// The program's configuration.
    ///
    /// Errors: [`ClientError::Transport`], [`ClientError::NotFound`], [`ClientError::Read`].
    pub async fn exchange(&self) -> Result<Keyed<Exchange>, ClientError> {
        self.account(&address::exchange()).await
    }

    /// The index at `address`.
    ///
    /// Errors: [`ClientError::Transport`], [`ClientError::NotFound`], [`ClientError::Read`].
    pub async fn index(&self, address: &Pubkey) -> Result<Keyed<Index>, ClientError> {
        self.account(address).await
    }

    /// All indices, by address.
    ///
    /// Errors: [`ClientError::Transport`], [`ClientError::Read`].
    pub async fn indices(&self) -> Result<Vec<Keyed<Index>>, ClientError> {
        self.all(Query::all()).await
    }

    /// The vault at `address`.
    ///
    /// Errors: [`ClientError::Transport`], [`ClientError::NotFound`], [`ClientError::Read`].
    pub async fn vault(&self, address: &Pubkey) -> Result<Keyed<Vault>, ClientError> {
        self.account(address).await
    }

    /// The vault of a stock token.
    ///
    /// Errors: [`ClientError::Transport`], [`ClientError::NotFound`], [`ClientError::Read`].
    pub async fn vault_of_mint(&self, stock_mint: &Pubkey) -> Result<Keyed<Vault>, ClientError> {
        self.account(&address::vault(stock_mint)).await
    }

    /// All vaults, by address.
    ///
    /// Errors: [`ClientError::Transport`], [`ClientError::Read`].
    pub async fn vaults(&self) -> Result<Vec<Keyed<Vault>>, ClientError> {
        self.all(Query::all()).await
    }

    /// The stock behind a vault's token; nothing where the vault has none, and so no dollar market.
    ///
    /// Errors: [`ClientError::Transport`], [`ClientError::Read`].
    pub async fn stock(&self, vault: &Pubkey) -> Result<Option<Keyed<Stock>>, ClientError> {
        self.find(&address::stock(vault)).await
    }

    /// The market at `address`.
    ///
    /// Errors: [`ClientError::Transport`], [`ClientError::NotFound`], [`ClientError::Read`].
    pub async fn market(&self, address: &Pubkey) -> Result<Keyed<Market>, ClientError> {
        self.account(address).await
    }

    /// All markets, by address.
    ///
    /// Errors: [`ClientError::Transport`], [`ClientError::Read`].
    pub async fn markets(&self) -> Result<Vec<Keyed<Market>>, ClientError> {
        self.all(Query::all()).await
    }

    /// The markets of a vault, by their number.
    ///
    /// Errors: [`ClientError::Transport`], [`ClientError::Read`].
    pub async fn markets_of(&self, vault: &Pubkey) -> Result<Vec<Keyed<Market>>, ClientError> {
        let mut markets = self.all(Query::of_vault(vault)).await?;
        markets.sort_by_key(|market| market.account.number);
        Ok(markets)
    }

    /// The margin account at `address`.
    ///
    /// Errors: [`ClientError::Transport`], [`ClientError::NotFound`], [`ClientError::Read`].
    pub async fn margin_account(&self, address: &Pubkey) -> Result<Keyed<MarginAccount>, ClientError> {
        self.account(address).await
    }

    /// All margin accounts, or those in a vault, by address.
    ///
    /// Errors: [`ClientError::Transport`], [`ClientError::Read`].
    pub async fn margin_accounts(&self, vault: Option<&Pubkey>) -> Result<Vec<Keyed<MarginAccount>>, ClientError> {
        self.all(vault.map_or_else(Query::all, Query::in_vault)).await
    }

    /// The margin accounts of an owner in all vaults, by address.
    ///
    /// Errors: [`ClientError::Transport`], [`ClientError::Read`].
    pub async fn margin_accounts_of(&self, owner: &Pubkey) -> Result<Vec<Keyed<MarginAccount>>, ClientError> {
        self.all(Query::of_owner(owner)).await
    }

    /// The withdrawals from a pool, in the order of their numbers.
    ///
    /// Errors: [`ClientError::Transport`], [`ClientError::Read`].
    pub async fn tickets(&self, vault: &Pubkey, pool: PoolKind) -> Result<Vec<Keyed<WithdrawalTicket>>, ClientError> {
        let mut tickets = self.all(Query::of_pool(vault, pool)).await?;
        tickets.sort_by_key(|ticket| ticket.account.state.number);
        Ok(tickets)
    }

    /// The withdrawals of an owner from all pools, by address.
    ///
    /// Errors: [`ClientError::Transport`], [`ClientError::Read`].
    pub async fn tickets_of(&self, owner: &Pubkey) -> Result<Vec<Keyed<WithdrawalTicket>>, ClientError> {
        self.all(Query::of(owner)).await
    }

    /// All changes that were proposed and neither applied nor cancelled, by address.
    ///
    /// Errors: [`ClientError::Transport`], [`ClientError::Read`].
    pub async fn proposals(&self) -> Result<Vec<Keyed<Proposal>>, ClientError> {
        self.all(Query::all()).await
    }

    /// The chain's clock.
    ///
    /// Errors: [`ClientError::Transport`].
    pub async fn clock(&self) -> Result<Clock, ClientError> {
        Ok(self.multiple(&[address::CLOCK]).await?.clock()?)
    }

    /// A stock token's mint, with the multiplier that is effective by the chain's clock.
    ///
    /// Errors: [`ClientError::Transport`], [`ClientError::NotFound`], [`ClientError::Foreign`].
    pub async fn mint(&self, mint: &Pubkey) -> Result<MintInfo, ClientError> {
        let snapshot = self.multiple(&[address::CLOCK, *mint]).await?;
        Ok(snapshot.mint(mint, snapshot.clock()?.unix_timestamp)?)
    }

    /// The raw units in an owner's associated token account; zero if there is none.
    ///
    /// Errors: [`ClientError::Transport`], [`ClientError::NotFound`] if there is no such mint, [`ClientError::Foreign`].
    pub async fn token_balance(&self, owner: &Pubkey, mint: &Pubkey) -> Result<u64, ClientError> {
        let token_program = self.multiple(&[*mint]).await?.raw(mint)?.owner;
        let address = associated(owner, mint, &token_program);
        let snapshot = self.multiple(&[address]).await?;
        if !snapshot.accounts.contains_key(&address) {
            return Ok(0);
        }
        Ok(snapshot.token_account(&address)?.amount)
    }

    /// A token account.
    ///
    /// Errors: [`ClientError::Transport`], [`ClientError::NotFound`], [`ClientError::Foreign`].
    pub async fn token_account(&self, address: &Pubkey) -> Result<TokenBalance, ClientError> {
        Ok(self.multiple(&[*address]).await?.token_account(address)?)
    }

    /// A Pyth price account.
    ///
    /// Errors: [`ClientError::Transport`], [`ClientError::NotFound`], [`ClientError::Foreign`].
    pub async fn price_update(&self, address: &Pubkey) -> Result<PriceAccount, ClientError> {
        Ok(self.multiple(&[*address]).await?.price_update(address)?)
    }

    /// A vault with everything around it, read at one slot: a few requests the first time, see [`Self::refresh`].
    ///
    /// Errors: [`ClientError::Transport`], [`ClientError::NotFound`], [`ClientError::Read`], [`ClientError::Foreign`].
    pub async fn book(&self, vault: &Pubkey, prices: &PriceAccounts) -> Result<Book, ClientError> {
        let mut snapshot = Snapshot::default();
        let mut asked = BTreeSet::new();
        loop {
            let wanted = Book::wanted(vault, &snapshot, prices);
            if wanted.is_subset(&asked) {
                return Ok(Book::read(vault, &snapshot, prices)?);
            }
            asked = wanted;
            let addresses: Vec<Pubkey> = asked.iter().copied().collect();
            snapshot = self.multiple(&addresses).await?;
        }
    }

    /// The book anew, by one request unless a market was listed since.
    ///
    /// Errors: those of [`Self::book`].
    pub async fn refresh(&self, book: &Book, prices: &PriceAccounts) -> Result<Book, ClientError> {
        let snapshot = self.multiple(&book.addresses).await?;
        let wanted = Book::wanted(&book.keys.vault, &snapshot, prices);
        if wanted.iter().all(|address| book.addresses.contains(address)) {
            return Ok(Book::read(&book.keys.vault, &snapshot, prices)?);
        }
        self.book(&book.keys.vault, prices).await
    }
}
