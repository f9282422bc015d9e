//! The index: guards, windows, samples, outages.

mod common;

use common::*;
use perpetua_model::{pricing::*, *};
use proptest::prelude::*;

fn index() -> Index {
    Index::new(guards(), Some(Variance((36 << VOLATILITY_FRACTION_BITS) / 100)), START).unwrap()
}

fn float(real: Real) -> f64 {
    let mantissa = real.mantissa().to_string().parse::<f64>().unwrap();
    mantissa * 2f64.powi(real.exponent())
}

fn variance(value: Variance) -> f64 {
    float(value.real())
}

fn dollars(value: impl Into<Usd>) -> f64 {
    float(Real::from(value.into()))
}

fn close_to(found: f64, expected: f64) -> bool {
    (found - expected).abs() <= 1e-9 * expected.abs() + 1e-12
}

#[test]
fn each_guard_raises_its_own_error_and_changes_nothing() {
    let now = START + 1_000;
    let mut index = index();
    index.accept(&update(10_000_000, 2, now - 5, now - 6), now).unwrap();
    let before = index;
    for (bad, error) in [
        (update(10_000_000, 2, now + 6, now + 5), ModelError::PriceFromFuture),
        (update(10_000_000, 51, now, now - 1), ModelError::PriceUncertain),
    ] {
        assert_eq!(index.accept(&bad, now), Err(error));
        assert_eq!(index, before);
    }
    let late = update(10_000_000, 2, now, now - 1);
    assert_eq!(index.accept(&late, now + 61), Err(ModelError::PriceStale));
    assert_eq!(index, before);
    assert_eq!(index.accept(&late, now + 60), Ok(true));
    assert_eq!(index.accept(&update(10_000_000, 50, now + 65, now + 1), now + 60), Ok(true));
}

#[test]
fn an_update_that_is_not_newer_is_ignored_and_the_stored_price_stays() {
    let mut index = index();
    index.accept(&update(10_000_000, 2, START, START - 1), START).unwrap();
    let before = index;
    for time in [START, START - 1, START - 40] {
        assert_eq!(index.accept(&update(9_000_000, 2, time, time - 1), START), Ok(false));
        assert_eq!(index, before);
    }
}

#[test]
fn a_price_is_parsed_as_the_oracle_gives_it_or_refused_with_its_reason() {
    let parse = |price, average, exponent| PriceUpdate::parse(price, 1, average, exponent, 2, 1).map(|u| u.price);
    assert_eq!(parse(6_500_012_345_678, 1 << 40, -8), Ok(Usd::from_bits((6_500_012_345_678u128 << 64) / 100_000_000)));
    assert_eq!(parse(1, 1, -2), Ok(Usd::from_cents(1)));
    assert_eq!(parse(1 << 24, 1 << 24, 0), Ok(Usd::MAX_PRICE));
    for price in [0, -1, i64::MIN] {
        assert_eq!(parse(price, 1, 0), Err(ModelError::PriceNotPositive));
        assert_eq!(parse(1, price, 0), Err(ModelError::PriceNotPositive));
    }
    for (price, exponent) in [(9, -3), ((1 << 24) + 1, 0), (1, 7), (1, -19), (1, i32::MIN), (i64::MAX, 6)] {
        assert_eq!(parse(price, price, exponent), Err(ModelError::PriceOutOfRange), "{price} {exponent}");
    }
}

#[test]
fn a_reading_says_whether_its_price_has_the_age_asked_for() {
    let mut index = index();
    let stale = |index: &Index, now| index.read(now, 10).unwrap().conditions.has(Condition::PriceStale);
    assert!(stale(&index, START), "there is none yet");
    index.accept(&update(10_000_000, 2, START, START - 1), START).unwrap();
    assert!(!stale(&index, START + 10));
    assert!(stale(&index, START + 11));
    assert!(!stale(&index, START - 5), "a clock behind the oracle's");
}

