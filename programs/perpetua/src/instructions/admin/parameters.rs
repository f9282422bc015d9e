//! What is chosen at listing, as instruction arguments. The model checks every bound.

use anchor_lang::prelude::*;
use perpetua_model::{
    Guards, MarketConfig, PoolConfig, SETTLEMENT_DOLLAR, SETTLEMENT_QUANTO, Shares, Size, StockConfig, UnitsPerUsd,
    VaultConfig, Wide,
};

/// The guards of an index.
#[derive(AnchorSerialize, AnchorDeserialize, Clone, Copy, Debug, PartialEq, Eq)]
pub struct GuardParameters {
    /// Oldest publish time that a trade accepts, in seconds before now.
    pub max_age_trade: u32,
    /// Oldest publish time that a crank accepts, in seconds before now.
    pub max_age_crank: u32,
    /// Widest confidence half-interval, in bps of the price.
    pub max_confidence_bps: u16,
    /// Widest distance between spot and its moving average, in bps of the average.
    pub average_band_bps: u16,
}

impl From<GuardParameters> for Guards {
    fn from(from: GuardParameters) -> Self {
        Self {
            max_age_trade: from.max_age_trade,
            max_age_crank: from.max_age_crank,
            max_confidence_bps: from.max_confidence_bps,
            average_band_bps: from.average_band_bps,
            padding: [0; 4],
        }
    }
}

/// The parameters of a pool.
#[derive(AnchorSerialize, AnchorDeserialize, Clone, Copy, Debug, PartialEq, Eq)]
pub struct PoolParameters {
    /// Shares that nobody owns; one over it is the price of a raw share, in raw stock-token units, at the start.
    pub virtual_shares: u64,
    /// Seconds between a request to leave and its execution.
    pub wait: u32,
    /// What stays in the pool when somebody leaves, in bps.
    pub exit_bps: u16,
    /// The part of funding receivable that counts as the pool's, in bps.
    pub receivable_bps: u16,
}

impl PoolParameters {
    /// Decimals of the pool's share token for a stock token with `decimals`: where the virtual shares are a power of ten,
    /// one whole share costs one whole stock token at the start.
    pub fn share_decimals(&self, decimals: u8) -> u8 {
        // A 64-bit number has at most 20 digits.
        let digits = u8::try_from(self.virtual_shares.checked_ilog10().unwrap_or(0)).unwrap_or(0);
        decimals.saturating_add(digits)
    }
}

impl From<PoolParameters> for PoolConfig {
    fn from(from: PoolParameters) -> Self {
        Self {
            virtual_shares: Shares(from.virtual_shares),
            wait: from.wait,
            exit_bps: from.exit_bps,
            receivable_bps: from.receivable_bps,
        }
    }
}

/// The parameters of a vault.
#[derive(AnchorSerialize, AnchorDeserialize, Clone, Copy, Debug, PartialEq, Eq)]
pub struct VaultParameters {
    /// The main pool.
    pub main: PoolParameters,
    /// The insurance pool.
    pub insurance: PoolParameters,
    /// Largest share of main pool assets that may be reserved for payouts, in bps.
    pub max_utilisation_bps: u16,
}

impl From<VaultParameters> for VaultConfig {
    fn from(from: VaultParameters) -> Self {
        Self {
            main: from.main.into(),
            insurance: from.insurance.into(),
            max_utilisation_bps: from.max_utilisation_bps,
            padding: [0; 6],
        }
    }
}

/// What fixes the price of one dollar of value in stock tokens.
#[derive(AnchorSerialize, AnchorDeserialize, Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settlement {
    /// It never changes.
    Quanto,
    /// It follows the stock's price.
    Dollar,
}

impl Settlement {
    /// The number that a market stores and that is a seed of its address.
    pub const fn number(self) -> u8 {
        match self {
            Self::Quanto => SETTLEMENT_QUANTO,
            Self::Dollar => SETTLEMENT_DOLLAR,
        }
    }
}

/// What one unit of a feed's price refers to.
#[derive(AnchorSerialize, AnchorDeserialize, Clone, Copy, Debug, PartialEq, Eq)]
pub enum PricedUnit {
    /// A share, which is one token times the mint's multiplier.
    Share,
    /// A whole token before the multiplier: `10^decimals` raw units.
    Token,
}

impl From<PricedUnit> for u8 {
    fn from(unit: PricedUnit) -> Self {
        let unit = match unit {
            PricedUnit::Share => perpetua_model::PricedUnit::Share,
            PricedUnit::Token => perpetua_model::PricedUnit::Token,
        };
        unit as Self
    }
}

/// A day on which the stock exchange is closed or closes early.
#[derive(AnchorSerialize, AnchorDeserialize, Clone, Copy, Debug, PartialEq, Eq)]
pub struct ShortDay {
    /// The New York date, as days since 1 January 1970.
    pub day: u16,
    /// Minutes after New York's midnight at which trading ends; zero where it never starts.
    pub close_minute: u16,
}

impl From<ShortDay> for perpetua_model::ShortDay {
    fn from(from: ShortDay) -> Self {
        Self { day: from.day, close_minute: from.close_minute }
    }
}

