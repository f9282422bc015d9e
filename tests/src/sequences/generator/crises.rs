//! What rarely happens: prices that run, feeds that die, tokens that are seized, mints that change.

use perpetua_model::pricing::{Side, Usd};

use super::{
    Generator,
    choices::{all_markets, markets_of, positions, series_of},
    prices,
    traders::tick_of,
};
use crate::{
    sequences::{
        action::{Action, Holder, SHARE, Series},
        mirror::{MarketOf, Mirror},
    },
    token::ONE,
};

/// Multipliers that an issuer may set, from dividends to splits, and what is none.
const MULTIPLIERS: [f64; 9] = [1.0, 1.01, 1.019, 1.021, 0.99, 2.0, 3.0, 0.5, 0.0];

impl Generator {
    /// Brings a market's index to a price and cranks until older prices are out of the range.
    fn run(&mut self, mirror: &Mirror, vault: u8, market: u8, price: i64) {
        let Some(listed) = mirror.vaults[usize::from(vault)].markets.get(usize::from(market)) else { return };
        self.spot[usize::from(listed.index)] = price.max(100_000_000);
        for _ in 0..2 {
            let seconds = self.random.between(65, 110);
            self.sleep(seconds);
            self.refresh(mirror, vault, 1 << market);
        }
    }

    fn strike(mirror: &Mirror, vault: u8, market: u8, tick: i16) -> Option<i64> {
        let market = &mirror.vaults[usize::from(vault)].markets.get(usize::from(market))?.state;
        let (slot, _) = market.series(Side::Call, tick).ok()?;
        // Whole dollars, in 10^-8.
        i64::try_from(Usd::from(slot.strike).bits() >> 64).ok().map(|dollars| dollars * 100_000_000)
    }

    /// An option runs past its cap, and is settled or sold there.
    pub(super) fn run_to_cap(&mut self, mirror: &Mirror) {
        let vault = self.vault();
        let Some((holder, position)) = self.position(mirror, vault) else { return };
        let series = series_of(&position);
        let Some(strike) = Self::strike(mirror, vault, series.market, series.tick) else { return };
        let percent = if series.put { self.random.between(45, 50) } else { self.random.between(150, 160) };
        self.run(mirror, vault, series.market, strike / 100 * percent);
        if self.random.chance(80) {
            self.push(Action::SettleCapped { vault, holder, series });
        }
        let (by, size) = (holder.owner, position.size.0);
        self.push(Action::ClosePosition { by, vault, holder, series, size, min_proceeds: 0 });
    }

    /// An option runs far out of the money, and is retired.
    pub(super) fn run_away(&mut self, mirror: &Mirror) {
        let vault = self.vault();
        let Some((holder, position)) = self.position(mirror, vault) else { return };
        let series = series_of(&position);
        let Some(strike) = Self::strike(mirror, vault, series.market, series.tick) else { return };
        let percent = if series.put { self.random.between(162, 175) } else { self.random.between(56, 61) };
        self.run(mirror, vault, series.market, strike / 100 * percent);
        self.push(Action::RetireFar { vault, holder, series });
        if self.random.chance(30) {
            self.push(Action::SettleCapped { vault, holder, series });
        }
    }

    /// A feed dies for a week, or for some minutes.
    pub(super) fn go_silent(&mut self, mirror: &Mirror) {
        let vault = self.vault();
        let Some((holder, position)) = self.position(mirror, vault) else { return };
        let series = series_of(&position);
        let week = self.random.chance(70);
        let seconds = if week { 7 * 86_400 + 60 } else { self.random.between(200, 5_000) };
        self.sleep(seconds);
        if self.random.chance(60) {
            self.push(Action::CrankStock { vault, share: None, token: None });
            self.crank(mirror, vault, series.market, None);
        } else {
            // The stock alone is silent.
            let feed = mirror.vaults[usize::from(vault)].markets[usize::from(series.market)].index;
            self.post(mirror, feed);
            self.push(Action::CrankStock { vault, share: None, token: None });
            self.crank(mirror, vault, series.market, Some(0));
        }
        self.push(Action::MarkMarket { vault, market: series.market });
        self.push(Action::SettleAbandoned { vault, holder, series });
        let (by, size) = (holder.owner, position.size.0);
        self.push(Action::ClosePosition { by, vault, holder, series, size, min_proceeds: 0 });
    }

