//! What pricing takes from a market's configuration alone.

use perpetua_pricing::{Contract, Curve, Grid, RateWeights, Real, Side, Usd};

use crate::{
    error::{ModelError, Result},
    market::{Market, MarketConfig},
    quantities::{FUNDING_RATE_FRACTION_BITS, SECONDS_PER_YEAR, StoredReal, bps},
};

/// What follows from a market's configuration and prices its options. The market keeps it, to the last bit as
/// [`MarketTerms::new`] gives it, since logarithms and quotients would otherwise be a good part of what a price costs.
#[cfg_attr(feature = "idl-build", derive(anchor_lang::AnchorSerialize))]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, bytemuck::Pod, bytemuck::Zeroable)]
#[repr(C)]
pub struct MarketTerms {
    /// One over the strike of tick 0, per dollar.
    pub inverse_reference: StoredReal,
    /// `ln rho` of the ratio `rho` of neighbouring strikes.
    pub log_rho: StoredReal,
    /// `1 / ln rho`.
    pub inverse_log_rho: StoredReal,
    /// `1 / rho`.
    pub inverse_rho: StoredReal,
    /// The funding period `T` in years.
    pub period_years: StoredReal,
    /// `8 / T`.
    pub eight_per_period: StoredReal,
    /// The payout caps of calls and puts as fractions of the strike.
    pub caps: [StoredReal; 2],
    /// `|ln(1 + c)|` of calls and `|ln(1 - c)|` of puts.
    pub cap_distances: [StoredReal; 2],
    /// What a dollar of time value adds to a funding rate, in the last place of [`crate::FundingRate`]: `1 / T`.
    pub time_value_rate: StoredReal,
    /// What a dollar that a call's seller must borrow adds: the carry.
    pub financed_rate: StoredReal,
    /// What a dollar of a call's and a put's strike adds: `rent * c`.
    pub strike_rates: [StoredReal; 2],
    /// Volatility of calls and puts over the realised one.
    pub markups: [StoredReal; 2],
    /// Bid volatility over the middle: `1 - spread`.
    pub bid: StoredReal,
    /// Ask volatility over the middle, before utilisation: `1 + spread`.
    pub ask: StoredReal,
}

impl MarketTerms {
    /// The terms of a valid configuration.
    ///
    /// Errors: [`ModelError::ParameterOutOfRange`] where the configuration was never validated.
    pub fn new(config: &MarketConfig) -> Result<Self> {
        let grid = config.grid()?;
        let [call, put] = [config.contract(Side::Call)?, config.contract(Side::Put)?];
        let periods = Real::from_ratio(SECONDS_PER_YEAR, u64::from(config.period));
        let rent = bps(config.rent_bps);
        let both = |of: fn(&Contract) -> Real| [of(&call), of(&put)].map(StoredReal::from);
        Ok(Self {
            inverse_reference: grid.inverse_reference.into(),
            log_rho: grid.log_rho.into(),
            inverse_log_rho: grid.inverse_log_rho.into(),
            inverse_rho: grid.inverse_rho.into(),
            period_years: call.period_years.into(),
            eight_per_period: call.eight_per_period.into(),
            caps: both(|contract| contract.cap),
            cap_distances: both(|contract| contract.cap_distance),
            time_value_rate: in_rate_units(periods.ok_or(ModelError::ParameterOutOfRange)?),
            financed_rate: in_rate_units(bps(config.carry_bps)),
            strike_rates: [call.cap, put.cap].map(|cap| in_rate_units(rent.mul(cap))),
            markups: config.markup_bps.map(|markup| bps(markup).into()),
            bid: Real::ONE.saturating_sub(bps(config.spread_bps)).into(),
            ask: Real::ONE.add(bps(config.spread_bps)).into(),
        })
    }
}

/// In the last place of [`crate::FundingRate`].
fn in_rate_units(rate: Real) -> StoredReal {
    rate.scale_by_power_of_two(FUNDING_RATE_FRACTION_BITS.cast_signed()).into()
}

impl Market {
    /// The strike grid: that of the configuration.
    pub fn grid(&self) -> Grid {
        Grid {
            reference: Usd::from(self.config.reference_strike),
            inverse_reference: self.terms.inverse_reference.real(),
            log_rho: self.terms.log_rho.real(),
            inverse_log_rho: self.terms.inverse_log_rho.real(),
            inverse_rho: self.terms.inverse_rho.real(),
        }
    }

    /// One side's option at any volatility: that of the configuration.
    pub fn contract(&self, side: Side) -> Contract {
        Contract {
            side,
            period_years: self.terms.period_years.real(),
            eight_per_period: self.terms.eight_per_period.real(),
            cap: self.terms.caps[side as usize].real(),
            cap_distance: self.terms.cap_distances[side as usize].real(),
        }
    }

    /// The option's curve at a volatility.
    ///
    /// Errors: [`ModelError::MathOverflow`] outside the volatilities that pricing supports.
    pub fn curve(&self, side: Side, volatility: Real) -> Result<Curve> {
        self.contract(side).curve(volatility).ok_or(ModelError::MathOverflow)
    }

    /// What a dollar of each part of an option adds to its funding rate, in the last place of [`crate::FundingRate`].
    pub(crate) fn rate_weights(&self, side: Side) -> RateWeights {
        RateWeights {
            time_value: self.terms.time_value_rate.real(),
            financed: self.terms.financed_rate.real(),
            strike: self.terms.strike_rates[side as usize].real(),
        }
    }
}
