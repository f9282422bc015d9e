//! What anyone may do to keep markets, accounts and ledgers up to date.

use perpetua_model::{Conditions, ModelError, SettleReason, Tokens, liquidate, settle_funding, settle_position};

use super::{MISSING, Mirror, Outcome, Refusal, UNAUTHORIZED, is_given, muts, trade::key};
use crate::sequences::action::{Action, Holder, SHARE, Series, TOKEN};

impl Mirror {
    pub(super) fn keep(&mut self, action: &Action) -> Outcome {
        match *action {
            Action::CrankStock { vault, share, token } => self.crank_stock(vault, share, token),
            Action::CrankFunding { vault, market, update, with_stock } => {
                self.crank_funding(vault, market, update, with_stock)
            }
            Action::MarkMarket { vault, market } => self.mark_market(vault, market),
            Action::Liquidate { by, vault, holder, keeper, given } => self.liquidate(by, vault, holder, keeper, given),
            Action::SettleCapped { vault, holder, series } => self.settle(vault, holder, series, SettleReason::Capped),
            Action::RetireFar { vault, holder, series } => self.settle(vault, holder, series, SettleReason::Far),
            Action::SettleAbandoned { vault, holder, series } => {
                self.settle(vault, holder, series, SettleReason::Abandoned)
            }
            Action::SettleFunding { vault, holder, given } => self.settle_funding(vault, holder, given),
            Action::NoteShortage { vault } => self.note_shortage(vault),
            Action::RecogniseLoss { vault } => self.recognise_loss(vault),
            Action::RepayLosses { vault } => self.repay_losses(vault),
            Action::ServeClaims { vault } => self.serve_claims(vault),
            Action::SyncAccount { vault, holder } => self.sync_account(vault, holder),
            _ => unreachable!("not an action of a keeper"),
        }
    }

    fn crank_stock(&mut self, vault: u8, share: Option<u8>, token: Option<u8>) -> Outcome {
        let moment = self.moment();
        let stock = self.vaults[usize::from(vault)].stock.as_ref().ok_or(MISSING)?;
        let has_token_feed = stock.parameters.token_feed.is_some();
        let share = share.map(|at| self.update(SHARE, at)).transpose()?;
        let token = match token {
            // Where no feed was named, none is the one that was named.
            Some(at) if !has_token_feed => return Err(self.wrong_feed(TOKEN, at)),
            Some(at) => Some(self.update(TOKEN, at)?),
            None => None,
        };
        let vault = &mut self.vaults[usize::from(vault)];
        let stock = &mut vault.stock.as_mut().ok_or(MISSING)?.state;
        stock.crank(&vault.mint.scaled_ui, share.as_ref(), token.as_ref(), moment)?;
        stock.read(moment)?;
        Ok(())
    }

    /// What a price account of another feed is refused for.
    fn wrong_feed(&self, feed: u8, at: u8) -> Refusal {
        let posted = self.posted[usize::from(feed)][usize::from(at)];
        Refusal::Program(if posted.is_some() { "WrongFeed" } else { "WrongOracleOwner" })
    }

    fn crank_funding(&mut self, vault: u8, number: u8, update: Option<u8>, with_stock: bool) -> Outcome {
        let moment = self.moment();
        let vault = usize::from(vault);
        let feed = self.vaults[vault].market(number)?.index;
        let mut index = self.indices[usize::from(feed)].as_ref().ok_or(MISSING)?.state;
        if with_stock && self.vaults[vault].stock.is_none() {
            return Err(MISSING);
        }
        if let Some(at) = update {
            let update = self.update(feed, at)?;
            index.accept(&update, moment.now)?;
        }
        let vault = &mut self.vaults[vault];
        let stock = vault.stock.as_ref().filter(|_| with_stock).map(|stock| &stock.state);
        vault.markets[usize::from(number)].state.accrue(&index, stock, moment)?;
        if let Some(listed) = &mut self.indices[usize::from(feed)] {
            listed.state = index;
        }
        Ok(())
    }

    fn mark_market(&mut self, vault: u8, number: u8) -> Outcome {
        let moment = self.moment();
        let vault = &mut self.vaults[usize::from(vault)];
        let feed = vault.market(number)?.index;
        let index = self.indices[usize::from(feed)].as_ref().ok_or(MISSING)?;
        vault.markets[usize::from(number)].state.mark(&index.state, moment)?;
        Ok(())
    }

