//! Two keepers at once, and one that is killed.

use std::time::Duration;

use perpetua_keeper::{job::Kind, metrics::Outcome};

use crate::cluster::{Cluster, STEP, ended};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_keepers_at_once_liquidate_each_account_once_and_neither_sees_an_error() {
    let (mut cluster, traders) = Cluster::new(3);
    let keys = [cluster.key(), cluster.key()];
    let (mut one, of_one) = cluster.ready(&keys[0]).await;
    let (mut other, of_other) = cluster.ready(&keys[1]).await;
    cluster.until_below(&traders);
    let below = cluster.below(&traders);
    cluster.pass(STEP);
    for _ in 0..2 {
        let (first, second) = tokio::join!(one.round(false), other.round(false));
        assert!(first.is_ok() && second.is_ok());
        for outcomes in [one.finish().await, other.finish().await] {
            let fine = |outcome: &Outcome| matches!(outcome, Outcome::Done | Outcome::AlreadyDone);
            assert!(outcomes.iter().all(fine), "{outcomes:?}");
        }
        cluster.pass(1);
    }
    assert_eq!(cluster.below(&traders), 0);
    let done = |outcome| of_one.jobs(Kind::Liquidate, outcome) + of_other.jobs(Kind::Liquidate, outcome);
    assert_eq!(done(Outcome::Done), u64::try_from(below).unwrap());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_keeper_that_was_killed_left_is_done_by_the_next_and_nothing_twice() {
    let (mut cluster, traders) = Cluster::new(3);
    let key = cluster.key();
    let (keeper, _) = cluster.ready(&key).await;
    drop(keeper);
    cluster.until_below(&traders);
    let below = cluster.below(&traders);
    cluster.pass(STEP);
    for wait in [0, 2, 5, 10, 20, 40] {
        let urls = [cluster.server.url.clone()];
        let (mut killed, _) = cluster.keeper(&key, &urls);
        killed.round(false).await.unwrap();
        tokio::time::sleep(Duration::from_millis(wait)).await;
        drop(killed);
    }
    let (_, metrics) = cluster.ready(&key).await;
    assert_eq!(cluster.below(&traders), 0);
    assert_eq!(ended(&metrics, Kind::OpenAccount), [], "its account is still there");
    let owned = cluster.on_chain(|world| {
        let account = world.vault.margin_account(&solana_signer::Signer::pubkey(&key), 0);
        world.read::<perpetua_client::perpetua::state::MarginAccount>(&account).state.collateral.0
    });
    // Each liquidation pays at least half of 25 cents.
    let least = u64::try_from(below).unwrap() * 25 * perpetua_tests::parameters::UNITS_PER_USD / 200;
    assert!(owned >= least && owned < 100 * least, "{owned}, for {below} accounts");
}
