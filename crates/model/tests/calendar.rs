//! The exchanges' sessions, against the time zone database and the exchanges' own dates.

use chrono::{DateTime, Datelike, Days, NaiveDate, NaiveDateTime, TimeZone, Weekday};
use chrono_tz::America::New_York;
use perpetua_model::*;
use proptest::prelude::*;

const DAY: i64 = 86_400;
const HALF_HOUR: i64 = 1_800;

fn date(year: i32, month: u32, day: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(year, month, day).unwrap()
}

/// Unix seconds of a time of a New York clock.
fn new_york(date: NaiveDate, hour: u32, minute: u32) -> i64 {
    let local = date.and_hms_opt(hour, minute, 0).unwrap();
    New_York.from_local_datetime(&local).single().unwrap().timestamp()
}

/// What a New York clock shows.
fn clock(time: i64) -> NaiveDateTime {
    DateTime::from_timestamp(time, 0).unwrap().with_timezone(&New_York).naive_local()
}

fn number(date: NaiveDate) -> u16 {
    u16::try_from(date.signed_duration_since(date_zero()).num_days()).unwrap()
}

fn date_zero() -> NaiveDate {
    date(1970, 1, 1)
}

fn dates(from: NaiveDate, until: NaiveDate) -> impl Iterator<Item = NaiveDate> {
    from.iter_days().take_while(move |day| *day < until)
}

fn is_weekday(date: NaiveDate) -> bool {
    !matches!(date.weekday(), Weekday::Sat | Weekday::Sun)
}

fn regular(date: NaiveDate) -> Option<Session> {
    is_weekday(date).then(|| Session { opens: new_york(date, 9, 30), closes: new_york(date, 16, 0) })
}

fn short(date: NaiveDate, close_minute: u16) -> ShortDay {
    ShortDay { day: number(date), close_minute }
}

fn closed(date: NaiveDate) -> ShortDay {
    short(date, 0)
}

/// A calendar to which these were added at `now`.
fn calendar(days: impl IntoIterator<Item = ShortDay>, now: i64) -> Calendar {
    let mut calendar = Calendar::default();
    for day in days {
        calendar.add(day, now).unwrap();
    }
    calendar
}

fn cases(cases: u32) -> proptest::test_runner::Config {
    proptest::test_runner::Config { cases, failure_persistence: None, ..Default::default() }
}

#[test]
fn every_half_hour_of_2007_to_2040_is_in_the_session_that_the_time_zone_database_says() {
    let calendar = Calendar::default();
    let mut sessions = 0;
    for day in dates(date(2007, 1, 1), date(2041, 1, 1)) {
        // The hours of a UTC day, whose session is that of the same date in New York.
        let midnight = i64::from(number(day)) * DAY;
        let session = regular(day);
        sessions += usize::from(session.is_some());
        for now in (0..48).map(|half| midnight + half * HALF_HOUR) {
            let expected = session.filter(|session| session.opens <= now && now < session.closes);
            assert_eq!(calendar.session_at(now), expected, "{day} {now}");
            assert_eq!(new_york_day(now), Some(number(clock(now).date())), "{day} {now}");
        }
    }
    assert_eq!(sessions, 8_871);
}

#[test]
fn every_session_until_2099_begins_at_its_first_second_and_ends_before_its_close() {
    let calendar = Calendar::default();
    for day in dates(date(2007, 1, 1), date(2100, 1, 1)) {
        let Some(session) = regular(day) else {
            assert_eq!(calendar.open_seconds(new_york(day, 0, 0), new_york(day, 23, 0)), 0, "{day}");
            continue;
        };
        assert_eq!(calendar.session_at(session.opens - 1), None, "{day}");
        assert_eq!(calendar.session_at(session.opens), Some(session), "{day}");
        assert_eq!(calendar.session_at(session.closes - 1), Some(session), "{day}");
        assert_eq!(calendar.session_at(session.closes), None, "{day}");
    }
}

