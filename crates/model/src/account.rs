//! A margin account: collateral and up to sixteen positions in the markets of one vault.

use bytemuck::Zeroable;
use perpetua_pricing::Side;

use crate::{
    claims::Claim,
    error::{ModelError, Result},
    impairment::{LossShare, MARGIN_LOSSES},
    market::Market,
    quantities::{FundingIndex, Size, Tokens, Wide},
    vault::MARKETS,
};

/// Positions that an account holds at most.
pub const POSITIONS: usize = 16;

/// A bought option.
#[cfg_attr(feature = "idl-build", derive(anchor_lang::AnchorSerialize))]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, bytemuck::Pod, bytemuck::Zeroable)]
#[repr(C)]
pub struct Position {
    /// Size in millionths of an index unit; zero where there is no position.
    pub size: Size,
    /// The series' funding index up to which this position has paid, raw units per millionth, Q64.64.
    pub entry: Wide,
    /// Tokens of the main pool that are reserved for its payout, raw units.
    pub reserve: Tokens,
    /// Place of the strike on the market's grid.
    pub tick: i16,
    /// Number of the market within the vault.
    pub market: u8,
    /// 0 for a call, 1 for a put.
    pub side: u8,
    /// Zero.
    pub padding: [u8; 4],
}

/// Which option a position is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SeriesKey {
    /// Number of the market within the vault.
    pub market: u8,
    /// Call or put.
    pub side: Side,
    /// Place of the strike on the market's grid.
    pub tick: i16,
}

impl Position {
    /// Which option it is in.
    pub fn key(&self) -> SeriesKey {
        let side = if self.side == Side::Put as u8 { Side::Put } else { Side::Call };
        SeriesKey { market: self.market, side, tick: self.tick }
    }

    /// The funding index it has paid up to.
    pub fn entry(&self) -> FundingIndex {
        self.entry.into()
    }
}

/// A trader's account in a vault.
#[cfg_attr(feature = "idl-build", derive(anchor_lang::AnchorSerialize))]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, bytemuck::Pod, bytemuck::Zeroable)]
#[repr(C)]
pub struct MarginAccount {
    /// Tokens that back the account, raw units; funding that is owed is not taken off yet.
    pub collateral: Tokens,
    /// The positions, in no order; those of size zero are free places.
    pub positions: [Position; POSITIONS],
    /// Funding that closed positions still owe while others are open, raw units.
    pub debt: Tokens,
    /// What the insurance pool owes it.
    pub claim: Claim,
    /// How many of the vault's losses of margin it bore already.
    pub losses_seen: u8,
    /// Zero.
    pub padding: [u8; 7],
    /// Its part in each of those.
    pub losses: [LossShare; MARGIN_LOSSES],
}

impl MarginAccount {
    /// Its positions with their places.
    pub fn open_positions(&self) -> impl Iterator<Item = (usize, &Position)> {
        self.positions.iter().enumerate().filter(|(_, position)| !position.size.is_zero())
    }

    /// Whether it holds neither collateral nor positions nor a claim, so that it may be closed. Closing gives up what may
    /// still be repaid of a loss of tokens.
    pub fn is_empty(&self) -> bool {
        self.collateral.is_zero() && self.claim.amount.is_zero() && self.open_positions().next().is_none()
    }

    /// Whether anything can still come in that a debt could be paid from: positions, or a claim.
    pub(crate) fn has_prospects(&self) -> bool {
        !self.claim.amount.is_zero() || self.open_positions().next().is_some()
    }

    /// Place of the position in `key`.
    ///
    /// Errors: [`ModelError::PositionNotFound`].
    pub fn find(&self, key: SeriesKey) -> Result<usize> {
        let found = self.open_positions().find(|(_, position)| position.key() == key);
        found.map(|(place, _)| place).ok_or(ModelError::PositionNotFound)
    }

    /// Place of the position in `key`, or a free place made ready for it.
    ///
    /// Errors: [`ModelError::NoFreePosition`].
    pub fn find_or_claim(&mut self, key: SeriesKey) -> Result<usize> {
        if let Ok(place) = self.find(key) {
            return Ok(place);
        }
        let free = self.positions.iter().position(|position| position.size.is_zero());
        let place = free.ok_or(ModelError::NoFreePosition)?;
        self.positions[place] =
            Position { tick: key.tick, market: key.market, side: key.side as u8, ..Position::zeroed() };
        Ok(place)
    }

    /// In which markets it has a position, by their numbers.
    pub fn markets_used(&self) -> [bool; MARKETS] {
        let mut used = [false; MARKETS];
        for (_, position) in self.open_positions() {
            if let Some(used) = used.get_mut(usize::from(position.market)) {
                *used = true;
            }
        }
        used
    }
}

/// The markets of a vault that an action may look at, by their number within the vault.
pub trait Markets {
    /// The market, if it was given.
    fn market(&self, number: u8) -> Option<&Market>;

    /// The market, which a position needs.
    ///
    /// Errors: [`ModelError::MarketMissing`].
    fn require(&self, number: u8) -> Result<&Market> {
        self.market(number).ok_or(ModelError::MarketMissing)
    }
}

/// Markets to read.
pub type MarketRefs<'a> = [Option<&'a Market>; MARKETS];
/// Markets to change.
pub type MarketMuts<'a> = [Option<&'a mut Market>; MARKETS];

impl Markets for MarketRefs<'_> {
    fn market(&self, number: u8) -> Option<&Market> {
        self.get(usize::from(number)).copied().flatten()
    }
}

impl Markets for MarketMuts<'_> {
    fn market(&self, number: u8) -> Option<&Market> {
        self.get(usize::from(number)).and_then(Option::as_deref)
    }
}

/// The market that is traded in, which changes, and the account's other markets, which are only read.
pub struct TradeMarkets<'a> {
    /// Number of the traded market within the vault.
    pub number: u8,
    /// The traded market.
    pub traded: &'a mut Market,
    /// The others.
    pub others: MarketRefs<'a>,
}

impl Markets for TradeMarkets<'_> {
    fn market(&self, number: u8) -> Option<&Market> {
        if number == self.number { Some(self.traded) } else { self.others.market(number) }
    }
}
