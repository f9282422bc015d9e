//! A dollar in stock tokens: sessions against the feed's own age, halts, the second feed, and every rounding.

mod common;

use Condition::{Grace, StockClosed, StockDiverged, StockStale};
use common::{desk::*, *};
use num_bigint::BigInt;
use num_rational::BigRational;
use perpetua_model::{pricing::*, *};
use proptest::prelude::*;

mod sessions {
    use super::*;

    #[test]
    fn a_feed_that_stops_early_is_due_for_ten_minutes_and_then_halted() {
        let mut desk = Desk::priced(stock_config(), IN_SESSION);
        assert_eq!(desk.states(IN_SESSION + 10), []);
        assert_eq!(desk.states(IN_SESSION + 11), [StockStale]);
        desk.crank(None, None, IN_SESSION + 11).unwrap();
        assert_eq!(desk.states(IN_SESSION + 611), [StockStale]);
        assert_eq!(desk.states(IN_SESSION + 612), [StockClosed]);
        assert_eq!(desk.states(CLOSES - 1), [StockClosed]);
    }

    /// Whoever leaves the price out first must give everybody ten minutes to bring it.
    #[test]
    fn a_price_that_nobody_brought_for_hours_is_due_for_ten_minutes_from_when_it_is_missed() {
        let mut desk = Desk::priced(stock_config(), IN_SESSION);
        let late = IN_SESSION + 7_200;
        desk.crank(None, None, late).unwrap();
        assert_eq!(desk.states(late), [StockStale]);
        assert_eq!(desk.states(late + 600), [StockStale]);
        assert_eq!(desk.states(late + 601), [StockClosed]);
        desk.share(SHARE_CENTS, late + 602, late + 601);
        assert_eq!(desk.states(late + 700), [StockStale], "a price clears the record");
    }

    /// It was brought too late to trade at, but it was there.
    #[test]
    fn a_price_that_came_back_and_is_missing_again_is_due_for_ten_minutes_anew() {
        let mut desk = Desk::priced(stock_config(), IN_SESSION);
        desk.crank(None, None, IN_SESSION + 11).unwrap();
        let back = IN_SESSION + 500;
        desk.crank(Some(update(SHARE_CENTS, 1, back, back - 1)), None, back + 20).unwrap();
        assert_eq!(desk.states(back + 620), [StockStale]);
        assert_eq!(desk.states(back + 621), [StockClosed]);
    }

    #[test]
    fn a_feed_that_stops_just_before_the_close_is_closed_with_it() {
        let desk = Desk::priced(stock_config(), CLOSES - 1);
        assert_eq!(desk.states(CLOSES - 1), []);
        assert_eq!(desk.states(CLOSES), [StockClosed]);
        let desk = Desk::priced(stock_config(), CLOSES - 100);
        assert_eq!(desk.states(CLOSES - 1), [StockStale]);
        assert_eq!(desk.states(CLOSES), [StockClosed]);
    }

    #[test]
    fn a_feed_that_wrongly_goes_on_after_the_close_is_ignored() {
        let mut desk = Desk::priced(stock_config(), CLOSES - 1);
        let before = desk.at(CLOSES + 300);
        for now in [CLOSES, CLOSES + 5, CLOSES + DAY, CLOSES + 2 * DAY, MONDAY - 1] {
            desk.share(2 * SHARE_CENTS, now, now - 1);
        }
        // Published in the session and brought after it, or before the session with a clock that runs ahead.
        desk.crank(Some(update(2 * SHARE_CENTS, 2, CLOSES - 1, CLOSES - 2)), None, CLOSES).unwrap();
        desk.crank(Some(update(2 * SHARE_CENTS, 2, MONDAY + 1, MONDAY)), None, MONDAY - 2).unwrap();
        assert_eq!(desk.at(MONDAY - 1), before);
        assert_eq!(Usd::from(desk.stock.share.price), Usd::from_cents(SHARE_CENTS));
        desk.share(2 * SHARE_CENTS, MONDAY, MONDAY - 1);
        assert_eq!(Usd::from(desk.stock.share.price), Usd::from_cents(2 * SHARE_CENTS));
    }

