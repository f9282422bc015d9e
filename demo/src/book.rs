//! The run's own books, kept from the events that the program emits: every token is in one purse, and what leaves one
//! enters another. At the end they must agree with the chain to the last unit.

use std::collections::BTreeMap;

/// Where tokens are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Purse {
    /// An actor's wallet, by his number. It starts at zero, so it holds his profit or loss.
    Wallet(usize),
    /// An actor's margin account.
    Margin(usize),
    /// The main pool.
    Main,
    /// The insurance pool.
    Insurance,
    /// Protocol fees that wait to be collected.
    Protocol,
    /// Executed withdrawals that wait to be claimed.
    Payable,
    /// What insurance set aside for those it owes.
    Claims,
}

/// Why tokens moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// Between a wallet and a margin account.
    Collateral,
    /// The price of an option that was bought.
    Premium,
    /// The price of an option that was sold back, settled, retired or closed by force.
    Payout,
    /// What insurance pays of a payout, above the reserve.
    TopUp,
    /// What insurance sets aside for those it owes.
    Served,
    /// What they collect of it.
    Collected,
    /// The trading fee.
    Fee,
    /// Funding.
    Funding,
    /// The penalty of a liquidation.
    Penalty,
    /// Into a pool.
    Join,
    /// Out of a pool.
    Leave,
    /// Protocol fees collected.
    Collect,
    /// What no share of the main pool owns any more, to insurance.
    Sweep,
}

/// The books.
#[derive(Clone, Debug, Default)]
pub struct Book {
    purses: BTreeMap<Purse, i128>,
    flows: BTreeMap<Reason, u64>,
    paid_in: BTreeMap<usize, u64>,
    taken_out: BTreeMap<usize, u64>,
}

impl Book {
    /// Moves tokens.
    pub fn transfer(&mut self, reason: Reason, from: Purse, to: Purse, tokens: u64) {
        *self.purses.entry(from).or_default() -= i128::from(tokens);
        *self.purses.entry(to).or_default() += i128::from(tokens);
        *self.flows.entry(reason).or_default() += tokens;
        if let Purse::Wallet(actor) = from {
            *self.paid_in.entry(actor).or_default() += tokens;
        }
        if let Purse::Wallet(actor) = to {
            *self.taken_out.entry(actor).or_default() += tokens;
        }
    }

    /// What a purse holds; a wallet holds less than nothing after paying in more than it got back.
    pub fn balance(&self, purse: Purse) -> i128 {
        self.purses.get(&purse).copied().unwrap_or(0)
    }

    /// What moved for a reason so far.
    pub fn flow(&self, reason: Reason) -> u64 {
        self.flows.get(&reason).copied().unwrap_or(0)
    }

    /// What an actor paid in and what he took out.
    pub fn wallet_flows(&self, actor: usize) -> (u64, u64) {
        let of = |flows: &BTreeMap<usize, u64>| flows.get(&actor).copied().unwrap_or(0);
        (of(&self.paid_in), of(&self.taken_out))
    }

    /// The sum over all purses, which is zero.
    pub fn sum(&self) -> i128 {
        self.purses.values().sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_leaves_one_purse_enters_another() {
        let mut book = Book::default();
        book.transfer(Reason::Collateral, Purse::Wallet(3), Purse::Margin(3), 100);
        book.transfer(Reason::Premium, Purse::Margin(3), Purse::Main, 30);
        book.transfer(Reason::Collateral, Purse::Margin(3), Purse::Wallet(3), 70);
        assert_eq!(book.balance(Purse::Wallet(3)), -30);
        assert_eq!(book.balance(Purse::Margin(3)), 0);
        assert_eq!(book.balance(Purse::Main), 30);
        assert_eq!(book.sum(), 0);
    }

    #[test]
    fn profits_are_what_was_taken_out_less_what_was_paid_in() {
        let mut book = Book::default();
        book.transfer(Reason::Join, Purse::Wallet(0), Purse::Main, 50);
        book.transfer(Reason::Leave, Purse::Main, Purse::Payable, 60);
        book.transfer(Reason::Leave, Purse::Payable, Purse::Wallet(0), 60);
        assert_eq!(book.wallet_flows(0), (50, 60));
        assert_eq!(book.balance(Purse::Wallet(0)), 10);
        assert_eq!(book.wallet_flows(1), (0, 0));
    }

    #[test]
    fn flows_are_counted_by_their_reason() {
        let mut book = Book::default();
        book.transfer(Reason::Fee, Purse::Margin(0), Purse::Main, 5);
        book.transfer(Reason::Fee, Purse::Margin(1), Purse::Protocol, 3);
        assert_eq!(book.flow(Reason::Fee), 8);
        assert_eq!(book.flow(Reason::Funding), 0);
    }
}
