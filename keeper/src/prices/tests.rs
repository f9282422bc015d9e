use std::collections::HashMap;

use anchor_lang::AnchorDeserialize;
use axum::{
    Router,
    extract::{Path, RawQuery},
    http::{HeaderMap, StatusCode},
    routing::get,
};
use base64::{Engine, prelude::BASE64_STANDARD};
use byteorder::BE;
use perpetua_client::price::PriceAccounts;
use pyth_solana_receiver_sdk::PostUpdateParams;
use pythnet_sdk::{
    accumulators::{Accumulator, merkle::MerkleTree},
    hashers::keccak256_160::Keccak160,
    messages::{Message, PriceFeedMessage},
    wire::{
        to_vec,
        v1::{AccumulatorUpdateData, MerklePriceUpdate, Proof},
    },
};
use solana_message::Message as TransactionMessage;

use super::*;

const FEED: [u8; 32] = [7; 32];
const NOW: i64 = 1_767_614_400;
/// Version, set of signers and count, three signatures, a body with the root.
const VAA_BYTES: usize = 6 + 3 * 66 + 51 + 37;

/// A price as the service hands it out, proven among `others` more.
fn accumulator(message: &PriceFeedMessage, others: u8) -> Vec<u8> {
    let encode = |message: &PriceFeedMessage| to_vec::<_, BE>(&Message::PriceFeedMessage(*message)).unwrap();
    let leaves: Vec<Vec<u8>> = [encode(message)]
        .into_iter()
        .chain((0..others).map(|other| encode(&PriceFeedMessage { feed_id: [other; 32], ..*message })))
        .collect();
    let slices: Vec<&[u8]> = leaves.iter().map(Vec::as_slice).collect();
    let tree = MerkleTree::<Keccak160>::new(&slices).unwrap();
    let proof = MerklePriceUpdate { message: leaves[0].clone().into(), proof: tree.prove(slices[0]).unwrap() };
    let mut vaa = vec![1, 0, 0, 0, 5, 3];
    vaa.resize(VAA_BYTES, 9);
    let data = AccumulatorUpdateData::new(Proof::WormholeMerkle { vaa: vaa.into(), updates: vec![proof] });
    to_vec::<_, BE>(&data).unwrap()
}

fn message(publish_time: i64, previous: i64, price: i64) -> PriceFeedMessage {
    PriceFeedMessage {
        feed_id: FEED,
        price,
        conf: 1,
        exponent: -8,
        publish_time,
        prev_publish_time: previous,
        ema_price: price,
        ema_conf: 1,
    }
}

fn update(publish_time: i64, previous: i64, price: i64) -> Update {
    decode(&accumulator(&message(publish_time, previous, price), 255)).unwrap().remove(0)
}

#[test]
fn what_the_service_hands_out_is_read_and_anything_else_is_refused() {
    let bytes = accumulator(&message(NOW, NOW - 1, 100), 10);
    let updates = decode(&bytes).unwrap();
    assert_eq!(updates.len(), 1);
    let Update { feed, price, publish_time, previous_publish_time, vaa, .. } = &updates[0];
    assert_eq!((*feed, *price, *publish_time, *previous_publish_time), (FEED, 100, NOW, NOW - 1));
    assert_eq!(vaa.len(), VAA_BYTES);
    for length in 0..bytes.len() {
        assert!(decode(&bytes[..length]).is_none_or(|found| found.is_empty()), "cut off at {length}");
    }
    assert_eq!(decode(b"PNAX"), None);
}

#[test]
fn an_update_is_posted_in_one_transaction_that_names_feed_shard_and_signers() {
    let payer = Pubkey::new_unique();
    let target = Target { payer, wormhole: Pubkey::new_unique(), shard: 77 };
    let update = update(NOW, NOW - 1, 100);
    let instructions = instructions(&target, &update).unwrap();
    let message = TransactionMessage::new(&instructions, Some(&payer));
    let size = 1 + 64 + message.serialize().len();
    // Two more instructions set compute limit and fee.
    assert!(size + 2 * 14 + 32 <= 1_232, "{size} bytes");
    assert_eq!(message.header.num_required_signatures, 1);

    let push = &instructions[4];
    assert_eq!(push.program_id, perpetua_client::price::PUSH_ORACLE);
    let mut rest = &push.data[8..];
    let parameters = PostUpdateParams::deserialize(&mut rest).unwrap();
    assert_eq!(parameters.merkle_price_update, update.proof);
    assert_eq!(rest, [&77u16.to_le_bytes()[..], &FEED].concat());
    assert_eq!(push.accounts[5].pubkey, perpetua_client::price::pushed(&FEED, 77));
    let set = Pubkey::find_program_address(&[b"GuardianSet", &[0, 0, 0, 5]], &target.wormhole).0;
    assert_eq!(instructions[3].accounts[2].pubkey, set);
}

