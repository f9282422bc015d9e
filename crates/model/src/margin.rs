//! Margin: what an account owes, what it must keep, and what may be taken out.

use perpetua_pricing::{Real, Rounding, Side, Usd, peak_fraction};

use crate::{
    account::{MarginAccount, Markets, Position},
    conditions::{Action, Conditions},
    error::{ModelError, Result},
    market::{Market, years},
    quantities::{FundingIndex, SIZE_SCALE, Size, Tokens, UnitsPerUsd, Wide, bps, product},
    vault::{MARKETS, Vault},
};

/// Initial margin in multiples of maintenance margin.
pub const INITIAL_MARGIN_MULTIPLE: u64 = 4;

/// How an account stands.
#[cfg_attr(feature = "idl-build", derive(anchor_lang::AnchorSerialize))]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, bytemuck::Pod, bytemuck::Zeroable)]
#[repr(C)]
pub struct Health {
    /// Collateral before owed funding, raw units.
    pub collateral: Tokens,
    /// Funding owed up to each market's last accrual, raw units, rounded up.
    pub owed: Tokens,
    /// The most that can have come due since then, raw units, rounded up.
    pub unaccrued: Tokens,
    /// Maintenance margin, raw units, rounded up.
    pub maintenance: Tokens,
}

impl Health {
    /// Collateral less owed funding, raw units; negative where collateral does not cover it.
    pub fn equity(&self) -> i128 {
        i128::from(self.collateral.0) - i128::from(self.owed.0)
    }

    /// Initial margin, raw units: four times maintenance, or the largest amount where that does not fit.
    pub fn initial(&self) -> Tokens {
        initial_margin(self.maintenance)
    }

    /// Whether the account may be liquidated.
    pub fn is_liquidatable(&self) -> bool {
        self.equity() < i128::from(self.maintenance.0)
    }

    /// Refuses an account below its initial margin, counting what may have come due unseen.
    ///
    /// Errors: [`ModelError::BelowInitialMargin`].
    pub fn require_initial(&self) -> Result<()> {
        let needed = i128::from(self.initial().0) + i128::from(self.unaccrued.0);
        if self.equity() >= needed { Ok(()) } else { Err(ModelError::BelowInitialMargin) }
    }
}

/// The highest funding that one side of a market can charge within the margin horizon.
#[derive(Clone, Copy, Debug)]
pub struct MarginRate {
    /// Tokens per millionth of an index unit, dollar of strike and year.
    per_strike: Real,
    /// The margin horizon in years.
    horizon: Real,
    /// Time since the last accrual in years.
    unaccrued: Real,
    /// What the account owes once for being in the market, raw units.
    fee: Tokens,
}

impl MarginRate {
    /// The maintenance margin of one millionth of an index unit at a strike, in raw units.
    pub fn maintenance(&self, strike: Real) -> Real {
        self.per_strike.mul(strike).mul(self.horizon)
    }

    /// The most that one millionth of an index unit can have come to owe since the last accrual, in raw units.
    fn unaccrued(&self, strike: Real) -> Real {
        if self.unaccrued.is_zero() {
            return Real::ZERO; // mostly: the market was accrued just now
        }
        self.per_strike.mul(strike).mul(self.unaccrued)
    }
}

impl Market {
    /// The part of maintenance margin that an account owes once, raw units, rounded up.
    ///
    /// Errors: [`ModelError::MathOverflow`].
    fn liquidation_fee(&self) -> Result<Tokens> {
        self.units.last.cents(u64::from(self.config.liquidation_fee_cents), Rounding::Up)
    }

    /// `X (1 + w) (1 / (u(sigma_cap) T) + carry + rent c) / 10^6`: multiplied by strike and time, nothing makes a position
    /// pay more, in a dollar market as long as the stock does not fall to less than `1 / (1 + w)`.
    ///
    /// Source: docs/mechanism.md section 6. Errors: [`ModelError::MathOverflow`].
    pub fn margin_rate(&self, side: Side, now: i64) -> Result<MarginRate> {
        let elapsed = u64::try_from(now.saturating_sub(self.accrued_at)).unwrap_or(0);
        let horizon = u64::from(self.config.margin_horizon);
        let (volatility, period) = (self.volatility_cap(side, elapsed, horizon), self.config.period_years());
        let gamma_rent = peak_fraction(volatility, period).and_then(|peak| peak.div(period));
        let rent = bps(self.config.rent_bps).mul(self.config.cap(side));
        let yearly = gamma_rent.ok_or(ModelError::MathOverflow)?.add(bps(self.config.carry_bps)).add(rent);
        // A dollar market's stock may fall by as much as is reserved for.
        let falls = Real::ONE.add(bps(self.config.reserve_extra_bps[side as usize]));
        let per_strike = yearly.mul(units_per_millionth(self.units.last)?).mul(falls);
        let fee = self.liquidation_fee()?;
        Ok(MarginRate { per_strike, horizon: years(horizon), unaccrued: years(elapsed), fee })
    }
}

/// Raw units per dollar and millionth of an index unit: `X / 10^6`.
pub(crate) fn units_per_millionth(units: UnitsPerUsd) -> Result<Real> {
    units.real().div(Real::from_u64(SIZE_SCALE)).ok_or(ModelError::MathOverflow)
}

/// Four times maintenance margin. It saturates, as all of margin does: an account that owes more tokens than exist must
/// stay liquidatable rather than fail.
pub(crate) fn initial_margin(maintenance: Tokens) -> Tokens {
    Tokens(maintenance.0.saturating_mul(INITIAL_MARGIN_MULTIPLE))
}

