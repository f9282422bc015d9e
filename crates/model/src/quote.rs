//! What a trade costs or pays, before anything changes.

use perpetua_pricing::{Curve, Real, Rounding, Side, Usd};

use crate::{
    account::SeriesKey,
    conditions::{Action, Condition, Conditions},
    error::{ModelError, Result},
    index::{Index, Reading},
    market::Market,
    quantities::{BPS, MAX_SIZE, Size, Tokens, share, token_value},
    vault::Vault,
};

/// Ticks from the money within which positions may be opened.
pub const OPEN_TICKS: u16 = 28;
/// Ticks out of the money beyond which anyone may retire a position.
pub const RETIRE_TICKS: u16 = 40;
/// Least value of an option that is opened, in bps of its cap.
const MIN_VALUE_BPS: u128 = 5;

/// The moment of an action on the chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// Unix seconds.
    pub now: i64,
    /// Slot of the chain.
    pub slot: u64,
}

/// What opening costs.
#[cfg_attr(feature = "idl-build", derive(anchor_lang::AnchorSerialize))]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, bytemuck::Pod, bytemuck::Zeroable)]
#[repr(C)]
pub struct OpenQuote {
    /// The strike, US dollars Q64.64.
    pub strike: crate::quantities::Wide,
    /// `V_ask`: the option's value per index unit, US dollars Q64.64.
    pub value: crate::quantities::Wide,
    /// What the main pool receives, raw units, rounded up.
    pub premium: Tokens,
    /// The trading fee, raw units, rounded up.
    pub fee: Tokens,
    /// What the main pool reserves for the payout, raw units, rounded up.
    pub reserve: Tokens,
}

impl OpenQuote {
    /// Premium and fee.
    ///
    /// Errors: [`ModelError::MathOverflow`].
    pub fn cost(&self) -> Result<Tokens> {
        self.premium.plus(self.fee)
    }
}

/// What closing pays.
#[cfg_attr(feature = "idl-build", derive(anchor_lang::AnchorSerialize))]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, bytemuck::Pod, bytemuck::Zeroable)]
#[repr(C)]
pub struct CloseQuote {
    /// The value that is paid per index unit, US dollars Q64.64.
    pub value: crate::quantities::Wide,
    /// What the main pool pays, raw units, rounded down.
    pub payout: Tokens,
    /// The trading fee taken from it, raw units, rounded up.
    pub fee: Tokens,
}

impl CloseQuote {
    /// Payout less fee.
    ///
    /// Errors: [`ModelError::MathOverflow`].
    pub fn proceeds(&self) -> Result<Tokens> {
        self.payout.minus(self.fee)
    }
}

impl Market {
    /// The prices to trade at, and everything that is not normal about the index and the stock.
    ///
    /// Errors: [`ModelError::MarketNotAccrued`], [`ModelError::MathOverflow`].
    pub(crate) fn trading_price(&self, index: &Index, moment: Moment) -> Result<Reading> {
        self.require_accrued_at(index, moment.slot)?;
        let reading = index.read(moment.now, index.guards.max_age_trade)?;
        let listed = self.conditions.with(Condition::NotOpenYet, moment.now < self.opens_at);
        Ok(Reading { conditions: reading.conditions.and(listed), ..reading })
    }

    /// What opening `size` of the option costs.
    ///
    /// Errors: what the conditions forbid; [`ModelError::MarketNotAccrued`], [`ModelError::PriceStale`],
    /// [`ModelError::SizeTooSmall`], [`ModelError::SizeTooLarge`], [`ModelError::TickTooFar`],
    /// [`ModelError::PriceTouchesCap`], [`ModelError::OptionTooCheap`], [`ModelError::UtilisationTooHigh`].
    pub fn quote_open(
        &self,
        index: &Index,
        vault: &Vault,
        key: SeriesKey,
        size: Size,
        conditions: Conditions,
        moment: Moment,
    ) -> Result<OpenQuote> {
        if size < self.config.min_size || size.is_zero() {
            return Err(ModelError::SizeTooSmall);
        }
        if size.0 >= MAX_SIZE {
            return Err(ModelError::SizeTooLarge);
        }
        let reading = self.trading_price(index, moment)?;
        conditions.and(reading.conditions).allow(Action::Open)?;
        let strike = self.strike_near_money(key.tick, reading.last)?;
        let spot = worse_for_buyer(key.side, &reading);
        if self.touches_cap(key.side, strike, spot) {
            return Err(ModelError::PriceTouchesCap);
        }
        let reserve = self.reserve(key.side, strike, size)?;
        let extra = self.utilisation_extra(vault, reserve)?;
        let curve = self.curve(key.side, self.ask_volatility(key.side, extra))?;
        let value = self.value(&curve, spot, strike, Rounding::Up);
        let most = self.config.cap_value(key.side, strike);
        if value.bits().saturating_mul(u128::from(BPS)) < most.bits().saturating_mul(MIN_VALUE_BPS) {
            return Err(ModelError::OptionTooCheap);
        }
        let premium = token_value(size, self.units.high, value, Rounding::Up)?;
        let fee = self.fee(size, reading.last, premium)?;
        Ok(OpenQuote { strike: strike.into(), value: value.into(), premium, fee, reserve })
    }

