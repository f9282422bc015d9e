//! What the soak measured, as JSON and as a table.

use std::collections::BTreeMap;

use serde::Serialize;

/// Lamports in a SOL.
const LAMPORTS_PER_SOL: u64 = 1_000_000_000;

/// Percentiles of seconds of the chain's clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Lag {
    /// How many there were.
    pub count: usize,
    /// Half were no longer.
    pub p50: i64,
    /// 90% were no longer.
    pub p90: i64,
    /// 99% were no longer.
    pub p99: i64,
    /// The longest.
    pub max: i64,
}

impl Lag {
    /// Of these.
    pub fn of(mut seconds: Vec<i64>) -> Self {
        seconds.sort_unstable();
        let count = seconds.len();
        // The smallest value that so many percent do not exceed.
        let at = |percent: usize| seconds.get((count * percent).div_ceil(100).saturating_sub(1)).copied().unwrap_or(0);
        Self { count, p50: at(50), p90: at(90), p99: at(99), max: at(100) }
    }
}

/// What a day of keeping cost.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Cost {
    /// Simulated days.
    pub days: u64,
    /// Transactions of keepers by kind.
    pub jobs: BTreeMap<&'static str, u64>,
    /// Those that failed on the chain.
    pub failed: u64,
    /// Lamports for fees.
    pub fees: u64,
}

impl Cost {
    /// Millionths of a SOL a day.
    pub fn micro_sol_per_day(&self) -> u64 {
        self.fees / (LAMPORTS_PER_SOL / 1_000_000) / self.days.max(1)
    }
}

/// Everything.
#[derive(Debug, Serialize)]
pub struct Report {
    /// The seed that plays the same again, but for what is up to the machine's speed.
    pub seed: u64,
    /// Margin accounts.
    pub accounts: usize,
    /// Simulated days.
    pub days: u64,
    /// Steps of the clock.
    pub steps: usize,
    /// Blocks.
    pub blocks: u64,
    /// Seconds on the wall: all, and the longest step.
    pub wall_seconds: [u64; 2],
    /// Times that a keeper was killed, that its way to the network was cut, and steps with two keepers.
    pub faults: [u64; 3],
    /// From a price to the crank with it.
    pub crank_lag: Lag,
    /// From the fall below maintenance margin to the liquidation.
    pub liquidation_lag: Lag,
    /// The same in steps in which a keeper was killed or cut off.
    pub liquidation_lag_with_faults: Lag,
    /// A day in steps of five minutes, as a keeper sees it.
    pub fine: Cost,
    /// The other days, in long steps.
    pub coarse: Cost,
    /// Liquidations that were judged by the account's bytes before, and that could not be.
    pub liquidations: [u64; 2],
    /// Markets that two keepers cranked for the same price.
    pub cranked_by_two: u64,
    /// What traders did.
    pub trades: BTreeMap<String, u64>,
    /// What must not happen.
    pub failures: Vec<String>,
}

impl Report {
    /// For people.
    pub fn print(&self) {
        let [wall, longest] = self.wall_seconds;
        let (accounts, days, steps, blocks) = (self.accounts, self.days, self.steps, self.blocks);
        println!("\n{accounts} accounts, {days} days in {steps} steps and {blocks} blocks, seed {}", self.seed);
        println!("{wall} s on the wall, {longest} s for the longest step\n");
        println!(
            "{:<46} {:>7} {:>6} {:>6} {:>6} {:>6}",
            "lag, seconds of the chain's clock", "count", "p50", "p90", "p99", "max"
        );
        for (name, lag) in [
            ("price to crank", self.crank_lag),
            ("breach to liquidation", self.liquidation_lag),
            ("breach to liquidation, keeper killed or cut off", self.liquidation_lag_with_faults),
        ] {
            println!("{name:<46} {:>7} {:>6} {:>6} {:>6} {:>6}", lag.count, lag.p50, lag.p90, lag.p99, lag.max);
        }
        for (name, cost) in [("a day in steps of five minutes", &self.fine), ("the others", &self.coarse)] {
            let micro = cost.micro_sol_per_day();
            println!("\n{name}: 0.{micro:06} SOL a day, {} transactions failed, of {} days:", cost.failed, cost.days);
            for (kind, count) in &cost.jobs {
                println!("  {kind:<20} {count:>7}");
            }
        }
        let [killed, cut, both] = self.faults;
        println!("\nkeepers were killed {killed} times and cut off {cut} times, two ran in {both} steps");
        println!("and cranked the same price {} times", self.cranked_by_two);
        println!("{} liquidations were judged, {} could not be", self.liquidations[0], self.liquidations[1]);
        for (what, count) in &self.trades {
            println!("  {what:<40} {count:>6}");
        }
        for failure in &self.failures {
            println!("FAILED  {failure}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_the_smallest_value_that_so_many_do_not_exceed() {
        let lag = Lag::of((1..=200).rev().collect());
        assert_eq!(lag, Lag { count: 200, p50: 100, p90: 180, p99: 198, max: 200 });
        assert_eq!(Lag::of(vec![7]), Lag { count: 1, p50: 7, p90: 7, p99: 7, max: 7 });
        assert_eq!(Lag::of(vec![]), Lag::default());
    }

    #[test]
    fn a_cost_is_by_the_day() {
        let cost = Cost { days: 2, fees: 5_000_000, ..Cost::default() };
        assert_eq!(cost.micro_sol_per_day(), 2_500);
    }
}
