//! The traders: each follows one rule that fits in a sentence, and knows nothing but prices so far and what he holds.

use perpetua_client::perpetua::Side;
use time::{OffsetDateTime, Weekday};

use crate::{
    history::{HOUR, Quote},
    scenario::trading::{Lot, Wish},
};

const DAY: i64 = 24 * HOUR;
const WEEK: i64 = 7 * DAY;
/// A Monday, midnight UTC.
const MONDAY: i64 = 1_580_688_000;

/// Millionths of a bitcoin in one.
const BITCOIN: u64 = 1_000_000;

/// What a trader looks at.
pub struct View<'a> {
    /// Prices up to this hour.
    pub quotes: &'a [Quote],
    /// The strike nearest to the price.
    pub nearest: i16,
    /// What he holds.
    pub held: Vec<Lot>,
}

impl View<'_> {
    /// Unix seconds.
    pub fn time(&self) -> i64 {
        self.quotes.last().map_or(0, |quote| quote.time)
    }

    fn price(&self) -> f64 {
        self.quotes.last().map_or(0.0, Quote::usd)
    }

    /// By which part the price rose in so many hours.
    fn rise(&self, hours: usize) -> f64 {
        let then = self.quotes.len().checked_sub(hours + 1).and_then(|place| self.quotes.get(place));
        then.map_or(0.0, |then| self.price() / then.usd() - 1.0)
    }

    fn is(&self, weekday: Weekday, hour: u8) -> bool {
        let moment = OffsetDateTime::from_unix_timestamp(self.time());
        moment.is_ok_and(|moment| moment.weekday() == weekday && moment.hour() == hour)
    }

    fn call(&self, ticks_above: i16, bitcoins: u64) -> Wish {
        Wish::Buy(Lot { market: 0, side: Side::Call, tick: self.nearest + ticks_above, size: bitcoins * BITCOIN })
    }

    fn put(&self, ticks_below: i16, bitcoins: u64) -> Wish {
        Wish::Buy(Lot { market: 0, side: Side::Put, tick: self.nearest - ticks_below, size: bitcoins * BITCOIN })
    }

    fn sell_all(&self) -> Vec<Wish> {
        self.held.iter().map(|lot| Wish::Sell(*lot)).collect()
    }

    fn sell_half(&self) -> Vec<Wish> {
        self.held.iter().map(|lot| Wish::Sell(Lot { size: lot.size / 2, ..*lot })).collect()
    }
}

/// A rule to trade by.
pub trait Rule {
    /// What he wants now; he is asked every hour, so what was refused comes again if he still wants it.
    fn wishes(&mut self, view: &View<'_>) -> Vec<Wish>;

    /// Tells him that he bought.
    fn bought(&mut self, view: &View<'_>) {
        let _ = view;
    }
}

/// Insures a stock of bitcoins: every Saturday sells last week's put and buys one 8 strikes below the price.
#[derive(Default)]
pub struct Hedger {
    week: i64,
}

impl Hedger {
    fn week_of(view: &View<'_>) -> i64 {
        (view.time() - MONDAY - 5 * DAY).div_euclid(WEEK) + 1
    }
}

impl Rule for Hedger {
    fn wishes(&mut self, view: &View<'_>) -> Vec<Wish> {
        if Self::week_of(view) <= self.week {
            return Vec::new();
        }
        let mut wishes = view.sell_all();
        wishes.push(view.put(8, 16));
        wishes
    }

    fn bought(&mut self, view: &View<'_>) {
        self.week = Self::week_of(view);
    }
}

/// Buys a call after a rise of 4% in a day; takes half off 5% higher, the rest a week later or 5% lower.
#[derive(Default)]
pub struct Momentum {
    price: f64,
    time: i64,
    halved: bool,
}

impl Rule for Momentum {
    fn wishes(&mut self, view: &View<'_>) -> Vec<Wish> {
        if view.held.is_empty() {
            return if view.rise(24) > 0.04 { vec![view.call(2, 12)] } else { Vec::new() };
        }
        let price = view.price();
        if view.time() - self.time >= WEEK || price < self.price * 0.95 {
            return view.sell_all();
        }
        if price > self.price * 1.05 && !self.halved {
            self.halved = true;
            return view.sell_half();
        }
        Vec::new()
    }

    fn bought(&mut self, view: &View<'_>) {
        *self = Self { price: view.price(), time: view.time(), halved: false };
    }
}

/// Every other Monday buys a call and a put at the money, and sells both on Saturday.
#[derive(Default)]
pub struct Straddle;

impl Rule for Straddle {
    fn wishes(&mut self, view: &View<'_>) -> Vec<Wish> {
        let into = (view.time() - MONDAY).rem_euclid(2 * WEEK);
        if into >= 5 * DAY {
            return view.sell_all();
        }
        if into >= DAY {
            return Vec::new();
        }
        let held = |side| view.held.iter().any(|lot| lot.side == side);
        let missing = [(Side::Call, view.call(0, 9)), (Side::Put, view.put(0, 9))];
        missing.into_iter().filter(|(side, _)| !held(*side)).map(|(_, wish)| wish).collect()
    }
}

/// Every Wednesday evening tries his luck with a call and a put 18 strikes away, until he holds eight; never sells.
#[derive(Default)]
pub struct Gambler;

impl Rule for Gambler {
    fn wishes(&mut self, view: &View<'_>) -> Vec<Wish> {
        let tries = view.is(Weekday::Wednesday, 18) && view.held.len() < 8;
        if tries { vec![view.call(18, 4), view.put(18, 4)] } else { Vec::new() }
    }
}

/// Twice buys a call at the money with just the margin that is asked for, and never looks at it again.
#[derive(Default)]
pub struct Forgetful {
    bought: usize,
}

impl Rule for Forgetful {
    fn wishes(&mut self, view: &View<'_>) -> Vec<Wish> {
        let dates = [MONDAY + 4 * DAY, MONDAY + 46 * DAY];
        let due = dates.get(self.bought).is_some_and(|date| view.time() >= *date);
        if due { vec![view.call(0, 10)] } else { Vec::new() }
    }

