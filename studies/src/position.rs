//! One option from its opening to its end, and how much of its reserve it takes.

use perpetua_pricing::{Real, Rounding, Side, Usd};

use crate::history::{CAP_FRACTION, Hour, to_f64};

/// One tick of the ladder, as a ratio.
const TICK: (u64, u64) = (81, 80);
/// An option worth less than this part of its cap cannot be opened.
const LEAST_VALUE: f64 = 5e-4;

/// When a holder closes an option that has not reached its cap; at the cap anyone settles it.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Hold {
    /// After so many days.
    Days(i64),
    /// Within so many days, at the hour that he would choose if he knew the future.
    Best(i64),
}

impl Hold {
    /// The longest that it lasts, seconds.
    pub fn seconds(self) -> i64 {
        let (Self::Days(days) | Self::Best(days)) = self;
        days * 86_400
    }
}

/// An option to open: one dollar of the index's value.
pub struct Opening<'a> {
    side: Side,
    strike: Usd,
    cap: f64,
    /// This hour and all that follow.
    path: &'a [Hour],
    /// How many of these the option lives through before it reaches its cap; None when it never does.
    capped: Option<usize>,
}

/// How an option ended.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Outcome {
    pub opened: i64,
    /// None while it is open at the end of the history.
    pub closed: Option<i64>,
    /// Whether the history reaches as far as the holder might have held.
    pub complete: bool,
    /// Shares reserved with `w = 0` per dollar of the index's value.
    pub reserve: f64,
    /// What the close takes, in units of that reserve.
    pub taken: f64,
}

impl Outcome {
    /// What the insurance pool pays, in units of the reserve with `w = 0`.
    pub fn excess(&self, factor: f64) -> f64 {
        (self.taken - 1.0 - factor).max(0.0)
    }
}

impl<'a> Opening<'a> {
    /// None when the mechanism refuses it: at its cap, or worth almost nothing.
    pub fn new(path: &'a [Hour], side: Side, tick: i32) -> Option<Self> {
        let now = path.first()?;
        let strike = strike_at(now.spot, tick)?;
        let cap = to_f64(now.curve(side).payout_cap(strike));
        let past_cap = |hour: &Hour| match side {
            Side::Call => hour.index - to_f64(strike) >= cap,
            Side::Put => to_f64(strike) - hour.index >= cap,
        };
        let mut opening = Self { side, strike, cap, path, capped: None };
        if past_cap(now) || opening.value(now) < LEAST_VALUE * cap {
            return None;
        }
        opening.capped = path.iter().position(past_cap);
        Some(opening)
    }

    /// How it ends.
    pub fn outcome(&self, hold: Hold) -> Option<Outcome> {
        let (first, last) = (self.path.first()?, self.path.last()?);
        let horizon = first.time + hold.seconds();
        let complete = last.time >= horizon;
        let expired = self.path.partition_point(|hour| hour.time < horizon);
        // The option lives through its last hour.
        let lived = self.path.get(..=self.capped.unwrap_or(usize::MAX - 1).min(expired)).unwrap_or(self.path);
        let end = match hold {
            Hold::Days(_) => lived.last()?,
            Hold::Best(_) => self.best(lived)?,
        };
        let ended = self.capped.is_some_and(|capped| capped <= expired) || complete;
        let reserve = CAP_FRACTION * to_f64(self.strike) / (first.index * first.stock);
        Some(Outcome {
            opened: first.time,
            closed: ended.then_some(end.time),
            complete,
            reserve,
            taken: if ended { self.taken(end) } else { 0.0 },
        })
    }

    fn value(&self, hour: &Hour) -> f64 {
        to_f64(hour.curve(self.side).value(hour.spot, self.strike).value(Rounding::Down))
    }

    fn taken(&self, hour: &Hour) -> f64 {
        self.dearer(hour) * self.value(hour) / self.cap
    }

    /// `X` at an hour over `X` at the opening: the most that can be taken there.
    fn dearer(&self, hour: &Hour) -> f64 {
        self.path.first().map_or(0.0, |first| hour.shares_per_dollar() * first.stock)
    }

