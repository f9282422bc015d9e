//! Plays recorded prices into Pyth's accounts and lets the chain's time pass.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};
use perpetua_client::price::{self, OWNER};
use tokio::time::Instant;

use crate::{
    network::Control,
    prices::{Feed, feeds},
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
    speed: u32,
    /// Unix milliseconds of the chain when playing began.
    began: i64,
    started: Instant,
    /// Weeks into the records.
    week: u32,
}

impl Player {
    /// Plays from now on the wall, `speed` times as fast, and from `week` of the records on. Weekday and time of day are
    /// kept, since exchanges open by them.
    ///
    /// Errors: the records cannot be read.
    pub fn new(control: Control, speed: u32, week: u32) -> Result<Self> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis();
        let began = i64::try_from(now)?;
        Ok(Self { control, feeds: feeds()?, speed, began, started: Instant::now(), week })
    }

    /// Plays without end.
    ///
    /// Errors: the network does not answer.
    pub async fn play(mut self) -> Result<()> {
        let mut ticks = tokio::time::interval(TICK);
        loop {
            ticks.tick().await;
            let passed = i64::try_from(self.started.elapsed().as_millis())?;
            let now = self.began + passed * i64::from(self.speed);
            self.control.travel(now).await?;
            self.publish(now / 1_000).await?;
        }
    }

    async fn publish(&mut self, now: i64) -> Result<()> {
        let recorded = recorded(now, self.began / 1_000, self.week);
        for feed in &mut self.feeds {
            let Some(said) = feed.at(recorded, now) else { continue };
            let address = price::pushed(feed.id(), 0);
            let data = said.encode();
            self.control.set_account(&address, &OWNER, LAMPORTS, &data).await.context("a price was not written")?;
        }
        Ok(())
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
