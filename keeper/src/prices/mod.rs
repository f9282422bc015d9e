//! Posts Pyth's prices, where a source is configured: what the service signs is written to the pushed accounts that the
//! keeper, and everybody else, reads.

mod hermes;
mod post;
mod update;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use anchor_lang::prelude::Pubkey;
use perpetua_client::{
    model::{BPS, SAMPLE_SECONDS},
    price::PriceAccounts,
};
use tracing::{debug, warn};

use crate::{
    config,
    job::{Job, Key, Kind, Reason},
    plan::View,
};

pub use hermes::Hermes;
pub use post::{Target, instructions};
pub use update::{Update, decode};

/// Seconds after its publish time in which a sample can still be cranked.
const SAMPLE_LIFETIME: i64 = 45;

/// A feed that the vaults read, and what its account says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Need {
    /// Publish time of the account's price, Unix seconds; zero without one.
    pub published: i64,
    /// The account's price, if there is one.
    pub price: Option<i64>,
    /// When the last five-minute mark was, Unix seconds, if its sample is still missing.
    pub mark: Option<i64>,
}

/// The updates of a feed that were fetched.
#[derive(Clone, Debug, Default)]
struct Fetched {
    latest: Option<Update>,
    sample: Option<Update>,
}

/// What is needed, and what the service said.
#[derive(Default)]
struct Board {
    needs: BTreeMap<[u8; 32], Need>,
    fetched: BTreeMap<[u8; 32], Fetched>,
}

/// A source of prices.
pub struct Source {
    config: config::Hermes,
    hermes: Hermes,
    wormhole: Pubkey,
    board: Mutex<Board>,
}

impl Source {
    /// The configured source.
    ///
    /// Errors: its key cannot be read, or an address is none.
    pub fn new(config: &config::Hermes) -> anyhow::Result<Self> {
        let (hermes, wormhole) = (Hermes::new(config)?, config.wormhole()?);
        Ok(Self { config: config.clone(), hermes, wormhole, board: Mutex::default() })
    }

    /// Fetches what is needed, for ever.
    pub async fn fetch(self: Arc<Self>) {
        loop {
            self.fetch_once().await;
            tokio::time::sleep(self.config.poll).await;
        }
    }

    /// Fetches what is needed once.
    pub async fn fetch_once(&self) {
        let needs = self.board.lock().unwrap_or_else(PoisonError::into_inner).needs.clone();
        if needs.is_empty() {
            return;
        }
        let feeds: Vec<[u8; 32]> = needs.keys().copied().collect();
        match self.hermes.latest(&feeds).await {
            Ok(updates) => self.keep(updates, false),
            Err(error) => warn!(%error, "prices cannot be fetched"),
        }
        let mut marks: BTreeMap<i64, Vec<[u8; 32]>> = BTreeMap::new();
        for (feed, mark) in needs.iter().filter_map(|(feed, need)| Some((feed, need.mark?))) {
            marks.entry(mark).or_default().push(*feed);
        }
        for (mark, feeds) in marks {
            match self.hermes.at(&feeds, mark).await {
                Ok(updates) => self.keep(updates, true),
                Err(error) => debug!(%error, mark, "the sample of a mark cannot be fetched"),
            }
        }
    }

    fn keep(&self, updates: Vec<Update>, samples: bool) {
        let mut board = self.board.lock().unwrap_or_else(PoisonError::into_inner);
        for update in updates {
            let fetched = board.fetched.entry(update.feed).or_default();
            let place = if samples { &mut fetched.sample } else { &mut fetched.latest };
            *place = Some(update);
        }
    }

    /// Notes what the vaults read, and plans what is worth posting for them.
    pub fn plan(&self, views: &[View], accounts: &PriceAccounts, payer: &Pubkey, move_bps: u16) -> Vec<Job> {
        let mut board = self.board.lock().unwrap_or_else(PoisonError::into_inner);
        board.needs = views.iter().flat_map(needs).collect();
        let Some(now) = views.iter().map(|view| view.book.moment.now).max() else { return Vec::new() };
        let longest = i64::try_from(self.config.longest.as_secs()).unwrap_or(i64::MAX);
        let mut jobs = Vec::new();
        for (feed, need) in &board.needs {
            // Somebody else's account cannot be written.
            if accounts.others.contains_key(feed) {
                continue;
            }
            let Some(fetched) = board.fetched.get(feed) else { continue };
            let Some((update, reason)) = choose(need, fetched, now, longest, move_bps) else { continue };
            let target = Target { payer: *payer, wormhole: self.wormhole, shard: accounts.shard };
            let account = accounts.of(feed);
            match instructions(&target, update) {
                Some(instructions) => jobs.push(Job {
                    key: Key::of(Kind::PostPrice, account),
                    reason,
                    since: update.publish_time,
                    vault: Pubkey::default(),
                    locks: vec![account],
                    instructions,
                }),
                None => warn!(%account, "an update is malformed and cannot be posted"),
            }
        }
        jobs
    }
}

/// The feeds that a vault reads.
fn needs(view: &View) -> Vec<([u8; 32], Need)> {
    let (book, now) = (&view.book, view.book.moment.now);
    let of = |feed: &[u8; 32]| {
        let found = book.prices.get(feed).map(|price| price.account);
        Need {
            published: found.map_or(0, |price| price.publish_time),
            price: found.map(|price| price.price),
            mark: None,
        }
    };
    let mut all = Vec::new();
    for listed in &book.markets {
        let (feed, mark) = (listed.index.feed_id, now.div_euclid(SAMPLE_SECONDS));
        let (need, at) = (of(&feed), mark.saturating_mul(SAMPLE_SECONDS));
        // The pushed account takes no update that is older than its own.
        let missing = listed.index.state.sample_mark < mark && need.published < at;
        all.push((feed, Need { mark: missing.then_some(at), ..need }));
    }
    if let Some(stock) = &book.stock {
        all.push((stock.share_feed, of(&stock.share_feed)));
        if stock.state.config.has_token_feed == 1 {
            all.push((stock.token_feed, of(&stock.token_feed)));
        }
    }
    all
}

/// The update to post, if one is worth it: the sample of a mark before all others, since nothing older can follow.
fn choose<'a>(
    need: &Need,
    fetched: &'a Fetched,
    now: i64,
    longest: i64,
    move_bps: u16,
) -> Option<(&'a Update, Reason)> {
    if let (Some(mark), Some(sample)) = (need.mark, &fetched.sample) {
        let proves = sample.previous_publish_time < mark && sample.publish_time >= mark;
        if proves && sample.publish_time > need.published && now <= sample.publish_time + SAMPLE_LIFETIME {
            return Some((sample, Reason::Sample));
        }
    }
    let latest = fetched.latest.as_ref().filter(|latest| latest.publish_time > need.published)?;
    if latest.publish_time >= need.published.saturating_add(longest) {
        return Some((latest, Reason::Heartbeat));
    }
    let before = u64::try_from(need.price?).ok()?;
    let distance = u128::from(latest.price.abs_diff(need.price?)) * u128::from(BPS);
    (distance >= u128::from(before) * u128::from(move_bps)).then_some((latest, Reason::Moved))
}

#[cfg(test)]
mod tests;
