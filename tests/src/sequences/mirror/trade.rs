//! What the owner of a margin account does.

use bytemuck::Zeroable;
use perpetua_model::{
    Conditions, MarginAccount, SeriesKey, Size, Tokens, TradeMarkets, close_position, open_position, pricing::Side,
    withdraw,
};

use super::{BORROWED, EXISTS, MISSING, Mirror, Outcome, Refusal, UNAUTHORIZED, is_given, refs};
use crate::sequences::action::{Action, Holder, Series};

/// The option as the model names it.
pub(crate) fn key(series: Series) -> SeriesKey {
    let side = if series.put { Side::Put } else { Side::Call };
    SeriesKey { market: series.market, side, tick: series.tick }
}

pub(super) fn require_owner(by: u8, holder: Holder) -> Outcome<()> {
    if by == holder.owner { Ok(()) } else { Err(UNAUTHORIZED) }
}

impl Mirror {
    pub(super) fn trade(&mut self, action: &Action) -> Outcome {
        match *action {
            Action::OpenAccount { vault, holder } => self.open_account(vault, holder),
            Action::CloseAccount { by, vault, holder } => self.close_account(by, vault, holder),
            Action::Deposit { by, vault, holder, amount } => self.deposit(by, vault, holder, amount),
            Action::Withdraw { by, vault, holder, amount, given } => self.withdraw(by, vault, holder, amount, given),
            Action::OpenPosition { by, vault, holder, series, size, max_cost, given } => {
                self.open_position(by, vault, holder, series, (size, max_cost), given)
            }
            Action::ClosePosition { by, vault, holder, series, size, min_proceeds } => {
                self.close_position(by, vault, holder, series, size, min_proceeds)
            }
            _ => unreachable!("not an action of an account's owner"),
        }
    }

    fn place(&mut self, vault: u8, holder: Holder) -> &mut Option<MarginAccount> {
        &mut self.vaults[usize::from(vault)].accounts[usize::from(holder.owner)][usize::from(holder.sub)]
    }

    fn open_account(&mut self, vault: u8, holder: Holder) -> Outcome {
        self.vaults[usize::from(vault)].ledgers()?;
        match self.place(vault, holder) {
            Some(_) => Err(EXISTS),
            place => {
                *place = Some(MarginAccount::zeroed());
                Ok(())
            }
        }
    }

    fn close_account(&mut self, by: u8, vault: u8, holder: Holder) -> Outcome {
        let account = self.vaults[usize::from(vault)].account(holder)?;
        require_owner(by, holder)?;
        if !account.is_empty() {
            return Err(Refusal::Program("AccountNotEmpty"));
        }
        *self.place(vault, holder) = None;
        Ok(())
    }

    fn deposit(&mut self, by: u8, vault: u8, holder: Holder, amount: u64) -> Outcome {
        let vault = &mut self.vaults[usize::from(vault)];
        vault.ledgers()?;
        let mut account = *vault.account(holder)?;
        require_owner(by, holder)?;
        if amount == 0 {
            return Err(Refusal::Program("AmountZero"));
        }
        vault.require_mint_unchanged()?;
        vault.take_in(by, amount)?;
        let state = vault.ledgers_mut()?;
        state.sync(&mut account)?;
        state.deposit(&mut account, Tokens(amount))?;
        vault.accounts[usize::from(holder.owner)][usize::from(holder.sub)] = Some(account);
        vault.check_tokens()
    }

    fn withdraw(&mut self, by: u8, vault: u8, holder: Holder, amount: u64, given: u8) -> Outcome {
        let conditions = self.conditions(vault)?;
        let now = self.now;
        let vault = &mut self.vaults[usize::from(vault)];
        let mut account = *vault.account(holder)?;
        require_owner(by, holder)?;
        vault.require_given(given)?;
        let conditions = conditions.and(vault.mint_conditions()?);
        let state = vault.state.as_mut().ok_or(MISSING)?;
        withdraw(state, &mut account, &refs(&vault.markets, given), Tokens(amount), conditions, now)?;
        vault.accounts[usize::from(holder.owner)][usize::from(holder.sub)] = Some(account);
        vault.send_out(by, amount)?;
        vault.check_tokens()
    }

    fn open_position(
        &mut self,
        by: u8,
        vault: u8,
        holder: Holder,
        series: Series,
        (size, max_cost): (u64, u64),
        given: u8,
    ) -> Outcome {
        let conditions = self.conditions(vault)?;
        let moment = self.moment();
        let vault = &mut self.vaults[usize::from(vault)];
        let mut account = *vault.account(holder)?;
        let index = vault.market(series.market)?.index;
        let index = self.indices[usize::from(index)].as_ref().ok_or(MISSING)?;
        require_owner(by, holder)?;
        // Markets that are not there have higher numbers, and come later.
        if is_given(given, series.market.into()) {
            return Err(BORROWED);
        }
        vault.require_given(given)?;
        let conditions = conditions.and(vault.mint_conditions()?);
        let number = usize::from(series.market);
        // The traded market changes while the others are read.
        let mut traded = vault.markets[number].state;
        let state = vault.state.as_mut().ok_or(MISSING)?;
        open_position(
            state,
            &mut account,
            TradeMarkets { number: series.market, traded: &mut traded, others: refs(&vault.markets, given) },
            &index.state,
            (key(series), Size(size)),
            Tokens(max_cost),
            conditions,
            moment,
        )?;
        vault.markets[number].state = traded;
        vault.accounts[usize::from(holder.owner)][usize::from(holder.sub)] = Some(account);
        vault.check_tokens()
    }

    fn close_position(
        &mut self,
        by: u8,
        vault: u8,
        holder: Holder,
        series: Series,
        size: u64,
        min_proceeds: u64,
    ) -> Outcome {
        let moment = self.moment();
        let vault = &mut self.vaults[usize::from(vault)];
        let before = vault.ledgers()?.total()?;
        let mut account = *vault.account(holder)?;
        let index = vault.market(series.market)?.index;
        let index = self.indices[usize::from(index)].as_ref().ok_or(MISSING)?;
        require_owner(by, holder)?;
        close_position(
            vault.state.as_mut().ok_or(MISSING)?,
            &mut account,
            &mut vault.markets[usize::from(series.market)].state,
            &index.state,
            (key(series), Size(size)),
            Tokens(min_proceeds),
            Conditions::NORMAL,
            moment,
        )?;
        vault.accounts[usize::from(holder.owner)][usize::from(holder.sub)] = Some(account);
        vault.check_ledgers(before)
    }
}
