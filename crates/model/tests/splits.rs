//! Splits and dividends: changes of the multiplier, announced or not, small or large, known early or late.

mod common;

use Condition::{MultiplierChanging, StockClosed, StockDiverged};
use common::{desk::*, *};
use num_rational::BigRational;
use perpetua_model::{pricing::*, *};

#[test]
fn a_price_of_a_share_counts_times_the_multiplier_and_one_of_a_token_as_it_is() {
    for (unit, multiplier, worth) in [(0, 2.0, 80_000), (1, 2.0, 40_000), (0, 0.5, 20_000), (0, 1.25, 50_000)] {
        let config = StockConfig { share_feed_unit: unit, token_feed_unit: unit, ..with_token_feed() };
        let mut desk = Desk::new(config, multiplier);
        desk.share(40_000, IN_SESSION, IN_SESSION - 1);
        desk.token(40_000, IN_SESSION);
        assert_eq!(Usd::from(desk.stock.share.price), Usd::from_cents(worth));
        assert_eq!(Usd::from(desk.stock.share.average), Usd::from_cents(worth));
        assert_eq!(Usd::from(desk.stock.token.price), Usd::from_cents(worth));
        assert_eq!(integer(desk.at(IN_SESSION).units.last), units_of(worth).floor());
        let wide = Usd::from(desk.stock.share.confidence);
        let worth = Usd::from_cents(worth);
        assert!(wide.bits().abs_diff(worth.bits() / 5_000) <= 8, "the confidence scales too");
    }
}

#[test]
fn dollar_markets_stand_still_for_half_an_hour_before_and_after_an_announced_change() {
    let mut desk = Desk::priced(stock_config(), CLOSES - 1);
    let from = CLOSES + DAY;
    desk.announce(1.01, from);
    assert_eq!(desk.states(from - 1_801), [StockClosed]);
    desk.crank(None, None, from - 1_800).unwrap();
    for now in [from - 1_800, from - 1, from, from + 1_800] {
        assert_eq!(desk.states(now), [MultiplierChanging, StockClosed], "{}", now - from);
        desk.crank(None, None, now).unwrap();
    }
    assert_eq!(desk.states(from + 1_801), [StockClosed]);
    assert_eq!(desk.stock.multiplier, Multiplier(1.01f64.to_bits()));
}

#[test]
fn a_change_that_nobody_announced_counts_from_when_it_is_seen() {
    for from in [0, START, CLOSES + 499] {
        let mut desk = Desk::priced(stock_config(), CLOSES - 1);
        desk.mint = ScaledUi { current: 1.01f64.to_bits(), next: 1.01f64.to_bits(), next_from: from };
        let seen = CLOSES + 500;
        desk.crank(None, None, seen).unwrap();
        assert_eq!(desk.stock.changed_at, seen);
        assert_eq!(desk.states(seen + 1_800), [MultiplierChanging, StockClosed]);
        assert_eq!(desk.states(seen + 1_801), [StockClosed]);
    }
}

#[test]
fn an_announcement_that_is_taken_back_changes_nothing() {
    let mut desk = Desk::priced(stock_config(), CLOSES - 1);
    desk.announce(1.01, CLOSES + 1_000);
    desk.crank(None, None, CLOSES).unwrap();
    assert_eq!(desk.states(CLOSES), [MultiplierChanging, StockClosed]);
    desk.announce(1.0, CLOSES + 1_000);
    assert_eq!(desk.states(CLOSES), [StockClosed]);
    assert_eq!(desk.states(CLOSES + 1_001), [StockClosed]);
}

/// A change announced for noon and replaced by another that came at half past counts from when that is seen.
#[test]
fn a_change_that_replaced_the_announced_one_takes_no_price_from_before_it() {
    let mut desk = Desk::priced(stock_config(), IN_SESSION);
    desk.announce(1.01, IN_SESSION + 100);
    desk.crank(None, None, IN_SESSION + 10).unwrap();
    desk.mint = ScaledUi { current: 1.005f64.to_bits(), next: 1.005f64.to_bits(), next_from: IN_SESSION + 150 };
    let before = desk.stock.share;
    let between = update(SHARE_CENTS, 2, IN_SESSION + 120, IN_SESSION + 119);
    desk.crank(Some(between), None, IN_SESSION + 160).unwrap();
    assert_eq!(desk.stock.multiplier, Multiplier(1.005f64.to_bits()));
    assert_eq!(desk.stock.share, before);
}

#[test]
fn a_small_change_is_followed_and_a_large_one_waits_for_the_administrator() {
    for (multiplier, followed) in
        [(1.0199, true), (0.9801, true), (1.0201, false), (0.9799, false), (3.0, false), (f64::NAN, false)]
    {
        let mut desk = Desk::priced(stock_config(), IN_SESSION);
        let from = IN_SESSION + 3_600;
        desk.announce(multiplier, from);
        desk.crank(None, None, from - 1).unwrap();
        desk.crank(None, None, from).unwrap();
        assert_eq!(desk.stock.multiplier == Multiplier(multiplier.to_bits()), followed, "{multiplier}");
        let now = from + 1_801;
        let before = desk.stock.share;
        desk.share(SHARE_CENTS, now, now - 1);
        assert_eq!(desk.states(now), if followed { vec![] } else { vec![StockClosed] }, "{multiplier}");
        assert_eq!(desk.stock.share == before, !followed, "no price is taken with a multiplier that is not known");
    }
}

