//! What happened, for those who read the chain. Amounts are raw stock-token units, sizes millionths of an index unit,
//! prices and option values US dollars Q64.64.
//!
//! An event's discriminator is its version: a layout never changes, an event that must change gets a new name.

mod emit;

use anchor_lang::prelude::*;

use perpetua_model::SettleReason;

pub(crate) use self::emit::emit;
use crate::instructions::{Pool, ShortDay, Side};

/// A margin account was opened.
#[event]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AccountOpened {
    /// The vault.
    pub vault: Pubkey,
    /// The margin account.
    pub account: Pubkey,
    /// Its owner.
    pub owner: Pubkey,
    /// Which of the owner's accounts in this vault it is.
    pub sub_account: u16,
}

/// A margin account was closed.
#[event]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AccountClosed {
    /// The vault.
    pub vault: Pubkey,
    /// The margin account.
    pub account: Pubkey,
    /// Its owner.
    pub owner: Pubkey,
}

/// Collateral came in.
#[event]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deposited {
    /// The vault.
    pub vault: Pubkey,
    /// The margin account.
    pub account: Pubkey,
    /// What the vault received.
    pub amount: u64,
    /// Collateral afterwards.
    pub collateral: u64,
}

/// Collateral went out.
#[event]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Withdrawn {
    /// The vault.
    pub vault: Pubkey,
    /// The margin account.
    pub account: Pubkey,
    /// What the vault paid.
    pub amount: u64,
    /// Collateral afterwards.
    pub collateral: u64,
}

/// An option was bought.
#[event]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PositionOpened {
    /// The vault.
    pub vault: Pubkey,
    /// The market.
    pub market: Pubkey,
    /// The margin account.
    pub account: Pubkey,
    /// Call or put.
    pub side: Side,
    /// Place of the strike on the market's grid.
    pub tick: i16,
    /// The strike.
    pub strike: u128,
    /// The last accepted price of the index.
    pub price: u128,
    /// The option's value per index unit that was paid.
    pub value: u128,
    /// Size bought.
    pub size: u64,
    /// What the main pool received.
    pub premium: u64,
    /// The trading fee.
    pub fee: u64,
    /// What the main pool reserved.
    pub reserve: u64,
    /// Funding collected on what was held before.
    pub funding: u64,
    /// Size of the position afterwards.
    pub position_size: u64,
    /// Collateral afterwards.
    pub collateral: u64,
}

/// Why a position was closed.
#[derive(AnchorSerialize, AnchorDeserialize, Clone, Copy, Debug, PartialEq, Eq)]
pub enum CloseReason {
    /// Its owner sold it.
    Sold,
    /// The option was certain to be at its cap.
    Capped,
    /// The option was far out of the money.
    Far,
    /// The index had no price for seven days.
    Abandoned,
}

impl From<SettleReason> for CloseReason {
    fn from(reason: SettleReason) -> Self {
        match reason {
            SettleReason::Capped => Self::Capped,
            SettleReason::Far => Self::Far,
            SettleReason::Abandoned => Self::Abandoned,
        }
    }
}

/// An option was sold back or settled.
#[event]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PositionClosed {
    /// The vault.
    pub vault: Pubkey,
    /// The market.
    pub market: Pubkey,
    /// The margin account.
    pub account: Pubkey,
    /// Call or put.
    pub side: Side,
    /// Place of the strike on the market's grid.
    pub tick: i16,
    /// Why it was closed.
    pub reason: CloseReason,
    /// The last accepted price of the index.
    pub price: u128,
    /// The option's value per index unit that was paid.
    pub value: u128,
    /// Size closed.
    pub size: u64,
    /// What the main pool paid.
    pub payout: u64,
    /// What the insurance pool paid above the position's reserve.
    pub from_insurance: u64,
    /// What became a claim on the insurance pool.
    pub claimed: u64,
    /// The trading fee.
    pub fee: u64,
    /// Funding collected.
    pub funding: u64,
    /// Size of the position afterwards.
    pub position_size: u64,
    /// Collateral afterwards.
    pub collateral: u64,
}

/// A market accrued funding.
#[event]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FundingCranked {
    /// The index.
    pub index: Pubkey,
    /// The market.
    pub market: Pubkey,
    /// The last accepted price of the index.
    pub price: u128,
    /// When the oracle published it, Unix seconds.
    pub publish_time: i64,
    /// Seconds that funding accrued for.
    pub seconds: u64,
    /// Whether time passed without funding.
    pub barred: bool,
    /// What is not normal about the index and the stock; one bit for each state, in the order of the model's `Condition`.
    pub conditions: u16,
    /// The middle volatility of calls and puts, Q16.48.
    pub middle: [u64; 2],
}

