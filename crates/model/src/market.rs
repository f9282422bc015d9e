//! A market: one vault, one index, one settlement. Its parameters, its strike ladder and what it keeps between cranks.

use perpetua_pricing::{Contract, Curve, Grid, Real, Rounding, Side, Usd};

use crate::{
    conditions::Conditions,
    error::{ModelError, Result},
    index::Index,
    margin::MarginTerms,
    mark::Mark,
    quantities::{
        BPS, FundingIndex, FundingRate, SECONDS_PER_YEAR, Size, Tokens, UnitsPerUsd, Volatility, Wide, bps,
        divide_by_small, product, share, token_value,
    },
    stock::UnitsRange,
    terms::MarketTerms,
};

/// Strikes that a market holds at a time.
pub const SLOTS: usize = 64;
/// The settlement that fixes `X` for ever at listing.
pub const SETTLEMENT_QUANTO: u8 = 0;
/// The settlement whose `X` follows the stock's price.
pub const SETTLEMENT_DOLLAR: u8 = 1;
/// Most that may be reserved above the cap, in bps.
const MAX_RESERVE_EXTRA_BPS: u16 = 20_000;

/// Most slew per hour for each unit of spread. The slew within a price's lifetime (at most a minute and a window) then
/// stays within the spread, so that nobody buys before the middle volatility moves up and sells after.
const MAX_SLEW_PER_SPREAD: u32 = 50;
/// The most that utilisation may add to the ask volatility, in bps of it: 250% * (1 + 20% + 200%) is still within the
/// volatilities that pricing supports.
const MAX_UTILISATION_SPREAD_BPS: u16 = 20_000;

/// What fixes `X`, the price of one dollar in stock tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settlement {
    /// `X` never changes.
    Quanto(UnitsPerUsd),
    /// `X` follows the stock's price, so that a dollar of value is paid with a dollar's worth of tokens.
    Dollar,
}

/// The parameters of a market; none changes after listing.
#[cfg_attr(feature = "idl-build", derive(anchor_lang::AnchorSerialize))]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, bytemuck::Pod, bytemuck::Zeroable)]
#[repr(C)]
pub struct MarketConfig {
    /// `X` of a quanto market: raw stock-token units per US dollar, Q40.24; zero in a dollar market.
    pub units_per_usd: UnitsPerUsd,
    /// Strike of tick 0, US dollars Q64.64.
    pub reference_strike: Wide,
    /// Smallest size that a position may be opened with, millionths of an index unit.
    pub min_size: Size,
    /// Size up to which a liquidation closes a position whole, millionths of an index unit.
    pub dust_size: Size,
    /// Funding period `T` in seconds.
    pub period: u32,
    /// Longest time between cranks that accrues at the average of both rates, in seconds.
    pub max_gap: u32,
    /// Hours of the highest funding that maintenance margin covers, in seconds.
    pub margin_horizon: u32,
    /// Part of the maintenance margin that an account owes once, in US cents.
    pub liquidation_fee_cents: u32,
    /// Smallest liquidation penalty, in US cents.
    pub min_penalty_cents: u32,
    /// Liquidation penalty, in bps of the proceeds.
    pub penalty_bps: u16,
    /// Ratio of neighbouring strikes, in bps: 10,125 is 1.25% apart.
    pub strike_ratio_bps: u16,
    /// Payout cap of calls and puts, in bps of the strike.
    pub cap_bps: [u16; 2],
    /// The index's financing rate, in bps a year.
    pub carry_bps: u16,
    /// What reserving the payout costs, in bps a year.
    pub rent_bps: u16,
    /// Lowest volatility quoted, in bps.
    pub min_volatility_bps: u16,
    /// Highest volatility quoted, in bps.
    pub max_volatility_bps: u16,
    /// Volatility of calls and puts over the realised one, in bps.
    pub markup_bps: [u16; 2],
    /// Ask and bid volatility over and under the middle, in bps.
    pub spread_bps: u16,
    /// Fastest move of the middle volatility per hour, in bps.
    pub slew_bps: u16,
    /// What utilisation adds to the ask volatility at the maximum, in bps (`kappa * g`).
    pub utilisation_spread_bps: u16,
    /// Utilisation from which the ask volatility rises, in bps.
    pub utilisation_kink_bps: u16,
    /// Utilisation at which it has risen by `utilisation_spread_bps`, in bps.
    pub utilisation_full_bps: u16,
    /// Trading fee, in bps of the notional.
    pub fee_notional_bps: u16,
    /// Highest trading fee, in bps of the option's value.
    pub fee_value_bps: u16,
    /// Largest reserve of one series, in bps of main pool assets.
    pub series_limit_bps: u16,
    /// Largest reserve of one side, in bps of main pool assets.
    pub side_limit_bps: u16,
    /// `w`: what is reserved above the cap for calls and puts, in bps; zero in quanto markets.
    pub reserve_extra_bps: [u16; 2],
    /// How `X` is fixed: 0 quanto, 1 dollar.
    pub settlement: u8,
    /// Zero.
    pub padding: [u8; 25],
}

