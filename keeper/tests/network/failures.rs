//! What goes wrong between a keeper and the network.

use std::time::Duration;

use perpetua_keeper::{job::Kind, metrics::Outcome};
use perpetua_tests::rpc::Faults;

use crate::cluster::{Cluster, Relay, STEP, ended, round};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_keeper_opens_its_account_cranks_and_liquidates_once_what_is_below() {
    let (mut cluster, traders) = Cluster::new(2);
    let key = cluster.key();
    let (mut keeper, metrics) = cluster.ready(&key).await;
    assert_eq!(ended(&metrics, Kind::OpenAccount), [(Outcome::Done, 1)]);
    cluster.until_below(&traders);
    let below = cluster.below(&traders);
    for _ in 0..3 {
        cluster.pass(STEP);
        round(&mut keeper).await;
    }
    assert_eq!(cluster.below(&traders), 0);
    assert_eq!(ended(&metrics, Kind::Liquidate), [(Outcome::Done, u64::try_from(below).unwrap())]);
    assert!(metrics.jobs(Kind::Crank, Outcome::Done) >= 2);
    assert_eq!(metrics.spent(Kind::Liquidate), 5_000 * u64::try_from(below).unwrap(), "fees as nobody else pays any");
    let text = metrics.text().unwrap();
    assert!(text.contains("perpetua_keeper_lag_seconds_count{kind=\"liquidate\"}"), "{text}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_due_is_done_once_although_the_answer_is_lost() {
    let (mut cluster, _) = Cluster::new(1);
    let key = cluster.key();
    let (mut keeper, metrics) = cluster.ready(&key).await;
    cluster.pass(STEP);
    cluster.server.fail(Faults { lost_answers: 1, ..Faults::default() });
    assert_eq!(round(&mut keeper).await, [Outcome::Done]);
    cluster.pass(1);
    assert_eq!(round(&mut keeper).await, [], "it is not due again");
    assert_eq!(ended(&metrics, Kind::Crank), [(Outcome::Done, 1)]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_transaction_that_vanished_is_sent_again_only_after_it_expired() {
    let (mut cluster, _) = Cluster::new(1);
    let key = cluster.key();
    let (mut keeper, metrics) = cluster.ready(&key).await;
    cluster.pass(STEP);
    // More than it is sent again in the time that it is waited for here.
    cluster.server.fail(Faults { dropped: 1_000, ..Faults::default() });
    assert_eq!(keeper.round(false).await.unwrap().begun, 1);
    tokio::time::sleep(Duration::from_millis(2_500)).await;
    cluster.pass(5);
    assert_eq!(keeper.round(false).await.unwrap().begun, 0, "what became of the first is not known");
    cluster.server.fail(Faults { height: 1_000, ..Faults::default() });
    assert_eq!(keeper.finish().await, [Outcome::Expired]);
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(round(&mut keeper).await, [Outcome::Done]);
    assert_eq!(ended(&metrics, Kind::Crank), [(Outcome::Done, 1), (Outcome::Expired, 1)]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_next_address_is_used_while_the_first_is_gone_and_the_first_again_when_it_is_back() {
    let (mut cluster, _) = Cluster::new(1);
    let key = cluster.key();
    let (first, second) = (Relay::to(&cluster.server.url).await, Relay::to(&cluster.server.url).await);
    let (mut keeper, metrics) = cluster.keeper(&key, &[first.url.clone(), second.url.clone()]);
    assert_eq!(round(&mut keeper).await, [Outcome::Done]);
    let healthy = |url: &str, yes: u8| {
        let line = format!("perpetua_keeper_rpc_healthy{{endpoint=\"{url}\"}} {yes}\n");
        assert!(metrics.text().unwrap().contains(&line), "{}", metrics.text().unwrap());
    };
    first.set(false).await;
    cluster.pass(STEP);
    assert_eq!(round(&mut keeper).await, [Outcome::Done]);
    healthy(&first.url, 0);
    second.set(false).await;
    cluster.pass(STEP);
    assert!(keeper.round(false).await.is_err(), "no address answers");
    first.set(true).await;
    assert_eq!(round(&mut keeper).await, [Outcome::Done]);
    keeper.look().await;
    healthy(&first.url, 1);
    healthy(&second.url, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_address_that_dies_while_a_transaction_is_under_way_does_not_double_it() {
    let (mut cluster, _) = Cluster::new(1);
    let key = cluster.key();
    let (first, second) = (Relay::to(&cluster.server.url).await, Relay::to(&cluster.server.url).await);
    let (mut keeper, metrics) = cluster.keeper(&key, &[first.url.clone(), second.url.clone()]);
    round(&mut keeper).await;
    cluster.pass(STEP);
    assert_eq!(keeper.round(false).await.unwrap().begun, 1);
    tokio::time::sleep(Duration::from_millis(30)).await;
    first.set(false).await;
    assert_eq!(keeper.finish().await, [Outcome::Done]);
    assert_eq!(ended(&metrics, Kind::Crank), [(Outcome::Done, 1)]);
}
