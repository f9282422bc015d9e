//! What traders and keepers do with accounts and positions.

use perpetua_model::{MarginAccount, health};

use super::{
    Generator,
    choices::{all_markets, holders, markets_of, positions, series_of},
};
use crate::{
    sequences::{
        action::{Action, Holder, Series},
        mirror::{Mirror, refs},
    },
    token::ONE,
};

/// Ratio of neighbouring strikes, as a market is listed: 1.0125.
const RATIO: (i64, i64) = (10_125, 10_000);

impl Generator {
    /// Buys an option near the money.
    pub(super) fn buy(&mut self, mirror: &Mirror) {
        let vault = self.vault();
        let holder = self.holder(mirror, vault);
        self.buy_for(mirror, vault, holder);
    }

    fn buy_for(&mut self, mirror: &Mirror, vault: u8, holder: Holder) {
        let market = self.market(mirror, vault);
        if self.random.chance(50) {
            self.wait(mirror);
        }
        self.refresh(mirror, vault, 1 << market);
        let Some(listed) = mirror.vaults[usize::from(vault)].markets.get(usize::from(market)) else { return };
        let near = tick_of(listed.parameters.reference_strike, self.spot[usize::from(listed.index)]);
        // What is already held is added to at times.
        let held = positions(mirror, vault).into_iter().find(|(who, held)| *who == holder && held.market == market);
        let range = if self.random.chance(90) { 14 } else { 34 };
        let fresh = Series { market, put: self.random.chance(50), tick: near + self.tick(range) };
        let series = held.filter(|_| self.random.chance(25)).map_or(fresh, |(_, position)| series_of(&position));
        let usual = if listed.index == 0 { 8_000_000 } else { 160_000_000 };
        let size = match self.random.below(40) {
            0 => 0,
            1 => u64::MAX,
            2 => 1 << 40,
            3 => (1 << 40) - 1,
            4 => 99,
            5 => 100,
            6..=19 => self.random.magnitude(100, usual),
            _ => self.random.below(usual / 2) + 100,
        };
        let given = all_markets(mirror, vault) & !(1 << market);
        self.push(Action::OpenPosition { by: holder.owner, vault, holder, series, size, max_cost: u64::MAX, given });
        // A round trip.
        if self.random.chance(20) {
            self.push(Action::ClosePosition { by: holder.owner, vault, holder, series, size, min_proceeds: 0 });
        }
    }

    /// Buys and sells again within seconds, at whatever prices come meanwhile.
    pub(super) fn churn(&mut self, mirror: &Mirror) {
        let vault = self.vault();
        let flat = |holder: &Holder| {
            let account = mirror.vaults[usize::from(vault)].account(*holder);
            account.is_ok_and(|account| account.collateral.0 > 0 && account.open_positions().next().is_none())
        };
        let flat: Vec<_> = holders().into_iter().filter(flat).collect();
        let Some(holder) = self.random.pick(&flat) else { return };
        self.buy_for(mirror, vault, holder);
        self.then(move |me, mirror| {
            let held = positions(mirror, vault).into_iter().find(|(owner, _)| *owner == holder);
            let Some((_, position)) = held else { return };
            let seconds = me.random.between(0, 14);
            me.sleep(seconds);
            me.refresh(mirror, vault, 1 << position.market);
            let (series, size) = (series_of(&position), position.size.0);
            me.push(Action::ClosePosition { by: holder.owner, vault, holder, series, size, min_proceeds: 0 });
        });
    }

    fn tick(&mut self, range: i64) -> i16 {
        i16::try_from(self.random.between(-range, range)).unwrap_or(0)
    }

    /// Sells an option back, whole or in part.
    pub(super) fn sell(&mut self, mirror: &Mirror) {
        let vault = self.vault();
        let Some((holder, position)) = self.position(mirror, vault) else { return };
        self.refresh(mirror, vault, 1 << position.market);
        let mut size = if self.random.chance(50) { position.size.0 } else { self.random.around(position.size.0) };
        if self.random.chance(5) {
            size = position.size.0.saturating_sub(self.random.below(110));
        }
        let series = series_of(&position);
        self.push(Action::ClosePosition { by: holder.owner, vault, holder, series, size, min_proceeds: 0 });
    }