    #[test]
    fn a_feed_that_goes_on_over_a_holiday_or_after_an_early_close_is_ignored() {
        let date = new_york_day(MONDAY).unwrap();
        for (close_minute, last_trading) in [(0, CLOSES - 1), (780, MONDAY + 3 * 3_600 + 1_799)] {
            let mut desk = Desk::priced(stock_config(), CLOSES - 1);
            desk.stock.calendar.add(ShortDay { day: date, close_minute }, START).unwrap();
            if close_minute != 0 {
                desk.share(SHARE_CENTS, last_trading, last_trading - 1);
                assert_eq!(desk.states(last_trading), []);
            }
            let now = MONDAY + 4 * 3_600;
            desk.share(2 * SHARE_CENTS, now, now - 1);
            assert_eq!(desk.states(now), [StockClosed]);
            assert_eq!(Usd::from(desk.stock.share.price), Usd::from_cents(SHARE_CENTS));
        }
    }

    #[test]
    fn nobody_trades_at_the_old_price_between_the_opening_bell_and_the_first_new_one() {
        let mut desk = Desk::priced(stock_config(), CLOSES - 1);
        assert_eq!(desk.states(MONDAY - 1), [StockClosed]);
        assert_eq!(desk.states(MONDAY), [StockStale]);
        desk.crank(None, None, MONDAY).unwrap();
        assert_eq!(desk.states(MONDAY + 600), [StockStale]);
        assert_eq!(desk.states(MONDAY + 601), [StockClosed], "halted since the opening");
        desk.share(SHARE_CENTS, MONDAY + 3, MONDAY - 2);
        assert_eq!(desk.states(MONDAY + 3), []);
    }

    #[test]
    fn a_stock_that_never_had_a_price_is_due_for_ever() {
        let desk = Desk::new(with_token_feed(), 1.0);
        for now in [IN_SESSION, CLOSES + 1, IN_SESSION + 700 * DAY] {
            assert_eq!(desk.at(now).conditions, Conditions::NORMAL.with(StockStale, true));
            assert_eq!(desk.at(now).units, UnitsRange::default());
        }
    }

    #[test]
    fn a_stock_is_read_in_the_slot_it_was_cranked_in() {
        let desk = Desk::priced(stock_config(), IN_SESSION);
        let slot = IN_SESSION.unsigned_abs();
        assert!(desk.stock.read(Moment { now: IN_SESSION, slot }).is_ok());
        let later = Moment { now: IN_SESSION, slot: slot + 1 };
        assert_eq!(desk.stock.read(later), Err(ModelError::StockNotCranked));
    }

    #[test]
    fn a_refused_update_changes_nothing_and_says_why() {
        let desk = Desk::priced(with_token_feed(), IN_SESSION);
        let now = IN_SESSION + 100;
        for (bad, reason) in [
            (update(SHARE_CENTS, 2, now - 61, now - 62), ModelError::PriceStale),
            (update(SHARE_CENTS, 51, now, now - 1), ModelError::PriceUncertain),
            (update(SHARE_CENTS, 2, now + 6, now - 1), ModelError::PriceFromFuture),
        ] {
            let mut copy = desk.clone();
            assert_eq!(copy.crank(Some(bad), None, now), Err(reason));
            assert_eq!(copy.crank(None, Some(bad), now), Err(reason));
            assert_eq!(copy.stock, desk.stock);
        }
        let mut copy = Desk::new(stock_config(), 1024.0);
        assert_eq!(
            copy.crank(Some(update(2_000_000, 2, now, now - 1)), None, now),
            Err(ModelError::PriceOutOfRange),
            "a whole token would be dearer than any price supported"
        );
        assert_eq!(copy.stock, Desk::new(stock_config(), 1024.0).stock);
    }

    #[test]
    fn a_price_far_from_its_average_widens_the_range_to_the_average() {
        let mut desk = Desk::priced(stock_config(), IN_SESSION);
        let now = IN_SESSION + 60;
        let average = Usd::from_cents(SHARE_CENTS);
        let spot = PriceUpdate { average, ..update(SHARE_CENTS * 94 / 100, 2, now, now - 1) };
        desk.crank(Some(spot), None, now).unwrap();
        assert_eq!(desk.states(now), [StockDiverged]);
        assert_eq!(integer(desk.at(now).units.low), units_of(SHARE_CENTS).floor());
    }
}

