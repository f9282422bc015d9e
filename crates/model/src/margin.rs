//! Margin: what an account owes, what it must keep, and what may be taken out.

use perpetua_pricing::{Real, Rounding, Side, Usd, exp, ln};

use crate::{
    account::{MarginAccount, Markets, Position, SeriesKey},
    conditions::{Action, Conditions},
    error::{ModelError, Result},
    market::{Market, MarketConfig},
    quantities::{
        FundingIndex, SECONDS_PER_YEAR, SIZE_SCALE, Size, Tokens, UnitsPerUsd, VOLATILITY_FRACTION_BITS, Volatility,
        Wide, bps, product, wrapping_product,
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
const PER_SECOND_AND_MILLIONTH: Real = match Real::from_ratio(1, SECONDS_PER_YEAR * SIZE_SCALE) {
    Some(part) => part,
    None => panic!("the divisor is not zero"),
};

/// Index units in a millionth.
const MILLIONTH: Real = match Real::from_ratio(1, SIZE_SCALE) {
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
        for side in Side::BOTH {
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

/// The highest funding that a market can charge, for calls and puts.
#[derive(Clone, Copy, Debug)]
pub struct MarginRates {
    /// Within the margin horizon: tokens per millionth of an index unit and dollar of strike.
    ahead: [Real; 2],
    /// Since the last accrual, in the same unit.
    behind: [Real; 2],
    /// What an account owes once for being in the market, raw units.
    pub(crate) fee: Tokens,
}

impl MarginRates {
    /// The maintenance margin of one millionth of an index unit at a strike, in raw units.
    pub fn maintenance(&self, side: Side, strike: Usd) -> Real {
        self.ahead[side as usize].mul(strike.into())
    }
}

impl Market {
    /// The part of maintenance margin that an account owes once, raw units, rounded up.
    ///
    /// Errors: [`ModelError::MathOverflow`].
    fn liquidation_fee(&self) -> Result<Tokens> {
        self.units.last.cents(u64::from(self.config.liquidation_fee_cents), Rounding::Up)
    }

    /// By what factor the middle volatility can rise within the margin horizon after `elapsed` seconds without a crank,
    /// Q16.48, rounded up; saturating.
    fn reach(&self, elapsed: u64) -> u64 {
        if elapsed == 0 {
            return self.margin.reach;
        }
        let reach = Volatility(self.margin.reach).real().mul(self.slew_factor(elapsed));
        reach.to_fixed(VOLATILITY_FRACTION_BITS, Rounding::Up).unwrap_or(u64::MAX)
    }

    /// The highest middle volatility within the margin horizon after `elapsed` seconds without a crank.
    pub fn volatility_cap(&self, side: Side, elapsed: u64) -> Real {
        self.volatility_within(side, self.reach(elapsed)).real()
    }

    fn volatility_within(&self, side: Side, reach: u64) -> Volatility {
        let highest = Volatility::from_bps(self.config.max_volatility_bps);
        times_up(self.middle[side as usize].0, reach).map_or(highest, |reachable| highest.min(Volatility(reachable)))
    }

    /// For calls and puts `X (1 + w) (sigma_cap / sqrt(8 T) + carry + rent c) / 10^6`: multiplied by strike and time, nothing
    /// makes a position pay more, in a dollar market as long as the stock does not fall to less than `1 / (1 + w)`.
    ///
    /// Source: docs/mechanism.md section 6. Errors: [`ModelError::MathOverflow`].
    pub fn margin_rates(&self, now: i64) -> Result<MarginRates> {
        let elapsed = u64::try_from(now.saturating_sub(self.accrued_at)).unwrap_or(0);
        let reach = self.reach(elapsed);
        // Fixed point, rounded up, up to the one conversion of each side: on the VM cheaper than a Real for each factor.
        let mut yearly = [Real::ZERO; 2];
        for side in Side::BOTH {
            let (gamma, steady) = (self.margin.gamma[side as usize], self.margin.steady[side as usize]);
            let rent = times_up(self.volatility_within(side, reach).0, gamma);
            let whole = rent.and_then(|rent| rent.checked_add(steady)).ok_or(ModelError::MathOverflow)?;
            yearly[side as usize] = Volatility(whole).real();
        }
        let per_dollar = self.units.last.real().mul(PER_SECOND_AND_MILLIONTH);
        let within = |seconds: u64| {
            let both = per_dollar.mul(Real::from_u64(seconds));
            [yearly[0].mul(both), yearly[1].mul(both)]
        };
        Ok(MarginRates {
            ahead: within(self.config.margin_horizon.into()),
            behind: if elapsed == 0 { [Real::ZERO; 2] } else { within(elapsed) },
            fee: self.liquidation_fee()?,
        })
    }
}

/// The product of two Q16.48 numbers, rounded up. None where it does not fit.
fn times_up(a: u64, b: u64) -> Option<u64> {
    let Wide { low, high } = Wide::new(product(a, b));
    let whole = (high << (64 - VOLATILITY_FRACTION_BITS)) | (low >> VOLATILITY_FRACTION_BITS);
    let up = u64::from(low << (64 - VOLATILITY_FRACTION_BITS) != 0);
    if high >> VOLATILITY_FRACTION_BITS == 0 { whole.checked_add(up) } else { None }
}

/// Raw units per dollar and millionth of an index unit: `X / 10^6`.
pub(crate) fn units_per_millionth(units: UnitsPerUsd) -> Real {
    units.real().mul(MILLIONTH)
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
    let lower = product(position.size.0, since.low);
    if since.high == 0 {
        return Ok(lower); // mostly: below one whole unit a millionth
    }
    let Wide { low: upper, high: beyond } = Wide::new(product(position.size.0, since.high));
    Ok(if beyond == 0 { lower.saturating_add(Wide { low: 0, high: upper }.get()) } else { u128::MAX })
}

/// Whole tokens of a Q64.64 amount, rounded up since a payer owes it; saturating.
pub(crate) fn owed_tokens(exact: u128) -> Tokens {
    Tokens(u64::try_from(exact.div_ceil(1 << 64)).unwrap_or(u64::MAX))
}

/// Fraction bits of dollars in [`Exposure`]: a position's strike times size has fewer than 64 bits before them, so that the
/// sum of all sixteen fits.
const EXPOSURE_FRACTION_BITS: u32 = 60;

/// What an account's positions add up to: margin is linear in size times strike, so one multiplication for each side of a
/// market serves all positions there, and the sum is exact to the last of [`EXPOSURE_FRACTION_BITS`] for each of them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Exposure {
    /// Sum of size times strike for calls and puts of each market, millionths of an index unit times dollars, with
    /// [`EXPOSURE_FRACTION_BITS`].
    dollars: [[u128; 2]; MARKETS],
    /// The rates of the markets that there are positions in.
    pub(crate) rates: [Option<MarginRates>; MARKETS],
}

impl Exposure {
    pub(crate) const NONE: Self = Self { dollars: [[0; 2]; MARKETS], rates: [None; MARKETS] };

    /// What a position adds: its size times its strike.
    fn of(size: Size, strike: Wide) -> u128 {
        // Sizes have 40 bits and strikes 88, so nothing wraps, nor does the sum of sixteen.
        wrapping_product(size, strike.get()) >> (64 - EXPOSURE_FRACTION_BITS)
    }

    fn add(&mut self, key: SeriesKey, strike: Wide, size: Size) {
        if let Some(sides) = self.dollars.get_mut(usize::from(key.market)) {
            let sum = &mut sides[key.side as usize];
            *sum = sum.wrapping_add(Self::of(size, strike));
        }
    }

    /// Counts the positions that are left.
    ///
    /// Errors: [`ModelError::MarketMissing`].
    pub(crate) fn count_again(&mut self, account: &MarginAccount, markets: &impl Markets) -> Result<()> {
        self.dollars = Self::NONE.dollars;
        for (_, position) in account.open_positions() {
            let key = position.key();
            let (slot, _) = markets.require(key.market)?.series(key.side, key.tick)?;
            self.add(key, slot.strike, position.size);
        }
        Ok(())
    }

    /// Maintenance margin without the fee, raw units; one formula for margin and liquidation, so that both round to the same
    /// unit.
    pub(crate) fn margin(&self) -> Real {
        self.sum(|rates| &rates.ahead)
    }

    fn sum(&self, rate: impl Fn(&MarginRates) -> &[Real; 2]) -> Real {
        let mut sum = Real::ZERO;
        for (dollars, rates) in self.dollars.iter().zip(&self.rates) {
            let Some(rates) = rates else { continue };
            for (dollars, rate) in dollars.iter().zip(rate(rates)) {
                if *dollars != 0 && !rate.is_zero() {
                    sum = sum.add(rate.mul(Real::from_fixed_wide(*dollars, EXPOSURE_FRACTION_BITS)));
                }
            }
        }
        sum
    }

    /// The dearest liquidation fee among the markets that there are positions in, raw units.
    pub(crate) fn fee(&self) -> Tokens {
        let held = self.dollars.iter().zip(&self.rates).filter(|(dollars, _)| **dollars != [0, 0]);
        held.filter_map(|(_, rates)| Some(rates.as_ref()?.fee)).max().unwrap_or(Tokens::ZERO)
    }
}

/// How the account stands now. Markets that were not cranked now count with the most that can have come due.
///
/// Errors: [`ModelError::MarketMissing`], [`ModelError::MathOverflow`].
pub fn health(account: &MarginAccount, markets: &impl Markets, now: i64) -> Result<Health> {
    let mut exposure = Exposure::NONE;
    assess(account, markets, now, &mut exposure, |_, _| ())
}

/// [`health`], which shows on the way what each position owes (its place and raw units Q64.64), and what all add up to.
pub(crate) fn assess(
    account: &MarginAccount,
    markets: &impl Markets,
    now: i64,
    exposure: &mut Exposure,
    mut see: impl FnMut(usize, u128),
) -> Result<Health> {
    let mut owed = Wide { low: 0, high: account.debt.0 }.get();
    for (place, position) in account.open_positions() {
        let key = position.key();
        let market = markets.require(key.market)?;
        let (slot, series) = market.series(key.side, key.tick)?;
        let exact = owed_exact(position, series.index())?;
        owed = owed.saturating_add(exact);
        exposure.add(key, slot.strike, position.size);
        see(place, exact);
    }
    for (number, (dollars, rates)) in (0..).zip(exposure.dollars.iter().zip(&mut exposure.rates)) {
        if *dollars != [0, 0] {
            *rates = Some(markets.require(number)?.margin_rates(now)?);
        }
    }
    Ok(Health {
        collateral: account.collateral,
        owed: owed_tokens(owed),
        unaccrued: tokens_up(exposure.sum(|rates| &rates.behind)),
        maintenance: maintenance_margin(exposure.margin(), exposure.fee()),
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

/// Maintenance margin of positions that need `positions` raw units together.
pub(crate) fn maintenance_margin(positions: Real, fee: Tokens) -> Tokens {
    Tokens(tokens_up(positions).0.saturating_add(fee.0))
}

/// Whole tokens, rounded up; saturating.
pub(crate) fn tokens_up(amount: Real) -> Tokens {
    Tokens(amount.to_fixed(0, Rounding::Up).unwrap_or(u64::MAX))
}
