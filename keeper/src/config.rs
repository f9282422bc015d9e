//! The keeper's file.

use std::{
    collections::BTreeMap,
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    str::FromStr,
    time::Duration,
};

use anchor_lang::prelude::Pubkey;
use anyhow::{Context, Result, anyhow, ensure};
use perpetua_client::price::PriceAccounts;
use serde::Deserialize;

/// Everything that is configured; `keeper.toml` beside the manifest explains each line.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The key that signs and pays.
    pub keypair: PathBuf,
    /// Stock mints whose vaults are kept; all vaults if there are none.
    #[serde(default)]
    pub stock_mints: Vec<String>,
    /// Whose RPC is asked.
    pub rpc: Rpc,
    /// What is due when.
    #[serde(default)]
    pub schedule: Schedule,
    /// What is paid for being carried out soon.
    #[serde(default)]
    pub fees: Fees,
    /// Where Pyth's prices are.
    #[serde(default)]
    pub prices: Prices,
    /// Where metrics and health are served; nowhere without it.
    #[serde(default)]
    pub metrics: Option<Metrics>,
}

/// Where the network is.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rpc {
    /// JSON-RPC addresses, the preferred one first.
    pub urls: Vec<String>,
    /// Longest wait for one answer.
    #[serde(default = "ten_seconds", with = "humantime_serde")]
    pub timeout: Duration,
    /// How often all addresses are looked at, if there are several.
    #[serde(default = "five_seconds", with = "humantime_serde")]
    pub probe: Duration,
    /// Slots that an address may be behind the foremost one.
    #[serde(default = "fifty")]
    pub max_lag_slots: u64,
}

/// What is due when. `poll`, `accounts` and `directory` are by the machine's clock, all others by the chain's.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Schedule {
    /// Time between two rounds.
    #[serde(with = "humantime_serde")]
    pub poll: Duration,
    /// How old the list of margin accounts may be.
    #[serde(with = "humantime_serde")]
    pub accounts: Duration,
    /// How old the list of vaults may be.
    #[serde(with = "humantime_serde")]
    pub directory: Duration,
    /// Longest time between two cranks of a market with open interest.
    #[serde(with = "humantime_serde")]
    pub heartbeat: Duration,
    /// Longest time between two cranks of a market without.
    #[serde(with = "humantime_serde")]
    pub idle_heartbeat: Duration,
    /// Move of a price, in bps, from which a market is cranked at once.
    pub move_bps: u16,
    /// Shortest time between two cranks of a market for moves and states.
    #[serde(with = "humantime_serde")]
    pub spacing: Duration,
    /// Smallest part of a withdrawal, in bps, that is worth a transaction.
    pub least_exit_bps: u16,
    /// After which time a withdrawal without capacity is asked for again, which keeps its place for a day.
    #[serde(with = "humantime_serde")]
    pub keep_place: Duration,
    /// How long a job must have been seen due before it is done: a second keeper that waits costs nothing.
    #[serde(with = "humantime_serde")]
    pub standby: Duration,
    /// Whether margin accounts that liquidations are rewarded in are opened where they are missing.
    pub open_account: bool,
    /// Which of the keeper's margin accounts.
    pub sub_account: u16,
    /// Transactions under way at once in one market.
    pub per_market: usize,
}

impl Default for Schedule {
    fn default() -> Self {
        Self {
            poll: Duration::from_secs(1),
            accounts: Duration::from_secs(10),
            directory: Duration::from_secs(60),
            heartbeat: Duration::from_secs(300),
            idle_heartbeat: Duration::from_secs(3_600),
            move_bps: 20,
            spacing: Duration::from_secs(5),
            least_exit_bps: 100,
            keep_place: Duration::from_secs(6 * 3_600),
            standby: Duration::ZERO,
            open_account: true,
            sub_account: 0,
            per_market: 16,
        }
    }
}

/// Whole seconds of the chain's clock.
fn seconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_secs()).unwrap_or(i64::MAX)
}

impl Schedule {
    pub(crate) fn heartbeat(&self) -> i64 {
        seconds(self.heartbeat)
    }

    pub(crate) fn idle_heartbeat(&self) -> i64 {
        seconds(self.idle_heartbeat)
    }

    pub(crate) fn spacing(&self) -> i64 {
        seconds(self.spacing)
    }

    pub(crate) fn keep_place(&self) -> i64 {
        seconds(self.keep_place)
    }

    pub(crate) fn standby(&self) -> i64 {
        seconds(self.standby)
    }
}

/// What is paid above the base fee.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Fees {
    /// Which of the recent fees for the same accounts is matched, in percent.
    pub percentile: u8,
    /// The least, micro-lamports per compute unit.
    pub floor_micro_lamports: u64,
    /// The most, micro-lamports per compute unit.
    pub cap_micro_lamports: u64,
    /// The most for one transaction besides its base fee, lamports.
    pub cap_lamports: u64,
    /// How often recent fees are asked for.
    #[serde(with = "humantime_serde")]
    pub refresh: Duration,
}