#[test]
fn variance_is_stale_after_an_hour_without_a_sample_and_young_for_a_day() {
    let mut index = Index::new(guards(), None, START).unwrap();
    let at = START + 3_000;
    index.accept(&update(10_000_000, 2, at, at - 1), at).unwrap();
    let reading = index.read(at, 10).unwrap();
    assert!(reading.conditions.has(Condition::VarianceYoung) && !reading.conditions.has(Condition::VarianceStale));
    assert!(!index.variance_stale(at + 3_600) && index.variance_stale(at + 3_601));
    // A day of samples, not a day since listing.
    let young = |time| {
        let mut later = index;
        later.accept(&update(10_000_000, 2, time, time - 1), time).unwrap();
        later.read(time, 10).unwrap().conditions.has(Condition::VarianceYoung)
    };
    assert!(young(at + 86_399) && !young(at + 86_400));
}

#[test]
fn one_update_alone_is_the_sample_of_its_mark() {
    let mut index = index();
    index.accept(&update(10_000_000, 2, START, START - 1), START).unwrap();
    let sampled = |index: &mut Index, cents, publish, previous| {
        let before = (index.sample_mark, index.sample_price);
        index.accept(&update(cents, 2, publish, previous), publish).unwrap();
        (index.sample_mark, index.sample_price) != before
    };
    assert!(!sampled(&mut index, 10_100_000, START + 299, START + 298));
    assert!(!sampled(&mut index, 10_100_000, START + 301, START + 300), "the one before it was at the mark");
    assert!(!sampled(&mut index, 10_100_000, START + 302, START + 301));
    assert!(sampled(&mut index, 10_100_000, START + 605, START + 599), "the first at or after its mark");
    assert!(!sampled(&mut index, 10_200_000, START + 606, START + 599), "only once per mark");
    assert_eq!(index.sample_mark * SAMPLE_SECONDS, START + 600);
}

#[test]
fn a_sample_counts_at_most_ten_percent_of_return() {
    let after = |cents| {
        let mut index = index();
        index.accept(&update(10_000_000, 2, START, START - 1), START).unwrap();
        index.accept(&update(cents, 2, START + 300, START + 299), START + 300).unwrap();
        index.variances
    };
    assert_eq!(after(11_100_000), after(30_000_000));
    assert_eq!(after(9_000_000), after(1_000_000));
    assert!(after(11_000_000)[0] < after(11_100_000)[0]);
}

#[test]
fn both_variances_forget_by_half_lives_of_a_day_and_of_three() {
    let mut gaps = Vec::from([1u32, 2, 11, 12, 100, 287, 288, 864, 3_000]);
    gaps.extend((1..60).map(|gap| gap * 7));
    let (mut index, mut at) = (index(), START);
    let mut expected = index.variances.map(variance);
    index.accept(&update(10_000_000, 2, at, at - 1), at).unwrap();
    let (mut last, mut up) = (10_000_000f64, false);
    for gap in gaps {
        at += SAMPLE_SECONDS * i64::from(gap);
        up = !up;
        let cents = if up { 10_100_000u32 } else { 10_000_000 };
        index.accept(&update(u64::from(cents), 2, at, at - 1), at).unwrap();
        let seconds = f64::from(gap) * 300.0;
        let annualised = (f64::from(cents) / last).ln().powi(2) * 31_536_000.0 / seconds;
        last = f64::from(cents);
        for (average, hours) in expected.iter_mut().zip([24.0, 72.0]) {
            let kept = (-seconds / (hours * 3_600.0)).exp2();
            *average = *average * kept + annualised * (1.0 - kept);
        }
        for (found, expected) in index.variances.map(variance).iter().zip(expected) {
            assert!(close_to(*found, expected), "{gap}: {found} {expected}");
        }
    }
}

#[test]
fn an_undeclared_variance_is_the_plain_average_of_its_first_samples() {
    let mut index = Index::new(guards(), None, START - 100_000).unwrap();
    let returns = [0.01f64, -0.02, 0.005, 0.03, 0.0, -0.01];
    let (mut price, mut sum) = (100_000f64, 0.0);
    let cents = |price: f64| format!("{:.0}", price * 100.0).parse::<u64>().unwrap();
    index.accept(&update(cents(price), 2, START, START - 1), START).unwrap();
    for (count, change) in returns.iter().enumerate() {
        let last = price;
        price = f64::from(u32::try_from(cents(price * change.exp())).unwrap()) / 100.0;
        sum += (price / last).ln().powi(2);
        let at = START + 300 * i64::try_from(count + 1).unwrap();
        index.accept(&update(cents(price), 2, at, at - 1), at).unwrap();
        let years = f64::from(u32::try_from(300 * (count + 1)).unwrap()) / 31_536_000.0;
        for found in index.variances {
            assert!(close_to(variance(found), sum / years), "{count}: {} {}", variance(found), sum / years);
        }
    }
}

