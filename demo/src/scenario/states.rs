//! What is not normal, by the run's own account of clock, feeds and mint, and what must be refused then: the table of
//! docs/mechanism.md section 8, written once more and from its words, so that the program can be held against it.

use serde::Serialize;

use crate::audit::Audit;

/// Number of the market whose `X` is fixed.
pub const QUANTO: usize = 0;
/// Number of the market that needs the stock's price.
pub const DOLLAR: usize = 1;

const PROMISE: &str = "What is allowed and what is refused, and why, is what the state of its moment calls for";

/// A state of the world.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum State {
    /// Bitcoin is far from its moving average.
    IndexFar,
    /// A halt of the stock ended less than half an hour ago.
    Grace,
    /// The multiplier changes or changed within half an hour.
    Quiet,
    /// The stock's price is missing for less than ten minutes.
    Due,
    /// The stock is far from its moving average.
    StockFar,
    /// The exchange is closed, or the stock halted.
    Closed,
}

impl State {
    /// Why this state forbids an instruction.
    fn forbids(self, instruction: &str) -> Option<&'static str> {
        let trade = ["open_position", "close_position", "settle_capped", "retire_far"].contains(&instruction);
        let (open, close) = (instruction == "open_position", instruction == "close_position");
        let out = instruction == "withdraw";
        let (forbidden, name) = match self {
            Self::IndexFar => (open || out, "PriceFarFromAverage"),
            Self::Grace => (open, "RecoveringFromOutage"),
            Self::Quiet => (trade || out, "MultiplierChanging"),
            Self::Due => (trade, "StockPriceStale"),
            Self::StockFar => (trade && !close || out, "StockFarFromAverage"),
            Self::Closed => (trade && !close, "StockMarketClosed"),
        };
        forbidden.then_some(name)
    }

    /// Why this state keeps a market from being marked.
    fn forbids_mark(self) -> Option<&'static str> {
        match self {
            Self::IndexFar => Some("PriceFarFromAverage"),
            Self::Quiet => Some("MultiplierChanging"),
            Self::Due => Some("StockPriceStale"),
            Self::StockFar => Some("StockFarFromAverage"),
            Self::Grace | Self::Closed => None,
        }
    }
}

/// Something that somebody tried.
#[derive(Clone, Debug, Serialize)]
pub struct Attempt {
    /// Unix seconds.
    pub time: i64,
    /// Number of the market; nothing for what concerns both.
    pub market: Option<usize>,
    /// The instruction.
    pub instruction: &'static str,
    /// The error that refused it.
    pub refusal: Option<String>,
}

/// What is not normal now, and what was tried so far.
#[derive(Clone, Debug, Default)]
pub struct States {
    /// Unix seconds.
    pub now: i64,
    /// In the order of their declaration.
    pub here: Vec<State>,
    /// What was tried.
    pub attempts: Vec<Attempt>,
    /// Whether whoever acts is the one whose withdrawal it is.
    pub by_owner: bool,
    /// Whether insurance owes anybody anything, so that nobody joins or leaves it.
    pub claims_open: bool,
}

impl States {
    /// Whether a state applies.
    pub fn has(&self, state: State) -> bool {
        self.here.contains(&state)
    }

    /// Holds what the program answered against the table. `markets` are those whose states decide.
    pub fn judge(&mut self, audit: &mut Audit, instruction: &'static str, markets: &[usize], refusal: Option<String>) {
        let expected = match instruction {
            "join_pool" | "execute_withdrawal" => self.expected_of_pools(instruction, markets),
            _ => self.expected_of(instruction, markets),
        };
        // Which pool it is about, the instruction's name does not say.
        let claims =
            self.claims_open && instruction == "execute_withdrawal" && refusal.as_deref() == Some("ClaimsOpen");
        // Nor what insurance has: what it cannot pay now is for the owner to take as a claim.
        let uncovered = instruction == "settle_capped" && refusal.as_deref() == Some("PayoutUncovered");
        let expected = match (claims, uncovered) {
            (true, _) => Some("ClaimsOpen"),
            (_, true) => Some("PayoutUncovered"),
            _ => expected,
        };
        let detail = || {
            let (wanted, got) = (expected.unwrap_or("nothing"), refusal.as_deref().unwrap_or("nothing"));
            format!("{instruction} at {} in {:?}: {wanted} and {got}", self.now, self.here)
        };
        audit.note(PROMISE, refusal.as_deref() == expected, detail);
        let market = (markets.len() == 1).then(|| markets.first().copied()).flatten();
        self.attempts.push(Attempt { time: self.now, market, instruction, refusal });
    }

    /// What applies to a market; the stock is no business of a quanto market.
    fn of(&self, market: usize) -> impl Iterator<Item = State> {
        self.here.iter().copied().filter(move |state| market != QUANTO || *state == State::IndexFar)
    }

    fn expected_of(&self, instruction: &str, markets: &[usize]) -> Option<&'static str> {
        let mut all: Vec<State> = markets.iter().flat_map(|market| self.of(*market)).collect();
        all.sort_unstable();
        all.into_iter().find_map(|state| state.forbids(instruction))
    }

    /// Pools are entered and left behind a mark of every market: a closed stock's is at its bounds, if there is one at all.
    fn expected_of_pools(&self, instruction: &str, markets: &[usize]) -> Option<&'static str> {
        let refused = markets.iter().flat_map(|market| self.of(*market)).find_map(State::forbids_mark);
        let bounds = markets.contains(&DOLLAR) && self.has(State::Closed);
        let own = instruction == "execute_withdrawal" && self.by_owner;
        refused.or((bounds && !own).then_some("MarkAtBounds"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn in_state(state: State) -> States {
        States { here: vec![state], ..States::default() }
    }

    #[test]
    fn the_stocks_states_are_no_business_of_a_quanto_market() {
        for state in [State::Grace, State::Quiet, State::Due, State::StockFar, State::Closed] {
            for instruction in ["open_position", "close_position", "withdraw"] {
                assert_eq!(in_state(state).expected_of(instruction, &[QUANTO]), None);
            }
        }
    }

    #[test]
    fn a_closed_exchange_lets_people_sell_and_not_buy() {
        let closed = in_state(State::Closed);
        assert_eq!(closed.expected_of("open_position", &[DOLLAR]), Some("StockMarketClosed"));
        assert_eq!(closed.expected_of("close_position", &[DOLLAR]), None);
        assert_eq!(closed.expected_of_pools("join_pool", &[QUANTO, DOLLAR]), Some("MarkAtBounds"));
        assert_eq!(closed.expected_of_pools("join_pool", &[QUANTO]), None);
    }

    #[test]
    fn an_answer_other_than_the_tables_is_noticed() {
        let (mut audit, mut quiet) = (Audit::default(), in_state(State::Quiet));
        quiet.judge(&mut audit, "close_position", &[DOLLAR], Some("MultiplierChanging".to_owned()));
        assert!(audit.checks()[0].holds);
        quiet.judge(&mut audit, "close_position", &[DOLLAR], None);
        assert!(!audit.checks()[0].holds);
    }
}