    fn liquidate(&mut self, by: u8, vault: u8, holder: Holder, to: Holder, given: u8) -> Outcome {
        let moment = self.moment();
        let vault = &mut self.vaults[usize::from(vault)];
        let before = vault.ledgers()?.total()?;
        let mut account = *vault.account(holder)?;
        let mut keeper = *vault.account(to)?;
        if by != to.owner {
            return Err(UNAUTHORIZED);
        }
        if holder == to {
            return Err(Refusal::Program("SameAccount"));
        }
        vault.require_given(given)?;
        let mut indices = [None; perpetua_model::MARKETS];
        for (number, (place, market)) in indices.iter_mut().zip(&vault.markets).enumerate() {
            let index = self.indices[usize::from(market.index)].as_ref().map(|index| &index.state);
            *place = index.filter(|_| is_given(given, number));
        }
        let state = vault.state.as_mut().ok_or(MISSING)?;
        let mut markets = muts(&mut vault.markets, given);
        liquidate(state, &mut account, &mut keeper, &mut markets, indices, Conditions::NORMAL, moment)?;
        vault.accounts[usize::from(holder.owner)][usize::from(holder.sub)] = Some(account);
        vault.accounts[usize::from(to.owner)][usize::from(to.sub)] = Some(keeper);
        vault.check_ledgers(before)
    }

    fn settle(&mut self, vault: u8, holder: Holder, series: Series, reason: SettleReason) -> Outcome {
        let moment = self.moment();
        let vault = &mut self.vaults[usize::from(vault)];
        let before = vault.ledgers()?.total()?;
        let mut account = *vault.account(holder)?;
        let feed = vault.market(series.market)?.index;
        let index = self.indices[usize::from(feed)].as_ref().ok_or(MISSING)?;
        let market = &mut vault.markets[usize::from(series.market)].state;
        let state = vault.state.as_mut().ok_or(MISSING)?;
        settle_position(state, &mut account, market, &index.state, key(series), reason, moment)?;
        vault.accounts[usize::from(holder.owner)][usize::from(holder.sub)] = Some(account);
        vault.check_ledgers(before)
    }

    fn settle_funding(&mut self, vault: u8, holder: Holder, given: u8) -> Outcome {
        let vault = &mut self.vaults[usize::from(vault)];
        let before = vault.ledgers()?.total()?;
        let mut account = *vault.account(holder)?;
        vault.require_given(given)?;
        let state = vault.state.as_mut().ok_or(MISSING)?;
        settle_funding(state, &mut account, &mut muts(&mut vault.markets, given))?;
        vault.accounts[usize::from(holder.owner)][usize::from(holder.sub)] = Some(account);
        vault.check_ledgers(before)
    }

    fn note_shortage(&mut self, vault: u8) -> Outcome {
        let now = self.now;
        let vault = &mut self.vaults[usize::from(vault)];
        let balance = Tokens(vault.balance);
        vault.ledgers_mut()?.observe_balance(balance, now)?;
        Ok(())
    }

    fn recognise_loss(&mut self, vault: u8) -> Outcome {
        let now = self.now;
        let vault = &mut self.vaults[usize::from(vault)];
        let balance = Tokens(vault.balance);
        let state = vault.ledgers_mut()?;
        let before = state.total()?;
        let loss = state.recognise_loss(balance, now)?;
        vault.check_ledgers(before.minus(loss.total()?)?)
    }

    fn repay_losses(&mut self, vault: u8) -> Outcome {
        let vault = &mut self.vaults[usize::from(vault)];
        let balance = Tokens(vault.balance);
        let state = vault.ledgers_mut()?;
        let before = state.total()?;
        let repaid = state.repay_losses(balance)?;
        vault.check_ledgers(before.plus(repaid.total()?)?)?;
        vault.check_tokens()
    }

    fn serve_claims(&mut self, vault: u8) -> Outcome {
        let now = self.now;
        let vault = &mut self.vaults[usize::from(vault)];
        let state = vault.ledgers_mut()?;
        let before = state.total()?;
        if state.serve_claims(now)?.is_zero() {
            return Err(ModelError::NothingToCollect.into());
        }
        vault.check_ledgers(before)
    }

    fn sync_account(&mut self, vault: u8, holder: Holder) -> Outcome {
        let vault = &mut self.vaults[usize::from(vault)];
        let mut account = *vault.account(holder)?;
        let state = vault.ledgers_mut()?;
        let before = state.total()?;
        state.sync(&mut account)?;
        account.claim.left(state.claims.scale)?;
        vault.accounts[usize::from(holder.owner)][usize::from(holder.sub)] = Some(account);
        vault.check_ledgers(before)
    }
}
