//! Joining and leaving the pools.

use perpetua_model::{Action as Act, NetAssetValue, Shares, Tokens, Vault};

use super::{MISSING, Mirror, Outcome, Refusal, TOO_FEW, TicketOf, UNAUTHORIZED, VaultOf, is_given, kind};
use crate::sequences::action::{Action, TicketKey};

impl VaultOf {
    /// What a pool is worth by the marks of the given markets, which must be all.
    pub(crate) fn value(&self, insurance: bool, given: u8, slot: u64) -> Outcome<NetAssetValue> {
        let all = self.markets.iter().enumerate();
        let markets: Vec<_> = all.filter(|(number, _)| is_given(given, *number)).map(|(_, market)| market).collect();
        if markets.len() != self.markets.len() {
            return Err(Refusal::Program("MarketsIncomplete"));
        }
        let marked = markets.into_iter().map(|market| &market.state);
        Ok(self.ledgers()?.net_asset_value(kind(insurance), marked, slot)?)
    }

    /// A withdrawal of `by`, and the ledgers.
    fn own_ticket(&mut self, by: u8, key: TicketKey) -> Outcome<(&mut TicketOf, &mut Vault)> {
        let ticket = self.tickets[usize::from(key.insurance)].get_mut(&key.number).ok_or(MISSING)?;
        if ticket.owner != by {
            return Err(UNAUTHORIZED);
        }
        Ok((ticket, self.state.as_mut().ok_or(MISSING)?))
    }
}

impl Mirror {
    pub(super) fn provide(&mut self, action: &Action) -> Outcome {
        match *action {
            Action::JoinPool { by, vault, insurance, amount, min_shares, given } => {
                self.join_pool(by, vault, insurance, amount, min_shares, given)
            }
            Action::RequestWithdrawal { by, vault, insurance, shares } => {
                self.request_withdrawal(by, vault, insurance, shares)
            }
            Action::ExecuteWithdrawal { by, vault, ticket, given } => self.execute_withdrawal(by, vault, ticket, given),
            Action::CancelWithdrawal { by, vault, ticket } => self.cancel_withdrawal(by, vault, ticket),
            Action::ClaimWithdrawal { by, vault, ticket } => self.claim_withdrawal(by, vault, ticket),
            Action::CloseTicket { vault, ticket } => self.close_ticket(vault, ticket),
            _ => unreachable!("not an action of an LP"),
        }
    }

    fn join_pool(&mut self, by: u8, vault: u8, insurance: bool, amount: u64, min_shares: u64, given: u8) -> Outcome {
        let conditions = self.conditions(vault);
        let slot = self.slot;
        let vault = &mut self.vaults[usize::from(vault)];
        vault.ledgers()?;
        self.exchange.as_ref().ok_or(MISSING)?;
        vault.require_given(given)?;
        let value = vault.value(insurance, given, slot)?;
        let conditions = conditions?.and(vault.mint_conditions()?);
        conditions.allow(Act::PoolIn)?;
        vault.take_in(by, amount)?;
        let (amount, least) = (Tokens(amount), Shares(min_shares));
        let shares = vault.ledgers_mut()?.join_pool(kind(insurance), value, amount, least, conditions)?;
        vault.check_tokens()?;
        vault.wallets[usize::from(by)].shares[usize::from(insurance)] += shares.0;
        Ok(())
    }

    fn request_withdrawal(&mut self, by: u8, vault: u8, insurance: bool, shares: u64) -> Outcome {
        let now = self.now;
        let vault = &mut self.vaults[usize::from(vault)];
        vault.ledgers()?;
        let held = &mut vault.wallets[usize::from(by)].shares[usize::from(insurance)];
        *held = held.checked_sub(shares).ok_or(TOO_FEW)?;
        let ticket = vault.ledgers_mut()?.request_withdrawal(kind(insurance), Shares(shares), now)?;
        vault.tickets[usize::from(insurance)].insert(ticket.number, TicketOf { owner: by, state: ticket });
        Ok(())
    }

    fn execute_withdrawal(&mut self, by: u8, vault: u8, key: TicketKey, given: u8) -> Outcome {
        let conditions = self.conditions(vault)?;
        let moment = self.moment();
        let vault = &mut self.vaults[usize::from(vault)];
        let mut ticket = *vault.ticket(key)?;
        vault.require_given(given)?;
        let value = vault.value(key.insurance, given, moment.slot)?;
        let state = vault.ledgers_mut()?;
        let before = state.total()?;
        let by_owner = ticket.owner == by;
        state.execute_withdrawal(kind(key.insurance), &mut ticket.state, value, by_owner, conditions, moment)?;
        vault.tickets[usize::from(key.insurance)].insert(key.number, ticket);
        vault.check_ledgers(before)
    }

    fn cancel_withdrawal(&mut self, by: u8, vault: u8, key: TicketKey) -> Outcome {
        let now = self.now;
        let vault = &mut self.vaults[usize::from(vault)];
        let (ticket, state) = vault.own_ticket(by, key)?;
        let shares = state.cancel_withdrawal(kind(key.insurance), &mut ticket.state, now)?;
        vault.wallets[usize::from(by)].shares[usize::from(key.insurance)] += shares.0;
        Ok(())
    }

    fn claim_withdrawal(&mut self, by: u8, vault: u8, key: TicketKey) -> Outcome {
        let conditions = self.conditions(vault)?;
        let vault = &mut self.vaults[usize::from(vault)];
        vault.own_ticket(by, key)?;
        let conditions = conditions.and(vault.mint_conditions()?);
        let (ticket, state) = vault.own_ticket(by, key)?;
        let amount = state.claim_withdrawal(&mut ticket.state, conditions)?;
        vault.send_out(by, amount.0)?;
        vault.check_tokens()
    }

    fn close_ticket(&mut self, vault: u8, key: TicketKey) -> Outcome {
        let vault = &mut self.vaults[usize::from(vault)];
        let ticket = vault.ticket(key)?;
        vault.ledgers()?.require_finished(kind(key.insurance), &ticket.state)?;
        vault.tickets[usize::from(key.insurance)].remove(&key.number);
        Ok(())
    }
}