impl MarketConfig {
    /// Checks the hard bounds of every parameter.
    ///
    /// Errors: [`ModelError::ParameterOutOfRange`].
    pub fn validate(&self) -> Result<()> {
        let [call_cap, put_cap] = self.cap_bps;
        let strike = Usd::from(self.reference_strike);
        let sane = self.settlement_is_sane()
            && (Usd::MIN_PRICE..=Usd::MAX_PRICE).contains(&strike)
            && (1..1_000_000_000).contains(&self.min_size.0)
            && self.dust_size <= Size(1_000_000_000)
            && (86_400..=30 * 86_400).contains(&self.period)
            && (60..=86_400).contains(&self.max_gap)
            && (3_600..=7 * 86_400).contains(&self.margin_horizon)
            && (1..=10_000).contains(&self.liquidation_fee_cents)
            && self.min_penalty_cents <= self.liquidation_fee_cents
            && self.penalty_bps <= 1_000
            && (10_050..=11_000).contains(&self.strike_ratio_bps)
            && (2_500..=9_000).contains(&call_cap)
            && (2_500..=9_000).contains(&put_cap)
            && self.carry_bps <= 5_000
            && self.rent_bps <= 5_000
            && (2_000..=25_000).contains(&self.min_volatility_bps)
            && (self.min_volatility_bps..=25_000).contains(&self.max_volatility_bps)
            && self.markup_bps.iter().all(|m| (5_000..=20_000).contains(m))
            && (10..=2_000).contains(&self.spread_bps)
            && (10..=10_000).contains(&self.slew_bps)
            && u32::from(self.slew_bps) <= MAX_SLEW_PER_SPREAD * u32::from(self.spread_bps)
            && self.utilisation_kink_bps < self.utilisation_full_bps
            && u64::from(self.utilisation_full_bps) <= BPS
            && self.highest_utilisation_spread() <= u64::from(MAX_UTILISATION_SPREAD_BPS)
            && self.fee_notional_bps <= 100
            && self.fee_value_bps <= 2_500
            && (1..=BPS).contains(&u64::from(self.series_limit_bps))
            && (1..=BPS).contains(&u64::from(self.side_limit_bps))
            && self.padding == [0; 25];
        if sane { Ok(()) } else { Err(ModelError::ParameterOutOfRange) }
    }

    fn settlement_is_sane(&self) -> bool {
        match self.settlement {
            SETTLEMENT_QUANTO => (1 << 14..1 << 63).contains(&self.units_per_usd.0) && self.reserve_extra_bps == [0, 0],
            SETTLEMENT_DOLLAR => {
                let extra = self.reserve_extra_bps;
                self.units_per_usd == UnitsPerUsd::ZERO && extra.iter().all(|extra| *extra <= MAX_RESERVE_EXTRA_BPS)
            }
            _ => false,
        }
    }

    /// What full utilisation adds to the ask volatility, in bps: the line goes on rising above `utilisation_full_bps`.
    fn highest_utilisation_spread(&self) -> u64 {
        let span = u64::from(self.utilisation_full_bps.saturating_sub(self.utilisation_kink_bps)).max(1);
        let above_kink = BPS.saturating_sub(u64::from(self.utilisation_kink_bps));
        (u64::from(self.utilisation_spread_bps) * above_kink).div_ceil(span)
    }