#[test]
fn an_outage_counts_once_and_a_long_one_brings_a_grace() {
    let mut index = index();
    let mut accept = |publish, previous| {
        index.accept(&update(10_000_000, 2, publish, previous), publish).unwrap();
        (index.outage_seconds, index.grace_until)
    };
    assert_eq!(accept(START, START - 10_000), (0, 0), "nothing accrued before the first price");
    assert_eq!(accept(START + 120, START), (0, 0));
    assert_eq!(accept(START + 241, START + 120), (121, 0));
    // Claimed to reach back before the last accepted update: only what is new counts.
    assert_eq!(accept(START + 400, START), (121 + 159, 0));
    assert_eq!(accept(START + 5_000, START + 4_999), (280, 0), "time that nobody cranked is no outage");
    assert_eq!(accept(START + 5_600, START + 5_000), (880, 0));
    let long = START + 5_600 + 601;
    assert_eq!(accept(long, START + 5_600), (1_481, long + GRACE_SECONDS));
    assert!(index.read(long + GRACE_SECONDS - 1, 3_000).unwrap().conditions.has(Condition::Grace));
    assert!(!index.read(long + GRACE_SECONDS, 3_000).unwrap().conditions.has(Condition::Grace));
}

#[test]
fn a_price_far_from_its_average_widens_the_range_to_the_average() {
    let reading = |spot: u64, average: u64| {
        let mut index = index();
        let update = PriceUpdate { average: Usd::from_cents(average), ..update(spot, 2, START, START - 1) };
        index.accept(&update, START).unwrap();
        index.read(START, 10).unwrap()
    };
    let within = reading(10_500_000, 10_000_000);
    assert!(!within.conditions.has(Condition::PriceDiverged) && within.low > Usd::from_cents(10_400_000));
    let above = reading(10_500_001, 10_000_000);
    assert!(
        above.conditions.has(Condition::PriceDiverged)
            && above.low == Usd::from_cents(10_000_000)
            && above.high > Usd::from_cents(10_500_001)
    );
    let below = reading(9_499_999, 10_000_000);
    assert!(
        below.conditions.has(Condition::PriceDiverged)
            && below.high == Usd::from_cents(10_000_000)
            && below.low < Usd::from_cents(9_499_999)
    );
}

