//! A vault with everything around it, in memory and of one slot: what its trades, its liquidations and its pools need to
//! be quoted and sent.
//!
//! `rpc::AsyncClient::book` reads one. Without a network, [`Book::wanted`] says which accounts to look for, and
//! [`Book::read`] makes the book from them.

mod pools;
mod quotes;
mod transactions;

use std::collections::{BTreeMap, BTreeSet};

use anchor_lang::prelude::Pubkey;
use perpetua::state::{Exchange, Index, MarginAccount, Market, Stock, Vault};
use perpetua_model::{ModelError, Moment, PriceUpdate, Settlement, Tokens};

use crate::{
    address,
    instruction::{MarketKeys, VaultKeys},
    price::{PriceAccount, PriceAccounts},
    snapshot::{AccountError, Keyed, Snapshot},
    token::MintInfo,
};

pub use pools::PoolStatus;
pub use quotes::{LadderRow, LadderSide, PositionStatus, per_day};
pub use transactions::Settle;

/// Seconds that a transaction may take from being built to being carried out: an older price is not relied on.
const LANDING: i64 = 10;

/// A market of a vault.
#[derive(Clone, Debug)]
pub struct Listed {
    /// Its addresses.
    pub keys: MarketKeys,
    /// The market.
    pub market: Box<Market>,
    /// The underlying.
    pub index: Box<Index>,
}

/// A vault with everything around it.
#[derive(Clone, Debug)]
pub struct Book {
    /// When all of it was read.
    pub moment: Moment,
    /// The configuration.
    pub exchange: Exchange,
    /// The vault's addresses.
    pub keys: VaultKeys,
    /// The vault.
    pub vault: Box<Vault>,
    /// Tokens that the vault holds.
    pub balance: Tokens,
    /// The stock token.
    pub mint: MintInfo,
    /// The stock behind it, where there are dollar markets.
    pub stock: Option<Box<Stock>>,
    /// The markets by their numbers.
    pub markets: Vec<Listed>,
    /// Pyth's prices by feed, those that there are.
    pub prices: BTreeMap<[u8; 32], Keyed<PriceAccount>>,
    /// Where all of it is.
    pub addresses: Vec<Pubkey>,
}

impl Book {
    /// The addresses that a vault's book is read from, as far as `known` tells: with each snapshot of what is wanted there
    /// are more, until the fourth has all.
    pub fn wanted(vault: &Pubkey, known: &Snapshot, prices: &PriceAccounts) -> BTreeSet<Pubkey> {
        let mut wanted = BTreeSet::from([address::CLOCK, address::exchange(), *vault, address::stock(vault)]);
        let Ok(Keyed { account: found, .. }) = known.read::<Vault>(vault) else { return wanted };
        wanted.extend([found.stock_mint, found.tokens]);
        if let Ok(Some(stock)) = known.find::<Stock>(&address::stock(vault)) {
            wanted.extend(feeds(&stock.account).map(|feed| prices.of(&feed)));
        }
        for market in found.markets.iter().take(found.market_count.into()) {
            wanted.insert(*market);
            let Ok(market) = known.read::<Market>(market) else { continue };
            wanted.insert(market.account.index);
            let Ok(index) = known.read::<Index>(&market.account.index) else { continue };
            wanted.insert(prices.of(&index.account.feed_id));
        }
        wanted
    }

