//! The two pieces of history that are replayed.

use super::super::chapter::{Chapter, Split};
use crate::history::rows;

/// February and March 2022: a holiday, an opening 8.3% below the last close, a halt.
pub const GAP: Chapter = Chapter {
    title: "An opening gap of -8.3% (February 2022)",
    bitcoin: || rows(include_str!("../../../data/btc_usd_1h_2022_02.csv")),
    share: || rows(include_str!("../../../data/tsla_usd_1h_2022_02.csv")),
    reference_strike: 42_000,
    stock_price_cents: 86_000,
    start: 1_644_850_800,
    last_call: 1_646_427_600,
    farewell: 1_646_665_200,
    end: 1_646_769_600,
    holiday: 19_044,
    halt: Some((1_646_236_800, 1_646_239_200)),
    split: None,
};

/// August and September 2022: the split of 3 for 1, and a long weekend.
pub const SPLIT: Chapter = Chapter {
    title: "The split of 3 for 1 (August 2022)",
    bitcoin: || rows(include_str!("../../../data/btc_usd_1h_2022_08.csv")),
    share: || rows(include_str!("../../../data/tsla_usd_1h_2022_08.csv")),
    reference_strike: 24_000,
    stock_price_cents: 90_000,
    start: 1_660_572_000,
    last_call: 1_662_148_800,
    farewell: 1_662_472_800,
    end: 1_662_577_200,
    holiday: 19_240,
    halt: None,
    split: Some(Split { announced: 1_661_169_600, acknowledged: 1_661_256_000, at: 1_661_385_300, factor: 3 }),
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::{
        chapter::{Step, Watch},
        states::State,
    };

    const MINUTE: i64 = 60;
    const HALF_AN_HOUR: i64 = 30 * MINUTE;

    fn states(chapter: &Chapter) -> Vec<(Step, Vec<State>)> {
        let steps = chapter.steps().unwrap();
        let first = steps[0].share.unwrap();
        let mut watch = Watch::new(chapter, chapter.sessions().unwrap(), first);
        steps.into_iter().map(|step| (step, watch.states(&step))).collect()
    }

    #[test]
    fn the_first_chapter_has_the_gap_the_holiday_and_every_state_of_a_halt() {
        let all = states(&GAP);
        let opening = all.iter().find(|(step, _)| step.time == 1_645_713_000).unwrap();
        assert_eq!(opening.1, [State::StockFar], "24 February 2022, 14:30 UTC");
        for state in [State::Due, State::Grace, State::Closed] {
            assert!(all.iter().any(|(_, here)| here.contains(&state)), "{state:?}");
        }
        let holiday = all.iter().filter(|(step, _)| (1_645_401_600..1_645_488_000).contains(&step.time));
        assert!(holiday.clone().count() >= 24);
        assert!(holiday.into_iter().all(|(_, here)| here.contains(&State::Closed)), "21 February 2022");
    }

    #[test]
    fn the_second_chapter_is_quiet_for_half_an_hour_on_either_side_of_the_split() {
        let quiet: Vec<_> = states(&SPLIT).into_iter().filter(|(_, here)| here.contains(&State::Quiet)).collect();
        let at = SPLIT.split.unwrap().at;
        assert_eq!(quiet.first().unwrap().0.time, at - HALF_AN_HOUR + MINUTE);
        assert_eq!(quiet.last().unwrap().0.time, at + HALF_AN_HOUR - MINUTE);
        assert_eq!((SPLIT.multiplier(at - 1), SPLIT.multiplier(at)), (1, 3));
    }
}
