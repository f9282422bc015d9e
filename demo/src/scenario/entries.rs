//! Turns the program's events into entries of the books and into what the report tells.

use perpetua_client::{
    address,
    event::Event,
    model::{Market, PoolKind, Shares, Vault},
    perpetua::{
        Pool, Side,
        events::{AccountLiquidated, CloseReason, PositionClosed, PositionOpened},
    },
};
use perpetua_tests::Done;
use solana_pubkey::Pubkey;

use super::stage::Stage;
use crate::{
    book::{Purse, Reason},
    log::Sale,
    record::{Happening, Kind, Subject},
};

/// Positions that one instruction can collect funding from; each is divided by itself, so each may round.
const MOST_POSITIONS: u64 = 16;

impl Stage {
    /// Enters a transaction's events. `before` and `after` are the vault's ledgers around it: where one event stands for
    /// the funding of several positions, they say how rounding divided it.
    pub fn enter(&mut self, done: &Done, before: &Vault, after: &Vault) {
        for event in &done.events {
            match event {
                Event::Deposited(e) => {
                    let who = self.margin_owner(&e.account);
                    self.log.book.transfer(Reason::Collateral, Purse::Wallet(who), Purse::Margin(who), e.amount);
                    self.margin_is(who, e.collateral);
                }
                Event::Withdrawn(e) => {
                    let who = self.margin_owner(&e.account);
                    self.log.book.transfer(Reason::Collateral, Purse::Margin(who), Purse::Wallet(who), e.amount);
                    self.margin_is(who, e.collateral);
                }
                Event::PositionOpened(e) => self.enter_open(e),
                Event::PositionClosed(e) => {
                    self.within_reserve(e.payout, before, after);
                    self.enter_close(e);
                }
                Event::FundingSettled(e) => {
                    let who = self.margin_owner(&e.account);
                    let collected = i128::from(e.collateral + e.amount) - self.log.book.balance(Purse::Margin(who));
                    let insurance = income_of_insurance(before, after, collected);
                    self.funding_of_several(who, e.amount, insurance, before, after);
                    self.margin_is(who, e.collateral);
                }
                Event::AccountLiquidated(e) => self.enter_liquidation(e, before, after),
                Event::ClaimsServed(e) => {
                    self.log.book.transfer(Reason::Served, Purse::Insurance, Purse::Claims, e.served);
                }
                Event::AccountSynced(e) => {
                    let who = self.margin_owner(&e.account);
                    self.margin_is(who, e.collateral);
                }
                Event::FeesCollected(e) => {
                    let who = self.wallet_owner(&e.destination);
                    self.log.book.transfer(Reason::Collect, Purse::Protocol, Purse::Wallet(who), e.amount);
                }
                _ => self.enter_pool(event, before, after),
            }
        }
        self.served_by_the_way(after);
    }

    fn enter_pool(&mut self, event: &Event, before: &Vault, after: &Vault) {
        match event {
            Event::PoolJoined(e) => {
                self.shares_keep_their_worth(e.pool, before, after);
                let who = self.owner(&e.owner);
                self.log.book.transfer(Reason::Join, Purse::Wallet(who), pool_purse(e.pool), e.amount);
                self.tell_pool(who, Kind::Join, e.pool, e.amount);
            }
            Event::WithdrawalRequested(e) => {
                let who = self.owner(&e.owner);
                let ticket = address::ticket(&e.vault, e.pool.into(), e.number);
                self.ticket_pools.insert(ticket, e.pool);
                self.tell_pool(who, Kind::Request, e.pool, 0);
            }
            Event::WithdrawalExecuted(e) if !e.returned => {
                let pool = self.pool_of(&e.ticket);
                self.shares_keep_their_worth(pool, before, after);
                self.log.exit_fees += self.exit_fee(pool, before, e.shares, e.tokens);
                self.log.book.transfer(Reason::Leave, pool_purse(pool), Purse::Payable, e.tokens);
                if pool == Pool::Main && after.main.shares.is_zero() {
                    let rest = u64::try_from(self.log.book.balance(Purse::Main)).unwrap_or(0);
                    self.log.book.transfer(Reason::Sweep, Purse::Main, Purse::Insurance, rest);
                }
            }
            Event::WithdrawalClaimed(e) => {
                let who = self.owner(&e.owner);
                self.log.book.transfer(Reason::Leave, Purse::Payable, Purse::Wallet(who), e.amount);
                self.tell_pool(who, Kind::Leave, self.pool_of(&e.ticket), e.amount);
            }
            Event::WithdrawalCancelled(e) => {
                self.tell_pool(self.owner(&e.owner), Kind::Cancel, self.pool_of(&e.ticket), 0);
            }
            _ => {}
        }
    }

