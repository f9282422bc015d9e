//! Two price updates in one transaction: the trader buys at the older and sells at the newer of two signed prices. Found in
//! the audit contest of Flat Money (Sherlock 2023-12, issue 216, "Oracle can return different prices in same transaction").

use perpetua_tests::attacker::{Search, profit};

use crate::desk::*;

#[test]
fn no_two_prices_in_one_transaction_can_be_played_against_each_other() {
    let (mut world, trader, attacker) = world_with_attacker();
    world.run(300, 300);
    world.chain.wait(70);
    let mut search = Search::default();
    for series in options(&[-28, -12, -3, 0, 8, 20]) {
        for bps in [-480, -200, -50, -10, -3, 3, 10, 50, 200, 480] {
            for (older, newer) in [(10, 0), (10, 9), (5, 1), (1, 0), (60, 0)] {
                let earned = profit(&world, &attacker, |world| {
                    let now = world.chain.now();
                    let (first, second) =
                        (update(world, SPOT, now - older), update(world, moved(SPOT, bps), now - newer));
                    let cranks = [crank_of(world, "older", &first), crank_of(world, "newer", &second)];
                    let [first, second] = cranks;
                    let trades = [opening(world, &trader, series, BITCOIN), closing(world, &trader, series, BITCOIN)];
                    let [open, close] = trades;
                    world.chain.send_with_full_budget(&[first, open, second, close]).map(drop)
                });
                search.note((series, bps, older, newer), earned);
            }
        }
    }
    search.assert_unprofitable(250);
}
