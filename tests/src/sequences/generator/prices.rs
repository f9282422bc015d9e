//! Time and prices.

use super::Generator;
use crate::sequences::{
    action::{Action, FEEDS, INDICES, POSTED, Published, SHARE, TOKEN},
    mirror::Mirror,
};

/// One US dollar as feeds give it.
const USD: i64 = 100_000_000;
/// Where prices start.
pub(super) const START: [i64; FEEDS as usize] = [100_000 * USD, 4_000 * USD, 400 * USD, 400 * USD, 400 * USD];
const DAY: i64 = 86_400;
/// A second of the day that lies in New York's session, in summer and in winter.
const IN_SESSION: i64 = 15 * 3_600;

impl Generator {
    /// Time passes, and the feeds publish.
    pub(super) fn pass_time(&mut self, mirror: &Mirror) {
        self.wait(mirror);
        if self.random.chance(70) {
            let vault = self.vault();
            self.refresh(mirror, vault, u8::MAX);
        }
    }

    /// Waits until New York's session is on.
    pub(super) fn go_to_session(&mut self, mirror: &Mirror) {
        let seconds = seconds_to_session(mirror.now);
        self.sleep(seconds);
        self.refresh(mirror, 0, u8::MAX);
    }

    pub(super) fn crank_all(&mut self, mirror: &Mirror) {
        let vault = self.vault();
        self.refresh(mirror, vault, u8::MAX);
    }

    /// Sends what no feed would publish.
    pub(super) fn post_nonsense(&mut self, mirror: &Mirror) {
        let feed = self.random.small(FEEDS);
        let mut update = self.published(mirror, feed);
        let spot = self.spot[usize::from(feed)];
        match self.random.below(12) {
            0 => update.price = 0,
            1 => update.price = -spot,
            2 => update.price = i64::MAX,
            3 => update.exponent = self.random.between(-20, 12).try_into().unwrap_or(0),
            4 => update.confidence = spot.unsigned_abs() / self.random.magnitude(1, 300),
            5 => update.age = self.random.between(11, 400),
            6 => update.age = self.random.between(-12, -1),
            7 => update.gap = self.random.between(100, 5_000),
            8 => update.average = spot / 100 * self.random.between(70, 130),
            9 => update.gap = -self.random.between(0, 100),
            10 => update.average = 0,
            _ => update.confidence = u64::MAX,
        }
        let at = self.random.small(POSTED);
        self.push(Action::Post { feed, at, update });
        let vault = self.vault();
        for market in 0..mirror.vaults[usize::from(vault)].markets.len() {
            self.crank(mirror, vault, u8::try_from(market).unwrap_or(0), Some(at));
        }
    }

    /// Waits for some time, mostly to just after a mark of variance.
    pub(super) fn wait(&mut self, mirror: &Mirror) {
        let seconds = match self.random.below(100) {
            0..=9 => 0,
            10..=44 => self.random.between(1, 40),
            45..=74 => self.aligned(mirror, 300),
            75..=89 => self.aligned(mirror, 3_600),
            90..=96 => self.aligned(mirror, 30_000),
            97..=98 => self.aligned(mirror, 90_000),
            _ => self.aligned(mirror, 250_000),
        };
        self.sleep(seconds);
    }

    /// About `seconds`, to a few seconds after a multiple of 300.
    fn aligned(&mut self, mirror: &Mirror, seconds: i64) -> i64 {
        let least = mirror.now + self.ahead + seconds / 2 + self.random.between(0, seconds);
        (least + 300 - least.rem_euclid(300) + self.random.between(0, 30)) - mirror.now - self.ahead
    }

    /// Lets seconds pass, with the slots that pass in them.
    pub(super) fn sleep(&mut self, seconds: i64) {
        let seconds = u32::try_from(seconds).unwrap_or(0);
        self.push(Action::Wait { seconds, slots: (seconds / 2).max(1) });
    }

