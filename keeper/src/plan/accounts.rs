//! What is due in margin accounts: liquidations, and positions that anyone may settle.

use anchor_lang::prelude::Pubkey;
use perpetua_client::{
    book::Settle,
    instruction::{self, Series},
    model::{
        Conditions, Index, MARKETS, MarginAccount, Market, MarketMuts, ModelError, Position, Result, SettleReason,
        health, liquidate, pricing::Side, settle_position,
    },
    perpetua::{self, state},
    snapshot::Keyed,
};

use super::Planner;
use crate::job::{Key, Kind, Reason};

/// How others' positions are settled, in the order in which it is tried.
const WAYS: [(SettleReason, Settle, Kind, Reason); 3] = [
    (SettleReason::Capped, Settle::Capped, Kind::SettleCapped, Reason::Capped),
    (SettleReason::Far, Settle::Far, Kind::RetireFar, Reason::Far),
    (SettleReason::Abandoned, Settle::Abandoned, Kind::SettleAbandoned, Reason::Abandoned),
];

impl Planner<'_> {
    pub(super) fn look_at_accounts(&mut self) {
        for account in &self.view.accounts {
            if account.account.state.open_positions().next().is_none() {
                continue;
            }
            match self.is_below_maintenance(&account.account.state) {
                Ok(true) => self.plan_liquidation(account),
                Ok(false) => self.plan_settlements(account),
                Err(error) => self.plan.unjudged.push((account.address, error)),
            }
        }
    }

    /// Whether the account may be liquidated once its markets were cranked.
    fn is_below_maintenance(&self, account: &MarginAccount) -> Result<bool> {
        let (mut vault, mut account) = (self.view.book.vault.state, *account);
        vault.sync(&mut account)?;
        Ok(health(&account, &self.markets(), self.now())?.is_liquidatable())
    }

    fn plan_liquidation(&mut self, account: &Keyed<state::MarginAccount>) {
        self.plan.below += 1;
        match self.try_liquidation(account) {
            Ok(()) => self.push_liquidation(account),
            // What the states forbid, and accounts with nothing but debts in silent markets.
            Err(_) => self.plan.barred += 1,
        }
    }

    /// Liquidates on copies.
    fn try_liquidation(&self, account: &Keyed<state::MarginAccount>) -> Result<()> {
        let (mut vault, mut target) = (self.view.book.vault.state, account.account.state);
        let mut own = self.view.own.map(|own| own.account.state).unwrap_or_default();
        let mut copies = self.copies(&target);
        let mut markets: MarketMuts<'_> = copies.each_mut().map(|market| market.as_deref_mut());
        let mut indices: [Option<&Index>; MARKETS] = [None; MARKETS];
        for (number, index) in indices.iter_mut().enumerate() {
            *index = self.index(number);
        }
        let moment = self.view.book.moment;
        liquidate(&mut vault, &mut target, &mut own, &mut markets, indices, Conditions::NORMAL, moment).map(|_| ())
    }

    /// Copies of the markets that an account is in, as they will be once they were cranked.
    fn copies(&self, account: &MarginAccount) -> [Option<Box<Market>>; MARKETS] {
        let used = account.markets_used();
        core::array::from_fn(|number| {
            let market = self.market(number).filter(|_| used.get(number).copied().unwrap_or(false));
            market.map(|market| Box::new(*market))
        })
    }

    fn push_liquidation(&mut self, account: &Keyed<state::MarginAccount>) {
        let Some(own) = self.view.own.filter(|own| own.address != account.address) else { return };
        let book = &self.view.book;
        let numbers = book.markets_of(&account.account);
        let Ok(markets) = book.market_keys(&numbers) else { return };
        let keeper = self.identity.keeper;
        let last = instruction::liquidate(&keeper, &book.keys, &account.address, &own.address, &markets);
        let (cranks, now) = (self.crankable(&numbers), self.now());
        self.push(Key::of(Kind::Liquidate, account.address), Reason::BelowMaintenance, now, &cranks, vec![last]);
    }

    fn plan_settlements(&mut self, account: &Keyed<state::MarginAccount>) {
        for (_, position) in account.account.state.open_positions() {
            let number = position.market;
            if self.crankable(&[number]).is_empty() {
                continue;
            }
            let due = WAYS.iter().find(|(why, ..)| self.try_settlement(account, position, *why).is_ok());
            let Some((_, how, kind, reason)) = due else { continue };
            let side = if position.key().side == Side::Call { perpetua::Side::Call } else { perpetua::Side::Put };
            self.push_settlement(account.address, number, Series { side, tick: position.tick }, (*how, *kind, *reason));
        }
    }

    /// Settles on copies.
    fn try_settlement(
        &self,
        account: &Keyed<state::MarginAccount>,
        position: &Position,
        reason: SettleReason,
    ) -> Result<()> {
        let place = usize::from(position.market);
        let market = self.market(place).ok_or(ModelError::MarketMissing)?;
        let index = self.index(place).ok_or(ModelError::MarketMissing)?;
        let (mut vault, mut target, mut market) =
            (self.view.book.vault.state, account.account.state, Box::new(*market));
        let (key, moment) = (position.key(), self.view.book.moment);
        settle_position(&mut vault, &mut target, &mut market, index, key, reason, moment).map(|_| ())
    }

    fn push_settlement(&mut self, account: Pubkey, number: u8, series: Series, way: (Settle, Kind, Reason)) {
        let (how, kind, reason) = way;
        let book = &self.view.book;
        let Ok(keys) = book.market(number).map(|listed| listed.keys) else { return };
        let last = match how {
            Settle::Capped => instruction::settle_capped(&book.keys, &account, &keys, series),
            Settle::Far => instruction::retire_far(&book.keys, &account, &keys, series),
            Settle::Abandoned => instruction::settle_abandoned(&book.keys, &account, &keys, series),
        };
        let now = self.now();
        self.push(Key::of_position(kind, account, number, series), reason, now, &[number], vec![last]);
    }
}