    /// The stock falls while options of its dollar market pay: insurance has to pay, and claims arise.
    pub(super) fn halve_stock(&mut self, mirror: &Mirror) {
        let vault = 0;
        let dollar = |market: &MarketOf| market.parameters.settlement == perpetua::Settlement::Dollar;
        let Some(number) = mirror.vaults[0].markets.iter().position(dollar) else { return };
        let market = u8::try_from(number).unwrap_or(0);
        self.sleep(prices::seconds_to_session(mirror.now));
        let held = positions(mirror, vault).into_iter().filter(|(_, position)| position.market == market);
        let held: Vec<_> = held.collect();
        let known = self.random.pick(&held).filter(|_| self.random.chance(40));
        let (holder, series, size, strike) = match known {
            Some((holder, position)) => {
                let series = series_of(&position);
                let Some(strike) = Self::strike(mirror, vault, market, series.tick) else { return };
                (holder, series, position.size.0, strike)
            }
            None => self.buy_much(mirror, vault, market),
        };
        let share = &mut self.spot[usize::from(SHARE)];
        *share = (*share / 100 * self.random.between(20, 60)).max(500_000_000);
        let percent = if series.put { self.random.between(40, 70) } else { self.random.between(130, 165) };
        self.run(mirror, vault, market, strike / 100 * percent);
        if self.random.chance(30) {
            self.push(Action::SettleCapped { vault, holder, series });
        }
        if self.random.chance(30) {
            self.liquidate(mirror, vault, holder);
        }
        self.push(Action::ClosePosition { by: holder.owner, vault, holder, series, size, min_proceeds: 0 });
        if self.random.chance(50) {
            self.sleep(86_401);
            self.push(Action::ServeClaims { vault });
            self.push(Action::SyncAccount { vault, holder });
        }
    }

    /// Buys so much that its payout is more than insurance pays in a day once the stock fell.
    fn buy_much(&mut self, mirror: &Mirror, vault: u8, market: u8) -> (Holder, Series, u64, i64) {
        let holder = self.holder(mirror, vault);
        let listed = &mirror.vaults[usize::from(vault)].markets[usize::from(market)];
        let spot = self.spot[usize::from(listed.index)];
        let tick = tick_of(listed.parameters.reference_strike, spot);
        let series = Series { market, put: self.random.chance(50), tick };
        let size = self.random.below(9_000_000) + 1_000_000;
        let (by, amount) = (holder.owner, 1_500 * ONE);
        self.push(Action::Deposit { by, vault, holder, amount });
        self.refresh(mirror, vault, 1 << market);
        let given = all_markets(mirror, vault) & !(1 << market);
        self.push(Action::OpenPosition { by, vault, holder, series, size, max_cost: u64::MAX, given });
        (holder, series, size, spot)
    }

    /// Prices return to where they started.
    pub(super) fn calm_down(&mut self, mirror: &Mirror) {
        self.spot = prices::START;
        let vault = self.vault();
        for _ in 0..2 {
            self.sleep(70);
            self.refresh(mirror, vault, u8::MAX);
        }
    }

