//! Setting up what vaults' stocks are priced by, and when their exchange is closed.

mod support;

use anchor_lang::solana_program::instruction::Instruction;
use chrono::{Datelike, NaiveDate, Weekday};
use perpetua_tests::{
    client::{
        account::read_copy,
        instruction::{self, VaultKeys},
        perpetua::{ShortDay, state},
        rpc::{Client, ClientError, Confirmed, SendOptions},
    },
    parameters::{stock_parameters, stock_parameters_with_token_feed},
    price::{FEEDS, SHARE_FEED, TOKEN_FEED},
    stock::set_multiplier,
};
use solana_signer::Signer;
use support::{Cluster, LOCALNET, MINTS, all, keys, nvidia, refusal};

fn stock(cluster: &Cluster, keys: &VaultKeys) -> state::Stock {
    let account = cluster.chain().account(&keys.stock());
    read_copy(&account.owner, &account.data).unwrap()
}

/// The days that a stock's calendar holds, in order.
fn short_days(cluster: &Cluster, keys: &VaultKeys) -> Vec<(u16, u16)> {
    let days = stock(cluster, keys).state.calendar.days;
    let mut days: Vec<_> = days.iter().map(|day| (day.day, day.close_minute)).filter(|day| day.0 != 0).collect();
    days.sort_unstable();
    days
}

#[test]
fn each_vaults_stock_gets_its_feeds_and_the_exchanges_short_days() {
    let cluster = Cluster::new();
    cluster.set_up();
    let (tesla, nvidia_stock) = (stock(&cluster, &keys()), stock(&cluster, &nvidia()));
    assert_eq!(tesla.state.config, stock_parameters_with_token_feed().config(8));
    assert_eq!([tesla.share_feed, tesla.token_feed], [SHARE_FEED, TOKEN_FEED]);
    assert_eq!(nvidia_stock.state.config, stock_parameters().config(8));
    assert_eq!([nvidia_stock.share_feed, nvidia_stock.token_feed], [FEEDS[3], [0; 32]]);
    // Days since 1970 by `date -d 2026-11-26 +%s` / 86400, and minutes: 13:00 is 780.
    let expected = [
        (20_783, 0),
        (20_784, 780),
        (20_811, 780),
        (20_812, 0),
        (20_819, 0),
        (20_836, 0),
        (20_864, 0),
        (20_903, 0),
        (20_969, 0),
        (20_987, 0),
        (21_004, 0),
        (21_067, 0),
        (21_147, 0),
        (21_148, 780),
        (21_176, 0),
    ];
    assert_eq!(short_days(&cluster, &keys()), expected);
    assert_eq!(short_days(&cluster, &nvidia()), expected);
}

/// Enters days as the administrator.
fn enter(cluster: &Cluster, keys: &VaultKeys, days: &[(u16, u16)]) {
    let days = days.iter().map(|(day, close_minute)| ShortDay { day: *day, close_minute: *close_minute }).collect();
    send(cluster, instruction::shorten_sessions(&cluster.wallet.pubkey(), keys, days)).unwrap();
}

fn send(cluster: &Cluster, instruction: Instruction) -> Result<Confirmed, ClientError> {
    let (client, wallet) = (Client::new(&cluster.server.url).unwrap(), &cluster.wallet);
    client.send(&[instruction], &wallet.pubkey(), &[wallet], &SendOptions::default())
}

/// The localnet file with short days of TSLAx's own.
fn with_short_days(days: &str) -> String {
    LOCALNET.replacen("[vault.stock]\n", &format!("[vault.stock]\nshort_days = [{days}]\n"), 1)
}

#[test]
fn only_days_that_are_missing_are_entered_and_undeclared_ones_are_left_alone() {
    let cluster = Cluster::new();
    cluster.write("none.toml", &with_short_days(""));
    let run = cluster.run_with("none.toml", "wallet.json", &["--yes", "--json"]);
    assert!(run.success && run.states().iter().all(|(what, _)| what != "short days of TSLAx"), "{}", run.stderr);
    // Thanksgiving as declared; Christmas Eve with a later close; New Year's Eve, which is not declared.
    enter(&cluster, &keys(), &[(20_783, 0), (20_811, 781), (20_818, 600)]);

    let dry = cluster.run(&["--dry-run", "--json"]);
    let step = dry.json()["steps"][5].clone();
    assert_eq!([&step["what"], &step["state"]], ["short days of TSLAx", "missing"]);
    let details = step["details"].as_array().unwrap();
    assert_eq!(details.len(), 14);
    assert_eq!([&details[0], &details[1]], ["2026-11-27 until 13:00", "2026-12-24 until 13:00"]);

    assert_eq!(cluster.set_up().json()["outcome"], "created");
    let days = short_days(&cluster, &keys());
    assert_eq!(days.len(), 16);
    assert!(days.contains(&(20_811, 780)) && days.contains(&(20_818, 600)), "{days:?}");
    assert_eq!(cluster.set_up().states(), all("as declared"));
}