#[test]
fn the_year_2100_without_its_leap_day_follows_the_rule_of_second_and_first_sundays() {
    let sunday = |month, number| NaiveDate::from_weekday_of_month_opt(2100, month, Weekday::Sun, number).unwrap();
    for day in dates(date(2100, 1, 1), date(2101, 1, 1)).filter(|day| is_weekday(*day)) {
        let utc_hour = if (sunday(3, 2)..sunday(11, 1)).contains(&day) { 13 } else { 14 };
        let opens = day.and_hms_opt(utc_hour, 30, 0).unwrap().and_utc().timestamp();
        assert_eq!(Calendar::default().session_at(opens).map(|session| session.opens), Some(opens), "{day}");
    }
}

#[test]
fn every_minute_around_a_change_of_the_clocks_is_as_the_time_zone_database_says() {
    let calendar = Calendar::default();
    let mut changes = 0;
    for day in dates(date(2007, 1, 1), date(2041, 1, 1)) {
        let offset = |day: NaiveDate| new_york(day, 12, 0) - i64::from(number(day)) * DAY;
        let yesterday = day - Days::new(1);
        if offset(yesterday) == offset(day) {
            continue;
        }
        changes += 1;
        let days = [-2, -1, 0, 1, 2]
            .map(|distance| date_zero() + Days::new(u64::from(number(day)).checked_add_signed(distance).unwrap()));
        let sessions: Vec<_> = days.into_iter().filter_map(regular).collect();
        assert_eq!(sessions.len(), 3);
        let begin = i64::from(number(days[0])) * DAY;
        for now in (0..5 * 1_440).map(|minute| begin + minute * 60) {
            let expected = sessions.iter().find(|session| session.opens <= now && now < session.closes);
            assert_eq!(calendar.session_at(now), expected.copied(), "{now}");
            assert_eq!(new_york_day(now), Some(number(clock(now).date())), "{now}");
        }
    }
    assert_eq!(changes, 2 * 34);
}

/// The exchange's published holidays and early closes (13:00) of two years, and how many days it traded.
fn published() -> [(i32, Vec<NaiveDate>, Vec<NaiveDate>, u64); 2] {
    let days = |year, days: &[(u32, u32)]| days.iter().map(|(month, day)| date(year, *month, *day)).collect();
    let holidays_2022 = [(1, 17), (2, 21), (4, 15), (5, 30), (6, 20), (7, 4), (9, 5), (11, 24), (12, 26)];
    let holidays_2024 = [(1, 1), (1, 15), (2, 19), (3, 29), (5, 27), (6, 19), (7, 4), (9, 2), (11, 28), (12, 25)];
    [
        (2022, days(2022, &holidays_2022), days(2022, &[(11, 25)]), 251),
        (2024, days(2024, &holidays_2024), days(2024, &[(7, 3), (11, 29), (12, 24)]), 252),
    ]
}

#[test]
fn the_published_calendars_of_2022_and_2024_give_their_numbers_of_trading_days_and_hours() {
    for (year, holidays, early, trading_days) in published() {
        let first = date(year, 1, 1);
        let before = new_york(first - Days::new(1), 12, 0);
        let early_closes = early.iter().map(|day| short(*day, 13 * 60));
        let calendar = calendar(holidays.iter().map(|day| closed(*day)).chain(early_closes), before);
        let (mut sessions, mut seconds) = (0, 0);
        for day in dates(first, date(year + 1, 1, 1)) {
            sessions += u64::from(calendar.session_at(new_york(day, 12, 0)).is_some());
            seconds += calendar.open_seconds(new_york(day, 0, 0), new_york(day + Days::new(1), 0, 0));
        }
        assert_eq!(sessions, trading_days, "{year}");
        assert_eq!(seconds, trading_days * 23_400 - u64::try_from(early.len()).unwrap() * 3 * 3_600, "{year}");
    }
}

