//! Instructions with all that they need in front of them, as one transaction.

use anchor_lang::{prelude::Pubkey, solana_program::instruction::Instruction};
use perpetua::{Pool, state::MarginAccount};
use perpetua_model::{Result, Shares, Size, Tokens};

use super::Book;
use crate::{
    instruction::{self, MarketKeys, Series},
    snapshot::Keyed,
};

/// How anyone may settle a position of another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settle {
    /// The option is certain to be at its cap.
    Capped,
    /// The option is far out of the money.
    Far,
    /// The index had no price for seven days.
    Abandoned,
}

impl Book {
    /// Cranks of markets, with the newest prices that are accepted: the stock first where one of them needs it.
    ///
    /// Errors: [`perpetua_model::ModelError::MarketMissing`].
    pub fn cranks(&self, numbers: &[u8]) -> Result<Vec<Instruction>> {
        let markets = numbers.iter().map(|number| self.market(*number)).collect::<Result<Vec<_>>>()?;
        let mut cranks = Vec::new();
        if markets.iter().any(|listed| listed.keys.stock.is_some()) {
            let [share, token] = self.stock_prices().map(|price| price.map(|(address, _)| address));
            cranks.push(instruction::crank_stock(&self.keys, share.as_ref(), token.as_ref()));
        }
        for listed in markets {
            let price = self.index_price(listed).map(|(address, _)| address);
            cranks.push(instruction::crank_funding(&listed.keys, price.as_ref()));
        }
        Ok(cranks)
    }

    /// The addresses of markets.
    ///
    /// Errors: [`perpetua_model::ModelError::MarketMissing`].
    pub fn market_keys(&self, numbers: &[u8]) -> Result<Vec<MarketKeys>> {
        numbers.iter().map(|number| Ok(self.market(*number)?.keys)).collect()
    }

    fn after_cranks(&self, numbers: &[u8], instruction: Instruction) -> Result<Vec<Instruction>> {
        let mut instructions = self.cranks(numbers)?;
        instructions.push(instruction);
        Ok(instructions)
    }

    /// Buys an option for at most `max_cost` raw units, premium and fee.
    ///
    /// Errors: [`perpetua_model::ModelError::MarketMissing`].
    pub fn open(
        &self,
        account: &Keyed<MarginAccount>,
        number: u8,
        series: Series,
        size: Size,
        max_cost: Tokens,
    ) -> Result<Vec<Instruction>> {
        let mut numbers = self.markets_of(&account.account);
        numbers.retain(|other| *other != number);
        let others = self.market_keys(&numbers)?;
        numbers.push(number);
        let (owner, keys) = (&account.account.owner, &self.market(number)?.keys);
        let open =
            instruction::open_position(owner, &self.keys, &account.address, keys, &others, series, size.0, max_cost.0);
        self.after_cranks(&numbers, open)
    }

    /// Sells an option back for at least `min_proceeds` raw units after the fee.
    ///
    /// Errors: [`perpetua_model::ModelError::MarketMissing`].
    pub fn close(
        &self,
        account: &Keyed<MarginAccount>,
        number: u8,
        series: Series,
        size: Size,
        min_proceeds: Tokens,
    ) -> Result<Vec<Instruction>> {
        let (owner, keys) = (&account.account.owner, &self.market(number)?.keys);
        let close =
            instruction::close_position(owner, &self.keys, &account.address, keys, series, size.0, min_proceeds.0);
        self.after_cranks(&[number], close)
    }

    /// Takes collateral out to a token account. Markets are cranked first, so that none counts with the most that can have
    /// come due.
    ///
    /// Errors: [`perpetua_model::ModelError::MarketMissing`].
    pub fn withdraw(
        &self,
        account: &Keyed<MarginAccount>,
        destination: &Pubkey,
        amount: Tokens,
    ) -> Result<Vec<Instruction>> {
        let numbers = self.markets_of(&account.account);
        let markets = self.market_keys(&numbers)?;
        let owner = &account.account.owner;
        let withdraw = instruction::withdraw(owner, &self.keys, &account.address, destination, &markets, amount.0);
        self.after_cranks(&numbers, withdraw)
    }

