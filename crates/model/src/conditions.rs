//! When the world is not normal: one table of which action is allowed in which state, and what funding does in it.
//! Several states at once: the most restrictive.

use crate::error::{ModelError, Result};

/// What somebody wants to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Buy an option.
    Open,
    /// Sell an option of one's own back.
    Close,
    /// Settle somebody else's option: one at its cap, far from the money, or abandoned by its index.
    Settle,
    /// Liquidate an account.
    Liquidate,
    /// Take collateral or an executed withdrawal out.
    Withdraw,
    /// Join a pool.
    PoolIn,
    /// Have a withdrawal from a pool executed.
    PoolOut,
}

impl Action {
    /// All of them.
    pub const ALL: [Self; 7] =
        [Self::Open, Self::Close, Self::Settle, Self::Liquidate, Self::Withdraw, Self::PoolIn, Self::PoolOut];
}

/// What funding does in a state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Funding {
    /// It accrues at the rates of the moment.
    Accrues,
    /// The last rates go on, halving each hour.
    Decays,
    /// It accrues later for the time that passes now.
    Waits,
    /// The time that passes is free.
    Stops,
}

/// A state of the world; [`Conditions`] holds those that apply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Condition {
    /// The guardian stopped new risk.
    Paused,
    /// The vault holds less than its ledgers.
    VaultShort,
    /// The issuer paused the stock token.
    MintPaused,
    /// The issuer changed the stock token's extensions or authorities.
    MintChanged,
    /// The issuer froze the vault's tokens.
    TokensFrozen,
    /// The index has no fresh price.
    PriceStale,
    /// Spot is far from its moving average.
    PriceDiverged,
    /// No recent volatility sample.
    VarianceStale,
    /// Volatility was not sampled for a day yet.
    VarianceYoung,
    /// A long feed outage or trading halt ended less than half an hour ago.
    Grace,
    /// The stock token's multiplier changes, or changed, within half an hour. Dollar markets.
    MultiplierChanging,
    /// A stock price is due and missing, for no more than ten minutes yet. Dollar markets.
    StockStale,
    /// The stock is far from its moving average. Dollar markets.
    StockDiverged,
    /// The stock exchange is closed, the stock is halted, or its price waits for an acknowledgement. Dollar markets.
    StockClosed,
    /// The stock had no price for seven days, besides being closed. Dollar markets.
    StockAbandoned,
    /// The market was listed on a vault that had LPs, who may leave before it opens.
    NotOpenYet,
}

impl Condition {
    /// All of them, in the order in which a refusal names its reason.
    pub const ALL: [Self; 16] = [
        Self::Paused,
        Self::VaultShort,
        Self::MintPaused,
        Self::MintChanged,
        Self::TokensFrozen,
        Self::PriceStale,
        Self::PriceDiverged,
        Self::VarianceStale,
        Self::VarianceYoung,
        Self::Grace,
        Self::MultiplierChanging,
        Self::StockStale,
        Self::StockDiverged,
        Self::StockClosed,
        Self::StockAbandoned,
        Self::NotOpenYet,
    ];

    /// Why this condition forbids `action`, if it does: the cells of docs/mechanism.md section 8 that say no.
    pub fn forbids(self, action: Action) -> Option<ModelError> {
        use Action::{Close, Liquidate, Open, PoolIn, PoolOut, Settle, Withdraw};
        let (forbidden, reason) = match self {
            Self::Paused => (matches!(action, Open | PoolIn), ModelError::OpeningPaused),
            Self::VaultShort => (matches!(action, Open | Withdraw | PoolIn | PoolOut), ModelError::VaultShort),
            Self::MintPaused => (matches!(action, Open | Withdraw | PoolIn), ModelError::MintPaused),
            Self::MintChanged => (matches!(action, Open | Withdraw | PoolIn), ModelError::MintChanged),
            Self::TokensFrozen => (matches!(action, Open | Withdraw | PoolIn), ModelError::TokensFrozen),
            Self::PriceStale => (action != Withdraw, ModelError::PriceStale),
            Self::PriceDiverged => (!matches!(action, Close | Settle), ModelError::PriceFarFromAverage),
            Self::VarianceStale => (matches!(action, Open | Settle | PoolIn | PoolOut), ModelError::VarianceStale),
            Self::VarianceYoung => (action == Open, ModelError::VarianceTooYoung),
            Self::Grace => (matches!(action, Open | Liquidate), ModelError::RecoveringFromOutage),
            Self::MultiplierChanging => (true, ModelError::MultiplierChanging),
            Self::StockStale => (action != Withdraw, ModelError::StockPriceStale),
            Self::StockDiverged => (action != Close, ModelError::StockFarFromAverage),
            Self::StockClosed => (matches!(action, Open | Settle | PoolIn), ModelError::StockMarketClosed),
            // It comes with the state before and forbids nothing more.
            Self::StockAbandoned => (false, ModelError::StockMarketClosed),
            Self::NotOpenYet => (action == Open, ModelError::MarketNotOpen),
        };
        forbidden.then_some(reason)
    }

    /// What funding does.
    pub fn funding(self) -> Funding {
        match self {
            Self::PriceStale => Funding::Waits,
            Self::VarianceStale => Funding::Decays,
            Self::PriceDiverged | Self::Grace | Self::MultiplierChanging | Self::StockDiverged => Funding::Stops,
            _ => Funding::Accrues,
        }
    }
}

/// The states that apply: bit `i` stands for the condition of number `i`.
#[cfg_attr(feature = "idl-build", derive(anchor_lang::AnchorSerialize))]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, bytemuck::Pod, bytemuck::Zeroable)]
#[repr(transparent)]
pub struct Conditions(u16);

impl Conditions {
    /// A normal world.
    pub const NORMAL: Self = Self(0);

    /// These and, if `applies`, one more.
    #[must_use]
    pub const fn with(self, condition: Condition, applies: bool) -> Self {
        if applies { Self(self.0 | 1 << condition as u8) } else { self }
    }

    /// These and others.
    #[must_use]
    pub const fn and(self, others: Self) -> Self {
        Self(self.0 | others.0)
    }

    /// These without one.
    #[must_use]
    pub const fn without(self, condition: Condition) -> Self {
        Self(self.0 & !(1 << condition as u8))
    }

    /// One bit for each condition, by its number.
    pub const fn bits(self) -> u16 {
        self.0
    }

    /// Whether a state applies.
    pub const fn has(self, condition: Condition) -> bool {
        self.0 >> condition as u8 & 1 == 1
    }

    /// Refuses what any state forbids.
    ///
    /// Errors: the first reason in the order of [`Condition::ALL`].
    pub fn allow(self, action: Action) -> Result<()> {
        // Mostly the world is normal, and looking at each state takes long.
        if self == Self::NORMAL {
            return Ok(());
        }
        match self.iter().find_map(|condition| condition.forbids(action)) {
            Some(reason) => Err(reason),
            None => Ok(()),
        }
    }

    /// What funding does: what stops it most.
    pub fn funding(self) -> Funding {
        self.iter().map(Condition::funding).max().unwrap_or(Funding::Accrues)
    }

    fn iter(self) -> impl Iterator<Item = Condition> {
        Condition::ALL.into_iter().filter(move |condition| self.has(*condition))
    }
}
