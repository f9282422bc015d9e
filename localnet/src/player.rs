//! Lets the chain's time pass and publishes recorded prices into Pyth's accounts.

use std::{
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use anyhow::{Context, Result};
use perpetua_client::price::{self, OWNER};
use tokio::{
    sync::Mutex,
    time::{Instant, MissedTickBehavior},
};

use crate::{
    network::Control,
    prices::{Feed, feeds, parse},
};

/// Time on the wall between two prices; a block of Solana's takes as long.
const TICK: Duration = Duration::from_millis(400);
/// When the records begin, 2024-07-22 00:00 UTC, a Monday.
const RECORDS_BEGIN: i64 = 1_721_606_400;
/// For how long they go on.
const RECORDS_LAST: i64 = 84 * DAY;
const DAY: i64 = 86_400;
const WEEK: i64 = 7 * DAY;
/// Rent of a price account.
const LAMPORTS: u64 = 1_823_520;

/// Who plays.
pub struct Player {
    control: Control,
    feeds: Vec<Feed>,
    /// The chain's time, Unix milliseconds.
    now: i64,
    /// The chain's time when playing began, Unix seconds.
    began: i64,
    /// Weeks into the records.
    week: u32,
}

/// Unix milliseconds by the clock on the wall.
///
/// Errors: it is set to before 1970.
pub fn on_the_wall() -> Result<i64> {
    Ok(i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis())?)
}

impl Player {
    /// Plays from `now`, Unix milliseconds of the chain, and from `week` of the records on. Weekday and time of day are kept,
    /// since exchanges open by them.
    ///
    /// Errors: the records cannot be read.
    pub fn new(control: Control, now: i64, week: u32) -> Result<Self> {
        Ok(Self { control, feeds: feeds()?, now, began: now / 1_000, week })
    }

    /// The chain's time, Unix seconds.
    pub fn now(&self) -> i64 {
        self.now / 1_000
    }

    /// Lets time pass, makes a block, and publishes what the feeds say then.
    ///
    /// Errors: the network does not answer.
    pub async fn pass(&mut self, milliseconds: i64) -> Result<()> {
        self.now += milliseconds;
        self.control.travel(self.now).await?;
        self.publish().await
    }

    /// Holds a feed such as "BTC/USD" at a price in US dollars; without one it follows its records again.
    ///
    /// Errors: there is no such feed; the text is no price; the network does not answer.
    pub async fn hold(&mut self, feed: &str, dollars: Option<&str>) -> Result<()> {
        let price = dollars.map(parse).transpose()?;
        let found = self.feeds.iter_mut().find(|found| found.name() == feed);
        found.with_context(|| format!("no feed {feed} is played"))?.hold(price);
        // A new price needs a new time.
        self.pass(1_000).await
    }

    async fn publish(&mut self) -> Result<()> {
        let now = self.now();
        let recorded = recorded(now, self.began, self.week);
        for feed in &mut self.feeds {
            let Some(said) = feed.at(recorded, now) else { continue };
            let address = price::pushed(feed.id(), 0);
            let data = said.encode();
            self.control.set_account(&address, &OWNER, LAMPORTS, &data).await.context("a price was not written")?;
        }
        Ok(())
    }
}

/// Plays without end, `speed` times as fast as the clock on the wall.
///
/// Errors: the network does not answer.
pub async fn play(player: Arc<Mutex<Player>>, speed: u32) -> Result<()> {
    let mut ticks = tokio::time::interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut last = Instant::now();
    loop {
        ticks.tick().await;
        let now = Instant::now();
        let passed = i64::try_from(now.duration_since(last).as_millis())? * i64::from(speed);
        last = now;
        player.lock().await.pass(passed).await?;
    }
}

/// The moment of the records that is played at `now` of the chain; once they end, they begin again.
fn recorded(now: i64, began: i64, week: u32) -> i64 {
    // The chain's epoch began on a Thursday, the records on a Monday.
    let in_week = (began - 4 * DAY).rem_euclid(WEEK);
    let since = i64::from(week) * WEEK + in_week + (now - began);
    RECORDS_BEGIN + since.rem_euclid(RECORDS_LAST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weekday_and_time_of_day_of_the_records_are_those_of_the_chain() {
        let began = 1_795_533_896;
        for (passed, week) in [(0, 0), (12_345, 3), (86 * DAY, 11)] {
            let played = recorded(began + passed, began, week);
            assert_eq!((played - began - passed).rem_euclid(WEEK), 0);
            assert!((RECORDS_BEGIN..RECORDS_BEGIN + RECORDS_LAST).contains(&played));
        }
    }
}
