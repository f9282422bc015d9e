//! What must hold, checked from the accounts as they are on the chain.

use std::collections::BTreeMap;

use perpetua_client::{model::PoolKind, perpetua::state};
use perpetua_tests::{
    chain::Snapshot,
    ledger::{all, number},
};
use solana_account::ReadableAccount;
use solana_pubkey::Pubkey;

use crate::{
    book::{Book, Purse},
    format::thousands,
    record::Check,
};

/// A promise, how often it was looked at, and the first time it was broken.
#[derive(Clone, Debug, Default)]
struct Promise {
    looks: usize,
    latest: String,
    broken: Option<String>,
}

/// Everything that was looked at.
#[derive(Clone, Debug, Default)]
pub struct Audit {
    promises: BTreeMap<&'static str, Promise>,
    /// Funding indices by market, slot and side.
    funding: BTreeMap<(u8, usize, usize), u128>,
}

/// The vault of the run and the numbers of those who have margin accounts there.
pub struct Subject<'a> {
    /// Every account.
    pub accounts: &'a Snapshot,
    /// The vault.
    pub vault: Pubkey,
    /// Margin accounts by their owner's number.
    pub margin: &'a [(usize, Pubkey)],
    /// Stock tokens by their owner's number, and what each wallet started with.
    pub wallets: &'a [(usize, Pubkey)],
    /// What each wallet started with.
    pub endowment: u64,
}

impl Audit {
    /// Notes whether two numbers are the same.
    pub fn equal(&mut self, promise: &'static str, left: i128, right: i128) {
        self.note(promise, left == right, || format!("{left} = {right}"));
    }

    /// Notes whether a promise holds now.
    pub fn note(&mut self, promise: &'static str, holds: bool, detail: impl FnOnce() -> String) {
        let entry = self.promises.entry(promise).or_default();
        entry.looks += 1;
        entry.latest = detail();
        if !holds && entry.broken.is_none() {
            entry.broken = Some(entry.latest.clone());
        }
    }

    /// The outcome.
    pub fn checks(&self) -> Vec<Check> {
        let check = |(promise, seen): (&&'static str, &Promise)| Check {
            promise: (*promise).to_owned(),
            holds: seen.broken.is_none(),
            detail: match &seen.broken {
                Some(broken) => format!("broken: {broken}"),
                None if seen.looks == 1 => seen.latest.clone(),
                // Sums of entries have more digits than anybody reads.
                None if seen.latest.len() > 40 => format!("{} times", thousands(seen.looks)),
                None => format!("{} times, last {}", thousands(seen.looks), seen.latest),
            },
        };
        self.promises.iter().map(check).collect()
    }

    /// Looks at everything that can be read from the accounts.
    pub fn look(&mut self, subject: &Subject<'_>, book: &Book) {
        let Some(vault) = all::<state::Vault>(subject.accounts).remove(&subject.vault) else { return };
        let accounts: Vec<_> = all::<state::MarginAccount>(subject.accounts).into_iter().collect();
        let tickets: Vec<_> = all::<state::WithdrawalTicket>(subject.accounts).into_values().collect();
        self.ledgers(subject, &vault, &accounts, &tickets);
        self.shares(subject, &vault, &tickets);
        let markets = all::<state::Market>(subject.accounts).into_values();
        let reserves: u128 = markets.map(|market| self.market(&market, &accounts)).sum();
        self.equal("The vault's reserves are the sum over series", vault.state.reserves.0.into(), signed(reserves));
        self.claims(&vault, &accounts);
        self.books(subject, &vault, &accounts, book);
    }

    fn ledgers(
        &mut self,
        subject: &Subject<'_>,
        vault: &state::Vault,
        accounts: &[(Pubkey, state::MarginAccount)],
        tickets: &[state::WithdrawalTicket],
    ) {
        let state = &vault.state;
        let pools = [state.main.assets, state.insurance.assets, state.claims.funded];
        let ledgers = [&pools[..], &[state.margin, state.payable, state.protocol_fees]].concat();
        let total: u128 = ledgers.iter().map(|ledger| u128::from(ledger.0)).sum();
        let balance = subject.accounts.get(&vault.tokens).map_or(0, |account| number(account.data(), 64));
        self.equal("The vault's tokens are the sum of its ledgers, to the unit", balance.into(), signed(total));
        let collateral: u128 = accounts.iter().map(|(_, account)| u128::from(account.state.collateral.0)).sum();
        self.equal(
            "The margin ledger is the sum of all accounts' collateral",
            state.margin.0.into(),
            signed(collateral),
        );
        let payable: u128 = tickets.iter().map(|ticket| u128::from(ticket.state.payable.0)).sum();
        self.equal(
            "The ledger of executed withdrawals is the sum of all tickets",
            state.payable.0.into(),
            signed(payable),
        );
        let (reserves, main) = (state.reserves.0, state.main.assets.0);
        self.note("Every payout is funded: reserves are within the main pool", reserves <= main, || {
            format!("{reserves} <= {main}")
        });
    }

    fn shares(&mut self, subject: &Subject<'_>, vault: &state::Vault, tickets: &[state::WithdrawalTicket]) {
        for (kind, mint) in [PoolKind::Main, PoolKind::Insurance].into_iter().zip(vault.share_mints) {
            let supply = subject.accounts.get(&mint).map_or(0, |account| number(account.data(), 36));
            let waiting = tickets.iter().filter(|ticket| ticket.pool == kind as u8);
            let waiting: u128 = waiting.map(|ticket| u128::from(ticket.state.shares.0)).sum();
            let pool = vault.state.pool(kind);
            let both = signed(u128::from(supply) + waiting);
            self.equal("Share tokens and shares in tickets are the pool's shares", both, pool.shares.0.into());
        }
    }