/// What a position owes up to `index`, raw units Q64.64; saturating.
///
/// Errors: [`ModelError::MathOverflow`] for an index below the position's entry, which never falls.
pub(crate) fn owed_exact(position: &Position, index: FundingIndex) -> Result<u128> {
    let since = index.0.checked_sub(position.entry().0).ok_or(ModelError::MathOverflow)?;
    let since = Wide::new(since);
    let upper = position.size.0.checked_mul(since.high).map(|high| Wide { low: 0, high }.get());
    Ok(upper.map_or(u128::MAX, |upper| upper.saturating_add(product(position.size.0, since.low))))
}

/// Whole tokens of a Q64.64 amount, rounded up since a payer owes it; saturating.
pub(crate) fn owed_tokens(exact: u128) -> Tokens {
    Tokens(u64::try_from(exact.div_ceil(1 << 64)).unwrap_or(u64::MAX))
}

/// Margin rates of the sides that an account is in, each computed once.
#[derive(Default)]
struct MarginRates([[Option<MarginRate>; 2]; MARKETS]);

impl MarginRates {
    fn of(&mut self, market: &Market, number: u8, side: Side, now: i64) -> Result<&MarginRate> {
        let known = self.0.get_mut(usize::from(number)).ok_or(ModelError::MarketMissing)?;
        let entry = &mut known[side as usize];
        match entry {
            Some(rate) => Ok(rate),
            unknown => Ok(unknown.insert(market.margin_rate(side, now)?)),
        }
    }
}

/// What one position adds to maintenance margin.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Requirement {
    /// The position's place in the account.
    pub(crate) place: usize,
    /// Its strike.
    pub(crate) strike: Usd,
    /// Maintenance margin per millionth of an index unit, raw units.
    pub(crate) per_millionth: Real,
    /// Maintenance margin of the whole position, raw units.
    pub(crate) margin: Real,
    /// The liquidation fee of its market, raw units.
    pub(crate) fee: Tokens,
    /// What the position owes, raw units Q64.64.
    pub(crate) owed: u128,
}

/// How the account stands now. Markets that were not cranked now count with the most that can have come due.
///
/// Errors: [`ModelError::MarketMissing`], [`ModelError::MathOverflow`].
pub fn health(account: &MarginAccount, markets: &impl Markets, now: i64) -> Result<Health> {
    assess(account, markets, now, |_| ())
}

/// [`health`], which shows what each position requires on the way, so that a liquidation need not compute it again.
pub(crate) fn assess(
    account: &MarginAccount,
    markets: &impl Markets,
    now: i64,
    mut see: impl FnMut(Requirement),
) -> Result<Health> {
    let mut rates = MarginRates::default();
    let mut owed = Wide { low: 0, high: account.debt.0 }.get();
    let (mut maintenance, mut unaccrued, mut fee) = (Real::ZERO, Real::ZERO, Tokens::ZERO);
    for (place, position) in account.open_positions() {
        let key = position.key();
        let market = markets.require(key.market)?;
        let (slot, series) = market.series(key.side, key.tick)?;
        let exact = owed_exact(position, series.index())?;
        owed = owed.saturating_add(exact);
        let rate = rates.of(market, key.market, key.side, now)?;
        let (strike, size) = (Usd::from(slot.strike), size(position.size));
        let dollars = Real::from(strike);
        let per_millionth = rate.maintenance(dollars);
        let margin = per_millionth.mul(size);
        maintenance = maintenance.add(margin);
        unaccrued = unaccrued.add(rate.unaccrued(dollars).mul(size));
        fee = fee.max(rate.fee);
        see(Requirement { place, strike, per_millionth, margin, fee: rate.fee, owed: exact });
    }
    Ok(Health {
        collateral: account.collateral,
        owed: owed_tokens(owed),
        unaccrued: tokens_up(unaccrued),
        maintenance: maintenance_margin(maintenance, fee),
    })
}

/// Takes collateral out, if the account stays above its initial margin.
///
/// Errors: [`ModelError::AmountZero`], [`ModelError::InsufficientCollateral`], [`ModelError::BelowInitialMargin`],
/// [`ModelError::MarketMissing`], and what the conditions forbid.
pub fn withdraw(
    vault: &mut Vault,
    account: &mut MarginAccount,
    markets: &impl Markets,
    amount: Tokens,
    conditions: Conditions,
    now: i64,
) -> Result<Health> {
    if amount.is_zero() {
        return Err(ModelError::AmountZero);
    }
    vault.sync(account)?;
    let mut conditions = conditions;
    for (_, position) in account.open_positions() {
        conditions = conditions.and(markets.require(position.market)?.conditions);
    }
    conditions.allow(Action::Withdraw)?;
    vault.release(account, amount)?;
    let health = health(account, markets, now)?;
    health.require_initial()?;
    Ok(health)
}

/// A size in millionths as a real number.
pub(crate) fn size(size: Size) -> Real {
    Real::from_u64(size.0)
}

/// Maintenance margin of positions that need `positions` raw units together; one formula for margin and liquidation, so
/// that both round to the same unit.
pub(crate) fn maintenance_margin(positions: Real, fee: Tokens) -> Tokens {
    Tokens(tokens_up(positions).0.saturating_add(fee.0))
}

/// Whole tokens, rounded up; saturating.
fn tokens_up(amount: Real) -> Tokens {
    Tokens(amount.to_fixed(0, Rounding::Up).unwrap_or(u64::MAX))
}