/// Owed funding was collected from an account.
#[event]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FundingSettled {
    /// The vault.
    pub vault: Pubkey,
    /// The margin account.
    pub account: Pubkey,
    /// What it paid.
    pub amount: u64,
    /// Collateral afterwards.
    pub collateral: u64,
}

/// An account below its maintenance margin was brought back to its initial margin, or emptied.
#[event]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AccountLiquidated {
    /// The vault.
    pub vault: Pubkey,
    /// The margin account.
    pub account: Pubkey,
    /// The margin account that the reward went to.
    pub keeper_account: Pubkey,
    /// Times that a position was closed, whole or in part.
    pub closed: u8,
    /// What the closed options paid.
    pub proceeds: u64,
    /// The part of it that the insurance pool paid.
    pub from_insurance: u64,
    /// What became a claim on the insurance pool.
    pub claimed: u64,
    /// Funding collected.
    pub funding: u64,
    /// The keeper's half of the penalty.
    pub keeper_reward: u64,
    /// The insurance pool's half of the penalty.
    pub insurance_reward: u64,
    /// Funding that nothing was left to pay.
    pub written_off: u64,
    /// Collateral afterwards.
    pub collateral: u64,
}

/// A market's open interest was valued.
#[event]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MarketMarked {
    /// The market.
    pub market: Pubkey,
    /// Slot of the chain.
    pub slot: u64,
    /// What the positions are worth at least.
    pub liability_low: u64,
    /// What the positions are worth at most.
    pub liability_high: u64,
    /// Funding accrued and not collected yet.
    pub receivable: u64,
    /// Whether, for lack of a price, they count as nothing and as the full reserve.
    pub at_bounds: bool,
}

/// The mint and the feeds of a stock were looked at.
#[event]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StockCranked {
    /// The stock.
    pub stock: Pubkey,
    /// The last accepted price of a whole token.
    pub price: u128,
    /// When the oracle published it, Unix seconds.
    pub publish_time: i64,
    /// The multiplier that prices of a share are taken with, as the bits of an IEEE-754 double.
    pub multiplier: u64,
    /// What is not normal about the stock; one bit for each state, in the order of the model's `Condition`.
    pub conditions: u16,
    /// Raw units per US dollar that users are paid at, that funding counts, and that users pay at, Q40.24.
    pub units_per_usd: [u64; 3],
}

/// Feeds were named for a vault's stock.
#[event]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StockCreated {
    /// The stock.
    pub stock: Pubkey,
    /// The vault whose token it prices.
    pub vault: Pubkey,
}

/// A day was entered on which the stock exchange is closed or closes early.
#[event]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionShortened {
    /// The stock.
    pub stock: Pubkey,
    /// The day.
    pub day: ShortDay,
}

/// A change of the multiplier of any size was accepted.
#[event]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MultiplierAcknowledged {
    /// The stock.
    pub stock: Pubkey,
    /// The multiplier, as the bits of an IEEE-754 double.
    pub multiplier: u64,
}

/// Since when a vault is short of its ledgers was noted, or that it is not.
#[event]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ShortageNoted {
    /// The vault.
    pub vault: Pubkey,
    /// Tokens that it holds.
    pub balance: u64,
    /// Since when it is known to be short, Unix seconds; zero if it is not.
    pub since: i64,
}

/// Missing tokens were taken from the ledgers.
#[event]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LossRecognised {
    /// The vault.
    pub vault: Pubkey,
    /// What protocol fees, insurance pool, main pool and margin lost.
    pub parts: [u64; 4],
}

/// Tokens came back and repaid losses.
#[event]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LossesRepaid {
    /// The vault.
    pub vault: Pubkey,
    /// What protocol fees, insurance pool, main pool and margin got back.
    pub parts: [u64; 4],
}

/// The insurance pool set tokens aside for those it owes.
#[event]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClaimsServed {
    /// The vault.
    pub vault: Pubkey,
    /// Tokens set aside.
    pub served: u64,
    /// What is still owed.
    pub outstanding: u64,
}

