//! Reads what a round looks at.
//!
//! Markets, prices, the fronts of the queues and the clock come with every round, one request for each vault, all of one
//! slot. Margin accounts change seldom enough to be listed less often, and anew as soon as one of them was acted upon.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Instant,
};

use anchor_lang::prelude::Pubkey;
use perpetua_client::{
    book::Book,
    model::PoolKind,
    perpetua::state::{MarginAccount, Vault},
    price::PriceAccounts,
    rpc::{AsyncClient, ClientError},
    snapshot::{Keyed, Snapshot},
};
use tracing::{info, warn};

use crate::{
    config::{Config, Schedule},
    endpoints::Endpoints,
    plan::{Identity, View},
};

/// The margin accounts as they were listed last.
#[derive(Default)]
struct Listed {
    at: Option<Instant>,
    slot: u64,
    by_vault: BTreeMap<Pubkey, Vec<Keyed<MarginAccount>>>,
}

/// What was read of a vault last.
#[derive(Default)]
struct Known {
    /// Nothing before the first round.
    book: Option<Book>,
}

/// Reads rounds, one after the other.
pub struct Reader {
    endpoints: Arc<Endpoints>,
    identity: Identity,
    schedule: Schedule,
    prices: PriceAccounts,
    chosen: BTreeSet<Pubkey>,
    directory_at: Option<Instant>,
    vaults: BTreeMap<Pubkey, Known>,
    listed: Listed,
    last_slot: u64,
}

/// What a round looks at.
#[derive(Clone, Debug)]
pub struct Round {
    /// The vaults.
    pub views: Vec<View>,
    /// Vaults that could not be read, and why.
    pub unread: Vec<(Pubkey, String)>,
    /// What the keeper's key holds, lamports.
    pub balance: u64,
    /// The slot of the margin accounts, which may be older than the rest.
    pub accounts_slot: u64,
}

impl Reader {
    /// A reader of the configured vaults.
    ///
    /// Errors: addresses in the configuration that are none.
    pub fn new(config: &Config, identity: Identity, endpoints: Arc<Endpoints>) -> anyhow::Result<Self> {
        Ok(Self {
            endpoints,
            identity,
            schedule: config.schedule.clone(),
            prices: config.price_accounts()?,
            chosen: config.vaults()?.into_iter().collect(),
            directory_at: None,
            vaults: BTreeMap::new(),
            listed: Listed::default(),
            last_slot: 0,
        })
    }

    /// Reads a round. The list of margin accounts is read anew if it is older than slot `acted`, in which one was
    /// acted upon last.
    ///
    /// Errors: no address answers.
    pub async fn read(&mut self, acted: u64) -> Result<Round, ClientError> {
        self.refresh_directory().await?;
        self.refresh_accounts(acted).await?;
        let mut round = Round { views: Vec::new(), unread: Vec::new(), balance: 0, accounts_slot: self.listed.slot };
        let (mut slot, vaults) = (0, self.vaults.keys().copied().collect::<Vec<_>>());
        for vault in vaults {
            match self.read_vault(&vault).await {
                Ok((view, balance)) => {
                    slot = view.book.moment.slot.max(slot);
                    round.balance = balance;
                    // An address that is behind another tells of times that are over.
                    if view.book.moment.slot >= self.last_slot {
                        round.views.push(view);
                    }
                }
                Err(ClientError::Transport(error)) => return Err(ClientError::Transport(error)),
                Err(error) => round.unread.push((vault, error.to_string())),
            }
        }
        self.last_slot = slot.max(self.last_slot);
        Ok(round)
    }

    async fn refresh_directory(&mut self) -> Result<(), ClientError> {
        if self.directory_at.is_some_and(|at| at.elapsed() < self.schedule.directory) {
            return Ok(());
        }
        let found = self.endpoints.ask(|client| async move { client.vaults().await }).await?;
        for Keyed { address, .. } in found {
            let wanted = self.chosen.is_empty() || self.chosen.contains(&address);
            if wanted && !self.vaults.contains_key(&address) {
                info!(vault = %address, "a vault is kept");
                self.vaults.insert(address, Known::default());
            }
        }
        for missing in self.chosen.iter().filter(|vault| !self.vaults.contains_key(*vault)) {
            warn!(vault = %missing, "a configured vault does not exist; check stock_mints");
        }
        self.directory_at = Some(Instant::now());
        Ok(())
    }