#[test]
fn a_holiday_has_no_session_and_a_short_day_ends_at_its_close() {
    let (holiday, early) = (date(2022, 1, 17), date(2022, 11, 25));
    let calendar = calendar([closed(holiday), short(early, 13 * 60)], new_york(date(2022, 1, 3), 12, 0));
    assert_eq!(calendar.session_at(new_york(holiday, 12, 0)), None);
    let session = Session { opens: new_york(early, 9, 30), closes: new_york(early, 13, 0) };
    assert_eq!(calendar.session_at(session.opens - 1), None);
    assert_eq!(calendar.session_at(session.opens), Some(session));
    assert_eq!(calendar.session_at(session.closes - 1), Some(session));
    assert_eq!(calendar.session_at(session.closes), None);
    // From Friday's close over the long weekend to Tuesday 10:00.
    assert_eq!(calendar.open_seconds(new_york(date(2022, 1, 14), 16, 0), new_york(date(2022, 1, 18), 10, 0)), 1_800);
}

#[test]
fn the_open_seconds_of_more_than_ten_days_are_those_of_the_last_ten() {
    let to = new_york(date(2024, 5, 17), 16, 0);
    let ten_days = Calendar::default().open_seconds(to - 10 * DAY, to);
    // Wednesday to Friday of one week, the whole of the next: 8 sessions.
    assert_eq!(ten_days, 8 * 23_400);
    for from in [to - 10 * DAY - 1, to - 100 * DAY, 0, i64::MIN] {
        assert_eq!(Calendar::default().open_seconds(from, to), ten_days);
    }
}

/// Wednesday before Thanksgiving of 2024, at noon.
fn noon() -> i64 {
    new_york(date(2024, 11, 27), 12, 0)
}

fn refusal(day: ShortDay, now: i64) -> Option<ModelError> {
    let mut calendar = Calendar::default();
    let refusal = calendar.add(day, now).err();
    assert_eq!(refusal.is_some(), calendar == Calendar::default());
    refusal
}

#[test]
fn an_entry_takes_the_first_free_place_and_nothing_else_changes() {
    let calendar = calendar([closed(date(2024, 11, 28)), short(date(2024, 11, 29), 780)], noon());
    let mut expected = Calendar::default();
    expected.days[0] = ShortDay { day: 20_055, close_minute: 0 };
    expected.days[1] = ShortDay { day: 20_056, close_minute: 780 };
    assert_eq!(calendar, expected);
    assert_eq!(bytemuck::bytes_of(&calendar)[..10], [0x57, 0x4e, 0, 0, 0x58, 0x4e, 0x0c, 0x03, 0, 0]);
    assert_eq!(size_of::<Calendar>(), 128);
}

#[test]
fn a_second_entry_for_a_day_keeps_the_earlier_close() {
    let day = date(2024, 11, 29);
    for (first, second, kept) in [(780, 840, 780), (840, 780, 780), (780, 0, 0), (0, 780, 0), (780, 780, 780)] {
        let calendar = calendar([short(day, first), short(day, second)], noon());
        assert_eq!(calendar.days[0], short(day, kept));
        assert_eq!(calendar.days[1], ShortDay::default());
    }
}

#[test]
fn a_weekend_needs_no_entry() {
    assert_eq!(refusal(closed(date(2024, 11, 29)), noon()), None);
    assert_eq!(refusal(closed(date(2024, 11, 30)), noon()), Some(ModelError::CalendarInvalid));
    assert_eq!(refusal(closed(date(2024, 12, 1)), noon()), Some(ModelError::CalendarInvalid));
    assert_eq!(refusal(closed(date(2024, 12, 2)), noon()), None);
}

