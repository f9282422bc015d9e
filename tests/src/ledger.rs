//! What must add up after every transaction, computed from accounts or from the model's own values.

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};
use perpetua::state::{MarginAccount, Market, Vault, WithdrawalTicket};
use perpetua_client::account::{Stored, read_copy};
use perpetua_model as model;
use solana_account::{AccountSharedData, ReadableAccount};
use solana_pubkey::Pubkey;

use crate::chain::Snapshot;

/// Every account of one kind.
pub fn all<T: Stored>(accounts: &Snapshot) -> BTreeMap<Pubkey, T> {
    let read = |(address, account): (&Pubkey, &AccountSharedData)| {
        read_copy::<T>(account.owner(), account.data()).ok().map(|value| (*address, value))
    };
    accounts.iter().filter_map(read).collect()
}

/// Asserts that every vault covers its ledgers, and that every sum kept is the sum of its parts.
pub fn check(accounts: &Snapshot) {
    verify(accounts).unwrap_or_else(|error| panic!("{error:#}"));
}

/// Checks that every vault covers its ledgers, and that every sum kept is the sum of its parts.
///
/// Errors: what does not add up, in words.
pub fn verify(accounts: &Snapshot) -> Result<()> {
    check_all(accounts, |books| books.check_tokens().and_then(|()| books.check_sums()))
}

/// Asserts that every sum kept is the sum of its parts.
pub fn check_sums(accounts: &Snapshot) {
    check_all(accounts, |books| books.check_sums()).unwrap_or_else(|error| panic!("{error:#}"));
}

fn check_all(accounts: &Snapshot, check: impl Fn(&Books) -> Result<()>) -> Result<()> {
    let margin_accounts = all::<MarginAccount>(accounts);
    let markets = all::<Market>(accounts);
    let tickets = all::<WithdrawalTicket>(accounts);
    for (address, vault) in all::<Vault>(accounts) {
        let accounts_here = margin_accounts.values().filter(|account| account.vault == address);
        let tickets_here = tickets.values().filter(|ticket| ticket.vault == address);
        let markets_here = markets.values().filter(|market| market.vault == address);
        let books = Books {
            vault: &vault.state,
            // Amount of an SPL token account, supply of an SPL token mint.
            balance: number(accounts[&vault.tokens].data(), 64),
            supplies: vault.share_mints.map(|mint| number(accounts[&mint].data(), 36)),
            accounts: accounts_here.map(|account| &account.state).collect(),
            tickets: tickets_here.map(|ticket| (ticket.pool, &ticket.state)).collect(),
            markets: markets_here.map(|market| (market.number, &market.state)).collect(),
        };
        check(&books).with_context(|| format!("vault {address}"))?;
    }
    Ok(())
}

/// Everything that the sums of one vault are over.
pub struct Books<'a> {
    /// The ledgers.
    pub vault: &'a model::Vault,
    /// Tokens in the vault's token account, raw units.
    pub balance: u64,
    /// Shares of the main and the insurance pool that people hold.
    pub supplies: [u64; 2],
    /// All margin accounts.
    pub accounts: Vec<&'a model::MarginAccount>,
    /// All withdrawals with the number of their pool.
    pub tickets: Vec<(u8, &'a model::Ticket)>,
    /// All markets with their numbers.
    pub markets: Vec<(u8, &'a model::Market)>,
}

impl Books<'_> {
    /// Checks that the tokens cover the ledgers.
    ///
    /// Errors: what does not add up, in words.
    pub fn check_tokens(&self) -> Result<()> {
        let state = self.vault;
        let pools = [state.main.assets, state.insurance.assets, state.claims.funded];
        let others = [state.margin, state.payable, state.protocol_fees];
        let total: u64 = pools.iter().chain(&others).map(|ledger| ledger.0).sum();
        ensure!(self.balance >= total, "the vault holds {}, its ledgers say {total}", self.balance);
        Ok(())
    }

    /// Checks that every sum kept is the sum of its parts.
    ///
    /// Errors: what does not add up, in words.
    pub fn check_sums(&self) -> Result<()> {
        self.check_margin()?;
        let payable: u64 = self.tickets.iter().map(|(_, ticket)| ticket.payable.0).sum();
        let vault = self.vault;
        ensure!(payable == vault.payable.0, "tickets pay {payable}, the ledger says {}", vault.payable.0);
        self.check_shares()?;
        let mut reserves = 0;
        let mut known = 0;
        for (number, market) in &self.markets {
            let sums = Sums::of(*number, &self.accounts);
            known += sums.positions;
            reserves += sums.check(market)?;
        }
        let held: usize = self.accounts.iter().map(|account| account.open_positions().count()).sum();
        ensure!(known == held, "accounts hold {held} positions, {known} of them in markets");
        ensure!(reserves == vault.reserves.0, "markets reserve {reserves}, the vault says {}", vault.reserves.0);
        // Every payout is funded, but for what a loss of tokens took.
        let funded = vault.main.assets.0 + vault.lost.main.0;
        ensure!(reserves <= funded, "{reserves} are reserved, {funded} are funded");
        Ok(())
    }

    /// The margin ledger is what accounts hold; after a loss of margin it is no less than what they hold once each learned
    /// of it, and rounding leaves a unit for each account and loss. Served claims that nobody collected yet are there to
    /// collect, and nobody is owed less than he should.
    fn check_margin(&self) -> Result<()> {
        let vault = self.vault;
        let (mut held, mut due, mut owed) = (0, 0, 0);
        for account in &self.accounts {
            due += account.claim.due(vault.claims.scale)?.0;
            owed += account.claim.left(vault.claims.scale)?.0;
            held += if vault.margin_loss_count == 0 { account.collateral.0 } else { self.after_losses(account)? };
        }
        let (margin, claims) = (vault.margin.0, vault.claims);
        if vault.margin_loss_count == 0 {
            ensure!(held == margin, "accounts hold {held}, the margin ledger {margin}");
        } else {
            ensure!(held <= margin, "accounts hold {held}, the margin ledger {margin}");
        }
        ensure!(due <= claims.funded.0, "claims served come to {due}, {} is set aside", claims.funded.0);
        let outstanding = claims.outstanding.0;
        ensure!(owed >= outstanding, "claims come to {owed}, {outstanding} is outstanding");
        Ok(())
    }

    fn after_losses(&self, account: &model::MarginAccount) -> Result<u64> {
        let (mut books, mut account) = (*self.vault, *account);
        account.claim = Default::default();
        books.sync(&mut account)?;
        Ok(account.collateral.0)
    }

    fn check_shares(&self) -> Result<()> {
        for (kind, pool) in [(0, &self.vault.main), (1, &self.vault.insurance)] {
            let of_pool = || self.tickets.iter().filter(move |(of, _)| *of == kind).map(|(_, ticket)| ticket);
            let given_up: u64 = of_pool().map(|ticket| ticket.shares.0).sum();
            let all = self.supplies[usize::from(kind)] + given_up;
            ensure!(all == pool.shares.0, "people hold {all} shares of pool {kind}, it counts {}", pool.shares.0);
            let queued = of_pool().filter(|ticket| ticket.number >= pool.head_ticket);
            let queued: u64 = queued.map(|ticket| ticket.shares.0).sum();
            let counted = pool.queued_shares.0;
            ensure!(queued == counted, "{queued} shares of pool {kind} are queued, it counts {counted}");
        }
        Ok(())
    }
}