    async fn refresh_accounts(&mut self, acted: u64) -> Result<(), ClientError> {
        let recent = self.listed.at.is_some_and(|at| at.elapsed() < self.schedule.accounts);
        if recent && self.listed.slot >= acted {
            return Ok(());
        }
        let one = if self.vaults.len() == 1 { self.vaults.keys().next().copied() } else { None };
        let found = self.endpoints.ask(|client| async move { client.margin_accounts(one.as_ref()).await }).await?;
        let mut listed = Listed { at: Some(Instant::now()), slot: self.listed.slot, by_vault: BTreeMap::new() };
        for account in found {
            listed.slot = account.slot;
            listed.by_vault.entry(account.account.vault).or_default().push(account);
        }
        self.listed = listed;
        Ok(())
    }

    /// The vault and the lamports of the keeper's key.
    async fn read_vault(&mut self, vault: &Pubkey) -> Result<(View, u64), ClientError> {
        let own = perpetua_client::address::margin_account(vault, &self.identity.keeper, self.identity.sub_account);
        let known = self.vaults.get(vault).and_then(|known| known.book.as_ref());
        let heads = known.map(|book| heads(vault, &book.vault)).unwrap_or_default();
        let mut addresses: BTreeSet<Pubkey> = [own, self.identity.keeper].into_iter().chain(heads).collect();
        if let Some(book) = known {
            addresses.extend(&book.addresses);
        }
        let snapshot = self.gather(vault, addresses).await?;
        let book = Book::read(vault, &snapshot, &self.prices)?;
        let balance = snapshot.raw(&self.identity.keeper).map_or(0, |account| account.lamports);
        let [main, insurance] = heads_of(&book.vault).map(|(kind, number)| {
            let address = number.map(|number| perpetua_client::address::ticket(vault, kind, number));
            address.and_then(|address| snapshot.find(&address).ok().flatten())
        });
        let view = View {
            accounts: self.listed.by_vault.get(vault).cloned().unwrap_or_default(),
            heads: [main, insurance],
            own: snapshot.find(&own)?,
            book: book.clone(),
        };
        self.vaults.insert(*vault, Known { book: Some(book) });
        Ok((view, balance))
    }

    /// Reads addresses and whatever the book needs besides: once mostly, more often the first time and when a market was
    /// listed.
    async fn gather(&self, vault: &Pubkey, mut addresses: BTreeSet<Pubkey>) -> Result<Snapshot, ClientError> {
        let mut snapshot = Snapshot::default();
        for _ in 0..ROUNDS {
            addresses.extend(Book::wanted(vault, &snapshot, &self.prices));
            let wanted: Vec<Pubkey> = addresses.iter().copied().collect();
            let read = |client: AsyncClient| {
                let wanted = wanted.clone();
                async move { client.multiple(&wanted).await }
            };
            snapshot = self.endpoints.ask(read).await?;
            if let Ok(found) = snapshot.read::<Vault>(vault) {
                addresses.extend(heads(vault, &found.account));
            }
            let more = Book::wanted(vault, &snapshot, &self.prices);
            if more.is_subset(&addresses) && wanted.len() == addresses.len() {
                break;
            }
        }
        Ok(snapshot)
    }
}

/// Reads after which a book has all.
const ROUNDS: usize = 5;

/// The numbers of the withdrawals at the fronts of the queues.
fn heads_of(vault: &Vault) -> [(PoolKind, Option<u64>); 2] {
    [PoolKind::Main, PoolKind::Insurance].map(|kind| {
        let pool = vault.state.pool(kind);
        (kind, (pool.head_ticket < pool.next_ticket).then_some(pool.head_ticket))
    })
}

fn heads(vault: &Pubkey, state: &Vault) -> Vec<Pubkey> {
    let numbers = heads_of(state).into_iter();
    numbers.filter_map(|(kind, number)| Some(perpetua_client::address::ticket(vault, kind, number?))).collect()
}
