//! Attacks on the market, one file each. A file says what the attack is and the incident or report that it comes from,
//! searches sizes, strikes, moments and prices for its best variant, and asserts that even that earns nothing: the attacker's
//! tokens over all his accounts once he closed and took out everything, against what he had. Where prices themselves pay,
//! he is compared with one who held the same and did not attack. What is left is bounded by a number, and named among the
//! known limits of `docs/mechanism.md`.

mod average_divergence;
mod cap_race;
mod compositions;
mod desk;
mod dollar_hours;
mod dust;
mod flash_crash;
mod frozen_feed;
mod funding_cranks;
mod funding_outage;
mod future_update;
mod liquidation_griefing;
mod multiplier_announcement;
mod old_update;
mod open_close_churn;
mod self_liquidation;
mod split_rounding;
mod squatting;
mod stale_variance;
mod token_feed;
mod two_updates;
mod utilisation_pump;
mod variance_sample;
mod volatility_slew;
mod walk_away;
mod wash_trading;
mod window_edges;

use std::{collections::BTreeSet, fs, path::PathBuf};

/// One line of the threat model.
struct Attack {
    /// The file, without its ending.
    file: &'static str,
    /// Where it comes from, as the file says it.
    incident: &'static str,
    /// What holds it.
    held_by: &'static str,
}

const fn attack(file: &'static str, incident: &'static str, held_by: &'static str) -> Attack {
    Attack { file, incident, held_by }
}

/// Every attack here.
const ATTACKS: [Attack; 26] = [
    attack(
        "average_divergence",
        "Mango Markets lost more than 110 million dollars in October 2022",
        "a price far from its average pays the lower of both values; within the band the limits on reserves bound it",
    ),
    attack(
        "cap_race",
        "A known class",
        "settling pays exactly the cap, and only where the worse end of the price range is past it",
    ),
    attack("compositions", "A known class", "every rounding and every spread is against whoever acts"),
    attack(
        "dollar_hours",
        "Mirror Protocol's attacker of May 2022",
        "a haircut at night, which the token feed only tightens, and no trade between the bell and its first price",
    ),
    attack(
        "dust",
        "blockworks-foundation/mango-v4, pull request 343",
        "a smallest size, no smaller remainder, a fee per account in its margin",
    ),
    attack(
        "flash_crash",
        "Pyth's bitcoin price fell to 5,402 dollars on 20 September 2021",
        "the cap on confidence, the band around the average, and margin that no price moves",
    ),
    attack("frozen_feed", "Venus lost 11.2 million dollars in May 2022", "the oldest age of a price"),
    attack(
        "funding_cranks",
        "derivexyz/v2-core, pull request 294",
        "each trade accrues in its own slot, and many accruals equal one",
    ),
    attack("funding_outage", "A known class", "an outage is proved by the feed's own publish times alone"),
    attack(
        "future_update",
        "A known class",
        "at most five seconds ahead of the clock, and the width of the price range",
    ),
    attack(
        "liquidation_griefing",
        "Sherlock 2023-05, issue 190",
        "half an hour of grace after an outage, and markets without a price keep their positions",
    ),
    attack(
        "multiplier_announcement",
        "A known class",
        "dollar markets stand still around a change, and a doubted price does not count",
    ),
    attack("old_update", "Sherlock 2023-12, issue 194", "ten seconds of age, and a half-width that grows with it"),
    attack(
        "open_close_churn",
        "KiloEx lost 7.5 million dollars in April 2025",
        "bid below ask, both ends of the price range, fees",
    ),
    attack(
        "self_liquidation",
        "Euler lost 197 million dollars in March 2023",
        "the reward comes out of the account that is liquidated",
    ),
    attack("split_rounding", "A known class", "every part rounds against the trader"),
    attack("squatting", "A known class", "rent on what is reserved, and retirement of what is far from the money"),
    attack(
        "stale_variance",
        "A known class",
        "the intrinsic value is never above the bid, and one mark an hour keeps variance fresh",
    ),
    attack(
        "token_feed",
        "in March 2025 to a trader who moved the spot price of JELLY",
        "the token feed only tightens what closers get",
    ),
    attack(
        "two_updates",
        "Sherlock 2023-12, issue 216",
        "a price window of thirty seconds with the worse end for each trade",
    ),
    attack(
        "utilisation_pump",
        "A known class",
        "the pump pays the ask at the utilisation that it makes; a limit on cost",
    ),
    attack("variance_sample", "A known class", "one update alone proves to be the sample of a mark"),
    attack("volatility_slew", "A known class", "the ask counts the higher and the bid the lower of middle and target"),
    attack(
        "walk_away",
        "Mango's attacker borrowed against unrealised gains in October 2022",
        "option value is no collateral, and margin covers the fastest funding until a keeper comes",
    ),
    attack("wash_trading", "Xenophon Labs, March 2022", "no reward is paid for trading, and protocol fees leave"),
    attack(
        "window_edges",
        "in September 2022 to trades without any such width",
        "windows count by acceptance, and the previous one counts too",
    ),
];

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/attacks_market")
}

/// The comment at the head of a file, on one line.
fn head(file: &str) -> String {
    let text = fs::read_to_string(folder().join(format!("{file}.rs"))).unwrap();
    let lines = text.lines().map_while(|line| line.strip_prefix("//!"));
    lines.map(str::trim).collect::<Vec<_>>().join(" ")
}

#[test]
fn the_table_lists_every_attack_and_where_it_comes_from() {
    let files = fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path());
    let stems = files.map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned());
    let found: BTreeSet<String> = stems.filter(|stem| stem != "main" && stem != "desk").collect();
    let listed: BTreeSet<String> = ATTACKS.iter().map(|attack| attack.file.to_owned()).collect();
    assert_eq!(found, listed);
    for attack in &ATTACKS {
        assert!(head(attack.file).contains(attack.incident), "{} does not say: {}", attack.file, attack.incident);
        assert!(!attack.held_by.is_empty());
    }
}