proptest! {
    #![proptest_config(cases(10_000))]

    /// `conf + 1.5 sigma S sqrt((age + 2) / year)`.
    #[test]
    fn the_range_of_a_lone_price_is_its_half_width_on_both_sides(
        cents in 1_000..1_000_000_000u64, confidence in 0..50u64, age in 0..60u32, sigma in 11..5_000u32,
    ) {
        let squared = u64::from(sigma * sigma);
        let declared = Variance(squared * ((1u64 << VOLATILITY_FRACTION_BITS) / 1_000_000));
        let mut index = Index::new(guards(), Some(declared), START).unwrap();
        let update = update(cents, confidence, START, START - 1);
        index.accept(&update, START).unwrap();
        let reading = index.read(START + i64::from(age), 60).unwrap();
        let moved = 1.5 * variance(declared).sqrt() * dollars(update.price) * (f64::from(age + 2) / 31_536_000.0).sqrt();
        let width = dollars(update.confidence) + moved;
        prop_assert!((dollars(reading.high) - dollars(update.price) - width).abs() < 1e-9 * dollars(update.price));
        prop_assert!((dollars(update.price) - dollars(reading.low) - width).abs() < 1e-9 * dollars(update.price));
        prop_assert_eq!(reading.last, update.price);
    }

    /// Every pair of prices accepted within thirty seconds is in the range that trades at the later one.
    #[test]
    fn the_range_holds_every_price_accepted_within_the_last_thirty_seconds(
        updates in prop::collection::vec((1..25i64, 9_900_000..10_100_000u64, 0..10i64), 1..12), later in 0..10i64,
    ) {
        let mut index = index();
        let mut now = START;
        let mut accepted = vec![];
        for (wait, cents, age) in updates {
            now += wait;
            let update = update(cents, 2, now - age, now - age - 1);
            if index.accept(&update, now) == Ok(true) {
                accepted.push((now, update));
            }
            let Ok(reading) = index.read(now + later, 30) else { continue };
            let (at, last) = accepted[accepted.len() - 1];
            prop_assert_eq!(reading.last, last.price);
            for (earlier, update) in &accepted {
                if at - earlier < WINDOW_SECONDS {
                    prop_assert!(reading.low <= update.price.saturating_sub(update.confidence));
                    prop_assert!(reading.high >= update.price.saturating_add(update.confidence));
                }
            }
        }
    }

    #[test]
    fn the_range_forgets_what_was_accepted_more_than_two_windows_before(first in 9_000_000..11_000_000u64) {
        let mut index = index();
        index.accept(&update(first, 2, START, START - 1), START).unwrap();
        let at = START + 2 * WINDOW_SECONDS;
        index.accept(&update(10_000_000, 2, at, at - 1), at).unwrap();
        let mut fresh = self::index();
        fresh.accept(&update(10_000_000, 2, at, at - 1), at).unwrap();
        let (reading, alone) = (index.read(at, 10).unwrap(), fresh.read(at, 10).unwrap());
        prop_assert!((dollars(reading.low) - dollars(alone.low)).abs() < 0.01 && reading.last == alone.last);
    }

    /// `v d + (1 - d) r^2 / years`, with the return capped at ten percent.
    #[test]
    fn each_sample_moves_both_averages_by_its_weight(
        start in 1_000_000..50_000_000u64, moves in prop::collection::vec((-1_500..1_500i64, 1..20i64), 1..30),
    ) {
        let mut index = index();
        index.accept(&update(start, 2, START, START - 1), START).unwrap();
        let (mut at, mut cents) = (START, start);
        let mut expected = [0.36f64; 2];
        for (bps, marks) in moves {
            let last = cents;
            cents = (cents * u64::try_from(10_000 + bps).unwrap() / 10_000).clamp(100_000, 1_000_000_000);
            at += 300 * marks;
            index.accept(&update(cents, 2, at, at - 1), at).unwrap();
            let seconds = f64::from(u32::try_from(300 * marks).unwrap());
            let square = (dollars(Usd::from_cents(cents)) / dollars(Usd::from_cents(last))).ln().abs().min(0.1).powi(2);
            for (value, half_life) in expected.iter_mut().zip([86_400.0, 259_200.0]) {
                let kept = 2f64.powf(-seconds / half_life);
                *value = *value * kept + (1.0 - kept) * square / (seconds / 31_536_000.0);
            }
            for (found, expected) in index.variances.into_iter().zip(expected) {
                prop_assert!(close_to(variance(found), expected), "{} {expected}", variance(found));
            }
        }
    }

    #[test]
    fn the_provisional_variance_counts_the_return_since_the_last_sample(bps in -1_500..1_500i64, seconds in 1..299i64) {
        let mut index = index();
        index.accept(&update(10_000_000, 2, START, START - 1), START).unwrap();
        let cents = 10_000_000 * u64::try_from(10_000 + bps).unwrap() / 10_000;
        let at = START + seconds;
        index.accept(&update(cents, 2, at, at - 1), at).unwrap();
        let elapsed = f64::from(i32::try_from(seconds).unwrap());
        let square = (f64::from(u32::try_from(cents).unwrap()) / 10_000_000.0).ln().abs().min(0.1).powi(2);
        let with = |half_life: f64| {
            let kept = 2f64.powf(-elapsed / half_life);
            0.36 * kept + (1.0 - kept) * square / (elapsed / 31_536_000.0)
        };
        let expected = with(86_400.0).max(with(259_200.0));
        let found = float(index.provisional_variance().unwrap());
        prop_assert!(close_to(found, expected), "{found} {expected}");
        prop_assert_eq!(index.variances, self::index().variances, "it is not kept");
    }
}