mod halts {
    use super::*;

    /// Until when funding and liquidation wait after an update at `at` that says the one before it was at `previous`.
    fn grace_after(last: i64, at: i64, previous: i64) -> i64 {
        let mut desk = Desk::priced(stock_config(), last);
        desk.share(SHARE_CENTS, at, previous);
        desk.stock.grace_until
    }

    #[test]
    fn more_than_ten_minutes_without_a_price_within_sessions_bring_half_an_hour_of_grace() {
        assert_eq!(grace_after(IN_SESSION, IN_SESSION + 600, IN_SESSION), 0);
        let at = IN_SESSION + 601;
        assert_eq!(grace_after(IN_SESSION, at, IN_SESSION), at + 1_800);
        let mut desk = Desk::priced(stock_config(), IN_SESSION);
        desk.share(SHARE_CENTS, at, IN_SESSION);
        assert_eq!(desk.states(at), [Grace]);
        desk.share(SHARE_CENTS, at + 1_799, at + 1_798);
        assert_eq!(desk.states(at + 1_799), [Grace]);
        assert_eq!(desk.states(at + 1_800), []);
    }

    #[test]
    fn time_that_nobody_cranked_is_no_halt() {
        assert_eq!(grace_after(IN_SESSION, IN_SESSION + 7_200, IN_SESSION + 7_199), 0);
        assert_eq!(grace_after(IN_SESSION, MONDAY + 7_200, MONDAY + 7_199), 0);
    }

    #[test]
    fn a_gap_reported_from_before_the_last_accepted_price_counts_only_after_it() {
        assert_eq!(grace_after(IN_SESSION, IN_SESSION + 300, IN_SESSION - 5_000), 0);
    }

    #[test]
    fn nights_and_weekends_are_no_halts_and_what_is_missing_on_both_sides_of_them_adds_up() {
        assert_eq!(grace_after(CLOSES - 1, MONDAY + 1, CLOSES - 1), 0);
        assert_eq!(grace_after(CLOSES - 300, MONDAY + 300, CLOSES - 300), 0);
        let at = MONDAY + 301;
        assert_eq!(grace_after(CLOSES - 300, at, CLOSES - 300), at + 1_800);
    }

    #[test]
    fn the_first_price_of_all_ends_no_halt() {
        let mut desk = Desk::new(stock_config(), 1.0);
        desk.share(SHARE_CENTS, IN_SESSION, IN_SESSION - 5_000);
        assert_eq!(desk.states(IN_SESSION), []);
    }

    /// Whoever would rather have no grace can't pass over the update that proves the halt.
    #[test]
    fn an_update_brought_after_a_newer_one_still_proves_a_halt() {
        let mut desk = Desk::priced(stock_config(), IN_SESSION);
        let resumed = IN_SESSION + 700;
        desk.share(SHARE_CENTS, resumed + 2, resumed + 1);
        assert_eq!(desk.states(resumed + 2), []);
        let before = desk.stock.share;
        for now in [resumed + 4, resumed + 30] {
            desk.crank(Some(update(SHARE_CENTS / 2, 2, resumed, IN_SESSION)), None, now).unwrap();
            assert_eq!(desk.stock.grace_until, resumed + 1_800, "once");
        }
        assert_eq!(desk.stock.share, before, "its price is not taken");
    }
}

mod second_feed {
    use super::*;

