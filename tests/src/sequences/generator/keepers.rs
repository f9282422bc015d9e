//! What LPs do, and those who execute withdrawals.

use super::{Generator, choices::all_markets};
use crate::{
    sequences::{
        action::{Action, TicketKey},
        mirror::{Mirror, kind},
    },
    token::ONE,
};

impl Generator {
    /// Refreshes prices and marks every market of a vault.
    pub(super) fn mark_all(&mut self, mirror: &Mirror, vault: u8) {
        self.refresh(mirror, vault, u8::MAX);
        for market in 0..mirror.vaults[usize::from(vault)].markets.len() {
            self.push(Action::MarkMarket { vault, market: u8::try_from(market).unwrap_or(0) });
        }
    }

    pub(super) fn join_a_pool(&mut self, mirror: &Mirror) {
        let (vault, by, insurance) = (self.vault(), self.actor(), self.random.chance(40));
        self.mark_all(mirror, vault);
        let held = mirror.vaults[usize::from(vault)].wallets[usize::from(by)].tokens;
        let hostile = self.random.chance(20);
        let amount = if hostile { self.random.around(held) } else { self.random.magnitude(1, 2_000 * ONE) };
        let given = all_markets(mirror, vault);
        let min_shares = if self.random.chance(5) { self.random.number() } else { 0 };
        self.push(Action::JoinPool { by, vault, insurance, amount, min_shares, given });
    }

    pub(super) fn ask_to_leave(&mut self, mirror: &Mirror) {
        let (vault, insurance) = (self.vault(), self.random.chance(40));
        let wallets = &mirror.vaults[usize::from(vault)].wallets;
        let holds = |who: &u8| wallets[usize::from(*who)].shares[usize::from(insurance)] > 0;
        let lps: Vec<u8> = (0..u8::try_from(wallets.len()).unwrap_or(0)).filter(holds).collect();
        let Some(by) = self.random.pick(&lps) else { return };
        let held = wallets[usize::from(by)].shares[usize::from(insurance)];
        if self.random.chance(15) {
            let (to, amount) = (self.actor(), self.random.below(held));
            self.push(Action::SendShares { by, to, vault, insurance, amount });
        }
        let part = if self.random.chance(60) { self.random.magnitude(1, held) } else { self.random.around(held) };
        self.push(Action::RequestWithdrawal { by, vault, insurance, shares: part });
    }

    /// Executes the withdrawal at the front of a queue, mostly once it is ready.
    pub(super) fn execute_front(&mut self, mirror: &Mirror) {
        let (vault, insurance) = (self.vault(), self.random.chance(40));
        let Ok(ledgers) = mirror.vaults[usize::from(vault)].ledgers() else { return };
        let ahead = if self.random.chance(95) { 0 } else { self.random.below(3) };
        let number = ledgers.pool(kind(insurance)).head_ticket + ahead;
        let front = mirror.vaults[usize::from(vault)].tickets[usize::from(insurance)].get(&number);
        let Some(front) = front else { return };
        let left = front.state.ready - mirror.now;
        if left > 0 && self.random.chance(85) {
            let late = self.random.between(0, 1_000);
            self.sleep(left + late);
        }
        // One that waited too long returns.
        if self.random.chance(8) {
            self.sleep(6 * 86_400);
        }
        if mirror.vaults[usize::from(vault)].stock.is_some() && self.random.chance(70) {
            let now = mirror.now + self.ahead;
            self.sleep(super::prices::seconds_to_session(now));
        }
        self.mark_all(mirror, vault);
        let by = if self.random.chance(50) { front.owner } else { self.actor() };
        let given = all_markets(mirror, vault);
        let ticket = TicketKey { insurance, number };
        self.push(Action::ExecuteWithdrawal { by, vault, ticket, given });
        if self.random.chance(60) {
            self.push(Action::ClaimWithdrawal { by: front.owner, vault, ticket });
        }
    }

    /// Claims, cancels and closes withdrawals.
    pub(super) fn finish_tickets(&mut self, mirror: &Mirror) {
        let (vault, insurance) = (self.vault(), self.random.chance(40));
        let tickets = &mirror.vaults[usize::from(vault)].tickets[usize::from(insurance)];
        let all: Vec<_> = tickets.iter().map(|(number, ticket)| (*number, *ticket)).collect();
        let Some((number, ticket)) = self.random.pick(&all) else { return };
        let (by, key) = (ticket.owner, TicketKey { insurance, number });
        if ticket.state.payable.0 > 0 {
            self.push(Action::ClaimWithdrawal { by, vault, ticket: key });
        }
        if ticket.state.shares.0 > 0 && self.random.chance(30) {
            self.push(Action::CancelWithdrawal { by, vault, ticket: key });
        }
        self.push(Action::CloseTicket { vault, ticket: key });
    }

    /// Serves claims and brings accounts up to date.
    pub(super) fn serve_and_sync(&mut self, mirror: &Mirror) {
        let vault = self.vault();
        if self.random.chance(40) {
            self.sleep(86_400);
        }
        self.push(Action::ServeClaims { vault });
        let holder = self.holder(mirror, vault);
        self.push(Action::SyncAccount { vault, holder });
    }

    /// Somebody sends tokens that nothing counts.
    pub(super) fn make_gift(&mut self, _: &Mirror) {
        let (vault, by, amount) = (self.vault(), self.actor(), self.random.magnitude(1, 100 * ONE));
        self.push(Action::Donate { by, vault, amount });
    }
}
