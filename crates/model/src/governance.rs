//! What of a configuration may change, and how soon: nothing that positions were opened under, tighter limits at once, the
//! rest after a wait that lets traders leave first, and LPs ask to.

use crate::{
    error::{ModelError, Result},
    feed::Guards,
    margin::MarginTerms,
    market::{Market, MarketConfig, Settlement},
    pool::PoolConfig,
    quantities::Volatility,
    quote::Moment,
    stock::StockConfig,
    terms::MarketTerms,
    vault::{Vault, VaultConfig},
};

/// Seconds between the proposal of a change and its earliest application.
pub const CHANGE_DELAY: i64 = 48 * 3_600;
/// Seconds for which a change may be applied after that.
pub const CHANGE_LIFETIME: i64 = 7 * 86_400;

/// How a change of a configuration may come about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Change {
    /// There is none.
    None,
    /// It only tightens limits and guards: at once.
    AtOnce,
    /// After [`CHANGE_DELAY`].
    Waits,
    /// Never.
    Never,
}

impl Change {
    fn never(same: bool) -> Self {
        if same { Self::None } else { Self::Never }
    }

    fn waits(same: bool) -> Self {
        if same { Self::None } else { Self::Waits }
    }

    /// A limit that tightens as it falls.
    fn limit(before: u32, after: u32) -> Self {
        match after.cmp(&before) {
            core::cmp::Ordering::Less => Self::AtOnce,
            core::cmp::Ordering::Equal => Self::None,
            core::cmp::Ordering::Greater => Self::Waits,
        }
    }

    fn strictest(changes: impl IntoIterator<Item = Self>) -> Self {
        changes.into_iter().max().unwrap_or(Self::None)
    }

    /// Refuses a change that may never be, and one that changes nothing.
    ///
    /// Errors: [`ModelError::ParameterNeverChanges`], [`ModelError::NothingToChange`].
    pub fn require_possible(self) -> Result<()> {
        match self {
            Self::None => Err(ModelError::NothingToChange),
            Self::Never => Err(ModelError::ParameterNeverChanges),
            Self::AtOnce | Self::Waits => Ok(()),
        }
    }

    /// Refuses a change that does more than tighten.
    ///
    /// Errors: those of [`Self::require_possible`]; [`ModelError::ChangeMustWait`].
    pub fn require_at_once(self) -> Result<()> {
        self.require_possible()?;
        if self == Self::AtOnce { Ok(()) } else { Err(ModelError::ChangeMustWait) }
    }
}

/// Refuses to apply a change too early or too late.
///
/// Errors: [`ModelError::ChangeNotReady`], [`ModelError::ChangeExpired`].
pub fn require_due(proposed_at: i64, now: i64) -> Result<()> {
    let ready = proposed_at.saturating_add(CHANGE_DELAY);
    if now < ready {
        return Err(ModelError::ChangeNotReady);
    }
    if now > ready.saturating_add(CHANGE_LIFETIME) { Err(ModelError::ChangeExpired) } else { Ok(()) }
}

impl Guards {
    /// How a change to `new` may come about: each guard tightens as it falls.
    pub fn change_to(&self, new: &Self) -> Change {
        Change::strictest([
            Change::limit(self.max_age_trade, new.max_age_trade),
            Change::limit(self.max_age_crank, new.max_age_crank),
            Change::limit(self.max_confidence_bps.into(), new.max_confidence_bps.into()),
            Change::limit(self.average_band_bps.into(), new.average_band_bps.into()),
        ])
    }
}

impl PoolConfig {
    fn change_to(&self, new: &Self) -> Change {
        let free = Self { virtual_shares: self.virtual_shares, ..*new };
        Change::strictest([Change::never(self.virtual_shares == new.virtual_shares), Change::waits(*self == free)])
    }
}

impl VaultConfig {
    /// How a change to `new` may come about: utilisation tightens as it falls, virtual shares never change.
    pub fn change_to(&self, new: &Self) -> Change {
        Change::strictest([
            self.main.change_to(&new.main),
            self.insurance.change_to(&new.insurance),
            Change::limit(self.max_utilisation_bps.into(), new.max_utilisation_bps.into()),
        ])
    }
}