    /// What closing `size` of the option pays: `V_bid`, or `phi` while variance is stale. After seven days without a
    /// price it pays `V` at the last price and the middle volatility, so that a dead feed locks nobody in (mechanism
    /// section 8).
    ///
    /// Errors: what the states forbid; [`ModelError::MarketNotAccrued`], [`ModelError::PositionNotFound`].
    pub fn quote_close(
        &self,
        index: &Index,
        key: SeriesKey,
        size: Size,
        conditions: Conditions,
        moment: Moment,
    ) -> Result<CloseQuote> {
        let strike = Usd::from(self.series(key.side, key.tick)?.0.strike);
        let reading = self.trading_price(index, moment)?;
        let value = if index.is_abandoned(moment.now) {
            conditions.and(reading.conditions).without(Condition::PriceStale).allow(Action::Close)?;
            self.middle_value(key.side, reading.last, strike)?
        } else {
            conditions.and(reading.conditions).allow(Action::Close)?;
            let spot = worse_for_seller(key.side, &reading);
            let curve = self.curve(key.side, self.bid_volatility(key.side))?;
            if reading.conditions.has(Condition::VarianceStale) {
                curve.value(spot, strike).intrinsic
            } else {
                self.value(&curve, spot, strike, Rounding::Down)
            }
        };
        let payout = token_value(size, self.units.low, value, Rounding::Down)?;
        let fee = self.fee(size, reading.last, payout)?;
        Ok(CloseQuote { value: value.into(), payout, fee })
    }

    /// The option's value per index unit at the middle volatility, rounded down.
    ///
    /// Errors: [`ModelError::MathOverflow`].
    pub(crate) fn middle_value(&self, side: Side, spot: Usd, strike: Usd) -> Result<Usd> {
        let curve = self.curve(side, self.middle[side as usize].real())?;
        Ok(self.value(&curve, spot, strike, Rounding::Down))
    }

    /// The option's value per index unit, never above the cap that reserves cover.
    pub(crate) fn value(&self, curve: &Curve, spot: Usd, strike: Usd, rounding: Rounding) -> Usd {
        curve.price(spot, strike, self.config.cap_value(curve.side(), strike), rounding)
    }

    /// `min(notional_bps * q X S, value_bps * value)`, rounded up.
    fn fee(&self, size: Size, spot: Usd, value: Tokens) -> Result<Tokens> {
        // A notional may exceed all tokens where the value does not; the fee's other bound then holds.
        let notional = token_value(size, self.units.high, spot, Rounding::Up).unwrap_or(Tokens(u64::MAX));
        let of_notional = share(notional, self.config.fee_notional_bps, Rounding::Up)?;
        Ok(of_notional.min(share(value, self.config.fee_value_bps, Rounding::Up)?))
    }

    /// How many ticks the strike is above the money; negative below.
    pub(crate) fn ticks_above(&self, tick: i16, spot: Usd) -> Result<i32> {
        Ok(i32::from(tick) - i32::from(self.grid().nearest_tick(spot)))
    }

    fn strike_near_money(&self, tick: i16, spot: Usd) -> Result<Usd> {
        if self.ticks_above(tick, spot)?.unsigned_abs() > u32::from(OPEN_TICKS) {
            return Err(ModelError::TickTooFar);
        }
        self.grid().strike(tick).ok_or(ModelError::TickTooFar)
    }

    /// Whether `spot` is at or past the price at which the option is worth exactly its cap.
    pub(crate) fn touches_cap(&self, side: Side, strike: Usd, spot: Usd) -> bool {
        let cap = self.config.cap_value(side, strike);
        match side {
            Side::Call => spot.saturating_sub(strike) >= cap,
            Side::Put => strike.saturating_sub(spot) >= cap,
        }
    }

    fn utilisation_extra(&self, vault: &Vault, reserve: Tokens) -> Result<Real> {
        let used =
            |reserves: Tokens| Real::from_ratio(reserves.0, vault.main.assets.0).ok_or(ModelError::UtilisationTooHigh);
        let (before, after) = (used(vault.reserves)?, used(vault.reserves.plus(reserve)?)?);
        if after > Real::ONE {
            return Err(ModelError::UtilisationTooHigh);
        }
        Ok(self.utilisation_spread(before, after))
    }
}

/// The end of the price range at which the option costs more.
pub(crate) fn worse_for_buyer(side: Side, reading: &Reading) -> Usd {
    match side {
        Side::Call => reading.high,
        Side::Put => reading.low,
    }
}

/// The end of the price range at which the option is worth less.
pub(crate) fn worse_for_seller(side: Side, reading: &Reading) -> Usd {
    match side {
        Side::Call => reading.low,
        Side::Put => reading.high,
    }
}
