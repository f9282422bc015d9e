//! Every option that the study opens, and what all of them take.

use perpetua_pricing::Side;

use crate::{
    history::Hour,
    position::{Hold, Opening, Outcome},
};

pub const SIDES: [Side; 2] = [Side::Call, Side::Put];
pub const HOLDS: [Hold; 8] = [
    Hold::Days(1),
    Hold::Days(3),
    Hold::Days(7),
    Hold::Days(14),
    Hold::Days(30),
    Hold::Days(90),
    Hold::Days(365),
    Hold::Best(90),
];
/// Strikes reach so many ticks from the spot.
const FARTHEST: i32 = 28;

/// Which options the study opens.
#[derive(Clone, Copy)]
pub struct Plan {
    /// At least this long from one opening to the next, seconds.
    pub every: i64,
    /// Ticks from one strike to the next.
    pub step: i32,
}

/// An outcome of an option on one side, at one strike, held in one way.
pub struct Sample {
    pub side: Side,
    pub tick: i32,
    pub hold: Hold,
    pub outcome: Outcome,
}

/// The hours at which the market opens options: the exchange trades.
pub fn opening_hours(hours: &[Hour], every: i64) -> Vec<usize> {
    let mut last = i64::MIN;
    let due = |(number, hour): (usize, &Hour)| {
        let open = hour.in_session && hour.time.saturating_sub(last) >= every;
        open.then(|| {
            last = hour.time;
            number
        })
    };
    hours.iter().enumerate().filter_map(due).collect()
}

/// Opens every strike of both sides at the hours of the plan; `progress` hears of each hour.
pub fn collect(hours: &[Hour], plan: Plan, progress: impl Fn()) -> Vec<Sample> {
    let mut samples = Vec::new();
    let strikes = FARTHEST / plan.step;
    for start in opening_hours(hours, plan.every) {
        let path = hours.get(start..).unwrap_or_default();
        for (side, number) in SIDES.into_iter().flat_map(|side| (-strikes..=strikes).map(move |n| (side, n))) {
            let tick = number * plan.step;
            let Some(opening) = Opening::new(path, side, tick) else { continue };
            let outcomes = HOLDS.iter().filter_map(|hold| Some((*hold, opening.outcome(*hold)?)));
            samples.extend(outcomes.map(|(hold, outcome)| Sample { side, tick, hold, outcome }));
        }
        progress();
    }
    samples
}

/// What a set of options takes above its reserves.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Excess {
    /// The part of the options that take more than their reserve.
    pub share: f64,
    /// The mean over all options, in units of the reserve with `w = 0`.
    pub mean: f64,
}

/// What options take above reserves with the factor `w`.
pub fn excess<'a>(outcomes: impl Iterator<Item = &'a Outcome>, factor: f64) -> Excess {
    let (mut number, mut above, mut sum) = (0_u32, 0_u32, 0.0);
    for outcome in outcomes {
        let excess = outcome.excess(factor);
        number += 1;
        above += u32::from(excess > 0.0);
        sum += excess;
    }
    let number = f64::from(number.max(1));
    Excess { share: f64::from(above) / number, mean: sum / number }
}

/// The outcome that takes the most.
pub fn worst<'a>(outcomes: impl Iterator<Item = &'a Outcome>) -> Option<&'a Outcome> {
    outcomes.max_by(|a, b| a.taken.total_cmp(&b.taken))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::tests::hours;

    fn taking(taken: f64) -> Outcome {
        Outcome { opened: 0, closed: Some(1), complete: true, reserve: 1.0, taken }
    }

    #[test]
    fn the_mean_counts_options_without_an_excess() {
        let outcomes = [0.2, 1.1, 1.5, 2.0].map(taking);
        let found = excess(outcomes.iter(), 0.25);
        assert_eq!(found.share, 0.5);
        assert!((found.mean - (0.25 + 0.75) / 4.0).abs() < 1e-12);
        assert_eq!(worst(outcomes.iter()), Some(&outcomes[3]));
    }

    #[test]
    fn openings_keep_their_distance_and_wait_for_the_exchange() {
        let mut path = hours(&[(100.0, 20.0); 10]);
        path[3].in_session = false;
        assert_eq!(opening_hours(&path, 3 * 3_600), [0, 4, 7]);
    }

    #[test]
    fn every_side_strike_and_hold_is_sampled() {
        let path = hours(&[(100.0, 20.0), (100.0, 20.0)]);
        // In the money or at it: those out of the money are worth too little at the floor of volatility.
        let samples = collect(&path, Plan { every: 7_200, step: 28 }, || {});
        assert_eq!(samples.len(), 4 * HOLDS.len());
    }
}
