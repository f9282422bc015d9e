//! Setting everything up, and listing more later.

use super::{Generator, choices::holders};
use crate::{
    sequences::{
        action::{ADMIN, Action, Holder, INDICES, SHARE, TOKEN},
        mirror::Mirror,
    },
    token::ONE,
};

/// Seconds from the start to half an hour into a session of the exchange.
const TO_SESSION: u32 = 27 * 3_600;
/// Who seeds the pools.
const LP: u8 = 4;

impl Generator {
    /// Plans the exchange, two indices, two vaults with markets, traders with collateral and LPs.
    pub(super) fn set_up(&mut self) {
        let by = ADMIN;
        let token_feed = self.random.chance(50);
        self.push(Action::Wait { seconds: TO_SESSION, slots: 100 });
        self.push(Action::InitializeExchange { by });
        for index in 0..2 {
            self.push(Action::CreateIndex { by, index, declared: true });
        }
        for vault in 0..2 {
            self.push(Action::CreateVault { by, vault });
        }
        self.push(Action::CreateStock { by, vault: 0, token_feed });
        let markets = [(0, 0, false), (0, 1, false), (0, 0, true), (1, 0, false)];
        for (vault, index, dollar) in markets {
            self.push(Action::CreateMarket { by, vault, index, dollar });
        }
        for (vault, owner, sub) in [(0, 0, 0), (0, 0, 1), (0, 1, 0), (0, 2, 0), (0, 3, 0), (1, 0, 0), (1, 1, 0)] {
            let (holder, amount) = (Holder { owner, sub }, self.random.magnitude(20, 2_000) * ONE);
            self.push(Action::OpenAccount { vault, holder });
            self.push(Action::Deposit { by: owner, vault, holder, amount });
        }
        self.seed_pools(token_feed);
    }

    fn seed_pools(&mut self, token_feed: bool) {
        let world = Mirror::default();
        let start = Mirror { now: world.now + i64::from(TO_SESSION), ..world };
        self.ahead = 0;
        for feed in [0, 1, SHARE, TOKEN] {
            self.post(&start, feed);
        }
        self.push(Action::CrankStock { vault: 0, share: Some(0), token: token_feed.then_some(0) });
        for (vault, market, with_stock) in [(0, 0, false), (0, 1, false), (0, 2, true), (1, 0, false)] {
            self.push(Action::CrankFunding { vault, market, update: Some(0), with_stock });
            self.push(Action::MarkMarket { vault, market });
        }
        for (vault, given) in [(0, 0b111), (1, 0b1)] {
            for (insurance, whole) in [(false, 20_000), (true, 2_000)] {
                let amount = self.random.magnitude(whole / 4, whole) * ONE;
                self.push(Action::JoinPool { by: LP, vault, insurance, amount, min_shares: 0, given });
            }
        }
    }

    /// Lists what there may be more of.
    pub(super) fn list_more(&mut self, mirror: &Mirror) {
        let by = mirror.exchange.as_ref().map_or(ADMIN, |exchange| exchange.admin);
        let (vault, index) = (self.vault(), self.random.small(INDICES));
        match self.random.below(10) {
            0 => self.push(Action::InitializeExchange { by }),
            1 => self.push(Action::CreateVault { by, vault }),
            2 => self.push(Action::CreateStock { by, vault, token_feed: false }),
            3..=4 => self.push(Action::CreateIndex { by, index: INDICES - 1, declared: false }),
            5..=6 => {
                let dollar = self.random.chance(50);
                self.push(Action::CreateMarket { by, vault, index, dollar });
            }
            _ => {
                let day = u16::try_from(mirror.now.div_euclid(86_400) + self.random.between(-1, 9)).unwrap_or(0);
                let minutes = [0, 0, 600, 780, 900, 959, 960, 1_000];
                let close_minute = self.random.pick(&minutes).unwrap_or(0);
                self.push(Action::ShortenSessions { by, vault: 0, day, close_minute });
            }
        }
    }

    /// Opens and closes margin accounts.
    pub(super) fn change_accounts(&mut self, mirror: &Mirror) {
        let vault = self.vault();
        let all = holders();
        let empty = |holder: &&Holder| {
            mirror.vaults[usize::from(vault)].account(**holder).is_ok_and(|account| account.is_empty())
        };
        let empty: Vec<_> = all.iter().filter(empty).copied().collect();
        if let Some(holder) = self.random.pick(&empty).filter(|_| self.random.chance(60)) {
            self.push(Action::CloseAccount { by: holder.owner, vault, holder });
        } else if self.random.chance(70) {
            let holder = self.random.pick(&all).unwrap_or(Holder { owner: 0, sub: 0 });
            self.push(Action::OpenAccount { vault, holder });
        } else {
            let holder = self.holder(mirror, vault);
            self.push(Action::CloseAccount { by: holder.owner, vault, holder });
        }
    }
}
