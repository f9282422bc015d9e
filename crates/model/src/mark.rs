//! What a market's open interest is worth to the pool, at its better and its worse end.

use bytemuck::Zeroable;
use perpetua_pricing::{Ladder, OptionValue, Real, Rounding, Side, Usd};

use crate::{
    error::{ModelError, Result},
    index::{Index, LONG_OUTAGE_SECONDS},
    market::{Market, SLOTS, Slot},
    quantities::{SIZE_SCALE, Tokens, UNITS_PER_USD_FRACTION_BITS, Wide},
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
    /// the bounds instead. A market that nobody holds a position in is worth nothing at any price, and needs none.
    ///
    /// Errors: [`ModelError::PriceStale`], [`ModelError::PriceFarFromAverage`], [`ModelError::VarianceStale`],
    /// [`ModelError::MarketNotAccrued`], [`ModelError::MathOverflow`].
    pub fn mark(&mut self, index: &Index, now: i64, slot: u64) -> Result<Mark> {
        let silence = now.saturating_sub(index.publish_time);
        let mut mark = Mark { slot, receivable: self.receivable()?, ..Mark::zeroed() };
        if self.active == 0 {
            self.mark = mark;
            return Ok(mark);
        }
        if silence > LONG_OUTAGE_SECONDS {
            mark.liability_high = self.total_reserve()?;
            mark.at_bounds = 1;
        } else {
            self.require_accrued_at(index, slot)?;
            let reading = index.read(now, index.guards.max_age_crank)?;
            if reading.diverged {
                return Err(ModelError::PriceFarFromAverage);
            }
            if reading.variance_stale {
                return Err(ModelError::VarianceStale);
            }
            let ask = |side| self.ask_volatility(side, Real::ZERO);
            let bid = |side| self.bid_volatility(side);
            // No option is worth more than its reserve, so what is above comes from rounding, or from numbers too large.
            let most = self.total_reserve()?;
            let worst = self.liability(ask, [reading.high, reading.low], Rounding::Up)?;
            mark.liability_high = worst.map_or(most, |worst| worst.min(most));
            let best = self.liability(bid, [reading.low, reading.high], Rounding::Down)?;
            mark.liability_low = best.map_or(Tokens::ZERO, |best| best.min(mark.liability_high));
        }
        self.mark = mark;
        Ok(mark)
    }

    /// Funding that positions owe and have not paid: `sum q F - sum q F_entry`, raw units, rounded down; saturating. Both
    /// sums are taken modulo 2^128, which their difference is far below.
    ///
    /// Errors: none today; the result leaves room for one.
    pub fn receivable(&self) -> Result<Tokens> {
        let mut total: u128 = 0;
        for slot in self.active_slots() {
            for series in &self.slots[slot].series {
                let gross = u128::from(series.open_interest.0).wrapping_mul(series.index().0);
                total = total.saturating_add(gross.wrapping_sub(series.entry_sum.get()));
            }
        }
        // A 128-bit number without its lower half fits.
        Ok(Tokens(Wide::new(total).high))
    }

    /// Numbers of the slots with open interest.
    pub(crate) fn active_slots(&self) -> impl Iterator<Item = usize> + use<> {
        let active = self.active;
        (0..SLOTS).filter(move |slot| active >> slot & 1 == 1)
    }

    /// `X / 10^6 * sum q V` with calls at `spots[0]` and puts at `spots[1]`; None above 64 bits.
    fn liability(
        &self,
        volatility: impl Fn(Side) -> Real,
        spots: [Usd; 2],
        rounding: Rounding,
    ) -> Result<Option<Tokens>> {
        let grid = self.config.grid()?;
        let mut total = Some(0);
        for (side, spot) in [Side::Call, Side::Put].into_iter().zip(spots) {
            let curve = self.config.curve(side, volatility(side))?;
            let mut adding = AddingLadder { slots: &self.slots, side, rounding, total };
            grid.locate(spot).price(&curve, self.active, &mut adding);
            total = adding.total;
        }
        let Some(total) = total else { return Ok(None) };
        let units = u128::from(self.units_per_usd().0);
        let scale = u128::from(SIZE_SCALE) << UNITS_PER_USD_FRACTION_BITS;
        let scaled = perpetua_pricing::wide::mul_div(total, units, scale, rounding);
        let whole = scaled.map(|scaled| match rounding {
            Rounding::Down => scaled >> VALUE_BITS,
            Rounding::Up => scaled.div_ceil(1 << VALUE_BITS),
        });
        Ok(whole.and_then(|whole| u64::try_from(whole).ok()).map(Tokens))
    }
}

/// Sums size times value, dollars with [`VALUE_BITS`] fraction bits per millionth of an index unit.
struct AddingLadder<'a> {
    slots: &'a [Slot; SLOTS],
    side: Side,
    rounding: Rounding,
    total: Option<u128>,
}

impl Ladder for AddingLadder<'_> {
    fn tick(&self, slot: usize) -> i16 {
        self.slots[slot].tick
    }

    fn strike(&self, slot: usize) -> Usd {
        self.slots[slot].strike.into()
    }

    fn priced(&mut self, slot: usize, value: OptionValue) {
        let size = u128::from(self.slots[slot].series[self.side as usize].open_interest.0);
        let value = round_value(value.value(self.rounding), self.rounding);
        let part = value.checked_mul(size);
        self.total = self.total.and_then(|total| total.checked_add(part?));
    }
}

/// A value with fewer fraction bits.
fn round_value(value: Usd, rounding: Rounding) -> u128 {
    let dropped = 64 - VALUE_BITS;
    match rounding {
        Rounding::Down => value.bits() >> dropped,
        Rounding::Up => value.bits().div_ceil(1 << dropped),
    }
}
