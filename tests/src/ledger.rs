//! What must add up after every transaction, computed from the raw accounts alone.

use std::collections::BTreeMap;

use perpetua::state::{MarginAccount, Market, Vault, WithdrawalTicket};
use perpetua_client::account::{Stored, read_copy};
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
    for vault in all::<Vault>(accounts).values() {
        check_tokens(accounts, vault);
    }
    check_sums(accounts);
}

/// Asserts that every sum kept is the sum of its parts.
pub fn check_sums(accounts: &Snapshot) {
    let margin_accounts = all::<MarginAccount>(accounts);
    let markets = all::<Market>(accounts);
    let tickets = all::<WithdrawalTicket>(accounts);
    for (address, vault) in all::<Vault>(accounts) {
        let accounts_here = || margin_accounts.values().filter(|account| account.vault == address);
        let tickets_here = || tickets.values().filter(|ticket| ticket.vault == address);

        check_margin(&vault, &accounts_here().collect::<Vec<_>>());
        let payable: u64 = tickets_here().map(|ticket| ticket.state.payable.0).sum();
        assert_eq!(payable, vault.state.payable.0, "payable of all tickets");
        check_shares(accounts, &vault, &tickets_here().collect::<Vec<_>>());

        let mut reserves = 0;
        for market in markets.values().filter(|market| market.vault == address) {
            reserves += check_market(market, &accounts_here().collect::<Vec<_>>());
        }
        assert_eq!(reserves, vault.state.reserves.0, "reserves of all markets");
        let funded = vault.state.main.assets.0 + vault.state.lost.main.0;
        assert!(vault.state.reserves.0 <= funded, "every payout is funded, but for what a loss of tokens took");
    }
}

/// The margin ledger is what accounts hold; after a loss of margin it is no less than what they hold once each learned of
/// it, and rounding leaves a unit for each account and loss. Served claims that nobody collected yet are there to collect,
/// and nobody is owed less than he should.
fn check_margin(vault: &Vault, accounts: &[&MarginAccount]) {
    let mut held = 0;
    let (mut due, mut owed) = (0, 0);
    for account in accounts {
        let (mut books, mut account) = (vault.state, account.state);
        let scale = books.claims.scale;
        due += account.claim.due(scale).expect("a claim belongs to its fund").0;
        owed += account.claim.left(scale).expect("a claim belongs to its fund").0;
        account.claim = Default::default();
        books.sync(&mut account).expect("an account can learn of losses");
        held += account.collateral.0;
    }
    let (margin, claims) = (vault.state.margin.0, vault.state.claims);
    if vault.state.margin_loss_count == 0 {
        assert_eq!(held, margin, "collateral of all margin accounts");
    } else {
        assert!(held <= margin, "accounts hold {held}, the margin ledger {margin}");
    }
    assert!(due <= claims.funded.0, "claims served come to {due}, {} is set aside", claims.funded.0);
    assert!(owed >= claims.outstanding.0, "claims come to {owed}, {} is outstanding", claims.outstanding.0);
}

fn check_tokens(accounts: &Snapshot, vault: &Vault) {
    let state = &vault.state;
    let pools = [state.main.assets, state.insurance.assets, state.claims.funded];
    let ledgers = [pools.as_slice(), &[state.margin, state.payable, state.protocol_fees]].concat();
    let total: u64 = ledgers.iter().map(|ledger| ledger.0).sum();
    // Amount of an SPL token account.
    let balance = number(accounts[&vault.tokens].data(), 64);
    assert!(balance >= total, "the vault holds {balance}, its ledgers say {total}");
}

fn check_shares(accounts: &Snapshot, vault: &Vault, tickets: &[&WithdrawalTicket]) {
    for (number_of_pool, pool) in [(0, &vault.state.main), (1, &vault.state.insurance)] {
        let of_pool = || tickets.iter().filter(|ticket| usize::from(ticket.pool) == number_of_pool);
        let given_up: u64 = of_pool().map(|ticket| ticket.state.shares.0).sum();
        // Supply of an SPL token mint.
        let supply = number(accounts[&vault.share_mints[number_of_pool]].data(), 36);
        assert_eq!(supply + given_up, pool.shares.0, "shares of pool {number_of_pool}");
        let queued = of_pool().filter(|ticket| ticket.state.number >= pool.head_ticket);
        let queued: u64 = queued.map(|ticket| ticket.state.shares.0).sum();
        assert_eq!(queued, pool.queued_shares.0, "queued shares of pool {number_of_pool}");
    }
}

/// Returns the market's reserves.
fn check_market(market: &Market, accounts: &[&MarginAccount]) -> u64 {
    let positions = || {
        let of = |account: &&MarginAccount| account.state.positions;
        accounts.iter().flat_map(of).filter(|position| position.size.0 > 0 && position.market == market.number)
    };
    let mut totals = [0, 0];
    let mut known = 0;
    for (place, slot) in market.state.slots.iter().enumerate() {
        for (side, series) in slot.series.iter().enumerate() {
            let here = || positions().filter(|p| p.tick == slot.tick && usize::from(p.side) == side);
            known += if series.open_interest.0 > 0 { here().count() } else { 0 };
            let size: u64 = here().map(|position| position.size.0).sum();
            // Slots that nobody uses keep the zero tick, which another slot may hold.
            if series.open_interest.0 == 0 {
                assert_eq!((series.reserve.0, series.entry_sum.get()), (0, 0), "a series without positions is empty");
                continue;
            }
            assert_eq!(size, series.open_interest.0, "open interest of tick {}", slot.tick);
            let reserve: u64 = here().map(|position| position.reserve.0).sum();
            assert_eq!(reserve, series.reserve.0, "reserve of tick {}", slot.tick);
            let entries: u128 = here().map(|p| u128::from(p.size.0) * p.entry.get()).sum();
            assert_eq!(entries, series.entry_sum.get(), "sum of entries of tick {}", slot.tick);
            totals[side] += reserve;
        }
        let active = market.state.active >> place & 1 == 1;
        let used = slot.series.iter().any(|series| series.open_interest.0 > 0);
        assert_eq!(active, used, "active bit of slot {place}");
    }
    assert_eq!(known, positions().count(), "every position is in a series");
    assert_eq!(totals, market.state.reserves.map(|reserve| reserve.0), "reserves of both sides");
    totals[0] + totals[1]
}

/// A little-endian 64-bit number in an account's data.
pub fn number(data: &[u8], offset: usize) -> u64 {
    u64::from_le_bytes(data[offset..offset + 8].try_into().expect("eight bytes are eight bytes"))
}