    fn best(&self, lived: &'a [Hour]) -> Option<&'a Hour> {
        let mut best = (0.0, lived.last()?);
        for hour in lived {
            // Pricing costs most, and most hours cannot win.
            if self.dearer(hour) > best.0 {
                let taken = self.taken(hour);
                if taken > best.0 {
                    best = (taken, hour);
                }
            }
        }
        Some(best.1)
    }
}

fn strike_at(spot: Usd, tick: i32) -> Option<Usd> {
    let (above, below) = if tick < 0 { (TICK.1, TICK.0) } else { TICK };
    let step = Real::from_ratio(above, below)?;
    let ratio = (0..tick.unsigned_abs()).fold(Real::ONE, |ratio, _| ratio.mul(step));
    Some(Real::from(spot).mul(ratio).to_usd(Rounding::Down))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::tests::hours;

    #[test]
    fn a_capped_put_takes_twice_its_reserve_when_the_stock_halves() {
        let path = hours(&[(100.0, 20.0), (49.0, 10.0), (40.0, 5.0)]);
        let put = Opening::new(&path, Side::Put, 0).unwrap();
        let outcome = put.outcome(Hold::Days(1)).unwrap();
        // Settled at the first hour past the cap, before the stock fell further.
        assert_eq!(outcome.closed, Some(path[1].time));
        assert!((outcome.taken - 2.0).abs() < 1e-9);
        assert!((outcome.excess(0.25) - 0.75).abs() < 1e-9);
        assert_eq!(outcome.excess(1.5), 0.0);
        // Half of one dollar, at twenty dollars a share.
        assert!((outcome.reserve - 0.025).abs() < 1e-12);
    }

    #[test]
    fn a_close_while_the_exchange_is_closed_takes_a_twentieth_less() {
        let mut path = hours(&[(100.0, 20.0), (49.0, 10.0)]);
        path[1].in_session = false;
        let put = Opening::new(&path, Side::Put, 0).unwrap();
        assert!((put.outcome(Hold::Days(1)).unwrap().taken - 1.9).abs() < 1e-9);
    }

    #[test]
    fn a_close_below_the_cap_takes_the_options_value() {
        let mut prices = vec![(100.0, 20.0); 26];
        prices[24] = (100.0, 10.0);
        let path = hours(&prices);
        let call = Opening::new(&path, Side::Call, 0).unwrap();
        let outcome = call.outcome(Hold::Days(1)).unwrap();
        assert_eq!(outcome.closed, Some(path[24].time));
        // At the floor, sigma = 0.196, u = sqrt(1 + 8 * 365 / (7 sigma^2)) = 104.2, and V = S / u at the money.
        let u = (1.0 + 8.0 * 365.0 / (7.0 * 0.196_f64.powi(2))).sqrt();
        assert!((outcome.taken - 2.0 * 100.0 / u / 50.0).abs() < 1e-9);
    }

    #[test]
    fn hindsight_closes_at_the_dearest_hour_before_the_cap() {
        let path = hours(&[(100.0, 20.0), (60.0, 8.0), (60.0, 16.0), (49.0, 16.0), (49.0, 1.0)]);
        let put = Opening::new(&path, Side::Put, 0).unwrap();
        let outcome = put.outcome(Hold::Best(1)).unwrap();
        assert_eq!(outcome.closed, Some(path[1].time));
        // 20 / 8 times at least 40 of 50.
        assert!(outcome.taken >= 2.0 && outcome.taken < 2.5);
    }

    #[test]
    fn an_option_that_outlives_the_history_stays_open() {
        let path = hours(&[(100.0, 20.0); 5]);
        let outcome = Opening::new(&path, Side::Put, 0).unwrap().outcome(Hold::Days(1)).unwrap();
        assert_eq!((outcome.closed, outcome.complete, outcome.taken), (None, false, 0.0));
    }

    #[test]
    fn what_the_market_refuses_is_not_opened() {
        let path = hours(&[(100.0, 20.0); 2]);
        // 1.0125^28 = 1.4160: at a volatility of 19.6% worth nothing.
        assert!(Opening::new(&path, Side::Call, 28).is_none());
        assert!(Opening::new(&path, Side::Call, -28).is_some());
        // 1.0125^56 = 2.005: a put there is past its cap.
        assert!(Opening::new(&path, Side::Put, 56).is_none());
    }

    #[test]
    fn strikes_are_ticks_of_one_and_a_quarter_percent() {
        let strike = |tick| to_f64(strike_at(Usd::from_integer(80), tick).unwrap());
        assert!((strike(1) - 81.0).abs() < 1e-9);
        assert!((strike(28) - 113.278).abs() < 1e-2);
        assert!((strike(-28) * strike(28) - 6_400.0).abs() < 1e-6);
    }
}
