//! Attacks on the pools, their shares, the tokens and those who govern: each is played on the compiled program with the best
//! parameters that a search finds, and earns nothing. One file for each attack; each begins with the incident or report that
//! it comes from.

use std::{collections::BTreeMap, fs, path::Path};

mod account_revival;
mod donation;
mod event_spoofing;
mod fake_accounts;
mod first_depositor;
mod free_option_tickets;

mod insurance_drain;
mod loss_race;
mod lp;
mod nav_sandwich;
mod queue_stuffing;
mod share_tokens;

mod stolen_admin_key;
mod token_2022;
mod voided_marks;
mod withdrawal_race;

/// Every attack, where it comes from, and what holds it.
const ATTACKS: &[(&str, &str, &str)] = &[
    (
        "account_revival",
        "account revival attacks, a class taught in Solana's program security courses",
        "Anchor empties what it closes, and every address is derived from what it stands for",
    ),
    (
        "donation",
        "Euler Finance, March 2023 (a donation that made the donor liquidatable at a gain)",
        "ledgers count what came through the program, and nothing else moves them",
    ),
    (
        "event_spoofing",
        "a known class: events that another program or another signer makes up",
        "the program's own address signs each event",
    ),
    (
        "fake_accounts",
        "Cashio, March 2022 (a chain of fake accounts); Crema Finance, July 2022 (a fake tick account); Wormhole, February 2022 (a fake sysvar)",
        "owner, type and address of each account are checked; time comes from the runtime",
    ),
    (
        "first_depositor",
        "Hundred Finance, April 2023; Sonne Finance, May 2024 (donations to an empty market)",
        "virtual shares, and assets that only the program's ledger counts",
    ),
    (
        "free_option_tickets",
        "keep-network/coverage-pools issue 60 (a withdrawal that reached the timeout can be reset)",
        "a withdrawal that could be executed for a day returns, and the wait starts again",
    ),
    (
        "insurance_drain",
        "dYdX, November 2023 (positions built to lose to the insurance fund)",
        "a payout above the reserve needs the stock to fall by more than the margin, at most a quarter of insurance leaves a day",
    ),
    (
        "loss_race",
        "Drift, May 2022 (the first to leave emptied the vault for the others)",
        "everything stops the moment tokens are missing, and what is missing counts as gone",
    ),
    (
        "nav_sandwich",
        "Tokemak, sherlock-audit/2023-06-tokemak-judging issue 620 (gain from LMPVault can be stolen)",
        "shares are minted at the higher value and burned at the lower one, after a wait, less a fee",
    ),
    (
        "queue_stuffing",
        "AffineLabs/contracts pull request 248 (bogus requests that stop withdrawals)",
        "anyone executes anybody's withdrawal, many in one transaction; each locks rent of its sender",
    ),
    (
        "share_tokens",
        "percolator-prog pull request 4 (a fake LP mint that would have drained the insurance fund)",
        "requests burn shares; the vault names the mint, the ticket its owner",
    ),
    (
        "stolen_admin_key",
        "Raydium, December 2022; Drift, April 2026 (an administrator's rights in a thief's hands)",
        "no instruction moves tokens, loosening waits, and LPs are out before a new market opens",
    ),
    (
        "token_2022",
        "a known class: extensions of Token-2022 that are switched on later",
        "an allow-list of extensions and a digest, checked at every move of tokens",
    ),
    (
        "voided_marks",
        "a known class: blocking another's transaction by changing the state that it needs",
        "crank, mark and action fit one transaction, in which nobody comes between",
    ),
    (
        "withdrawal_race",
        "Tokemak, sherlock-audit/2023-06-tokemak-judging issue 591 (losses are not distributed equally)",
        "who leaves is paid what the options cost at that moment; marks are ten seconds old at most",
    ),
];

#[test]
fn every_attack_has_a_file_that_names_where_it_comes_from() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/attacks_pool");
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let text = fs::read_to_string(&path).unwrap();
        let docs: Vec<&str> = text.lines().map_while(|line| line.strip_prefix("//!")).map(str::trim).collect();
        files.insert(name, docs.join(" "));
    }
    for helper in ["main", "lp"] {
        files.remove(helper).unwrap();
    }
    for (name, source, holds) in ATTACKS {
        let docs = files.remove(*name).unwrap_or_else(|| panic!("{name} has no file"));
        assert!(docs.contains(source), "{name} does not name {source}");
        assert!(!holds.is_empty());
    }
    assert_eq!(files, BTreeMap::new(), "attacks that are not listed");
}