    /// The issuer takes tokens from the vault; the loss is noted and recognised two days later.
    pub(super) fn seize_tokens(&mut self, mirror: &Mirror) {
        let vault = self.vault();
        let balance = mirror.vaults[usize::from(vault)].balance;
        let amount = match self.random.below(10) {
            0 => balance,
            1 => balance / 1_000 * 999,
            2..=4 => balance / 100 * self.random.below(100),
            5..=6 => balance / 1_000 * self.random.below(100),
            _ => self.random.magnitude(1, balance.max(1)),
        };
        self.push(Action::Seize { vault, amount });
        self.push(Action::NoteShortage { vault });
        if self.random.chance(75) {
            self.sleep(48 * 3_600);
            self.push(Action::RecogniseLoss { vault });
            if let Some((holder, _)) = self.position(mirror, vault) {
                self.push(Action::SyncAccount { vault, holder });
                self.refresh(mirror, vault, markets_of(mirror, vault, holder));
            }
        }
    }

    /// What was seized comes back, whole or in part, and repays losses.
    pub(super) fn give_back_tokens(&mut self, mirror: &Mirror) {
        let vault = self.vault();
        let seized = mirror.vaults[usize::from(vault)].seized;
        if seized == 0 {
            return;
        }
        let amount = if self.random.chance(50) { seized } else { self.random.magnitude(1, seized) };
        self.push(Action::GiveBack { vault, amount });
        self.push(Action::NoteShortage { vault });
        self.push(Action::RepayLosses { vault });
    }

    /// The issuer pauses, freezes or changes the token.
    pub(super) fn disturb_mint(&mut self, mirror: &Mirror) {
        match self.random.below(4) {
            0 => self.push(Action::PauseMint { vault: 0, paused: true }),
            1 => {
                let vault = self.vault();
                self.push(Action::FreezeTokens { vault, frozen: true });
            }
            2 => self.push(Action::ChangeMint { vault: 0, authority: mirror.vaults[0].mint.authority, hook: true }),
            _ => {
                let authority = self.random.small(3);
                self.push(Action::ChangeMint { vault: 0, authority, hook: false });
            }
        }
    }

    /// The issuer announces a dividend or a split, or makes it so at once.
    pub(super) fn change_multiplier(&mut self, mirror: &Mirror) {
        let scaled = mirror.vaults[0].mint.scaled_ui;
        let current = if mirror.now >= scaled.next_from { scaled.next } else { scaled.current };
        let next = self.random.pick(&MULTIPLIERS).unwrap_or(1.0).to_bits();
        let starts = if self.random.chance(60) { self.random.between(60, 10_000) } else { self.random.between(-5, 0) };
        self.push(Action::SetMultiplier { vault: 0, current, next, starts });
        let by = mirror.exchange.as_ref().map_or(0, |exchange| exchange.admin);
        if self.random.chance(60) {
            self.push(Action::AcknowledgeMultiplier { by, vault: 0, multiplier: next });
        }
        self.crank_stock(mirror, 0);
        if self.random.chance(60) {
            self.sleep(starts.max(0) + 1_900);
            self.refresh(mirror, 0, u8::MAX);
            self.push(Action::AcknowledgeMultiplier { by, vault: 0, multiplier: next });
        }
    }

    /// Whatever was paused, frozen or changed is as before.
    pub(super) fn restore(&mut self, mirror: &Mirror) {
        let by = mirror.exchange.as_ref().map_or(0, |exchange| exchange.admin);
        for vault in 0..2 {
            let state = &mirror.vaults[usize::from(vault)];
            if state.mint.paused {
                self.push(Action::PauseMint { vault, paused: false });
            }
            if state.frozen {
                self.push(Action::FreezeTokens { vault, frozen: false });
            }
            if state.mint.hook {
                self.push(Action::ChangeMint { vault, authority: state.mint.authority, hook: false });
            }
            if state.mint.authority != state.mint.acknowledged || self.random.chance(10) {
                self.push(Action::AcknowledgeMint { by, vault });
            }
        }
        if mirror.exchange.as_ref().is_some_and(|exchange| exchange.paused) {
            self.push(Action::SetOpeningPaused { by, paused: false });
        }
    }
}
