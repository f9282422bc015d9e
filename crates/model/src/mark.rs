//! What a market's open interest is worth to the pool, at its better and its worse end.

use bytemuck::Zeroable;
use perpetua_pricing::{
    FundingLadder, RateWeights, Real, Rounding, Side, SpotOnGrid, Survey, Usd,
    wide::{mul_div, mul_high_roughly},
};

use crate::{
    conditions::{Action, Condition},
    error::{ModelError, Result},
    index::{Index, LONG_OUTAGE_SECONDS, Reading},
    market::{Market, SLOTS},
    quantities::{SIZE_SCALE, Tokens, UNITS_PER_USD_FRACTION_BITS, UnitsPerUsd, Wide},
    quote::Moment,
};

/// Slots of the chain that a mark stays good for.
pub const MARK_SLOTS: u64 = 25;

/// Fraction bits to which a mark rounds option values, so that a size times a value stays in 128 bits.
const VALUE_BITS: u32 = 40;

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
        let grid = self.config.grid()?;
        let at = |spot| {
            let located = grid.locate(spot);
            Viewpoint { spot, located, seen: located.survey(self.active, |slot| self.slots[slot].tick) }
        };
        let (low, high) = (at(reading.low), at(reading.high));
        let bid = |side| self.bid_volatility(side);
        let ask = |side| self.ask_volatility(side, Real::ZERO);
        let mut best = ValueSum::new(self, self.units.low, Rounding::Down);
        best.add_side(Side::Call, bid(Side::Call), &low)?;
        best.add_side(Side::Put, bid(Side::Put), &high)?;
        let mut worst = ValueSum::new(self, self.units.high, Rounding::Up);
        worst.add_side(Side::Call, ask(Side::Call), &high)?;
        worst.add_side(Side::Put, ask(Side::Put), &low)?;
        Ok([best.tokens(), worst.tokens()])
    }
}

/// An end of the price range, and where the ladder lies about it.
struct Viewpoint {
    spot: Usd,
    located: SpotOnGrid,
    seen: Survey,
}

/// Sums size times value over series, in dollars with [`VALUE_BITS`] fraction bits per millionth of an index unit.
struct ValueSum<'a> {
    market: &'a Market,
    units: UnitsPerUsd,
    rounding: Rounding,
    total: ProductSum,
    /// Of the side that is being added.
    side: Side,
    spot: u64,
    cap: u64,
}

impl<'a> ValueSum<'a> {
    fn new(market: &'a Market, units: UnitsPerUsd, rounding: Rounding) -> Self {
        Self { market, units, rounding, total: ProductSum::default(), side: Side::Call, spot: 0, cap: 0 }
    }

    fn add_side(&mut self, side: Side, volatility: Real, from: &Viewpoint) -> Result<()> {
        let curve = self.market.config.curve(side, volatility)?;
        // Dollars of time value in the last place kept, and nothing of the rest.
        let weights = RateWeights {
            time_value: Real::ONE.scale_by_power_of_two(VALUE_BITS.cast_signed()),
            financed: Real::ZERO,
            strike: Real::ZERO,
        };
        self.side = side;
        self.spot = kept_bits(from.spot.into());
        // As a fraction of 2^64; validated to be below one.
        self.cap = self.market.config.cap(side).to_fixed(64, Rounding::Down).ok_or(ModelError::MathOverflow)?;
        from.located.funding_rates(&curve, &weights, &from.seen, self);
        Ok(())
    }

    /// The tokens that the sum is worth; the largest amount where that does not fit.
    fn tokens(&self) -> Tokens {
        let units = u128::from(self.units.0);
        let scale = u128::from(SIZE_SCALE) << UNITS_PER_USD_FRACTION_BITS;
        let scaled = mul_div(self.total.total(), units, scale, self.rounding).unwrap_or(u128::MAX);
        let whole = match self.rounding {
            Rounding::Down => scaled >> VALUE_BITS,
            Rounding::Up => scaled.div_ceil(1 << VALUE_BITS),
        };
        Tokens(u64::try_from(whole).unwrap_or(u64::MAX))
    }
}

impl FundingLadder for ValueSum<'_> {
    fn tick(&self, slot: usize) -> i16 {
        self.market.slots[slot].tick
    }

    fn strike(&self, slot: usize) -> Usd {
        self.market.slots[slot].strike.into()
    }

    /// Adds a slot whose time value is `rate`. The progression's error and the bits dropped here are within `slack`,
    /// which goes against the rounding's receiver.
    #[inline(always)]
    fn rate(&mut self, slot: usize, rate: u64) {
        let slot = &self.market.slots[slot];
        let size = slot.series[self.side as usize].open_interest.0;
        if size == 0 {
            return;
        }
        let strike = kept_bits(slot.strike);
        let moneyness = match self.side {
            Side::Call => self.spot.saturating_sub(strike),
            Side::Put => strike.saturating_sub(self.spot),
        };
        let slack = ((strike | self.spot) >> 47) + 8;
        // Out of the money the cap is far away.
        let cap = if moneyness == 0 { u64::MAX } else { mul_high_roughly(strike, self.cap) };
        let value = moneyness.saturating_add(rate).min(cap);
        let value = match self.rounding {
            Rounding::Down => value.saturating_sub(slack),
            Rounding::Up => value.saturating_add(slack),
        };
        self.total.add(size, value);
    }
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

/// A price with [`VALUE_BITS`] fraction bits, rounded down; prices are below 2^24 dollars.
fn kept_bits(kept: Wide) -> u64 {
    kept.high << VALUE_BITS | kept.low >> (64 - VALUE_BITS)
}