    fn bought(&mut self, _: &View<'_>) {
        self.bought += 1;
    }
}

/// Expects the worst: in mid-February buys a put at the money and one 6 strikes below, and holds them.
#[derive(Default)]
pub struct Pessimist;

impl Rule for Pessimist {
    fn wishes(&mut self, view: &View<'_>) -> Vec<Wish> {
        let into = view.time() - MONDAY - 9 * DAY;
        if !(0..DAY).contains(&into) {
            return Vec::new();
        }
        match view.held.len() {
            0 => vec![view.put(0, 10)],
            1 => vec![view.put(6, 12)],
            _ => Vec::new(),
        }
    }
}

/// After a fall of 30% in two days buys calls 4 strikes above; sells half 20% higher and the rest 35% higher.
#[derive(Default)]
pub struct DipBuyer {
    price: f64,
    halved: bool,
}

impl Rule for DipBuyer {
    fn wishes(&mut self, view: &View<'_>) -> Vec<Wish> {
        let price = view.price();
        if view.held.is_empty() {
            let fell = self.price == 0.0 && view.rise(48) < -0.30;
            return if fell { vec![view.call(4, 20)] } else { Vec::new() };
        }
        if price > self.price * 1.35 {
            return view.sell_all();
        }
        if price > self.price * 1.20 && !self.halved {
            self.halved = true;
            return view.sell_half();
        }
        Vec::new()
    }

    fn bought(&mut self, view: &View<'_>) {
        self.price = view.price();
    }
}

/// Holds a call 8 strikes in the money in place of bitcoins, a new one on the first day of each month.
#[derive(Default)]
pub struct Leveraged {
    month: u8,
}

impl Leveraged {
    fn month_of(view: &View<'_>) -> u8 {
        OffsetDateTime::from_unix_timestamp(view.time()).map_or(0, |moment| moment.month().into())
    }
}

impl Rule for Leveraged {
    fn wishes(&mut self, view: &View<'_>) -> Vec<Wish> {
        // January's last days are not worth a month's call.
        if Self::month_of(view) <= self.month.max(1) {
            return Vec::new();
        }
        let mut wishes = view.sell_all();
        wishes.push(view.call(-8, 9));
        wishes
    }

    fn bought(&mut self, view: &View<'_>) {
        self.month = Self::month_of(view);
    }
}

/// Before the last days everybody sells.
pub fn farewell(view: &View<'_>) -> Vec<Wish> {
    view.sell_all()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history;

    /// Lets a rule trade through all of history, every wish granted, and returns its purchases.
    fn purchases(rule: &mut dyn Rule) -> Vec<(i64, Lot)> {
        let quotes = history::crash().unwrap();
        let (mut held, mut bought): (Vec<Lot>, Vec<(i64, Lot)>) = (Vec::new(), Vec::new());
        for place in 0..quotes.len() {
            let view = View { quotes: &quotes[..=place], nearest: 0, held: held.clone() };
            for wish in rule.wishes(&view) {
                match wish {
                    Wish::Buy(lot) => {
                        rule.bought(&view);
                        held.push(lot);
                        bought.push((view.time(), lot));
                    }
                    Wish::Sell(lot) => {
                        for own in held.iter_mut().filter(|own| (own.side, own.tick) == (lot.side, lot.tick)) {
                            own.size = own.size.saturating_sub(lot.size);
                        }
                        held.retain(|own| own.size > 0);
                    }
                }
            }
        }
        bought
    }

    #[test]
    fn the_hedger_buys_one_put_below_the_price_each_saturday() {
        let bought = purchases(&mut Hedger::default());
        assert_eq!(bought.len(), 11);
        assert!(bought.iter().all(|(_, lot)| lot.side == Side::Put && lot.tick == -8));
        assert!(bought.windows(2).all(|pair| pair[1].0 - pair[0].0 == WEEK));
        assert_eq!((bought[0].0 - MONDAY).rem_euclid(WEEK), 5 * DAY);
    }

    #[test]
    fn the_leveraged_buys_a_call_in_the_money_each_month() {
        let bought = purchases(&mut Leveraged::default());
        assert_eq!(bought.len(), 3);
        assert!(bought.iter().all(|(_, lot)| lot.side == Side::Call && lot.tick == -8));
    }

    #[test]
    fn the_dip_buyer_waits_for_the_crash_and_buys_once() {
        let bought = purchases(&mut DipBuyer::default());
        assert_eq!(bought.len(), 1);
        assert!(bought[0].0 >= 1_583_971_200, "not before March 12");
    }

    #[test]
    fn the_gambler_never_holds_more_than_eight() {
        assert_eq!(purchases(&mut Gambler).len(), 8);
    }

    #[test]
    fn the_straddle_buyer_always_buys_both_sides() {
        let bought = purchases(&mut Straddle);
        let calls = bought.iter().filter(|(_, lot)| lot.side == Side::Call).count();
        assert_eq!(2 * calls, bought.len());
        assert!(calls >= 5);
    }
}