/// What the positions in one market come to.
struct Sums {
    series: [[SeriesSum; 2]; model::SLOTS],
    positions: usize,
}

/// What the positions in one series come to.
#[derive(Clone, Copy, Default)]
struct SeriesSum {
    tick: i16,
    size: u64,
    reserve: u64,
    entries: u128,
}

impl Sums {
    fn of(number: u8, accounts: &[&model::MarginAccount]) -> Self {
        let mut sums = Self { series: [[SeriesSum::default(); 2]; model::SLOTS], positions: 0 };
        for account in accounts {
            for (_, position) in account.open_positions().filter(|(_, position)| position.market == number) {
                let sum = &mut sums.series[model::slot_of(position.tick)][usize::from(position.side)];
                // Two strikes never share a slot; one that no market has says that they do.
                let alone = sum.size == 0 || sum.tick == position.tick;
                sum.tick = if alone { position.tick } else { i16::MIN };
                sum.size += position.size.0;
                sum.reserve += position.reserve.0;
                // Kept modulo 2^128.
                let entries = u128::from(position.size.0).wrapping_mul(position.entry.get());
                sum.entries = sum.entries.wrapping_add(entries);
                sums.positions += 1;
            }
        }
        sums
    }

    /// Compares with what the market keeps; returns its reserves.
    fn check(&self, market: &model::Market) -> Result<u64> {
        let mut totals = [0, 0];
        for (place, (slot, sums)) in market.slots.iter().zip(&self.series).enumerate() {
            for (side, (series, sum)) in slot.series.iter().zip(sums).enumerate() {
                let tick = slot.tick;
                let interest = series.open_interest.0;
                ensure!(sum.size == interest, "{} is held of tick {tick}, its open interest is {interest}", sum.size);
                ensure!(
                    sum.size == 0 || sum.tick == tick,
                    "slot {place} holds tick {tick}, positions are in {}",
                    sum.tick
                );
                let reserve = series.reserve.0;
                ensure!(
                    sum.reserve == reserve,
                    "{} is reserved at tick {tick}, the series says {reserve}",
                    sum.reserve
                );
                ensure!(sum.entries == series.entry_sum.get(), "sum of entries of tick {tick}");
                totals[side] += reserve;
            }
            let active = market.active >> place & 1 == 1;
            let used = slot.series.iter().any(|series| series.open_interest.0 > 0);
            ensure!(active == used, "active bit of slot {place}");
        }
        let kept = market.reserves.map(|reserve| reserve.0);
        ensure!(totals == kept, "the series reserve {totals:?}, the market says {kept:?}");
        Ok(totals[0] + totals[1])
    }
}

/// A little-endian 64-bit number in an account's data.
pub fn number(data: &[u8], offset: usize) -> u64 {
    u64::from_le_bytes(data[offset..offset + 8].try_into().expect("eight bytes are eight bytes"))
}