#[test]
fn today_in_new_york_takes_an_entry_until_its_midnight() {
    let (today, tomorrow) = (date(2024, 7, 1), date(2024, 7, 2));
    let midnight = new_york(tomorrow, 0, 0);
    assert_eq!(refusal(closed(today), midnight - 1), None);
    assert_eq!(refusal(closed(today), midnight), Some(ModelError::CalendarInvalid));
    assert_eq!(refusal(closed(tomorrow), midnight), None);
}

#[test]
fn an_entry_may_be_two_years_ahead_and_no_further() {
    let today = date(2024, 11, 27);
    assert_eq!(refusal(closed(today + Days::new(730)), noon()), None);
    // 731 days ahead would be a Saturday, so look from the day before.
    assert_eq!(refusal(closed(today + Days::new(730)), noon() - DAY), Some(ModelError::CalendarInvalid));
}

#[test]
fn a_close_is_none_or_within_the_regular_hours() {
    let day = date(2024, 11, 29);
    for close_minute in 0..=u16::MAX {
        let allowed = close_minute == 0 || (571..960).contains(&close_minute);
        let expected = (!allowed).then_some(ModelError::CalendarInvalid);
        assert_eq!(refusal(short(day, close_minute), noon()), expected, "{close_minute}");
    }
}

#[test]
fn no_entry_is_taken_before_1970_or_for_its_first_day() {
    for now in [i64::MIN, -1, 0, 6 * 3_600, 12 * 3_600, i64::MAX] {
        assert_eq!(refusal(closed(date_zero()), now), Some(ModelError::CalendarInvalid), "{now}");
    }
}

#[test]
fn a_full_calendar_takes_no_more_until_an_entry_is_past_and_out_of_sight() {
    let weekdays: Vec<_> = dates(date(2024, 11, 27), date(2025, 6, 1)).filter(|day| is_weekday(*day)).collect();
    let (entries, another) = (&weekdays[..SHORT_DAYS], closed(weekdays[SHORT_DAYS]));
    let full = calendar(entries.iter().map(|day| closed(*day)), noon());
    for days in 0..=10 {
        let mut calendar = full;
        assert_eq!(calendar.add(another, noon() + days * DAY), Err(ModelError::CalendarFull), "{days}");
        assert_eq!(calendar, full);
        calendar.add(closed(entries[SHORT_DAYS - 1]), noon() + days * DAY).unwrap();
        assert_eq!(calendar, full);
    }
    let mut calendar = full;
    calendar.add(another, noon() + 11 * DAY).unwrap();
    let mut expected = full;
    expected.days[0] = another;
    assert_eq!(calendar, expected);
}

#[test]
fn adding_an_entry_does_not_open_the_past_days_that_open_seconds_counts() {
    let weekdays = dates(date(2024, 11, 27), date(2025, 6, 1)).filter(|day| is_weekday(*day));
    let mut calendar = calendar(weekdays.take(SHORT_DAYS).map(closed), noon());
    for days in 0..200 {
        let now = noon() + days * DAY;
        let before = calendar.open_seconds(0, now);
        let next = clock(now + 60 * DAY).date();
        let added = calendar.add(closed(next), now);
        assert!(matches!(added, Ok(()) | Err(ModelError::CalendarInvalid | ModelError::CalendarFull)));
        assert_eq!(calendar.open_seconds(0, now), before, "{days}");
    }
}

/// Any bytes are a calendar; these have entries around the times that they are asked for.
fn any_calendar() -> impl Strategy<Value = Calendar> {
    let day = prop_oneof![any::<u16>(), 19_700..19_800u16];
    let minute = prop_oneof![any::<u16>(), 0..1_500u16, Just(0)];
    let entry = (day, minute).prop_map(|(day, close_minute)| ShortDay { day, close_minute });
    prop::array::uniform32(entry).prop_map(|days| Calendar { days })
}

fn any_time() -> impl Strategy<Value = i64> {
    prop_oneof![any::<i64>(), -DAY..70_000 * DAY, 19_700 * DAY..19_800 * DAY, Just(i64::MIN), Just(i64::MAX)]
}