    /// Deposits or withdraws collateral.
    pub(super) fn move_collateral(&mut self, mirror: &Mirror) {
        let vault = self.vault();
        let holder = self.holder(mirror, vault);
        let by = holder.owner;
        if self.random.chance(40) {
            let held = mirror.vaults[usize::from(vault)].wallets[usize::from(by)].tokens;
            let hostile = self.random.chance(15);
            let amount = if hostile { self.random.around(held) } else { self.random.magnitude(1, 3_000 * ONE) };
            self.push(Action::Deposit { by, vault, holder, amount });
            return;
        }
        self.refresh(mirror, vault, markets_of(mirror, vault, holder));
        self.then(move |me, mirror| {
            let given = all_markets(mirror, vault);
            let free = free_collateral(mirror, vault, holder);
            let amount = me.random.around(free);
            me.push(Action::Withdraw { by, vault, holder, amount, given });
            // The whole of what is left, as somebody who leaves.
            if me.random.chance(30) {
                me.push(Action::Withdraw { by, vault, holder, amount: free.saturating_sub(amount), given });
            }
        });
    }

    /// Collects funding, fees and what was served or repaid.
    pub(super) fn collect(&mut self, mirror: &Mirror) {
        let vault = self.vault();
        let holder = self.holder(mirror, vault);
        match self.random.below(4) {
            0 => {
                let to = mirror.exchange.as_ref().map_or(0, |exchange| exchange.fee_recipient);
                self.push(Action::CollectFees { vault, to });
            }
            1 => self.push(Action::SyncAccount { vault, holder }),
            _ => {
                let holder = self.large_position(mirror, vault).map_or(holder, |(holder, _)| holder);
                if self.random.chance(80) {
                    self.wait(mirror);
                    self.refresh(mirror, vault, markets_of(mirror, vault, holder));
                }
                self.push(Action::SettleFunding { vault, holder, given: all_markets(mirror, vault) });
            }
        }
    }

    /// Tries to liquidate an account, whatever its health.
    pub(super) fn liquidate_somebody(&mut self, mirror: &Mirror) {
        let vault = self.vault();
        let Some((holder, _)) = self.position(mirror, vault) else { return };
        self.refresh(mirror, vault, markets_of(mirror, vault, holder));
        self.liquidate(mirror, vault, holder);
    }

    pub(super) fn liquidate(&mut self, mirror: &Mirror, vault: u8, holder: Holder) {
        let keeper = (0..8).map(|_| self.holder(mirror, vault)).find(|keeper| *keeper != holder);
        let keeper = keeper.unwrap_or(Holder { owner: 3, sub: 0 });
        let given = all_markets(mirror, vault);
        self.push(Action::Liquidate { by: keeper.owner, vault, holder, keeper, given });
    }

    /// Takes out of an account all that its margin allows, and waits until funding has eaten the margin.
    pub(super) fn starve_somebody(&mut self, mirror: &Mirror) {
        let vault = self.vault();
        let Some((holder, _)) = self.large_position(mirror, vault) else { return };
        let mask = markets_of(mirror, vault, holder);
        self.refresh(mirror, vault, mask);
        self.then(move |me, mirror| {
            let given = all_markets(mirror, vault);
            let amount = free_collateral(mirror, vault, holder);
            me.push(Action::Withdraw { by: holder.owner, vault, holder, amount, given });
            let steps = me.random.between(1, 8);
            let hours = me.random.between(4, 60);
            for _ in 0..steps {
                me.sleep(hours * 3_600 - (mirror.now + me.ahead).rem_euclid(300) + 10);
                me.refresh(mirror, vault, mask);
                if me.random.chance(50) {
                    me.liquidate(mirror, vault, holder);
                }
            }
            me.liquidate(mirror, vault, holder);
        });
    }
}

/// What an account could withdraw if all its markets were cranked now.
fn free_collateral(mirror: &Mirror, vault: u8, holder: Holder) -> u64 {
    let vault = &mirror.vaults[usize::from(vault)];
    let Ok(account) = vault.account(holder) else { return 0 };
    let all: MarginAccount = *account;
    let Ok(health) = health(&all, &refs(&vault.markets, u8::MAX), mirror.now) else { return all.collateral.0 };
    let free = health.equity() - i128::from(health.initial().0) - i128::from(health.unaccrued.0);
    u64::try_from(free).unwrap_or(0)
}

/// The strike on the grid next to a price in 10^-8 US dollars.
pub(super) fn tick_of(reference: u128, price: i64) -> i16 {
    let (up, down) = RATIO;
    let mut strike = i64::try_from(reference >> 64).unwrap_or(1) * 100_000_000;
    let mut tick = 0;
    while strike < price && tick < 400 {
        strike = strike / down * up;
        tick += 1;
    }
    while strike > price && tick > -400 {
        strike = strike / up * down;
        tick -= 1;
    }
    tick
}
