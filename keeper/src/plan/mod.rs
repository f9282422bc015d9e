//! What is due: a pure function of the accounts that were read and the schedule.
//!
//! Nothing here judges by a formula of its own. Each job is tried on copies of the accounts by the code that the program
//! runs, after the cranks that its transaction will begin with: what the model carries out there is due.

mod accounts;
mod cranks;
mod ledgers;
mod queues;

use anchor_lang::{prelude::Pubkey, solana_program::instruction::Instruction};
use perpetua_client::perpetua::state::{MarginAccount, WithdrawalTicket};
use perpetua_client::{
    book::Book,
    instruction,
    model::{MARKETS, Market, MarketRefs, ModelError, Result},
    quote::Cranked,
    snapshot::Keyed,
};

use crate::{
    config::Schedule,
    job::{Job, Key, Kind, Reason},
};

/// Who keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The key that signs and pays.
    pub keeper: Pubkey,
    /// Which of its margin accounts liquidations are rewarded in.
    pub sub_account: u16,
}

/// A vault and all that a keeper looks at there.
#[derive(Clone, Debug)]
pub struct View {
    /// The vault with its markets, its stock and prices.
    pub book: Book,
    /// The margin accounts in the vault.
    pub accounts: Vec<Keyed<MarginAccount>>,
    /// The withdrawals at the fronts of the main and the insurance pool's queues.
    pub heads: [Option<Keyed<WithdrawalTicket>>; 2],
    /// The keeper's own margin account.
    pub own: Option<Keyed<MarginAccount>>,
}

/// What is due in a vault, and how its accounts stand.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// What to do, the most urgent first.
    pub jobs: Vec<Job>,
    /// Accounts below their maintenance margin.
    pub below: usize,
    /// Those among them that no state of their markets allows to liquidate now.
    pub barred: usize,
    /// Accounts that the model could not judge, and why: a defect, or accounts that do not belong together.
    pub unjudged: Vec<(Pubkey, ModelError)>,
}

/// What is due in a vault.
pub fn plan(view: &View, identity: &Identity, schedule: &Schedule) -> Plan {
    let mut planner = Planner::new(view, *identity, schedule);
    planner.open_account();
    planner.look_at_ledgers();
    planner.look_at_markets();
    planner.look_at_accounts();
    planner.look_at_queues();
    let mut plan = planner.plan;
    plan.jobs.sort_by_key(|job| job.key.kind);
    plan
}

/// A vault as it is looked at.
struct Planner<'a> {
    view: &'a View,
    identity: Identity,
    schedule: &'a Schedule,
    /// The markets as the cranks in front of a job leave them, by their numbers.
    ahead: Vec<Result<Cranked>>,
    plan: Plan,
}

impl<'a> Planner<'a> {
    fn new(view: &'a View, identity: Identity, schedule: &'a Schedule) -> Self {
        let book = &view.book;
        let ahead = (0..book.vault.market_count).map(|number| book.cranked(number, book.moment)).collect();
        Self { view, identity, schedule, ahead, plan: Plan::default() }
    }

    fn now(&self) -> i64 {
        self.view.book.moment.now
    }

    /// Those of the markets that can be cranked now. Cranking another would only make the transaction fail.
    fn crankable(&self, numbers: &[u8]) -> Vec<u8> {
        let can = |number: &&u8| self.ahead.get(usize::from(**number)).is_some_and(core::result::Result::is_ok);
        numbers.iter().filter(can).copied().collect()
    }

    /// A market as it will be once it was cranked, or as it is if it cannot be.
    fn market(&self, number: usize) -> Option<&Market> {
        match self.ahead.get(number)? {
            Ok(cranked) => Some(cranked.market()),
            Err(_) => Some(&self.view.book.markets.get(number)?.market.state),
        }
    }

    fn index(&self, number: usize) -> Option<&perpetua_client::model::Index> {
        match self.ahead.get(number)? {
            Ok(cranked) => Some(cranked.index()),
            Err(_) => Some(&self.view.book.markets.get(number)?.index.state),
        }
    }

    fn markets(&self) -> MarketRefs<'_> {
        let mut markets: MarketRefs<'_> = [None; MARKETS];
        for (number, place) in markets.iter_mut().enumerate() {
            *place = self.market(number);
        }
        markets
    }

    /// Adds a job whose transaction begins with the cranks of `numbers`.
    fn push(&mut self, key: Key, reason: Reason, since: i64, numbers: &[u8], last: Vec<Instruction>) {
        let book = &self.view.book;
        let Ok(mut instructions) = book.cranks(numbers) else { return };
        instructions.extend(last);
        let markets = numbers.iter().filter_map(|number| book.market(*number).ok());
        let mut locks: Vec<Pubkey> = markets.map(|listed| listed.keys.market).collect();
        if locks.is_empty() {
            locks.push(book.keys.vault);
        }
        locks.sort();
        self.plan.jobs.push(Job { key, reason, since, vault: book.keys.vault, locks, instructions });
    }

    /// Liquidations pay into a margin account in the same vault.
    fn open_account(&mut self) {
        if self.view.own.is_some() || !self.schedule.open_account {
            return;
        }
        let (keeper, keys, sub_account) = (self.identity.keeper, self.view.book.keys, self.identity.sub_account);
        let open = instruction::open_account(&keeper, &keeper, &keys, sub_account);
        let target = keys.margin_account(&keeper, sub_account);
        self.push(Key::of(Kind::OpenAccount, target), Reason::Missing, self.now(), &[], vec![open]);
    }
}