/// An account bore losses of tokens, and received repayments and what its claim was served.
#[event]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AccountSynced {
    /// The vault.
    pub vault: Pubkey,
    /// The margin account.
    pub account: Pubkey,
    /// What the insurance pool still owes it.
    pub claim: u64,
    /// Collateral afterwards.
    pub collateral: u64,
}

/// A change of a configuration was proposed; it can be applied two days later.
#[event]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChangeProposed {
    /// The account that is changed.
    pub target: Pubkey,
    /// What it will be.
    pub proposal: Pubkey,
}

/// A proposed change was applied.
#[event]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChangeApplied {
    /// The account that was changed.
    pub target: Pubkey,
}

/// A proposed change was cancelled.
#[event]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChangeCancelled {
    /// The account that is not changed.
    pub target: Pubkey,
}

/// Limits or guards were tightened.
#[event]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tightened {
    /// The account that was changed.
    pub target: Pubkey,
}

/// Somebody was named to become administrator.
#[event]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AdminNamed {
    /// Who; zero for nobody any more.
    pub next_admin: Pubkey,
}

/// Who was named became administrator.
#[event]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AdminAccepted {
    /// The administrator.
    pub admin: Pubkey,
}

/// An underlying was listed.
#[event]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IndexCreated {
    /// The underlying.
    pub index: Pubkey,
    /// The Pyth feed that prices it.
    pub feed_id: [u8; 32],
}

/// A stock token was listed.
#[event]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VaultCreated {
    /// The vault.
    pub vault: Pubkey,
    /// The stock token.
    pub stock_mint: Pubkey,
}

/// A market was listed.
#[event]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MarketCreated {
    /// The market.
    pub market: Pubkey,
    /// Its vault.
    pub vault: Pubkey,
    /// The underlying.
    pub index: Pubkey,
    /// Its number within the vault.
    pub number: u8,
}

/// Opening was stopped or resumed.
#[event]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpeningPausedSet {
    /// Who did it.
    pub authority: Pubkey,
    /// Whether opening is paused now.
    pub paused: bool,
}

/// A change of a mint was accepted.
#[event]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MintAcknowledged {
    /// The vault of the mint.
    pub vault: Pubkey,
    /// Digest of the mint's extensions and authorities now.
    pub snapshot: [u8; 32],
}

/// Protocol fees were paid out.
#[event]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FeesCollected {
    /// The vault that paid.
    pub vault: Pubkey,
    /// The token account that received.
    pub destination: Pubkey,
    /// How much.
    pub amount: u64,
}

/// Somebody joined a pool.
#[event]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PoolJoined {
    /// The pool's vault.
    pub vault: Pubkey,
    /// Who joined.
    pub owner: Pubkey,
    /// Which pool.
    pub pool: Pool,
    /// What arrived.
    pub amount: u64,
    /// Shares minted.
    pub shares: u64,
}

/// Somebody asked to leave a pool.
#[event]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WithdrawalRequested {
    /// The pool's vault.
    pub vault: Pubkey,
    /// Who leaves.
    pub owner: Pubkey,
    /// Which pool.
    pub pool: Pool,
    /// The place in the pool's queue.
    pub number: u64,
    /// Shares given up.
    pub shares: u64,
    /// From when it can be executed, Unix seconds.
    pub ready: i64,
}

/// Shares were taken back out of a ticket.
#[event]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WithdrawalCancelled {
    /// The pool's vault.
    pub vault: Pubkey,
    /// Who stays.
    pub owner: Pubkey,
    /// The ticket.
    pub ticket: Pubkey,
    /// Shares minted back.
    pub shares: u64,
}

/// The ticket at the front of a pool's queue was paid, or left the queue unpaid.
#[event]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WithdrawalExecuted {
    /// The pool's vault.
    pub vault: Pubkey,
    /// Who leaves.
    pub owner: Pubkey,
    /// The ticket.
    pub ticket: Pubkey,
    /// Whether it left the queue unpaid; its shares, if any are left, can be taken back.
    pub returned: bool,
    /// Shares burned.
    pub shares: u64,
    /// What can be claimed for them.
    pub tokens: u64,
}

/// An executed withdrawal was paid out.
#[event]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WithdrawalClaimed {
    /// The pool's vault.
    pub vault: Pubkey,
    /// Who left.
    pub owner: Pubkey,
    /// The ticket.
    pub ticket: Pubkey,
    /// How much.
    pub amount: u64,
}