    /// The settlement.
    pub fn settlement(&self) -> Settlement {
        if self.settlement == SETTLEMENT_DOLLAR { Settlement::Dollar } else { Settlement::Quanto(self.units_per_usd) }
    }

    /// The funding period in years.
    pub fn period_years(&self) -> Real {
        years(u64::from(self.period))
    }

    /// The payout cap as a fraction of the strike.
    pub fn cap(&self, side: Side) -> Real {
        bps(self.cap_bps[side as usize])
    }

    /// The most that an option pays per index unit: `cK`, exact but for truncation below 2^-64 dollars.
    pub fn cap_value(&self, side: Side, strike: Usd) -> Usd {
        let cap = u64::from(self.cap_bps[side as usize]);
        let Wide { low, high } = strike.into();
        // A strike's whole dollars stay far below 2^48, so nothing wraps; the check would be a call on the VM.
        let product = product(low, cap).wrapping_add(Wide { low: 0, high: high.wrapping_mul(cap) }.get());
        Usd::from_bits(divide_by_small(product, BPS).0)
    }

    /// The option's curve at a volatility.
    ///
    /// Errors: [`ModelError::MathOverflow`] outside the volatilities that pricing supports.
    pub fn curve(&self, side: Side, volatility: Real) -> Result<Curve> {
        self.contract(side)?.curve(volatility).ok_or(ModelError::MathOverflow)
    }

    /// One side's option at any volatility.
    ///
    /// Errors: [`ModelError::ParameterOutOfRange`] where the configuration was never validated.
    pub fn contract(&self, side: Side) -> Result<Contract> {
        Contract::new(side, self.period_years(), self.cap(side)).ok_or(ModelError::ParameterOutOfRange)
    }

    /// The strike grid.
    ///
    /// Errors: [`ModelError::ParameterOutOfRange`] where the configuration was never validated.
    pub fn grid(&self) -> Result<Grid> {
        Grid::new(self.reference_strike.into(), bps(self.strike_ratio_bps)).ok_or(ModelError::ParameterOutOfRange)
    }
}

/// One side of one strike.
#[cfg_attr(feature = "idl-build", derive(anchor_lang::AnchorSerialize))]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, bytemuck::Pod, bytemuck::Zeroable)]
#[repr(C)]
pub struct Series {
    /// Sum of the sizes of all positions, millionths of an index unit.
    pub open_interest: Size,
    /// `F`: raw units owed per millionth of an index unit since listing, Q64.64.
    pub funding_index: Wide,
    /// Sum over positions of size times the funding index it has paid up to, raw units Q64.64.
    pub entry_sum: Wide,
    /// The funding rate at the last accrual, US dollars per index unit and year, Q32.32.
    pub rate: FundingRate,
    /// Sum of the reserves of all positions, raw units.
    pub reserve: Tokens,
}

impl Series {
    /// `F` as a number.
    pub fn index(&self) -> FundingIndex {
        self.funding_index.into()
    }
}

/// One strike of the ladder.
#[cfg_attr(feature = "idl-build", derive(anchor_lang::AnchorSerialize))]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, bytemuck::Pod, bytemuck::Zeroable)]
#[repr(C)]
pub struct Slot {
    /// The strike, US dollars Q64.64; zero before the slot's first use.
    pub strike: Wide,
    /// Its calls and its puts.
    pub series: [Series; 2],
    /// Its place on the grid: `strike = reference_strike * ratio^tick`.
    pub tick: i16,
    /// Zero.
    pub padding: [u8; 6],
}

impl Slot {
    /// Whether nobody holds a position here.
    pub fn is_free(&self) -> bool {
        self.series.iter().all(|series| series.open_interest.is_zero())
    }
}