#[test]
fn a_day_that_closes_earlier_than_declared_is_reported_since_closes_never_get_later() {
    let cluster = Cluster::new();
    cluster.set_up();
    let told = refusal(&cluster, "\"2026-12-24\", close = \"13:00\"", "\"2026-12-24\", close = \"13:01\"");
    assert!(told.contains("short days of TSLAx (") && told.contains("short days of NVDAx ("), "{told}");
    let line = "the session of 2026-12-24 is until 13:00, but declared as until 13:01";
    assert!(told.contains(line), "{told}");
    let told = refusal(&cluster, "{ date = \"2026-12-25\" }", "{ date = \"2026-12-25\", close = \"13:00\" }");
    assert!(told.contains("the session of 2026-12-25 is closed, but declared as until 13:00"), "{told}");
}

#[test]
fn days_that_are_past_in_new_york_are_skipped() {
    let cluster = Cluster::new();
    // 2026-12-25 04:59:59 UTC is still Christmas Eve in New York; a second later it is not.
    let still = 1_798_174_799;
    for (now, entered) in [(still, 13), (still + 1, 12)] {
        cluster.chain().set_clock(now, 2_000);
        let dry = cluster.run(&["--dry-run", "--json"]).json();
        assert_eq!(dry["steps"][5]["details"].as_array().unwrap().len(), entered);
    }
    cluster.set_up();
    assert_eq!(short_days(&cluster, &keys()).len(), 12);
    cluster.chain().set_clock(still + 2 * 365 * 86_400, 3_000);
    assert_eq!(cluster.set_up().states(), all("as declared"));
}

#[test]
fn days_that_the_calendar_does_not_take_stop_the_set_up_before_anything_is_spent() {
    let cluster = Cluster::new();
    let told = |days: &str| {
        cluster.write("days.toml", &with_short_days(days));
        let run = cluster.run_with("days.toml", "wallet.json", &["--yes"]);
        assert!(!run.success && !cluster.has_exchange(), "{}", run.stdout);
        run.stderr
    };
    // The chain's clock begins on 2026-01-05: 730 days later is 2028-01-05.
    let far = told("{ date = \"2028-01-06\" }");
    assert!(far.contains("does not take 2028-01-06; it takes days up to 730 ahead: declare it later"), "{far}");
    // Forty weekdays.
    let days = (1..=28).flat_map(|day| [format!("2026-06-{day:02}"), format!("2026-07-{day:02}")]);
    let weekday = |day: &str| day.parse::<NaiveDate>().unwrap().weekday();
    let weekdays = days.filter(|day| !matches!(weekday(day), Weekday::Sat | Weekday::Sun));
    let written =
        |count| weekdays.clone().take(count).map(|day| format!("{{ date = \"{day}\" }}, ")).collect::<String>();
    let full = told(&written(33));
    assert!(full.contains("it holds 32: declare the later ones later"), "{full}");
    // As many as it holds are one transaction.
    cluster.write("days.toml", &with_short_days(&written(32)));
    let run = cluster.run_with("days.toml", "wallet.json", &["--yes"]);
    assert!(run.success, "{}", run.stderr);
    assert_eq!(short_days(&cluster, &keys()).len(), 32);
}

#[test]
fn a_mint_that_cannot_be_priced_stops_the_set_up_before_anything_is_spent() {
    let mint = MINTS[1].parse().unwrap();
    let odd = Cluster::prepared(|chain, _| set_multiplier(chain, &mint, 0.0, 0.0, 0));
    let message = odd.run(&["--yes"]).stderr;
    assert!(message.contains("vault NVDAx: the stock token") && message.contains("multiplier"), "{message}");
    assert!(!odd.has_exchange());
    let fine = Cluster::prepared(|chain, _| chain.edit(&mint, |data| data[44] = 10));
    let message = fine.run(&["--yes"]).stderr;
    assert!(message.contains("10 decimals, too many to be priced; leave [vault.stock] out"), "{message}");
    assert!(!fine.has_exchange());
}