    #[test]
    fn while_the_exchange_trades_it_widens_the_range_on_its_side_and_too_far_off_counts_as_diverged() {
        let cases = [(36_000, vec![]), (50_000, vec![]), (10_000, vec![StockDiverged]), (90_000, vec![StockDiverged])];
        for (token, states) in cases {
            let mut desk = Desk::priced(with_token_feed(), IN_SESSION);
            let alone = desk.at(IN_SESSION).units;
            desk.token(token, IN_SESSION);
            let both = desk.at(IN_SESSION).units;
            assert_eq!(both.last, alone.last);
            if token > SHARE_CENTS {
                assert_eq!((integer(both.low), both.high), (units_of(token).floor(), alone.high));
            } else {
                assert_eq!((both.low, integer(both.high)), (alone.low, units_of(token).ceil()));
            }
            assert_eq!(desk.states(IN_SESSION), states);
        }
        let mut desk = Desk::priced(with_token_feed(), IN_SESSION);
        let alone = desk.at(IN_SESSION).units;
        desk.token(SHARE_CENTS + 1, IN_SESSION);
        assert_eq!(desk.at(IN_SESSION).units, alone, "within the range it changes nothing");
    }

    #[test]
    fn while_the_exchange_is_closed_a_dollar_buys_the_fewer_tokens_of_both_less_the_haircut() {
        let now = CLOSES + 3_600;
        for (token, dearer, cheaper, states) in [
            (36_000, SHARE_CENTS, 36_000, vec![StockClosed]),
            (50_000, 50_000, SHARE_CENTS, vec![StockClosed]),
            (90_000, 90_000, SHARE_CENTS, vec![StockDiverged, StockClosed]),
            (1, SHARE_CENTS, 1, vec![StockDiverged, StockClosed]),
        ] {
            let mut desk = Desk::priced(with_token_feed(), CLOSES - 1);
            desk.token(token, now);
            assert_eq!(desk.states(now), states);
            let units = desk.at(now).units;
            let kept = units_of(dearer).floor();
            assert_eq!(integer(units.low), &kept - bps_of(&kept, 500).ceil());
            assert_eq!(integer(units.last), units_of(SHARE_CENTS).floor());
            assert_eq!(integer(units.high), units_of(cheaper).ceil());
        }
    }

    #[test]
    fn its_price_is_due_for_a_day_from_when_it_is_missed_and_then_given_up() {
        let mut desk = Desk::priced(with_token_feed(), CLOSES - 1);
        let now = CLOSES + 3_600;
        desk.token(45_000, now);
        assert_eq!(desk.states(now + 60), [StockClosed]);
        assert_eq!(desk.states(now + 61), [StockStale]);
        desk.crank(None, None, now + 61).unwrap();
        assert_eq!(desk.states(now + 61 + DAY), [StockStale]);
        assert_eq!(desk.states(now + 62 + DAY), [StockClosed]);
        let kept = units_of(SHARE_CENTS).floor();
        assert_eq!(integer(desk.at(now + 62 + DAY).units.low), &kept - bps_of(&kept, 500).ceil());
    }

    #[test]
    fn it_replaces_no_price_of_the_exchange_and_is_no_one_s_where_it_is_not_configured() {
        let mut desk = Desk::priced(with_token_feed(), IN_SESSION);
        desk.token(SHARE_CENTS, IN_SESSION + 300);
        assert_eq!(desk.states(IN_SESSION + 300), [StockStale]);
        let mut without = Desk::priced(stock_config(), IN_SESSION);
        without.token(SHARE_CENTS * 11 / 10, IN_SESSION);
        assert_eq!(without.at(IN_SESSION), Desk::priced(stock_config(), IN_SESSION).at(IN_SESSION));
    }
}

/// What happens to a stock in the random histories below.
#[derive(Clone, Debug)]
struct Event {
    wait: i64,
    share: Option<Published>,
    token: Option<Published>,
    /// The multiplier that the mint has next, and how long until then; negative: at once.
    change: Option<(u64, i64)>,
    acknowledged: bool,
}

#[derive(Clone, Debug)]
struct Published {
    price: i64,
    exponent: i32,
    average_bps: i64,
    confidence_bps: u64,
    /// Seconds before now.
    age: i64,
    gap: i64,
}

fn published() -> impl Strategy<Value = Published> {
    let price = prop_oneof![3 => 30_000..50_000i64, 1 => 1..2_000_000_000i64];
    (
        price,
        prop_oneof![4 => Just(-2), 1 => -6..1i32],
        prop_oneof![9_000..11_000i64, 1..100_000i64],
        0..60u64,
        -8..80i64,
        0..900i64,
    )
        .prop_map(|(price, exponent, average_bps, confidence_bps, age, gap)| Published {
            price,
            exponent,
            average_bps,
            confidence_bps,
            age,
            gap,
        })
}

