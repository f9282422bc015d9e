use anchor_lang::prelude::*;
use perpetua_model::{PoolKind, SeriesKey, pricing};

/// Which way an option pays.
#[derive(AnchorSerialize, AnchorDeserialize, Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Pays above the strike.
    Call,
    /// Pays below the strike.
    Put,
}

impl Side {
    /// The option of this side at `tick` of a market.
    pub(crate) fn of(self, market: u8, tick: i16) -> SeriesKey {
        SeriesKey { market, side: self.into(), tick }
    }
}

impl From<Side> for pricing::Side {
    fn from(side: Side) -> Self {
        match side {
            Side::Call => Self::Call,
            Side::Put => Self::Put,
        }
    }
}

/// Which of a vault's pools.
#[derive(AnchorSerialize, AnchorDeserialize, Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pool {
    /// The sellers of options.
    Main,
    /// Those who stand behind them.
    Insurance,
}

impl From<Pool> for PoolKind {
    fn from(pool: Pool) -> Self {
        match pool {
            Pool::Main => Self::Main,
            Pool::Insurance => Self::Insurance,
        }
    }
}