#[test]
fn the_sample_of_a_mark_comes_first_then_what_is_old_or_moved() {
    let fetched = |latest, sample| Fetched { latest, sample };
    let need = Need { published: NOW - 10, price: Some(1_000_000), mark: None };
    let latest = |price| Some(update(NOW, NOW - 1, price));
    let chosen = |need: &Need, fetched: &Fetched, now| choose(need, fetched, now, 30, 20).map(|(_, reason)| reason);

    assert_eq!(chosen(&need, &fetched(None, None), NOW), None);
    assert_eq!(chosen(&need, &fetched(latest(1_001_999), None), NOW), None);
    assert_eq!(chosen(&need, &fetched(latest(1_002_000), None), NOW), Some(Reason::Moved));
    assert_eq!(chosen(&need, &fetched(latest(998_000), None), NOW), Some(Reason::Moved));
    let old = Need { published: NOW - 30, ..need };
    assert_eq!(chosen(&old, &fetched(latest(1_000_000), None), NOW), Some(Reason::Heartbeat));
    let newer = Need { published: NOW, ..need };
    assert_eq!(chosen(&newer, &fetched(latest(2_000_000), None), NOW), None, "it is posted already");

    let marked = Need { mark: Some(NOW), ..need };
    let sample = |at, previous| Some(update(at, previous, 1_000_000));
    assert_eq!(chosen(&marked, &fetched(latest(2_000_000), sample(NOW, NOW - 1)), NOW), Some(Reason::Sample));
    assert_eq!(chosen(&marked, &fetched(None, sample(NOW + 1, NOW)), NOW + 1), None, "it is not the first");
    assert_eq!(chosen(&marked, &fetched(None, sample(NOW, NOW - 1)), NOW + 46), None, "no crank takes it any more");
}

/// Serves one price to whoever has the key.
async fn service(key: &'static str) -> String {
    let answer = move |Path(which): Path<String>, RawQuery(query): RawQuery, headers: HeaderMap| async move {
        let authorized = headers.get("authorization").is_some_and(|value| value == &format!("Bearer {key}"));
        if !authorized {
            return Err(StatusCode::UNAUTHORIZED);
        }
        let query = query.unwrap_or_default();
        assert!(query.contains(&"07".repeat(32)) && query.contains("encoding=base64"), "{query}");
        let time = which.parse().unwrap_or(NOW + 3);
        let data = BASE64_STANDARD.encode(accumulator(&message(time, time - 1, 500), 3));
        let binary = HashMap::from([("data", serde_json::json!([data])), ("encoding", serde_json::json!("base64"))]);
        Ok(serde_json::json!({ "binary": binary }).to_string())
    };
    let router = Router::new().route("/hermes/v2/updates/price/{which}", get(answer));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/hermes/", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    url
}

#[tokio::test]
async fn prices_are_fetched_with_the_key_newest_ones_and_samples_of_marks() {
    let folder = tempfile::tempdir().unwrap();
    let key_file = folder.path().join("key");
    std::fs::write(&key_file, "secret\n").unwrap();
    let config = config::Hermes { key_file: Some(key_file), ..config::Hermes::at(&service("secret").await) };
    let source = Source::new(&config).unwrap();
    let need = Need { published: NOW - 10, price: Some(500), mark: Some(NOW) };
    source.board.lock().unwrap().needs.insert(FEED, need);
    source.fetch_once().await;
    let board = source.board.lock().unwrap();
    let Fetched { latest, sample } = &board.fetched[&FEED];
    assert_eq!(latest.as_ref().map(|update| update.publish_time), Some(NOW + 3));
    assert_eq!(sample.as_ref().map(|update| update.publish_time), Some(NOW));
    assert_eq!(PriceAccounts::default().of(&FEED), perpetua_client::price::pushed(&FEED, 0));
}

#[tokio::test]
async fn what_is_wrong_with_the_service_is_said_with_what_to_do() {
    let url = service("secret").await;
    let error = Hermes::new(&config::Hermes::at(&url)).unwrap().latest(&[FEED]).await.unwrap_err();
    assert!(error.to_string().contains("hermes.key_file"), "{error}");
    let nowhere = config::Hermes::at("http://127.0.0.1:1");
    let error = Hermes::new(&nowhere).unwrap().latest(&[FEED]).await.unwrap_err();
    assert!(error.to_string().contains("hermes.url"), "{error}");
    let missing = config::Hermes { key_file: Some("/nowhere".into()), ..config::Hermes::at(&url) };
    assert!(Hermes::new(&missing).err().unwrap().to_string().contains("hermes.key_file"));
}