/// The parameters of a stock.
#[derive(AnchorSerialize, AnchorDeserialize, Clone, Copy, Debug, PartialEq, Eq)]
pub struct StockParameters {
    /// The Pyth feed that publishes while the stock exchange trades.
    pub share_feed: [u8; 32],
    /// What it prices.
    pub share_feed_unit: PricedUnit,
    /// The Pyth feed of the token that publishes day and night, if there is one.
    pub token_feed: Option<[u8; 32]>,
    /// What it prices.
    pub token_feed_unit: PricedUnit,
    /// The guards on both.
    pub guards: GuardParameters,
    /// Volatility from which the width of the price range is computed, in bps a year.
    pub volatility_bps: u16,
    /// What a closing loses while the exchange is closed, in bps.
    pub closed_haircut_bps: u16,
    /// Largest change of the multiplier that needs no acknowledgement, in bps.
    pub multiplier_change_bps: u16,
    /// Widest distance of a whole token's value from the last one before a change of the multiplier, and of the two feeds
    /// from each other, in bps.
    pub value_band_bps: u16,
}

impl StockParameters {
    /// The same as the model has it, for a token with `decimals`.
    pub fn config(&self, decimals: u8) -> StockConfig {
        StockConfig {
            guards: self.guards.into(),
            volatility_bps: self.volatility_bps,
            closed_haircut_bps: self.closed_haircut_bps,
            multiplier_change_bps: self.multiplier_change_bps,
            value_band_bps: self.value_band_bps,
            decimals,
            share_feed_unit: self.share_feed_unit.into(),
            token_feed_unit: self.token_feed_unit.into(),
            has_token_feed: u8::from(self.token_feed.is_some()),
            padding: [0; 4],
        }
    }
}

/// A setting that calls and puts have one each of.
#[derive(AnchorSerialize, AnchorDeserialize, Clone, Copy, Debug, PartialEq, Eq)]
pub struct PerSide {
    /// For calls.
    pub call: u16,
    /// For puts.
    pub put: u16,
}

/// The parameters of a market.
#[derive(AnchorSerialize, AnchorDeserialize, Clone, Copy, Debug, PartialEq, Eq)]
pub struct MarketParameters {
    /// How `units_per_usd` is fixed.
    pub settlement: Settlement,
    /// `X` of a quanto market: raw stock-token units per US dollar of value, Q40.24; zero for a dollar market.
    pub units_per_usd: u64,
    /// Strike of tick 0, US dollars Q64.64.
    pub reference_strike: u128,
    /// Smallest size that a position may be opened with, millionths of an index unit.
    pub min_size: u64,
    /// Size up to which a liquidation closes a position whole, millionths of an index unit.
    pub dust_size: u64,
    /// Funding period `T` in seconds.
    pub period: u32,
    /// Longest time between cranks that accrues at the average of both rates, in seconds.
    pub max_gap: u32,
    /// How long maintenance margin covers the highest funding, in seconds.
    pub margin_horizon: u32,
    /// Part of the maintenance margin that an account owes once, in US cents.
    pub liquidation_fee_cents: u32,
    /// Smallest liquidation penalty, in US cents.
    pub min_penalty_cents: u32,
    /// Liquidation penalty, in bps of the proceeds.
    pub penalty_bps: u16,
    /// Ratio of neighbouring strikes, in bps: 10,125 is 1.25% apart.
    pub strike_ratio_bps: u16,
    /// Payout cap, in bps of the strike.
    pub cap_bps: PerSide,
    /// The index's financing rate, in bps a year.
    pub carry_bps: u16,
    /// What reserving the payout costs, in bps a year.
    pub rent_bps: u16,
    /// Lowest volatility quoted, in bps.
    pub min_volatility_bps: u16,
    /// Highest volatility quoted, in bps.
    pub max_volatility_bps: u16,
    /// Volatility quoted over the realised one, in bps.
    pub markup_bps: PerSide,
    /// Ask and bid volatility over and under the middle, in bps.
    pub spread_bps: u16,
    /// Fastest move of the middle volatility per hour, in bps.
    pub slew_bps: u16,
    /// What full utilisation adds to the ask volatility, in bps.
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
    /// What a dollar market reserves above the cap, in bps; zero for a quanto market.
    pub reserve_extra_bps: PerSide,
}

impl From<MarketParameters> for MarketConfig {
    fn from(from: MarketParameters) -> Self {
        let sides = |setting: PerSide| [setting.call, setting.put];
        Self {
            units_per_usd: UnitsPerUsd(from.units_per_usd),
            reference_strike: Wide::new(from.reference_strike),
            min_size: Size(from.min_size),
            dust_size: Size(from.dust_size),
            period: from.period,
            max_gap: from.max_gap,
            margin_horizon: from.margin_horizon,
            liquidation_fee_cents: from.liquidation_fee_cents,
            min_penalty_cents: from.min_penalty_cents,
            penalty_bps: from.penalty_bps,
            strike_ratio_bps: from.strike_ratio_bps,
            cap_bps: sides(from.cap_bps),
            carry_bps: from.carry_bps,
            rent_bps: from.rent_bps,
            min_volatility_bps: from.min_volatility_bps,
            max_volatility_bps: from.max_volatility_bps,
            markup_bps: sides(from.markup_bps),
            spread_bps: from.spread_bps,
            slew_bps: from.slew_bps,
            utilisation_spread_bps: from.utilisation_spread_bps,
            utilisation_kink_bps: from.utilisation_kink_bps,
            utilisation_full_bps: from.utilisation_full_bps,
            fee_notional_bps: from.fee_notional_bps,
            fee_value_bps: from.fee_value_bps,
            series_limit_bps: from.series_limit_bps,
            side_limit_bps: from.side_limit_bps,
            reserve_extra_bps: sides(from.reserve_extra_bps),
            settlement: from.settlement.number(),
            padding: [0; 25],
        }
    }
}

#[cfg(test)]
mod tests;