#[test]
fn an_acknowledgement_may_come_before_the_change_or_after_it() {
    let from = IN_SESSION + 3_600;
    let three = Multiplier(3f64.to_bits());
    let mut early = Desk::priced(stock_config(), IN_SESSION);
    early.announce(3.0, from);
    early.stock.acknowledge(three);
    early.crank(None, None, from - 100).unwrap();
    assert_eq!(early.stock.multiplier, Multiplier::ONE, "not before it starts");
    early.crank(None, None, from).unwrap();
    assert_eq!((early.stock.multiplier, early.stock.changed_at), (three, from));

    let mut late = Desk::priced(stock_config(), IN_SESSION);
    late.announce(3.0, from);
    late.crank(None, None, from + 4_000).unwrap();
    assert_eq!(late.stock.multiplier, Multiplier::ONE);
    late.stock.acknowledge(three);
    late.crank(None, None, from + 4_100).unwrap();
    assert_eq!((late.stock.multiplier, late.stock.changed_at), (three, from + 4_100));
    assert_eq!(late.states(from + 4_601), [MultiplierChanging, StockClosed]);
}

#[test]
fn an_acknowledgement_for_a_change_to_come_outlives_a_small_one_before_it() {
    let mut desk = Desk::priced(stock_config(), IN_SESSION);
    desk.stock.acknowledge(Multiplier(3f64.to_bits()));
    for (place, multiplier) in [1.01, 3.0, 3.03].into_iter().enumerate() {
        let from = IN_SESSION + 3_600 * (1 + i64::try_from(place).unwrap());
        desk.mint.current = desk.stock.multiplier.0;
        desk.announce(multiplier, from);
        desk.crank(None, None, from).unwrap();
        assert_eq!(desk.stock.multiplier, Multiplier(multiplier.to_bits()));
    }
    desk.announce(1.0, IN_SESSION + 20_000);
    desk.crank(None, None, IN_SESSION + 20_000).unwrap();
    assert_eq!(desk.stock.unacknowledged, 1, "what was acknowledged once is not for ever");
}

/// The feed learns of a split long after the mint: times the new multiplier its old prices would be three times as
/// dear.
#[test]
fn until_the_feed_knows_of_a_split_the_last_value_stands() {
    let mut desk = Desk::priced(stock_config(), IN_SESSION);
    let split = IN_SESSION + 3_600;
    desk.stock.acknowledge(Multiplier::from_bits(3f64.to_bits()).unwrap());
    desk.announce(3.0, split);
    let before = desk.at(IN_SESSION).units;
    desk.crank(None, None, split).unwrap();
    let later = split + 7_200;
    desk.share(SHARE_CENTS, later, later - 1);
    assert_eq!((desk.at(later).units.last, desk.states(later)), (before.last, vec![StockDiverged, StockClosed]));
    assert!(desk.at(later).units.low.0 < before.last.0 / 3, "who closes meanwhile is paid at the worse of both");
    desk.share(SHARE_CENTS / 3, later + 5, later + 4);
    assert_eq!(desk.states(later + 5), []);
    assert!(relative_difference(desk.at(later + 5).units.last, before.last) < BigRational::new(1.into(), 1_000.into()));
}

#[test]
fn a_feed_that_knows_of_a_split_before_the_mint_is_not_believed_until_it_starts() {
    for early in [1, 1_000, 1_801, 10_000] {
        let mut desk = Desk::priced(stock_config(), OPENS + 60);
        let split = OPENS + 60 + 12_000;
        desk.stock.acknowledge(Multiplier::from_bits(3f64.to_bits()).unwrap());
        desk.announce(3.0, split);
        let before = desk.at(OPENS + 60).units.last;
        let learns = split - early;
        desk.share(SHARE_CENTS, learns - 5, learns - 6);
        assert_eq!(desk.at(learns - 5).units.last, before, "as long as it agrees it is");
        for now in [learns, split - 1] {
            desk.share(SHARE_CENTS / 3, now, now - 1);
            assert_eq!(desk.at(now).units.last, before, "{early}");
        }
        desk.share(SHARE_CENTS / 3, split + 1_801, split + 1_800);
        assert_eq!(desk.states(split + 1_801), []);
        let difference = relative_difference(desk.at(split + 1_801).units.last, before);
        assert!(difference < BigRational::new(1.into(), 1_000.into()));
    }
}

