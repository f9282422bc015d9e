//! Withdrawals at the fronts of the pools' queues.

use perpetua_client::{
    instruction,
    model::{BPS, Condition, Conditions, Execution, Market, PoolKind, Result},
    perpetua::state::WithdrawalTicket,
    snapshot::Keyed,
};

use super::Planner;
use crate::job::{Key, Kind, Reason};

impl Planner<'_> {
    pub(super) fn look_at_queues(&mut self) {
        for (kind, head) in [PoolKind::Main, PoolKind::Insurance].into_iter().zip(&self.view.heads) {
            let Some(ticket) = head else { continue };
            let Ok(execution) = self.try_execution(kind, ticket) else { continue };
            if let Some((reason, since)) = self.execution_reason(kind, ticket, execution) {
                self.push_execution(ticket, reason, since);
            }
        }
    }

    /// Executes on copies, after all markets were cranked and marked.
    fn try_execution(&self, kind: PoolKind, ticket: &Keyed<WithdrawalTicket>) -> Result<Execution> {
        let book = &self.view.book;
        let marked: Vec<Box<Market>> = self.marked()?;
        let mut vault = book.vault.state;
        let value = vault.net_asset_value(kind, marked.iter().map(AsRef::as_ref), book.moment.slot)?;
        let states =
            Conditions::NORMAL.with(Condition::Paused, book.is_paused()).with(Condition::VaultShort, book.is_short()?);
        let by_owner = ticket.account.owner == self.identity.keeper;
        vault.execute_withdrawal(kind, &mut ticket.account.state.clone(), value, by_owner, states, book.moment)
    }

    fn marked(&self) -> Result<Vec<Box<Market>>> {
        let mut marked = Vec::new();
        for number in 0..usize::from(self.view.book.vault.market_count) {
            if let (Some(market), Some(index)) = (self.market(number), self.index(number)) {
                let mut market = Box::new(*market);
                market.mark(index, self.view.book.moment)?;
                marked.push(market);
            }
        }
        Ok(marked)
    }

    /// Whether an execution is worth its transaction: it empties the ticket, or pays a fair part of it, or keeps its place.
    fn execution_reason(
        &self,
        kind: PoolKind,
        ticket: &Keyed<WithdrawalTicket>,
        execution: Execution,
    ) -> Option<(Reason, i64)> {
        let state = &ticket.account.state;
        let front = self.view.book.vault.state.pool(kind).head_since.max(state.ready);
        let Execution::Paid { shares, left, .. } = execution else { return Some((Reason::Due, front)) };
        let part = u128::from(shares.0) * u128::from(BPS);
        let fair = u128::from(state.shares.0) * u128::from(self.schedule.least_exit_bps);
        if left.is_zero() || !shares.is_zero() && part >= fair {
            return Some((Reason::Due, front));
        }
        let keep = front.saturating_add(self.schedule.keep_place());
        (self.now() >= keep).then_some((Reason::KeepPlace, keep))
    }

    fn push_execution(&mut self, ticket: &Keyed<WithdrawalTicket>, reason: Reason, since: i64) {
        let book = &self.view.book;
        let all: Vec<u8> = (0..book.vault.market_count).collect();
        let mut last: Vec<_> = book.markets.iter().map(|listed| instruction::mark_market(&listed.keys)).collect();
        let markets = book.markets.iter().map(|listed| &listed.keys);
        last.push(instruction::execute_withdrawal(&self.identity.keeper, &book.keys, &ticket.address, markets));
        let cranks = self.crankable(&all);
        self.push(Key::of(Kind::ExecuteWithdrawal, ticket.address), reason, since, &cranks, last);
    }
}