/// Entries that a calendar of early 2024 may hold.
fn entries() -> impl Strategy<Value = Vec<ShortDay>> {
    let entry = (0..80u64, prop_oneof![Just(0u16), 571..960u16]);
    prop::collection::vec(entry, 0..20).prop_map(|entries| {
        let day = |days| date(2024, 1, 1) + Days::new(days);
        entries
            .into_iter()
            .map(|(days, close)| short(day(days), close))
            .filter(|e| e.day % 7 != 2 && e.day % 7 != 3)
            .collect()
    })
}

/// Seconds of whole minutes at which a New York clock shows trading hours, minute by minute.
fn slow_open_seconds(entries: &[ShortDay], from: i64, to: i64) -> u64 {
    let open = |now: &i64| {
        let local = clock(*now);
        let minute = u16::try_from(local.and_utc().timestamp().rem_euclid(DAY) / 60).unwrap();
        let closes = entries.iter().filter(|entry| entry.day == number(local.date())).map(|entry| entry.close_minute);
        is_weekday(local.date()) && 570 <= minute && minute < closes.min().unwrap_or(960)
    };
    let minutes = (from.max(to - 10 * DAY) / 60..to / 60).map(|minute| minute * 60);
    60 * u64::try_from(minutes.filter(open).count()).unwrap()
}

proptest! {
    #![proptest_config(cases(300))]

    #[test]
    fn open_seconds_are_the_minutes_that_a_clock_counts(
        entries in entries(),
        to in 15 * 1_440..80 * 1_440i64,
        minutes in 0..15 * 1_440i64,
    ) {
        let begin = i64::from(number(date(2024, 1, 1))) * DAY;
        let calendar = calendar(entries.iter().copied(), new_york(date(2024, 1, 1), 0, 0));
        let to = begin + to * 60;
        let from = to - minutes * 60;
        prop_assert_eq!(calendar.open_seconds(from, to), slow_open_seconds(&entries, from, to));
    }
}

proptest! {
    #![proptest_config(cases(10_000))]

    #[test]
    fn any_calendar_answers_any_question(mut calendar in any_calendar(), now in any_time(), to in any_time(), day: u16, close_minute: u16) {
        if let Some(session) = calendar.session_at(now) {
            prop_assert!(session.opens <= now && now < session.closes);
        }
        prop_assert!(calendar.open_seconds(now, to) <= to.saturating_sub(now).max(0).unsigned_abs());
        new_york_day(now);
        let before = calendar;
        if calendar.add(ShortDay { day, close_minute }, now).is_err() {
            prop_assert_eq!(calendar, before);
        }
    }

    #[test]
    fn open_seconds_add_up(calendar in any_calendar(), to in 19_700 * DAY..19_800 * DAY, parts in prop::array::uniform2(0..10 * DAY)) {
        let [middle, from] = [to - parts[0].min(parts[1]), to - parts[0].max(parts[1])];
        let sum = calendar.open_seconds(from, middle) + calendar.open_seconds(middle, to);
        prop_assert_eq!(calendar.open_seconds(from, to), sum);
        let now_open = u64::from(calendar.session_at(to).is_some());
        prop_assert_eq!(calendar.open_seconds(to, to + 1), now_open);
    }

    #[test]
    fn an_entry_never_opens_what_was_closed(entries in entries(), entry in entries(), now in 19_723 * DAY..19_800 * DAY) {
        let begin = new_york(date(2024, 1, 1), 0, 0);
        let before = calendar(entries, begin);
        let after = entry.into_iter().fold(before, |mut calendar, entry| {
            // A full calendar takes no more, which opens nothing either.
            let _ = calendar.add(entry, begin);
            calendar
        });
        if let Some(session) = after.session_at(now) {
            let was = before.session_at(now).unwrap();
            prop_assert!(was.opens == session.opens && session.closes <= was.closes);
        }
    }
}