fn event() -> impl Strategy<Value = Event> {
    let wait = prop_oneof![3 => 0..30i64, 2 => 30..2_000i64, 1 => 2_000..100_000i64];
    let multiplier = prop_oneof![
        (900..1_100u64).prop_map(|n| (f64::from(u32::try_from(n).unwrap()) / 1_000.0).to_bits()),
        prop::sample::select(vec![1.0, 3.0, 10.0, 0.1, 0.0, -1.0, f64::NAN, f64::INFINITY]).prop_map(f64::to_bits),
        any::<u64>(),
    ];
    let change = prop::option::weighted(0.2, (multiplier, -100..5_000i64));
    let rarely = prop::option::weighted(0.5, published());
    (wait, prop::option::weighted(0.8, published()), rarely, change, any::<bool>())
        .prop_map(|(wait, share, token, change, acknowledged)| Event { wait, share, token, change, acknowledged })
}

fn parsed(published: &Published, now: i64) -> Option<PriceUpdate> {
    let Published { price, exponent, average_bps, confidence_bps, age, gap } = *published;
    let average = i64::try_from(i128::from(price) * i128::from(average_bps) / 10_000).unwrap();
    let confidence = u64::try_from(price).unwrap() * confidence_bps / 10_000;
    PriceUpdate::parse(price, confidence, average, exponent, now - age, now - age - gap).ok()
}

fn config() -> impl Strategy<Value = StockConfig> {
    (0..=9u8, 0..2u8, 0..2u8, 0..2u8, 100..=2_000u16, 100..=5_000u16, 0..=1_000u16).prop_map(
        |(decimals, share_feed_unit, token_feed_unit, has_token_feed, haircut, band, change)| StockConfig {
            decimals,
            share_feed_unit,
            token_feed_unit,
            has_token_feed,
            closed_haircut_bps: haircut,
            value_band_bps: band,
            multiplier_change_bps: change,
            ..stock_config()
        },
    )
}

