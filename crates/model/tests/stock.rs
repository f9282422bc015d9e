//! A dollar in stock tokens: sessions against the feed's own age, halts, the second feed, splits, and every rounding.

mod common;

use common::*;
use num_bigint::BigInt;
use num_rational::BigRational;
use perpetua_model::{pricing::*, *};
use proptest::prelude::*;

/// Friday 09:30 and 16:00 in New York.
const OPENS: i64 = IN_SESSION - 9_000;
const CLOSES: i64 = IN_SESSION + 14_400;
const DAY: i64 = 86_400;
/// The Monday after.
const MONDAY: i64 = OPENS + 3 * DAY;

/// A stock, and the mint that it follows.
#[derive(Clone)]
struct Desk {
    stock: Stock,
    mint: ScaledUi,
}

impl Desk {
    fn new(config: StockConfig, multiplier: f64) -> Self {
        let bits = multiplier.to_bits();
        let mint = ScaledUi { current: bits, next: bits, next_from: 0 };
        Self { stock: Stock::new(config, &mint, START).unwrap(), mint }
    }

    /// One with a price of 400 dollars, a second old, at `now`.
    fn priced(config: StockConfig, now: i64) -> Self {
        let mut desk = Self::new(config, 1.0);
        desk.share(SHARE_CENTS, now, now - 1);
        desk
    }

    fn crank(&mut self, share: Option<PriceUpdate>, token: Option<PriceUpdate>, now: i64) -> Result<()> {
        let moment = Moment { now, slot: now.unsigned_abs() };
        self.stock.crank(&self.mint, share.as_ref(), token.as_ref(), moment)
    }

    /// The exchange's feed publishes, after an update at `previous`, and is cranked at once.
    fn share(&mut self, cents: u64, now: i64, previous: i64) {
        self.crank(Some(update(cents, 2, now, previous)), None, now).unwrap();
    }

    fn token(&mut self, cents: u64, now: i64) {
        self.crank(None, Some(update(cents, 2, now, now - 1)), now).unwrap();
    }

    /// What the stock says when it is looked at without an update.
    fn at(&self, now: i64) -> StockReading {
        let mut desk = self.clone();
        desk.crank(None, None, now).unwrap();
        desk.stock.read(Moment { now, slot: now.unsigned_abs() }).unwrap()
    }

    fn states(&self, now: i64) -> Vec<Condition> {
        let conditions = self.at(now).conditions;
        Condition::ALL.into_iter().filter(|condition| conditions.has(*condition)).collect()
    }

    fn announce(&mut self, multiplier: f64, from: i64) {
        self.mint = ScaledUi { next: multiplier.to_bits(), next_from: from, ..self.mint };
    }
}

fn with_token_feed() -> StockConfig {
    StockConfig { has_token_feed: 1, ..stock_config() }
}

/// `10^decimals / price`, exact, in the last place of a [`UnitsPerUsd`].
fn exact(decimals: u8, price: Usd) -> BigRational {
    let one = BigInt::from(10u128.pow(decimals.into())) << (64 + UNITS_PER_USD_FRACTION_BITS);
    BigRational::new(one, price.bits().into())
}

fn integer(units: UnitsPerUsd) -> BigRational {
    BigInt::from(units.0).into()
}

fn units_of(cents: u64) -> BigRational {
    exact(8, Usd::from_cents(cents))
}

fn bps_of(value: &BigRational, bps: u64) -> BigRational {
    value * BigRational::new(bps.into(), 10_000.into())
}

fn relative_difference(a: UnitsPerUsd, b: UnitsPerUsd) -> BigRational {
    BigRational::new(a.0.abs_diff(b.0).into(), a.0.max(b.0).max(1).into())
}

fn billionth() -> BigRational {
    BigRational::new(1.into(), 1_000_000_000.into())
}

use Condition::{Grace, MultiplierChanging, StockClosed, StockDiverged, StockStale};

mod sessions {
    use super::*;

    #[test]
    fn a_feed_that_stops_early_is_due_for_ten_minutes_and_then_halted() {
        let desk = Desk::priced(stock_config(), IN_SESSION);
        assert_eq!(desk.states(IN_SESSION + 10), []);
        assert_eq!(desk.states(IN_SESSION + 11), [StockStale]);
        assert_eq!(desk.states(IN_SESSION + 600), [StockStale]);
        assert_eq!(desk.states(IN_SESSION + 601), [StockClosed]);
        assert_eq!(desk.states(CLOSES - 1), [StockClosed]);
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
    fn its_price_is_due_for_ten_minutes_and_then_given_up() {
        let mut desk = Desk::priced(with_token_feed(), CLOSES - 1);
        let now = CLOSES + 3_600;
        desk.token(45_000, now);
        assert_eq!(desk.states(now + 60), [StockClosed]);
        assert_eq!(desk.states(now + 61), [StockStale]);
        assert_eq!(desk.states(now + 600), [StockStale]);
        assert_eq!(desk.states(now + 601), [StockClosed]);
        let kept = units_of(SHARE_CENTS).floor();
        assert_eq!(integer(desk.at(now + 601).units.low), &kept - bps_of(&kept, 500).ceil());
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

mod multipliers {
    use super::*;

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
        assert_eq!(late.states(from + 4_100), [MultiplierChanging, StockClosed]);
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
        assert_eq!((desk.at(later).units.last, desk.states(later)), (before.last, vec![StockClosed]));
        desk.share(SHARE_CENTS / 3, later + 5, later + 4);
        assert_eq!(desk.states(later + 5), []);
        assert!(
            relative_difference(desk.at(later + 5).units.last, before.last) < BigRational::new(1.into(), 1_000.into())
        );
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
        assert_eq!(desk.states(later), [StockClosed], "half the value");
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
