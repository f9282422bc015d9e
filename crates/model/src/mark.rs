//! What a market's open interest is worth to the pool, at its better and its worse end.

use bytemuck::Zeroable;
use perpetua_pricing::{Interest, Real, Rounding, Side, SpotOnGrid, Worth, wide::mul_div};

use crate::{
    conditions::{Action, Condition},
    error::{ModelError, Result},
    index::{Index, LONG_OUTAGE_SECONDS, Reading},
    market::{Market, SLOTS, TickWindow},
    quantities::{SIZE_SCALE, Tokens, UnitsPerUsd, Wide},
    quote::Moment,
};

/// Slots of the chain that a mark stays good for.
pub const MARK_SLOTS: u64 = 25;

/// A market's liabilities and claims.
#[cfg_attr(feature = "idl-build", derive(anchor_lang::AnchorSerialize))]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, bytemuck::Pod, bytemuck::Zeroable)]
#[repr(C)]
pub struct Mark {
    /// The slot of the chain it was taken in; zero once a trade voided it.
    pub slot: u64,
    /// What the positions are worth at the bid volatility and the better end of the price range, raw units, rounded down.
    pub liability_low: Tokens,
    /// What they are worth at the ask volatility and the worse end, raw units, rounded up.
    pub liability_high: Tokens,
    /// Funding accrued and not collected yet, raw units, rounded down.
    pub receivable: Tokens,
    /// What the positions are worth above what is reserved for them, which insurance would have to pay, raw units.
    pub above_reserve: Tokens,
    /// 1 if there was no price, so that the liabilities are the extremes of zero and the full reserve.
    pub at_bounds: u8,
    /// Zero.
    pub padding: [u8; 7],
}

impl Mark {
    /// Whether the mark may still be used.
    pub fn is_fresh(&self, slot: u64) -> bool {
        self.slot != 0 && slot.saturating_sub(self.slot) <= MARK_SLOTS
    }
}

impl Market {
    /// Values the open interest, for pool shares to be minted and burned at. Without a price for ten minutes it marks at
    /// the bounds instead, and so does a dollar market while the stock exchange is closed. A market that nobody holds a
    /// position in is worth nothing at any price, and needs none.
    ///
    /// Errors: what the states forbid when leaving a pool; [`ModelError::MarketNotAccrued`], [`ModelError::MathOverflow`].
    pub fn mark(&mut self, index: &Index, moment: Moment) -> Result<Mark> {
        let mut mark = Mark { slot: moment.slot, receivable: self.receivable(), ..Mark::zeroed() };
        if self.active == 0 {
            self.mark = mark;
            return Ok(mark);
        }
        // No pool pays more than what is reserved, whatever the options are worth.
        let most = self.total_reserve()?;
        if self.lacks_prices(index, moment)? {
            mark.liability_high = most;
            mark.at_bounds = 1;
        } else {
            let reading = self.trading_price(index, moment)?;
            reading.conditions.allow(Action::PoolOut)?;
            let [best, worst] = self.liabilities(&reading)?;
            mark.liability_high = worst.min(most);
            mark.liability_low = self.covered(best, self.units.low)?.min(mark.liability_high);
            mark.above_reserve = worst.less(self.covered(worst, self.units.high)?).max(worst.less(most));
        }
        self.mark = mark;
        Ok(mark)
    }

    /// What of a liability at `units` the main pool owes for certain: a position that was reserved at a lower `X` than
    /// today's is paid no more than its reserve, whatever others have to spare. Rounded down.
    fn covered(&self, value: Tokens, units: UnitsPerUsd) -> Result<Tokens> {
        let reserved = self.least_reserved;
        if reserved >= units {
            return Ok(value);
        }
        let part = mul_div(u128::from(value.0), u128::from(reserved.0), u128::from(units.0), Rounding::Down);
        part.and_then(|part| u64::try_from(part).ok()).map(Tokens).ok_or(ModelError::MathOverflow)
    }

    /// Whether the index has been silent for long, or the stock has no price because its exchange is closed.
    ///
    /// Errors: what other states than a closed exchange forbid.
    fn lacks_prices(&self, index: &Index, moment: Moment) -> Result<bool> {
        if moment.now.saturating_sub(index.feed.publish_time) > LONG_OUTAGE_SECONDS {
            return Ok(true);
        }
        if self.accrued_slot != moment.slot || !self.conditions.has(Condition::StockClosed) {
            return Ok(false);
        }
        self.conditions.allow(Action::PoolOut)?;
        Ok(true)
    }