    /// The book of a vault from what [`Self::wanted`] named. Price accounts may be missing.
    ///
    /// Errors: [`AccountError`].
    pub fn read(vault: &Pubkey, known: &Snapshot, accounts: &PriceAccounts) -> Result<Self, AccountError> {
        let now = known.clock()?.unix_timestamp;
        let found = Box::new(known.read::<Vault>(vault)?.account);
        let stock = known.find::<Stock>(&address::stock(vault))?.map(|stock| Box::new(stock.account));
        let mut markets = Vec::new();
        for market in found.markets.iter().take(found.market_count.into()) {
            let Keyed { address, account: market, .. } = known.read::<Market>(market)?;
            let stock = (market.state.config.settlement() == Settlement::Dollar).then(|| address::stock(vault));
            markets.push(Listed {
                keys: MarketKeys { index: market.index, market: address, stock },
                index: Box::new(known.read(&market.index)?.account),
                market: Box::new(market),
            });
        }
        let of_indices = markets.iter().map(|listed| listed.index.feed_id);
        let feeds = of_indices.chain(stock.iter().flat_map(|stock| feeds(stock)));
        let prices = feeds.filter_map(|feed| {
            let address = accounts.of(&feed);
            // An account of another feed is as good as none.
            let account = known.price_update(&address).ok().filter(|price| price.feed_id == feed)?;
            Some((feed, Keyed { address, slot: known.slot, account }))
        });
        Ok(Self {
            moment: Moment { now, slot: known.slot },
            exchange: known.read(&address::exchange())?.account,
            keys: VaultKeys { vault: *vault, stock_mint: found.stock_mint, token_program: found.token_program },
            balance: Tokens(known.token_account(&found.tokens)?.amount),
            mint: known.mint(&found.stock_mint, now)?,
            prices: prices.collect(),
            stock,
            markets,
            vault: found,
            addresses: Self::wanted(vault, known, accounts).into_iter().collect(),
        })
    }

    /// The market with this number.
    ///
    /// Errors: [`ModelError::MarketMissing`].
    pub fn market(&self, number: u8) -> perpetua_model::Result<&Listed> {
        self.markets.get(usize::from(number)).ok_or(ModelError::MarketMissing)
    }

    /// The numbers of the markets that an account has positions in.
    pub fn markets_of(&self, account: &MarginAccount) -> Vec<u8> {
        let used = account.state.markets_used();
        (0..).zip(used).filter_map(|(number, used)| used.then_some(number)).collect()
    }

    /// The price of a feed that an account of the program will accept now and for as long as a transaction takes, and the
    /// account that it is in.
    fn usable(&self, feed: &[u8; 32], accepts: impl Fn(&PriceUpdate, i64) -> bool) -> Option<(Pubkey, PriceUpdate)> {
        let Keyed { address, account, .. } = self.prices.get(feed)?;
        let update = account.update().ok()?;
        let now = self.moment.now;
        (accepts(&update, now) && accepts(&update, now.saturating_add(LANDING))).then_some((*address, update))
    }

    /// The price that a crank of the market will take in, if there is one that it accepts.
    pub fn index_price(&self, listed: &Listed) -> Option<(Pubkey, PriceUpdate)> {
        let accepts = |update: &PriceUpdate, now| {
            let mut index = listed.index.state;
            index.accept(update, now).is_ok()
        };
        self.usable(&listed.index.feed_id, accepts)
    }

    /// The prices of the share and of the token that a crank of the stock will take in, as far as it accepts them.
    pub fn stock_prices(&self) -> [Option<(Pubkey, PriceUpdate)>; 2] {
        let Some(stock) = &self.stock else { return [None, None] };
        let crank = |share: Option<&PriceUpdate>, token: Option<&PriceUpdate>, now| {
            let (mut stock, slot) = (stock.state, self.moment.slot);
            stock.crank(&self.mint.scaled_ui, share, token, Moment { now, slot }).is_ok()
        };
        let share = self.usable(&stock.share_feed, |update, now| crank(Some(update), None, now));
        let token = self.usable(&stock.token_feed, |update, now| crank(None, Some(update), now));
        [share, token.filter(|_| stock.state.config.has_token_feed == 1)]
    }
}

/// The feeds of a stock: those of the exchange's hours and, where there is one, of the day and the night.
fn feeds(stock: &Stock) -> impl Iterator<Item = [u8; 32]> + use<> {
    let token = (stock.state.config.has_token_feed == 1).then_some(stock.token_feed);
    [stock.share_feed].into_iter().chain(token)
}