impl Default for Fees {
    fn default() -> Self {
        Self {
            percentile: 75,
            floor_micro_lamports: 0,
            cap_micro_lamports: 200_000,
            cap_lamports: 50_000,
            refresh: Duration::from_secs(20),
        }
    }
}

/// Where Pyth's prices are.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Prices {
    /// The shard of the pushed accounts.
    pub shard: u16,
    /// Other accounts, by feed id in hexadecimal.
    pub accounts: BTreeMap<String, String>,
}

/// Where metrics and health are served.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Metrics {
    /// Address and port.
    pub listen: SocketAddr,
    /// Time without a successful round from which `/health` says so.
    #[serde(default = "half_a_minute", with = "humantime_serde")]
    pub unhealthy_after: Duration,
}

fn ten_seconds() -> Duration {
    Duration::from_secs(10)
}

fn five_seconds() -> Duration {
    Duration::from_secs(5)
}

fn half_a_minute() -> Duration {
    Duration::from_secs(30)
}

fn fifty() -> u64 {
    50
}

/// The shortest time between two rounds.
const LEAST_POLL: Duration = Duration::from_millis(100);

impl Config {
    /// Reads the file at `path`; a relative key file is beside it.
    ///
    /// Errors: the file cannot be read, or says what cannot be.
    pub fn read(path: &Path) -> Result<Self> {
        let text = fs::read_to_string(path).with_context(|| {
            let path = path.display();
            format!("cannot read {path}; keeper/keeper.toml is an example to copy")
        })?;
        let mut config = Self::parse(&text).with_context(|| format!("{} cannot be used", path.display()))?;
        if let Some(folder) = path.parent().filter(|_| config.keypair.is_relative()) {
            config.keypair = folder.join(&config.keypair);
        }
        Ok(config)
    }

    /// Reads the text of such a file.
    ///
    /// Errors: it says what cannot be.
    pub fn parse(text: &str) -> Result<Self> {
        let config: Self = toml::from_str(text)?;
        config.check()?;
        Ok(config)
    }

    fn check(&self) -> Result<()> {
        let (schedule, fees) = (&self.schedule, &self.fees);
        ensure!(!self.rpc.urls.is_empty(), "rpc.urls names no address; name at least one");
        for url in &self.rpc.urls {
            let known = url.starts_with("http://") || url.starts_with("https://");
            ensure!(known, "rpc.urls: \"{url}\" is no address; it must start with http:// or https://");
        }
        ensure!(schedule.poll >= LEAST_POLL, "schedule.poll is below 100ms, the shortest time that is supported");
        ensure!(schedule.move_bps > 0, "schedule.move_bps is 0, which would crank at each price; give at least 1");
        ensure!(schedule.per_market > 0, "schedule.per_market is 0, so nothing could be sent; give at least 1");
        ensure!(
            schedule.keep_place() < 86_400,
            "schedule.keep_place must be below 24h, or withdrawals lose their place"
        );
        ensure!(fees.percentile <= 100, "fees.percentile is above 100");
        ensure!(fees.floor_micro_lamports <= fees.cap_micro_lamports, "fees: the floor is above the cap");
        self.price_accounts()?;
        self.vaults()?;
        Ok(())
    }

    /// Where Pyth's prices are.
    ///
    /// Errors: a feed id or an address that is none.
    pub fn price_accounts(&self) -> Result<PriceAccounts> {
        let mut accounts = PriceAccounts { shard: self.prices.shard, ..PriceAccounts::default() };
        for (feed, address) in &self.prices.accounts {
            let id =
                parse_feed(feed).ok_or_else(|| anyhow!("prices.accounts: \"{feed}\" is no feed id of 64 digits"))?;
            accounts.others.insert(id, parse_address("prices.accounts", address)?);
        }
        Ok(accounts)
    }

    /// The vaults that are kept; all, if there are none.
    ///
    /// Errors: a mint that is no address.
    pub fn vaults(&self) -> Result<Vec<Pubkey>> {
        let mints = self.stock_mints.iter().map(|mint| parse_address("stock_mints", mint));
        mints.map(|mint| Ok(perpetua_client::address::vault(&mint?))).collect()
    }
}

fn parse_address(whose: &str, text: &str) -> Result<Pubkey> {
    Pubkey::from_str(text).map_err(|_| anyhow!("{whose}: \"{text}\" is no address"))
}

/// A feed id in hexadecimal, with `0x` in front or without.
pub fn parse_feed(text: &str) -> Option<[u8; 32]> {
    let digits = text.strip_prefix("0x").unwrap_or(text);
    let mut id = [0; 32];
    if digits.len() != 64 || !digits.is_ascii() {
        return None;
    }
    for (place, byte) in id.iter_mut().enumerate() {
        *byte = u8::from_str_radix(digits.get(2 * place..2 * place + 2)?, 16).ok()?;
    }
    Some(id)
}