    /// Funding that positions owe and have not paid: `sum q F - sum q F_entry`, raw units, rounded down. Both
    /// sums are taken modulo 2^128, which their difference is far below.
    pub fn receivable(&self) -> Tokens {
        let (mut lower, mut upper, mut entered) = (ProductSum::default(), 0u64, 0u128);
        for slot in self.active_slots() {
            for series in &self.slots[slot].series {
                let size = series.open_interest.0;
                lower.add(size, series.funding_index.low);
                upper = upper.wrapping_add(size.wrapping_mul(series.funding_index.high));
                entered = entered.wrapping_add(series.entry_sum.get());
            }
        }
        let gross = lower.total().wrapping_add(Wide { low: 0, high: upper }.get());
        // A 128-bit number without its lower half fits.
        Tokens(Wide::new(gross.wrapping_sub(entered)).high)
    }

    /// Numbers of the slots with open interest.
    pub(crate) fn active_slots(&self) -> impl Iterator<Item = usize> + use<> {
        let active = self.active;
        (0..SLOTS).filter(move |slot| active >> slot & 1 == 1)
    }

    /// `X / 10^6 * sum q V`: with the bid volatility at the end of the range where each side is worth less, rounded down,
    /// and with the ask volatility at the other end, rounded up.
    fn liabilities(&self, reading: &Reading) -> Result<[Tokens; 2]> {
        let grid = self.grid();
        let (low, high) = (grid.locate(reading.low), grid.locate(reading.high));
        // For each side the end of the range where it is worth less, and the other.
        let spots = [[&low, &high], [&high, &low]];
        let (mut lower, mut upper) = (Real::ZERO, Real::ZERO);
        for window in self.windows() {
            let mut sizes = self.sizes(window);
            for (side, ([better, worse], sizes)) in Side::BOTH.into_iter().zip(spots.into_iter().zip(&mut sizes)) {
                let interest = Interest::new(&mut sizes[..window.count]).ok_or(ModelError::MathOverflow)?;
                let (bid, ask) = (self.bid_volatility(side), self.ask_volatility(side, Real::ZERO));
                let bid = self.worth(side, bid, better, window.lowest, &interest)?;
                let ask = self.worth(side, ask, worse, window.lowest, &interest)?;
                lower = lower.add(bid.value.saturating_sub(bid.error));
                upper = upper.add(ask.value.add(ask.error));
            }
        }
        Ok([in_tokens(lower, self.units.low, Rounding::Down), in_tokens(upper, self.units.high, Rounding::Up)])
    }

    /// What one side's open interest is worth at a volatility and a spot. A function of its own, since the VM's stack frames
    /// are small.
    #[inline(never)]
    fn worth(
        &self,
        side: Side,
        volatility: Real,
        spot: &SpotOnGrid,
        lowest: i16,
        interest: &Interest<'_>,
    ) -> Result<Worth> {
        spot.worth(&self.curve(side, volatility)?, lowest, interest).ok_or(ModelError::MathOverflow)
    }

    /// The open interest of calls and of puts at each tick of the window.
    fn sizes(&self, window: TickWindow) -> [[u64; SLOTS]; 2] {
        let mut sizes = [[0; SLOTS]; 2];
        let [calls, puts] = &mut sizes;
        for slot in &self.slots {
            let place = window.place(slot.tick);
            if let (Some(call), Some(put)) = (calls.get_mut(place), puts.get_mut(place)) {
                let [of_call, of_put] = &slot.series;
                // A slot that was never used says tick zero, and adds nothing to it.
                *call |= of_call.open_interest.0;
                *put |= of_put.open_interest.0;
            }
        }
        sizes
    }
}

/// The tokens that dollars for each millionth of an index unit are worth; the largest amount where that does not fit. The
/// value's error is far above what the factors lose.
fn in_tokens(value: Real, units: UnitsPerUsd, rounding: Rounding) -> Tokens {
    // The divisor is not zero, so the fallback is never taken.
    let tokens = value.mul(units.real()).div(Real::from_u64(SIZE_SCALE)).unwrap_or(Real::ZERO);
    Tokens(tokens.to_fixed(0, rounding).unwrap_or(u64::MAX))
}

/// A sum of sizes times words. The products of their halves are summed apart, so that no series needs a carry: sizes are
/// below 2^40, so a ladder's 128 products stay below 2^60.
#[derive(Default)]
struct ProductSum {
    parts: [[u64; 2]; 2],
}

/// Bits of the lower half of a size and of a word.
const HALVES: [u32; 2] = [20, 32];

impl ProductSum {
    #[inline(always)]
    fn add(&mut self, size: u64, word: u64) {
        let halves = |value: u64, bits: u32| [value & ((1 << bits) - 1), value >> bits];
        for (parts, size) in self.parts.iter_mut().zip(halves(size, HALVES[0])) {
            for (part, word) in parts.iter_mut().zip(halves(word, HALVES[1])) {
                *part = part.wrapping_add(size.wrapping_mul(word));
            }
        }
    }

    fn total(&self) -> u128 {
        let [[lowest, by_word], [by_size, highest]] = self.parts.map(|parts| parts.map(u128::from));
        lowest + (by_word << HALVES[1]) + (by_size << HALVES[0]) + (highest << (HALVES[0] + HALVES[1]))
    }
}