impl Vault {
    /// When a market that is listed now opens: at once on a vault without LPs. Others did not agree to its parameters: they
    /// have [`CHANGE_DELAY`] to ask to leave, and are out before it opens. A quanto market cannot cost insurance anything.
    pub fn new_market_opens_at(&self, market: &MarketConfig, now: i64) -> i64 {
        if self.main.shares.is_zero() {
            return now;
        }
        let mut wait = self.config.main.wait;
        if market.settlement() == Settlement::Dollar {
            wait = wait.max(self.config.insurance.wait);
        }
        now.saturating_add(CHANGE_DELAY).saturating_add(wait.into())
    }
}

impl StockConfig {
    /// How a change to `new` may come about: guards, the multiplier's free change and the value band tighten as they fall;
    /// what the feeds price never changes.
    pub fn change_to(&self, new: &Self) -> Change {
        let lasting =
            |config: &Self| (config.decimals, config.share_feed_unit, config.token_feed_unit, config.has_token_feed);
        let waiting = |config: &Self| (config.volatility_bps, config.closed_haircut_bps);
        Change::strictest([
            self.guards.change_to(&new.guards),
            Change::limit(self.multiplier_change_bps.into(), new.multiplier_change_bps.into()),
            Change::limit(self.value_band_bps.into(), new.value_band_bps.into()),
            Change::waits(waiting(self) == waiting(new)),
            Change::never(lasting(self) == lasting(new)),
        ])
    }
}

impl MarketConfig {
    /// How a change to `new` may come about: what positions were opened under never changes, limits on reserves tighten as
    /// they fall, everything else waits.
    pub fn change_to(&self, new: &Self) -> Change {
        let lasting = |config: &Self| {
            let option = (config.period, config.cap_bps, config.reference_strike, config.strike_ratio_bps);
            (option, config.settlement, config.units_per_usd)
        };
        let limits = |config: &Self| [config.series_limit_bps, config.side_limit_bps].map(u32::from);
        let ([series, side], [new_series, new_side]) = (limits(self), limits(new));
        // What differs apart from limits waits; what never changes overrules it.
        let rest = Self { series_limit_bps: self.series_limit_bps, side_limit_bps: self.side_limit_bps, ..*new };
        Change::strictest([
            Change::limit(series, new_series),
            Change::limit(side, new_side),
            Change::waits(*self == rest),
            Change::never(lasting(self) == lasting(new)),
        ])
    }
}

impl Market {
    /// Takes over a configuration that only tightens limits.
    ///
    /// Errors: [`ModelError::ParameterOutOfRange`] and those of [`Change::require_at_once`].
    pub fn tighten(&mut self, config: MarketConfig) -> Result<()> {
        config.validate()?;
        self.config.change_to(&config).require_at_once()?;
        self.config = config;
        Ok(())
    }

    /// Makes a market that was accrued in this slot, so that the time until now is charged as before, go on with another
    /// configuration.
    ///
    /// Errors: [`ModelError::MarketNotAccrued`], [`ModelError::ParameterOutOfRange`],
    /// [`ModelError::ParameterNeverChanges`], [`ModelError::NothingToChange`].
    pub fn reconfigure(&mut self, config: MarketConfig, moment: Moment) -> Result<()> {
        config.validate()?;
        self.config.change_to(&config).require_possible()?;
        if self.accrued_slot != moment.slot {
            return Err(ModelError::MarketNotAccrued);
        }
        self.config = config;
        self.margin = MarginTerms::new(&config)?;
        self.terms = MarketTerms::new(&config)?;
        // Margin counts on volatilities within the bounds.
        let bounds = [config.min_volatility_bps, config.max_volatility_bps].map(Volatility::from_bps);
        for volatility in self.middle.iter_mut().chain(&mut self.target) {
            *volatility = (*volatility).max(bounds[0]).min(bounds[1]);
        }
        self.void_mark();
        Ok(())
    }
}