    fn enter_liquidation(&mut self, event: &AccountLiquidated, before: &Vault, after: &Vault) {
        self.within_reserve(event.proceeds, before, after);
        let (who, keeper) = (self.margin_owner(&event.account), self.margin_owner(&event.keeper_account));
        let insurance = income_of_insurance(before, after, 0) - event.insurance_reward;
        let book = &mut self.log.book;
        book.transfer(Reason::Payout, Purse::Main, Purse::Margin(who), event.proceeds);
        book.transfer(Reason::Penalty, Purse::Margin(who), Purse::Margin(keeper), event.keeper_reward);
        book.transfer(Reason::Penalty, Purse::Margin(who), Purse::Insurance, event.insurance_reward);
        self.funding_of_several(who, event.funding, insurance, before, after);
        self.margin_is(who, event.collateral);
        self.audit.equal("No liquidation left a debt unpaid", event.written_off.into(), 0);
    }

    /// Every touch of an account collects what its claim was served, which only the collateral after it tells.
    fn margin_is(&mut self, who: usize, collateral: u64) {
        let collected = i128::from(collateral) - self.log.book.balance(Purse::Margin(who));
        if let Ok(collected) = u64::try_from(collected) {
            self.log.book.transfer(Reason::Collected, Purse::Claims, Purse::Margin(who), collected);
            *self.log.collected.entry(who).or_default() += collected;
        }
    }

    /// A payout and a withdrawal from insurance serve older claims first, which no event tells.
    fn served_by_the_way(&mut self, after: &Vault) {
        let served = i128::from(after.claims.funded.0) - self.log.book.balance(Purse::Claims);
        if let Ok(served) = u64::try_from(served) {
            self.log.book.transfer(Reason::Served, Purse::Insurance, Purse::Claims, served);
        }
    }

    fn within_reserve(&mut self, paid: u64, before: &Vault, after: &Vault) {
        let released = before.reserves.0 - after.reserves.0;
        self.audit.note("No payout exceeds the reserve of its position", paid <= released, || {
            format!("{paid} <= {released}")
        });
    }

    /// Compares what a share is worth at either end of the mark, before and after somebody came or left.
    fn shares_keep_their_worth(&mut self, pool: Pool, before: &Vault, after: &Vault) {
        let kind = PoolKind::from(pool);
        let markets = self.markets();
        let slot = self.moment().slot;
        let value = |vault: &Vault| vault.net_asset_value(kind, markets.iter().map(|market| &**market), slot);
        let (Ok(old), Ok(new)) = (value(before), value(after)) else { return };
        let shares = |vault: &Vault| vault.pool(kind).shares.0 + vault.pool_config(kind).virtual_shares.0;
        let kept = |old: u64, new: u64| {
            let (left, right) = (u128::from(new) + 1, u128::from(old) + 1);
            left * u128::from(shares(before)) >= right * u128::from(shares(after))
        };
        // The last one's leaving sweeps what is left to insurance.
        if !after.pool(kind).shares.is_zero() {
            // Claims that are served before somebody leaves are no part of the lower end, before and after.
            let owed = !before.claims.outstanding.is_zero();
            let holds = kept(old.low.0, new.low.0) && (owed || kept(old.high.0, new.high.0));
            self.audit.note("Nobody's coming or leaving takes anything from the other shares", holds, || {
                format!("{} to {} tokens at the lower end", old.low.0, new.low.0)
            });
        }
    }

    /// What a leaver left to the others: what his shares were worth less what he was paid.
    fn exit_fee(&self, pool: Pool, before: &Vault, shares: u64, paid: u64) -> u64 {
        let (kind, slot) = (PoolKind::from(pool), self.moment().slot);
        let markets = self.markets();
        let value = before.net_asset_value(kind, markets.iter().map(|market| &**market), slot);
        let worth = value.and_then(|value| before.tokens_for(kind, value, Shares(shares)));
        worth.map_or(0, |worth| worth.0.saturating_sub(paid))
    }

    fn markets(&self) -> Vec<Box<Market>> {
        (0..self.world.markets.len()).map(|number| self.world.market(number)).collect()
    }

    fn enter_open(&mut self, event: &PositionOpened) {
        let who = self.margin_owner(&event.account);
        self.log.book.transfer(Reason::Premium, Purse::Margin(who), Purse::Main, event.premium);
        self.fee(who, event.fee);
        self.funding(who, event.funding);
        self.margin_is(who, event.collateral);
        let of = self.option(&event.market, (event.side, event.tick), event.size, event.position_size);
        self.tell(who, Kind::Open, of, usd(event.price), event.premium + event.fee);
    }

