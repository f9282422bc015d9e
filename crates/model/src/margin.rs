//! Margin: what an account owes, what it must keep, and what may be taken out.

use perpetua_pricing::{Real, Rounding, Side, Usd, exp, ln};

use crate::{
    account::{MarginAccount, Markets, Position},
    conditions::{Action, Conditions},
    error::{ModelError, Result},
    market::{Market, MarketConfig},
    quantities::{
        FundingIndex, SECONDS_PER_YEAR, SIZE_SCALE, Size, Tokens, UnitsPerUsd, VOLATILITY_FRACTION_BITS, Volatility,
        Wide, bps, product,
    },
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

/// Fraction bits of [`MarginTerms::slew`].
const SLEW_FRACTION_BITS: u32 = 64;
/// Years in a second and index units in a millionth, so that a yearly rate becomes one per second and millionth.
pub(crate) const PER_SECOND_AND_MILLIONTH: Real = match Real::from_ratio(1, SECONDS_PER_YEAR * SIZE_SCALE) {
    Some(part) => part,
    None => panic!("the divisor is not zero"),
};

/// What margin takes from a market's configuration alone. The market keeps it, since logarithm, exponential and square root
/// would otherwise be most of what margin costs.
#[cfg_attr(feature = "idl-build", derive(anchor_lang::AnchorSerialize))]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, bytemuck::Pod, bytemuck::Zeroable)]
#[repr(C)]
pub struct MarginTerms {
    /// `(1 + slew)^h`, but not more than leads from the lowest volatility to the highest, Q16.48, rounded up.
    pub reach: u64,
    /// `ln(1 + slew)` per second, Q0.64, rounded up.
    pub slew: u64,
    /// For calls and puts `(1 + w) / sqrt(8 T)`: times a volatility, the highest time value rent a year and dollar of
    /// strike, Q16.48, rounded up.
    pub gamma: [u64; 2],
    /// For calls and puts `(1 + w) (carry + rent c)` a year, Q16.48, rounded up.
    pub steady: [u64; 2],
}

impl MarginTerms {
    /// The terms of a valid configuration.
    ///
    /// Errors: [`ModelError::MathOverflow`], which a valid one does not reach.
    pub fn new(config: &MarketConfig) -> Result<Self> {
        let hour = Real::from_u64(3_600);
        let slew = ln(Real::ONE.add(bps(config.slew_bps))).magnitude.div(hour).ok_or(ModelError::MathOverflow)?;
        let lowest = bps(config.min_volatility_bps);
        let most = bps(config.max_volatility_bps).div(lowest).ok_or(ModelError::MathOverflow)?;
        let grown = exp(slew.mul(Real::from_u64(config.margin_horizon.into())));
        let reach = if grown < most { grown } else { most };
        // TV <= min(S, K) / u, and 1 / u <= sigma sqrt(T / 8) since u^2 = 1 + 8 / (sigma^2 T).
        let eight_periods = config.period_years().scale_by_power_of_two(3);
        let peak = Real::ONE.div(eight_periods.sqrt()).ok_or(ModelError::MathOverflow)?;
        let fixed =
            |value: Real| value.to_fixed(VOLATILITY_FRACTION_BITS, Rounding::Up).ok_or(ModelError::MathOverflow);
        let (mut gamma, mut steady) = ([0; 2], [0; 2]);
        for side in [Side::Call, Side::Put] {
            // A dollar market's stock may fall by as much as is reserved for.
            let falls = Real::ONE.add(bps(config.reserve_extra_bps[side as usize]));
            let yearly = bps(config.carry_bps).add(bps(config.rent_bps).mul(config.cap(side)));
            gamma[side as usize] = fixed(peak.mul(falls))?;
            steady[side as usize] = fixed(yearly.mul(falls))?;
        }
        let slew = slew.to_fixed(SLEW_FRACTION_BITS, Rounding::Up).ok_or(ModelError::MathOverflow)?;
        Ok(Self { reach: fixed(reach)?, slew, gamma, steady })
    }

    /// `ln(1 + slew)` per second.
    pub(crate) fn slew_per_second(&self) -> Real {
        Real::from_fixed(self.slew, SLEW_FRACTION_BITS)
    }
}

/// The highest funding that one side of a market can charge.
#[derive(Clone, Copy, Debug)]
pub struct MarginRate {
    /// Within the margin horizon: tokens per millionth of an index unit and dollar of strike.
    ahead: Real,
    /// Since the last accrual, in the same unit.
    behind: Real,
    /// What the account owes once for being in the market, raw units.
    fee: Tokens,
}

impl MarginRate {
    /// The maintenance margin of one millionth of an index unit at a strike, in raw units.
    pub fn maintenance(&self, strike: Real) -> Real {
        self.ahead.mul(strike)
    }
}

impl Market {
    /// The part of maintenance margin that an account owes once, raw units, rounded up.
    ///
    /// Errors: [`ModelError::MathOverflow`].
    fn liquidation_fee(&self) -> Result<Tokens> {
        self.units.last.cents(u64::from(self.config.liquidation_fee_cents), Rounding::Up)
    }

    /// By what factor the middle volatility can rise within the margin horizon after `elapsed` seconds without a crank.
    fn reach(&self, elapsed: u64) -> Real {
        let reach = Volatility(self.margin.reach).real();
        if elapsed == 0 {
            return reach;
        }
        reach.mul(self.slew_factor(elapsed))
    }

    /// The highest middle volatility within the margin horizon after `elapsed` seconds without a crank.
    pub fn volatility_cap(&self, side: Side, elapsed: u64) -> Real {
        let reachable = self.middle[side as usize].real().mul(self.reach(elapsed));
        let highest = Volatility::from_bps(self.config.max_volatility_bps).real();
        if reachable < highest { reachable } else { highest }
    }

    /// For calls and puts `X (1 + w) (sigma_cap / sqrt(8 T) + carry + rent c) / 10^6`: multiplied by strike and time, nothing
    /// makes a position pay more, in a dollar market as long as the stock does not fall to less than `1 / (1 + w)`.
    ///
    /// Source: docs/mechanism.md section 6. Errors: [`ModelError::MathOverflow`].
    pub fn margin_rates(&self, now: i64) -> Result<[MarginRate; 2]> {
        let elapsed = u64::try_from(now.saturating_sub(self.accrued_at)).unwrap_or(0);
        let (fee, reach) = (self.liquidation_fee()?, self.reach(elapsed));
        let highest = Volatility::from_bps(self.config.max_volatility_bps).real();
        let per_dollar = self.units.last.real().mul(PER_SECOND_AND_MILLIONTH);
        let (ahead, behind) = (Real::from_u64(self.config.margin_horizon.into()), Real::from_u64(elapsed));
        Ok([Side::Call, Side::Put].map(|side| {
            let [middle, gamma, steady] =
                [self.middle[side as usize].0, self.margin.gamma[side as usize], self.margin.steady[side as usize]]
                    .map(|fixed| Volatility(fixed).real());
            let reachable = middle.mul(reach);
            let cap = if reachable < highest { reachable } else { highest };
            let per_second = cap.mul(gamma).add(steady).mul(per_dollar);
            MarginRate { ahead: per_second.mul(ahead), behind: per_second.mul(behind), fee }
        }))
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
    if since.high == 0 {
        return Ok(product(position.size.0, since.low)); // mostly: below one whole unit a millionth
    }
    let upper = position.size.0.checked_mul(since.high).map(|high| Wide { low: 0, high }.get());
    Ok(upper.map_or(u128::MAX, |upper| upper.saturating_add(product(position.size.0, since.low))))
}

/// Whole tokens of a Q64.64 amount, rounded up since a payer owes it; saturating.
pub(crate) fn owed_tokens(exact: u128) -> Tokens {
    Tokens(u64::try_from(exact.div_ceil(1 << 64)).unwrap_or(u64::MAX))
}

/// Margin rates of the markets that an account is in, each computed once.
#[derive(Default)]
struct MarginRates([Option<[MarginRate; 2]>; MARKETS]);

impl MarginRates {
    fn of(&mut self, market: &Market, number: u8, side: Side, now: i64) -> Result<&MarginRate> {
        let known = self.0.get_mut(usize::from(number)).ok_or(ModelError::MarketMissing)?;
        let rates = match known {
            Some(rates) => rates,
            unknown => unknown.insert(market.margin_rates(now)?),
        };
        Ok(&rates[side as usize])
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
        if !rate.behind.is_zero() {
            unaccrued = unaccrued.add(rate.behind.mul(dollars).mul(size));
        }
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