    /// Liquidates an account in favour of the keeper's margin account in this vault.
    ///
    /// Errors: [`perpetua_model::ModelError::MarketMissing`].
    pub fn liquidate(
        &self,
        keeper: &Pubkey,
        keeper_account: &Pubkey,
        account: &Keyed<MarginAccount>,
    ) -> Result<Vec<Instruction>> {
        let numbers = self.markets_of(&account.account);
        let markets = self.market_keys(&numbers)?;
        let liquidate = instruction::liquidate(keeper, &self.keys, &account.address, keeper_account, &markets);
        self.after_cranks(&numbers, liquidate)
    }

    /// Settles a position to its owner.
    ///
    /// Errors: [`perpetua_model::ModelError::MarketMissing`].
    pub fn settle(&self, how: Settle, account: &Pubkey, number: u8, series: Series) -> Result<Vec<Instruction>> {
        let keys = &self.market(number)?.keys;
        let settle = match how {
            Settle::Capped => instruction::settle_capped(&self.keys, account, keys, series),
            Settle::Far => instruction::retire_far(&self.keys, account, keys, series),
            Settle::Abandoned => instruction::settle_abandoned(&self.keys, account, keys, series),
        };
        self.after_cranks(&[number], settle)
    }

    /// Collects what an account owes.
    ///
    /// Errors: [`perpetua_model::ModelError::MarketMissing`].
    pub fn settle_funding(&self, account: &Keyed<MarginAccount>) -> Result<Vec<Instruction>> {
        let numbers = self.markets_of(&account.account);
        let markets = self.market_keys(&numbers)?;
        self.after_cranks(&numbers, instruction::settle_funding(&self.keys, &account.address, &markets))
    }

    /// Values all markets, as what is done with a pool's shares needs.
    ///
    /// Errors: [`perpetua_model::ModelError::MarketMissing`].
    pub fn marks(&self) -> Result<Vec<Instruction>> {
        let numbers: Vec<u8> = (0..self.vault.market_count).collect();
        let mut instructions = self.cranks(&numbers)?;
        instructions.extend(self.markets.iter().map(|listed| instruction::mark_market(&listed.keys)));
        Ok(instructions)
    }

    /// Puts raw tokens into a pool for at least `min_shares`.
    ///
    /// Errors: [`perpetua_model::ModelError::MarketMissing`].
    pub fn join(
        &self,
        owner: &Pubkey,
        pool: Pool,
        source: &Pubkey,
        shares_destination: &Pubkey,
        amount: Tokens,
        min_shares: Shares,
    ) -> Result<Vec<Instruction>> {
        let mut instructions = self.marks()?;
        let markets = self.markets.iter().map(|listed| &listed.keys);
        let (amount, min_shares) = (amount.0, min_shares.0);
        instructions.push(instruction::join_pool(
            owner,
            &self.keys,
            pool,
            source,
            shares_destination,
            markets,
            amount,
            min_shares,
        ));
        Ok(instructions)
    }

    /// Gives up shares to leave a pool, under the pool's next number.
    pub fn request(&self, owner: &Pubkey, pool: Pool, shares_source: &Pubkey, shares: Shares) -> Instruction {
        let number = self.vault.state.pool(pool.into()).next_ticket;
        instruction::request_withdrawal(owner, owner, &self.keys, pool, number, shares_source, shares.0)
    }

    /// Executes the withdrawal at the front of its queue.
    ///
    /// Errors: [`perpetua_model::ModelError::MarketMissing`].
    pub fn execute(&self, caller: &Pubkey, ticket: &Pubkey) -> Result<Vec<Instruction>> {
        let mut instructions = self.marks()?;
        let markets = self.markets.iter().map(|listed| &listed.keys);
        instructions.push(instruction::execute_withdrawal(caller, &self.keys, ticket, markets));
        Ok(instructions)
    }
}