/// A market's state.
#[cfg_attr(feature = "idl-build", derive(anchor_lang::AnchorSerialize))]
#[derive(Clone, Copy, Debug, PartialEq, Eq, bytemuck::Pod, bytemuck::Zeroable)]
#[repr(C)]
pub struct Market {
    /// The parameters.
    pub config: MarketConfig,
    /// When funding was accrued last, Unix seconds.
    pub accrued_at: i64,
    /// In which slot of the chain that was.
    pub accrued_slot: u64,
    /// Publish time of the price that it used, Unix seconds.
    pub accrued_publish_time: i64,
    /// The index's outage seconds that funding has left out so far.
    pub outage_seconds: u64,
    /// The middle volatility of calls and puts, Q16.48.
    pub middle: [Volatility; 2],
    /// Where the middle volatility was heading at the last accrual, Q16.48.
    pub target: [Volatility; 2],
    /// Sum of the reserves of calls and of puts, raw units.
    pub reserves: [Tokens; 2],
    /// Bit `i`: slot `i` has open interest.
    pub active: u64,
    /// What the market's positions were worth when it was marked last.
    pub mark: Mark,
    /// `X`, as of the last accrual.
    pub units: UnitsRange,
    /// When positions may be opened from, Unix seconds.
    pub opens_at: i64,
    /// What margin takes from the parameters.
    pub margin: MarginTerms,
    /// What pricing takes from the parameters.
    pub terms: MarketTerms,
    /// The lowest `X (1 + w)` that an open position was reserved at, Q40.24.
    pub least_reserved: UnitsPerUsd,
    /// What was not normal about the index and the stock at the last accrual; one bit each.
    pub conditions: Conditions,
    /// Zero.
    pub padding: [u8; 6],
    /// The ladder: tick `i` lives in slot `i mod 64`.
    pub slots: [Slot; SLOTS],
}

/// The ladder slot of a tick.
pub fn slot_of(tick: i16) -> usize {
    usize::from(tick.rem_euclid(64).unsigned_abs())
}

/// Neighbouring ticks, no more than a lap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TickWindow {
    /// The lowest of them.
    pub(crate) lowest: i16,
    /// How many there are.
    pub(crate) count: usize,
    /// Where the next window may begin, if there are ticks beyond this one.
    pub(crate) next: Option<i16>,
}

impl TickWindow {
    /// How far the tick is above the lowest; 64 or more for a tick of another window.
    #[inline(always)]
    pub(crate) fn place(&self, tick: i16) -> usize {
        usize::from(tick.wrapping_sub(self.lowest).cast_unsigned())
    }
}

/// Seconds as years.
pub fn years(seconds: u64) -> Real {
    // The divisor is not zero, so the fallback is never taken.
    Real::from_ratio(seconds, SECONDS_PER_YEAR).unwrap_or(Real::ZERO)
}

impl Market {
    /// Sets up a zeroed market in place, since it is too large for the VM's stack. Its middle volatility starts where the
    /// index's variance puts it.
    ///
    /// Errors: [`ModelError::ParameterOutOfRange`].
    pub fn initialize(&mut self, config: MarketConfig, index: &Index, now: i64, opens_at: i64) -> Result<()> {
        config.validate()?;
        config.grid()?.strike(0).ok_or(ModelError::ParameterOutOfRange)?;
        self.config = config;
        self.margin = MarginTerms::new(&config)?;
        self.terms = MarketTerms::new(&config)?;
        self.accrued_at = now;
        self.opens_at = opens_at;
        self.outage_seconds = index.outage_seconds;
        self.units = UnitsRange::fixed(config.units_per_usd);
        self.target = self.volatility_targets(index)?;
        self.middle = self.target;
        Ok(())
    }

    /// One side of the strike at `tick`.
    ///
    /// Errors: [`ModelError::PositionNotFound`] where the slot holds another strike.
    pub fn series(&self, side: Side, tick: i16) -> Result<(&Slot, &Series)> {
        let slot = self.slots.get(slot_of(tick)).filter(|slot| slot.tick == tick && slot.strike != Wide::ZERO);
        slot.map(|slot| (slot, &slot.series[side as usize])).ok_or(ModelError::PositionNotFound)
    }

    /// The same to change.
    ///
    /// Errors: [`ModelError::PositionNotFound`] where the slot holds another strike.
    pub fn series_mut(&mut self, side: Side, tick: i16) -> Result<&mut Series> {
        let slot = self.slots.get_mut(slot_of(tick)).filter(|slot| slot.tick == tick && slot.strike != Wide::ZERO);
        slot.map(|slot| &mut slot.series[side as usize]).ok_or(ModelError::PositionNotFound)
    }