    /// Each claim is rounded up, so that their sum may exceed what is owed by a unit for each.
    fn claims(&mut self, vault: &state::Vault, accounts: &[(Pubkey, state::MarginAccount)]) {
        let fund = &vault.state.claims;
        let claims = || accounts.iter().map(|(_, account)| account.state.claim).filter(|claim| !claim.amount.is_zero());
        let left: u128 = claims().filter_map(|claim| claim.left(fund.scale).ok()).map(|left| u128::from(left.0)).sum();
        let due: u128 = claims().filter_map(|claim| claim.due(fund.scale).ok()).map(|due| u128::from(due.0)).sum();
        let (owed, funded) = (u128::from(fund.outstanding.0), u128::from(fund.funded.0));
        let units = u128::try_from(claims().count()).unwrap_or(0);
        let holds = (owed..=owed + units).contains(&left) && (due..=due + units).contains(&funded);
        self.note("What insurance owes and has set aside is the sum of all claims, but for a unit each", holds, || {
            format!("owed {owed} = {left}, set aside {funded} = {due}")
        });
    }

    /// Returns the market's reserves.
    fn market(&mut self, market: &state::Market, accounts: &[(Pubkey, state::MarginAccount)]) -> u128 {
        let positions = || {
            let all = accounts.iter().flat_map(|(_, account)| &account.state.positions);
            all.filter(|position| !position.size.is_zero() && position.market == market.number)
        };
        let mut reserves = 0;
        for (place, slot) in market.state.slots.iter().enumerate() {
            for (side, series) in slot.series.iter().enumerate() {
                self.funding_never_falls((market.number, place, side), series.index().0);
                if series.open_interest.is_zero() {
                    continue;
                }
                let here = || positions().filter(|p| p.tick == slot.tick && usize::from(p.side) == side);
                let size: u128 = here().map(|p| u128::from(p.size.0)).sum();
                self.equal("Open interest is the sum of positions", series.open_interest.0.into(), signed(size));
                let entries =
                    here().fold(0u128, |sum, p| sum.wrapping_add(u128::from(p.size.0).wrapping_mul(p.entry.get())));
                let kept = series.entry_sum.get();
                self.note("Entry sums are the sums over positions", kept == entries, || format!("{kept} = {entries}"));
                let reserve: u128 = here().map(|p| u128::from(p.reserve.0)).sum();
                self.equal("A series' reserve is the sum over positions", series.reserve.0.into(), signed(reserve));
                reserves += reserve;
            }
        }
        reserves
    }

    fn funding_never_falls(&mut self, place: (u8, usize, usize), index: u128) {
        let before = self.funding.insert(place, index).unwrap_or(0);
        if index != before {
            self.note("No funding index ever falls", index >= before, || format!("{before} to {index}"));
        }
    }

    fn books(
        &mut self,
        subject: &Subject<'_>,
        vault: &state::Vault,
        accounts: &[(Pubkey, state::MarginAccount)],
        book: &Book,
    ) {
        const AGREE: &str = "The books kept from events agree with the chain, purse by purse";
        let state = &vault.state;
        let purses = [
            (Purse::Main, state.main.assets),
            (Purse::Insurance, state.insurance.assets),
            (Purse::Protocol, state.protocol_fees),
            (Purse::Payable, state.payable),
            (Purse::Claims, state.claims.funded),
        ];
        for (purse, ledger) in purses {
            self.agree(AGREE, purse, book, ledger.0.into());
        }
        let collateral: BTreeMap<_, _> =
            accounts.iter().map(|(key, account)| (*key, account.state.collateral.0)).collect();
        for (who, address) in subject.margin {
            let here = collateral.get(address).copied().unwrap_or(0);
            self.agree(AGREE, Purse::Margin(*who), book, here.into());
        }
        for (who, address) in subject.wallets {
            let here = subject.accounts.get(address).map_or(0, |account| number(account.data(), 64));
            self.agree(AGREE, Purse::Wallet(*who), book, i128::from(here) - i128::from(subject.endowment));
        }
        self.equal("Profits and losses, and what is in the vault, add up to zero", book.sum(), 0);
    }

    fn agree(&mut self, promise: &'static str, purse: Purse, book: &Book, chain: i128) {
        let kept = book.balance(purse);
        self.note(promise, kept == chain, || format!("{purse:?}: {kept} = {chain}"));
    }
}

/// Sums of tokens stay far below 2^127.
fn signed(sum: u128) -> i128 {
    i128::try_from(sum).unwrap_or(i128::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_promise_once_broken_stays_broken() {
        let mut audit = Audit::default();
        audit.equal("a sum", 1, 1);
        assert!(audit.checks()[0].holds);
        audit.equal("a sum", 1, 2);
        audit.equal("a sum", 3, 3);
        let checks = audit.checks();
        assert!(!checks[0].holds);
        assert_eq!(checks[0].detail, "broken: 1 = 2");
    }

    #[test]
    fn a_falling_funding_index_is_noticed() {
        let mut audit = Audit::default();
        audit.funding_never_falls((0, 0, 0), 5);
        audit.funding_never_falls((0, 0, 0), 7);
        assert!(audit.checks()[0].holds);
        audit.funding_never_falls((0, 0, 0), 6);
        assert!(!audit.checks()[0].holds);
    }
}
