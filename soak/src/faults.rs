//! What goes wrong and when.

use perpetua_tests::sequences::random::Random;

/// What a step is taken with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Nothing goes wrong.
    None,
    /// The keeper is killed while it works, so many milliseconds after the step began, and started again.
    Killed {
        /// Milliseconds on the wall.
        after: u64,
    },
    /// The keeper loses its way to the network for so many blocks, so many milliseconds after the step began.
    Cut {
        /// Milliseconds on the wall.
        after: u64,
        /// Blocks.
        blocks: u64,
    },
}

/// A step of the clock.
#[derive(Clone, Copy, Debug)]
pub struct Tick {
    /// By how many seconds.
    pub seconds: i64,
    /// Whether it is of the day in short steps.
    pub fine: bool,
    /// Whether a second keeper runs.
    pub two: bool,
    /// What goes wrong.
    pub fault: Fault,
    /// Whether some trade when the keepers are done.
    pub trades: bool,
}

/// Length of a short step: the time between two marks of an index, for each of which a keeper cranks.
const SHORT: i64 = 300;
const DAY: i64 = 86_400;
/// Steps between two faults of a kind.
const BETWEEN: u64 = 60;
/// Steps between two times that people trade.
const TRADING: usize = 6;

/// All steps: `days` in steps of `seconds`, the day `fine` in short ones; two keepers run in the last tenth of all.
pub fn ticks(days: u64, seconds: i64, fine: u64, random: &mut Random) -> Vec<Tick> {
    let mut ticks = Vec::new();
    for day in 0..days {
        let length = if day == fine { SHORT } else { seconds };
        for _ in 0..DAY / length {
            ticks.push(Tick { seconds: length, fine: day == fine, two: false, fault: Fault::None, trades: false });
        }
    }
    let count = ticks.len();
    for (number, tick) in ticks.iter_mut().enumerate() {
        tick.two = number >= count - count / 10;
        tick.trades = number % TRADING == 0;
        // The day in short steps is to cost what a day costs.
        if tick.fine {
            continue;
        }
        tick.fault = match random.below(BETWEEN) {
            0 => Fault::Killed { after: random.below(400) },
            1 => Fault::Cut { after: random.below(400), blocks: 5 + random.below(25) },
            _ => Fault::None,
        };
    }
    ticks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_days_are_stepped_through_and_all_faults_happen() {
        let ticks = ticks(60, 3_600, 14, &mut Random::new(1));
        assert_eq!(ticks.iter().map(|tick| tick.seconds).sum::<i64>(), 60 * DAY);
        assert_eq!(ticks.iter().filter(|tick| tick.fine).count(), 288);
        let times = |is: fn(&Fault) -> bool| ticks.iter().filter(|tick| is(&tick.fault)).count();
        assert!(times(|fault| matches!(fault, Fault::Killed { .. })) > 5);
        assert!(times(|fault| matches!(fault, Fault::Cut { .. })) > 5);
    }
}
