//! When a market is cranked.

use std::collections::BTreeSet;

use anchor_lang::prelude::Pubkey;
use perpetua_client::{
    instruction,
    model::{BPS, Market, Stock, UnitsPerUsd},
    quote::Cranked,
};

use super::Planner;
use crate::job::{Key, Kind, Reason};

/// Slots of the chain in a second, nearly.
const SLOTS_PER_SECOND: u64 = 2;

impl Planner<'_> {
    /// Cranks each market on schedule, when the price moved, and when a state began or ended; and one market of each index
    /// for what the newest price alone proves: a sample of the variance, or an outage.
    pub(super) fn look_at_markets(&mut self) {
        let mut proven: BTreeSet<Pubkey> = BTreeSet::new();
        let mut stock_follows = false;
        for number in 0..self.view.book.vault.market_count {
            let Some((reason, since)) = self.crank_reason(number, &proven) else { continue };
            let Ok(listed) = self.view.book.market(number) else { continue };
            let keys = listed.keys;
            proven.insert(keys.index);
            stock_follows |= keys.stock.is_some();
            self.push(Key::of(Kind::Crank, keys.market), reason, since, &[number], Vec::new());
        }
        if !stock_follows {
            self.look_at_stock();
        }
    }

    fn crank_reason(&self, number: u8, proven: &BTreeSet<Pubkey>) -> Option<(Reason, i64)> {
        let listed = self.view.book.market(number).ok()?;
        let ahead = self.ahead.get(usize::from(number))?.as_ref().ok()?;
        let (market, index, now) = (&listed.market.state, &listed.index.state, self.now());
        let published = ahead.index().feed.publish_time;
        if !proven.contains(&listed.keys.index) {
            if ahead.index().outage_seconds != index.outage_seconds {
                return Some((Reason::Outage, published));
            }
            if ahead.index().sample_mark != index.sample_mark {
                return Some((Reason::Sample, published));
            }
        }
        let idle = market.active == 0;
        let longest = if idle { self.schedule.idle_heartbeat() } else { self.schedule.heartbeat() };
        let due = market.accrued_at.saturating_add(longest);
        if now >= due {
            return Some((Reason::Heartbeat, due));
        }
        if idle || now < market.accrued_at.saturating_add(self.schedule.spacing()) {
            return None;
        }
        let index_moved = moved(index.feed.price.get(), ahead.index().feed.price.get(), self.schedule.move_bps);
        if index_moved || self.stock_moved(market, ahead) {
            return Some((Reason::Moved, published));
        }
        // What begins or ends here makes the interval around it free of funding.
        (ahead.market().conditions.funding() != market.conditions.funding()).then_some((Reason::State, now))
    }

    /// Whether what a dollar is worth in tokens moved since a dollar market was accrued.
    fn stock_moved(&self, market: &Market, ahead: &Cranked) -> bool {
        let units = |units: UnitsPerUsd| u128::from(units.0);
        moved(units(market.units.last), units(ahead.market().units.last), self.schedule.move_bps)
    }

    /// Cranks the stock alone where no dollar market is cranked, for what only the record says: that a price is missing, or
    /// that the multiplier changes.
    fn look_at_stock(&mut self) {
        let book = &self.view.book;
        let needed = book.markets.iter().any(|listed| listed.keys.stock.is_some());
        let Some(stock) = book.stock.as_ref().filter(|_| needed) else { return };
        let prices = book.stock_prices();
        let [share, token] = prices.map(|price| price.map(|(_, update)| update));
        let mut next = stock.state;
        if next.crank(&book.mint.scaled_ui, share.as_ref(), token.as_ref(), book.moment).is_err() {
            return;
        }
        let (now, slots) = (self.now(), book.moment.slot.saturating_sub(stock.state.cranked_slot));
        let recent = slots < self.schedule.spacing().unsigned_abs() * SLOTS_PER_SECOND;
        if recent || record(&next, now) == record(&stock.state, now) {
            return;
        }
        let target = book.keys.stock();
        let [share, token] = prices.map(|price| price.map(|(address, _)| address));
        let crank = instruction::crank_stock(&book.keys, share.as_ref(), token.as_ref());
        self.push(Key::of(Kind::CrankStock, target), Reason::State, now, &[], vec![crank]);
    }
}

/// What of a stock lasts from one crank to the next besides its prices.
fn record(stock: &Stock, now: i64) -> impl PartialEq {
    let missing = stock.missing_since.map(|since| since != 0);
    let in_grace = now < stock.grace_until;
    let changes = (stock.multiplier, stock.changed_at, stock.changes_at, stock.doubt_bps, stock.unacknowledged);
    (missing, in_grace, changes)
}

/// Whether a price moved by at least `bps` of what it was. It decides when to look, not what anything is worth.
fn moved(before: u128, after: u128, bps: u16) -> bool {
    let distance = before.abs_diff(after).checked_mul(u128::from(BPS));
    let least = before.checked_mul(u128::from(bps));
    distance.is_none_or(|distance| least.is_some_and(|least| distance != 0 && distance >= least))
}