    fn enter_close(&mut self, event: &PositionClosed) {
        let who = self.margin_owner(&event.account);
        self.log.book.transfer(Reason::Payout, Purse::Main, Purse::Margin(who), event.payout);
        self.log.book.transfer(Reason::TopUp, Purse::Insurance, Purse::Margin(who), event.from_insurance);
        self.log.claimed += event.claimed;
        self.log.sales.push(Sale {
            who,
            from_insurance: event.from_insurance,
            claimed: event.claimed,
            market: self.market_number(&event.market),
            value: usd(event.value),
            size: event.size,
            paid: event.payout + event.from_insurance + event.claimed,
        });
        self.fee(who, event.fee);
        self.funding(who, event.funding);
        let kind = match event.reason {
            CloseReason::Sold => Kind::Close,
            CloseReason::Capped => Kind::Capped,
            CloseReason::Far | CloseReason::Abandoned => Kind::Retired,
        };
        self.margin_is(who, event.collateral);
        let of = self.option(&event.market, (event.side, event.tick), event.size, event.position_size);
        self.tell(who, kind, of, usd(event.price), event.payout + event.from_insurance - event.fee);
    }

    /// A fee goes to insurance 20% and the protocol 30%, each rounded down, and the rest to the main pool.
    fn fee(&mut self, who: usize, fee: u64) {
        self.divide(Reason::Fee, who, fee, fee * 20 / 100, fee * 30 / 100);
    }

    /// One position's funding goes to insurance 15% and the protocol 5%, each rounded down, and the rest to the main pool.
    fn funding(&mut self, who: usize, funding: u64) {
        self.divide(Reason::Funding, who, funding, funding * 15 / 100, funding * 5 / 100);
    }

    fn funding_of_several(&mut self, who: usize, amount: u64, insurance: u64, before: &Vault, after: &Vault) {
        let protocol = after.protocol_fees.0 - before.protocol_fees.0;
        let near = |part: u64, whole: u64| part <= whole && whole - part <= MOST_POSITIONS;
        let fair = near(insurance, amount * 15 / 100) && near(protocol, amount * 5 / 100);
        self.audit.note("Funding is divided 80, 15 and 5, but for a unit a position", fair, || {
            format!("of {amount}: insurance {insurance}, protocol {protocol}")
        });
        self.divide(Reason::Funding, who, amount, insurance, protocol);
    }

    fn divide(&mut self, reason: Reason, who: usize, amount: u64, insurance: u64, protocol: u64) {
        let rest = amount - insurance - protocol;
        for (purse, part) in [(Purse::Main, rest), (Purse::Insurance, insurance), (Purse::Protocol, protocol)] {
            self.log.book.transfer(reason, Purse::Margin(who), purse, part);
        }
    }

    /// An option as the report tells of it.
    pub fn option(&self, market: &Pubkey, (side, tick): (Side, i16), size: u64, left: u64) -> Subject {
        let market = self.market_number(market);
        Subject::Option { market, call: side == Side::Call, tick, strike: self.strike(tick), size, left }
    }

    /// Notes something that happened to a position.
    pub fn tell(&mut self, actor: usize, kind: Kind, of: Subject, price: f64, tokens: u64) {
        let time = self.moment().now;
        self.log.happenings.push(Happening { time, actor, kind, of, price, tokens });
    }

    fn tell_pool(&mut self, actor: usize, kind: Kind, pool: Pool, tokens: u64) {
        let name = match pool {
            Pool::Main => "main",
            Pool::Insurance => "insurance",
        };
        let price = usd(self.index_price());
        self.tell(actor, kind, Subject::Pool(name.to_owned()), price, tokens);
    }

    // The program's events name addresses that this run gave out, so each is found.

    fn market_number(&self, market: &Pubkey) -> usize {
        self.world.markets.iter().position(|keys| keys.market == *market).unwrap_or(usize::MAX)
    }

    fn margin_owner(&self, account: &Pubkey) -> usize {
        self.people.iter().position(|person| person.account == *account).unwrap_or(usize::MAX)
    }

    fn wallet_owner(&self, tokens: &Pubkey) -> usize {
        self.people.iter().position(|person| person.tokens == *tokens).unwrap_or(usize::MAX)
    }

    fn owner(&self, owner: &Pubkey) -> usize {
        self.people.iter().position(|person| person.owner == *owner).unwrap_or(usize::MAX)
    }

    fn pool_of(&self, ticket: &Pubkey) -> Pool {
        self.ticket_pools.get(ticket).copied().unwrap_or(Pool::Main)
    }
}

/// What insurance received: while it owes anything, that goes to those it owes at once, and from there to whoever of them
/// was touched, `collected`.
fn income_of_insurance(before: &Vault, after: &Vault, collected: i128) -> u64 {
    let all = |vault: &Vault| i128::from(vault.insurance.assets.0) + i128::from(vault.claims.funded.0);
    u64::try_from(all(after) + collected - all(before)).unwrap_or(0)
}

/// Q64.64 dollars for people to read.
pub fn usd(bits: u128) -> f64 {
    bits as f64 / (1u128 << 64) as f64
}

fn pool_purse(pool: Pool) -> Purse {
    match pool {
        Pool::Main => Purse::Main,
        Pool::Insurance => Purse::Insurance,
    }
}