/// The feed's moving average goes on at prices of before the split for hours after it.
#[test]
fn an_average_of_before_the_split_does_not_make_the_stock_look_diverged() {
    let mut desk = Desk::priced(stock_config(), IN_SESSION);
    let split = IN_SESSION + 3_600;
    desk.stock.acknowledge(Multiplier::from_bits(3f64.to_bits()).unwrap());
    desk.announce(3.0, split);
    desk.crank(None, None, split).unwrap();
    let after = |now| PriceUpdate { average: Usd::from_cents(SHARE_CENTS), ..update(SHARE_CENTS / 3, 2, now, now - 1) };
    let later = split + 3_600;
    desk.crank(Some(after(later)), None, later).unwrap();
    assert_eq!(desk.states(later), []);
    // Two days later such an average means what it says.
    let tuesday = MONDAY + DAY + 3_600;
    desk.crank(Some(after(tuesday)), None, tuesday).unwrap();
    assert!(desk.states(tuesday).contains(&StockDiverged));
}

#[test]
fn a_stock_that_really_moved_far_while_it_split_waits_for_the_administrator() {
    let mut desk = Desk::priced(stock_config(), IN_SESSION);
    let (split, three) = (IN_SESSION + 3_600, Multiplier::from_bits(3f64.to_bits()).unwrap());
    desk.stock.acknowledge(three);
    let before = desk.at(IN_SESSION).units;
    desk.announce(3.0, split);
    desk.crank(None, None, split).unwrap();
    let later = split + 7_200;
    desk.share(SHARE_CENTS / 6, later, later - 1);
    assert_eq!(desk.states(later), [StockDiverged, StockClosed], "half the value");
    desk.stock.acknowledge(three);
    desk.share(SHARE_CENTS / 6, later + 5, later + 4);
    assert_eq!(desk.states(later + 5), []);
    assert_eq!(desk.at(later + 5).units.last.0 / before.last.0, 2);
}

#[test]
fn an_update_published_before_the_change_is_ignored_after_it() {
    let mut desk = Desk::priced(stock_config(), IN_SESSION);
    let from = IN_SESSION + 3_600;
    desk.announce(1.015625, from);
    desk.crank(None, None, from - 60).unwrap();
    let before = desk.stock.share;
    desk.crank(Some(update(SHARE_CENTS, 2, from - 1, from - 2)), None, from + 3).unwrap();
    assert_eq!(desk.stock.share, before);
    desk.crank(Some(update(SHARE_CENTS, 2, from, from - 1)), None, from + 3).unwrap();
    assert_eq!(Usd::from(desk.stock.share.price), Usd::from_cents(40_625));
}

/// `price` cents per share before, `price / ratio` to the oracle's last place after: what a dollar is worth in tokens.
fn across(ratio: u32, acknowledged_late: bool, seen_late: bool, quiet: bool) {
    let factor = f64::from(ratio);
    let mut desk = Desk::priced(stock_config(), IN_SESSION);
    let from = IN_SESSION + 3_600;
    desk.announce(factor, from);
    let ratio_of_price = |now| {
        let integer = |cents: u64| i64::try_from(cents * 1_000_000 / u64::from(ratio)).unwrap();
        let price = integer(SHARE_CENTS);
        PriceUpdate::parse(price, 1_000, price, -8, now, now - 1).unwrap()
    };
    let before = desk.at(IN_SESSION).units.last;
    let same = |desk: &Desk, now: i64, what: &str| {
        let found = desk.at(now).units.last;
        assert!(relative_difference(found, before) <= billionth(), "{ratio}: {what}");
    };
    if !acknowledged_late {
        desk.stock.acknowledge(Multiplier(factor.to_bits()));
    }
    if !seen_late {
        desk.share(SHARE_CENTS, from - 1, from - 2);
        same(&desk, from - 1, "a second before the change");
        same(&desk, from + 1, "after it at the price before it");
    }
    let mut now = from + if seen_late { 5_000 } else { 0 };
    if quiet {
        desk.crank(None, None, now).unwrap();
        same(&desk, now, "when it is seen");
    }
    if acknowledged_late {
        desk.crank(Some(ratio_of_price(now)), None, now).unwrap();
        same(&desk, now, "before it is acknowledged");
        desk.stock.acknowledge(Multiplier(factor.to_bits()));
        now += 100;
    }
    desk.crank(None, None, now).unwrap();
    same(&desk, now, "when it is followed");
    // The oracle may be late: that price is taken for what it says, in the quiet half hour and not after it.
    now += 20;
    desk.crank(Some(ratio_of_price(now)), None, now).unwrap();
    same(&desk, now, "at the first price after it");
    assert_eq!(desk.stock.share.publish_time, now);
    now += 1_900;
    desk.crank(Some(ratio_of_price(now)), None, now).unwrap();
    same(&desk, now, "when markets trade again");
    assert_eq!(desk.states(now), []);
}

#[test]
fn a_dollar_is_worth_the_same_tokens_across_a_split_to_a_billionth_whichever_comes_late() {
    for ratio in [2, 3, 5, 10, 20] {
        for bits in 0..8 {
            across(ratio, bits & 1 == 1, bits & 2 == 2, bits & 4 == 4);
        }
    }
}