    /// Makes the slot of `tick` hold it, taking over a slot that nobody uses, and returns the strike.
    ///
    /// Errors: [`ModelError::SlotOccupied`]; [`ModelError::TickTooFar`] outside the supported prices.
    pub fn claim_slot(&mut self, tick: i16) -> Result<Usd> {
        let grid = self.grid();
        let slot = &mut self.slots[slot_of(tick)];
        if slot.tick == tick && slot.strike != Wide::ZERO {
            return Ok(slot.strike.into());
        }
        if !slot.is_free() {
            return Err(ModelError::SlotOccupied);
        }
        let strike = grid.strike(tick).ok_or(ModelError::TickTooFar)?;
        slot.tick = tick;
        slot.strike = strike.into();
        Ok(strike)
    }

    /// What a position of `size` must be able to pay: `ceil(q / 10^6 X c K (1 + w))`.
    ///
    /// Errors: [`ModelError::MathOverflow`].
    pub fn reserve(&self, side: Side, strike: Usd, size: Size) -> Result<Tokens> {
        let most = self.config.cap_value(side, strike);
        let base = token_value(size, self.units.high, most, Rounding::Up)?;
        base.plus(share(base, self.config.reserve_extra_bps[side as usize], Rounding::Up)?)
    }

    /// Notes the `X` up to which the reserve of a position about to be opened will cover its cap; without other positions
    /// those before it are forgotten. Kept with `w`, which may be another one later.
    ///
    /// Errors: [`ModelError::MathOverflow`].
    pub(crate) fn note_reserved(&mut self, side: Side) -> Result<()> {
        let UnitsPerUsd(units) = self.units.high;
        let extra = share(Tokens(units), self.config.reserve_extra_bps[side as usize], Rounding::Down)?;
        let reserved = UnitsPerUsd(units).plus(UnitsPerUsd(extra.0))?;
        self.least_reserved = if self.active == 0 { reserved } else { self.least_reserved.min(reserved) };
        Ok(())
    }

    /// The reserves of both sides.
    ///
    /// Errors: [`ModelError::MathOverflow`].
    pub fn total_reserve(&self) -> Result<Tokens> {
        self.reserves[0].plus(self.reserves[1])
    }

    /// Sets the slot's bit to whether it has open interest; called after every change of open interest.
    pub fn refresh_active(&mut self, tick: i16) {
        let position = slot_of(tick);
        let bit = 1u64 << position;
        if self.slots[position].is_free() {
            self.active &= !bit;
        } else {
            self.active |= bit;
        }
    }

    /// The first window of ticks with open interest from a tick on. All fit one unless the price moved so far that the
    /// ladder reaches over more than a lap.
    #[inline(never)]
    pub(crate) fn window_from(&self, from: i16) -> Option<TickWindow> {
        // Words are cheaper than halves on the Solana VM.
        let (mut lowest, mut highest, from) = (i64::MAX, i64::MIN, i64::from(from));
        let mut rest = self.active;
        for slot in &self.slots {
            let tick = i64::from(slot.tick);
            if rest & 1 != 0 && tick >= from {
                lowest = lowest.min(tick);
                highest = highest.max(tick);
            }
            rest >>= 1;
        }
        let reach = usize::try_from(highest.checked_sub(lowest)?).ok()?;
        let lowest = i16::try_from(lowest).ok()?;
        let next = lowest.checked_add(64).filter(|_| reach >= SLOTS);
        Some(TickWindow { lowest, count: (reach + 1).min(SLOTS), next })
    }

    /// The windows that hold all ticks with open interest, from the lowest on.
    pub(crate) fn windows(&self) -> impl Iterator<Item = TickWindow> {
        core::iter::successors(self.window_from(i16::MIN), |last| self.window_from(last.next?))
    }

    /// Makes the mark unusable, for what it says changed: positions, or funding that is collected and no longer receivable.
    pub(crate) fn void_mark(&mut self) {
        self.mark = Mark::default();
    }

    /// Refuses to go on unless funding was accrued in this slot of the chain and at the index's last price: at an older
    /// one the quoted volatility would not know of the last move.
    ///
    /// Errors: [`ModelError::MarketNotAccrued`].
    pub(crate) fn require_accrued_at(&self, index: &Index, slot: u64) -> Result<()> {
        let accrued = self.accrued_slot == slot && self.accrued_publish_time == index.feed.publish_time;
        if accrued { Ok(()) } else { Err(ModelError::MarketNotAccrued) }
    }
}
