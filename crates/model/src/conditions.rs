//! When the world is not normal: which action is allowed in which state. Several states at once: the most restrictive.

use crate::error::{ModelError, Result};

/// What somebody wants to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Buy an option.
    Open,
    /// Sell an option back.
    Close,
    /// Liquidate an account.
    Liquidate,
    /// Take collateral out.
    Withdraw,
    /// Join a pool.
    PoolIn,
    /// Have a withdrawal from a pool executed.
    PoolOut,
}

/// A state of the world; [`Conditions`] holds those that apply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Condition {
    /// Spot is far from its moving average.
    PriceDiverged,
    /// No recent volatility sample.
    VarianceStale,
    /// Volatility was not sampled for a day yet.
    VarianceYoung,
    /// A long feed outage ended less than half an hour ago.
    Grace,
    /// The guardian stopped new risk.
    Paused,
    /// The vault holds less than its ledgers.
    VaultShort,
}

impl Condition {
    /// All of them, in the order in which a refusal names its reason.
    pub const ALL: [Self; 6] =
        [Self::Paused, Self::VaultShort, Self::PriceDiverged, Self::VarianceStale, Self::VarianceYoung, Self::Grace];

    /// Why this condition forbids `action`, if it does: the cells of docs/mechanism.md section 8 that say no.
    pub fn forbids(self, action: Action) -> Option<ModelError> {
        use Action::{Close, Liquidate, Open, PoolIn, PoolOut, Withdraw};
        match (self, action) {
            (Self::Paused, Open | PoolIn) => Some(ModelError::OpeningPaused),
            (Self::VaultShort, Open | Withdraw | PoolIn | PoolOut) => Some(ModelError::VaultShort),
            (Self::PriceDiverged, Open | Liquidate | Withdraw | PoolIn | PoolOut) => {
                Some(ModelError::PriceFarFromAverage)
            }
            (Self::VarianceStale, Open | PoolIn | PoolOut) => Some(ModelError::VarianceStale),
            (Self::VarianceYoung, Open) => Some(ModelError::VarianceTooYoung),
            (Self::Grace, Open | Liquidate) => Some(ModelError::RecoveringFromOutage),
            (_, Close | Liquidate | Withdraw | PoolIn | PoolOut) => None,
        }
    }
}

/// The states that apply now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Conditions(u8);

impl Conditions {
    /// A normal world.
    pub const NORMAL: Self = Self(0);

    /// These and, if `applies`, one more.
    #[must_use]
    pub fn with(self, condition: Condition, applies: bool) -> Self {
        if applies { Self(self.0 | 1 << condition as u8) } else { self }
    }

    /// Whether a state applies.
    pub fn has(self, condition: Condition) -> bool {
        self.0 >> condition as u8 & 1 == 1
    }

    /// Refuses what any state forbids.
    ///
    /// Errors: the first reason in the order of [`Condition::ALL`].
    pub fn allow(self, action: Action) -> Result<()> {
        let reasons = Condition::ALL.into_iter().filter(|condition| self.has(*condition));
        match reasons.filter_map(|condition| condition.forbids(action)).next() {
            Some(reason) => Err(reason),
            None => Ok(()),
        }
    }
}