proptest! {
    #![proptest_config(cases(10_000))]

    /// After any history a stock can be read, and `X` is in its bounds: that of the last price, rounded down; no more than
    /// that for who is paid and no less for who pays; within the haircut and, unless the feeds are too far from each other,
    /// the band where the exchange is closed.
    #[test]
    fn whatever_is_published_a_dollar_is_worth_a_sane_number_of_tokens(
        config in config(), start in 0..400_000i64, events in prop::collection::vec(event(), 1..25),
    ) {
        let mut now = START + start;
        let mut desk = Desk { stock: Stock::new(config, &ScaledUi::NONE, now).unwrap(), mint: ScaledUi::NONE };
        for event in events {
            now += event.wait;
            if let Some((bits, wait)) = event.change {
                desk.mint = ScaledUi { next: bits, next_from: now + wait, current: desk.mint.at(now).map_or(0, |m| m.0) };
            }
            if event.acknowledged && let Ok(multiplier) = Multiplier::from_bits(desk.mint.next) {
                desk.stock.acknowledge(multiplier);
            }
            let share = event.share.as_ref().and_then(|share| parsed(share, now));
            let token = event.token.as_ref().and_then(|token| parsed(token, now));
            let before = desk.stock;
            if let Err(reason) = desk.crank(share, token, now) {
                prop_assert!(reason != ModelError::MathOverflow);
                prop_assert_eq!(desk.stock, before);
                desk.crank(None, None, now).unwrap();
            }
            let reading = desk.stock.read(Moment { now, slot: now.unsigned_abs() }).unwrap();
            let UnitsRange { low, last, high } = reading.units;
            let price = Usd::from(desk.stock.share.price);
            if price == Usd::default() {
                prop_assert_eq!(reading.units, UnitsRange::default());
                continue;
            }
            prop_assert!(low <= last && last <= high);
            let true_units = exact(config.decimals, price);
            prop_assert_eq!(integer(last), true_units.floor());
            prop_assert!(high.0 < 1 << 63);
            let (closed, stale) = (reading.conditions.has(StockClosed), reading.conditions.has(StockStale));
            if closed || stale {
                let (haircut, band) = (u64::from(config.closed_haircut_bps), u64::from(config.value_band_bps));
                let most = bps_of(&true_units, 10_000 - haircut);
                let least = &most / BigRational::new((10_000 + band).into(), 10_000.into());
                prop_assert!(integer(low) <= most);
                if reading.conditions.has(StockDiverged) {
                    continue;
                }
                // One unit for the rounding of X, one for that of the haircut, and the band's.
                prop_assert!(integer(low) + BigRational::from(BigInt::from(3)) >= least * (BigRational::from(BigInt::from(1)) - billionth()));
                let widest = &true_units / BigRational::new((10_000 - band).into(), 10_000.into());
                prop_assert!(integer(high) <= widest * (BigRational::from(BigInt::from(1)) + billionth()) + BigRational::from(BigInt::from(1)));
            } else {
                prop_assert!(desk.stock.share.publish_time <= now + MAX_FUTURE_SECONDS && now - desk.stock.share.publish_time <= 10);
            }
        }
    }

    /// Who is paid gets the exact quotient at the dearest price of the window, rounded down; who pays, that at the cheapest,
    /// rounded up.
    #[test]
    fn each_end_of_the_range_is_the_exact_quotient_rounded_against_the_user(
        cents in 1_000..1_000_000_000u64, decimals in 0..=9u8, multiplier in 1..64u32, confidence in 0..50u64,
    ) {
        let mut desk = Desk::new(StockConfig { decimals, ..stock_config() }, f64::from(multiplier) / 8.0);
        let published = update(cents, confidence, IN_SESSION, IN_SESSION - 1);
        if desk.crank(Some(published), None, IN_SESSION).is_err() {
            return Ok(());
        }
        let window = desk.stock.share.current;
        let (cheapest, dearest) = (Usd::from(window.low), Usd::from(window.high).min(Usd::MAX_PRICE));
        let units = desk.at(IN_SESSION).units;
        prop_assert_eq!(integer(units.low), exact(decimals, dearest).floor());
        prop_assert_eq!(integer(units.high), exact(decimals, cheapest).ceil());
        // A share's price times the multiplier, rounded down: eighths are exact.
        let (worth, product) = (Usd::from(desk.stock.share.price).bits(), published.price.bits() * u128::from(multiplier) / 8);
        prop_assert!(worth <= product && product - worth <= product >> 60);
        let closed = desk.at(CLOSES).units;
        let kept = exact(decimals, Usd::from_bits(worth)).floor();
        prop_assert_eq!(integer(closed.low), &kept - bps_of(&kept, 500).ceil());
        prop_assert_eq!(integer(closed.last), kept);
        prop_assert_eq!(integer(closed.high), exact(decimals, Usd::from_bits(worth)).ceil());
    }

    /// Every share price accepted within thirty seconds is in the range that trades at the later one.
    #[test]
    fn the_range_holds_every_stock_price_accepted_within_thirty_seconds(
        updates in prop::collection::vec((1..9i64, 39_000..41_000u64), 1..12), token in prop::option::of(31_000..48_000u64),
    ) {
        let mut desk = Desk::new(with_token_feed(), 1.0);
        let (mut now, mut accepted) = (IN_SESSION, vec![]);
        for (wait, cents) in updates {
            now += wait;
            let average = Usd::from_cents(40_000);
            let share = PriceUpdate { average, ..update(cents, 2, now, now - 1) };
            desk.crank(Some(share), token.map(|cents| update(cents, 2, now, now - 1)), now).unwrap();
            accepted.push((now, cents));
            let units = desk.at(now).units;
            for (_, cents) in accepted.iter().filter(|(at, _)| now - at < WINDOW_SECONDS) {
                prop_assert!(integer(units.low) <= units_of(*cents) && units_of(*cents) <= integer(units.high));
            }
            if let Some(cents) = token {
                prop_assert!(integer(units.low) <= units_of(cents) && units_of(cents) <= integer(units.high));
            }
        }
    }
}