    /// Posts what feeds publish now and cranks the markets of a vault that are in `mask`.
    pub(super) fn refresh(&mut self, mirror: &Mirror, vault: u8, mask: u8) {
        let markets = &mirror.vaults[usize::from(vault)].markets;
        let numbers: Vec<u8> = (0..u8::try_from(markets.len()).unwrap_or(0)).filter(|n| mask >> n & 1 == 1).collect();
        let mut posted = [false; INDICES as usize];
        for number in &numbers {
            let feed = markets[usize::from(*number)].index;
            if !std::mem::replace(&mut posted[usize::from(feed)], true) {
                self.drift(feed);
                self.post(mirror, feed);
            }
        }
        self.crank_stock(mirror, vault);
        for number in numbers {
            let at = self.random.chance(95).then_some(0);
            self.crank(mirror, vault, number, at);
        }
    }

    /// Posts the feeds of a vault's stock and cranks it, if it has one.
    pub(super) fn crank_stock(&mut self, mirror: &Mirror, vault: u8) {
        let Some(stock) = &mirror.vaults[usize::from(vault)].stock else { return };
        let (share, token) = (self.random.chance(90), stock.parameters.token_feed.is_some() && self.random.chance(80));
        for (feed, posted) in [(SHARE, share), (TOKEN, token)] {
            if posted {
                self.drift(feed);
                self.post(mirror, feed);
            }
        }
        let [share, token] = [share, token].map(|posted| posted.then_some(0));
        self.push(Action::CrankStock { vault, share, token });
    }

    pub(super) fn crank(&mut self, mirror: &Mirror, vault: u8, market: u8, update: Option<u8>) {
        let markets = &mirror.vaults[usize::from(vault)].markets;
        let listed = markets.get(usize::from(market));
        let with_stock = listed.is_some_and(|market| market.parameters.settlement == perpetua::Settlement::Dollar);
        self.push(Action::CrankFunding { vault, market, update, with_stock });
    }

    /// Moves a price a little, seldom far.
    fn drift(&mut self, feed: u8) {
        // The token is worth what the share is, but for a little.
        if feed == TOKEN {
            self.spot[usize::from(TOKEN)] = self.spot[usize::from(SHARE)];
        }
        let bps = match self.random.below(100) {
            0..=69 => self.random.between(-20, 20),
            70..=95 => self.random.between(-150, 150),
            _ => self.random.between(-1_500, 1_500),
        };
        let spot = &mut self.spot[usize::from(feed)];
        *spot = (*spot + *spot / 10_000 * bps).clamp(5 * USD, 8_000_000 * USD);
    }

    pub(super) fn post(&mut self, mirror: &Mirror, feed: u8) {
        let update = self.published(mirror, feed);
        self.push(Action::Post { feed, at: 0, update });
        // An older update stays in another account.
        if self.random.chance(5) {
            let older = Published { age: self.random.between(1, 50), ..update };
            self.push(Action::Post { feed, at: 1, update: older });
        }
    }

    /// What a feed publishes now: it is never silent for long, and proves the mark that is just past.
    fn published(&mut self, mirror: &Mirror, feed: u8) -> Published {
        let price = self.spot[usize::from(feed)];
        let since_mark = (mirror.now + self.ahead).rem_euclid(300);
        let gap = if since_mark < 100 { since_mark + 1 } else { self.random.between(1, 90) };
        let average = match self.random.below(100) {
            0..=84 => price,
            85..=97 => price / 10_000 * self.random.between(9_600, 10_400),
            _ => price / 10_000 * self.random.between(8_500, 11_500),
        };
        let width = if self.random.chance(97) { 10_000 } else { self.random.between(20, 400) };
        let confidence = (price / width).unsigned_abs();
        Published { price, confidence, average, exponent: -8, age: self.random.between(0, 2), gap }
    }
}

/// Seconds until a session that is on at 15:00 UTC of a weekday; zero while it is.
pub(super) fn seconds_to_session(now: i64) -> i64 {
    let today = now.div_euclid(DAY);
    let weekday = |day: i64| !matches!((day + 4).rem_euclid(7), 0 | 6);
    let open = today * DAY + IN_SESSION..today * DAY + IN_SESSION + 4 * 3_600;
    if weekday(today) && open.contains(&now) {
        return 0;
    }
    let days = (today..).find(|day| weekday(*day) && day * DAY + IN_SESSION > now);
    days.map_or(0, |day| day * DAY + IN_SESSION + 1 - now)
}
