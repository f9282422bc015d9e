//! What a keeper does.

use core::fmt;

use anchor_lang::{prelude::Pubkey, solana_program::instruction::Instruction};
use perpetua_client::instruction::Series;

/// What kind of work a job is. What comes first is done first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Opens the keeper's own margin account, which liquidations are rewarded in.
    OpenAccount,
    /// Notes that a vault is short of its ledgers, or no longer is.
    NoteShortage,
    /// Liquidates an account below its maintenance margin.
    Liquidate,
    /// Accrues a market's funding and takes in the newest price.
    Crank,
    /// Looks at a stock's feeds and its mint's multiplier.
    CrankStock,
    /// Pays a position that is certain to be at its cap.
    SettleCapped,
    /// Executes the withdrawal at the front of a queue.
    ExecuteWithdrawal,
    /// Serves claims from the insurance pool's assets.
    ServeClaims,
    /// Takes what a vault has been short of for 48 hours from its ledgers.
    RecogniseLoss,
    /// Repays losses from tokens that came back.
    RepayLosses,
    /// Closes a position far out of the money.
    RetireFar,
    /// Closes a position whose index or stock has had no price for seven days.
    SettleAbandoned,
}

impl Kind {
    /// All of them, by priority.
    pub const ALL: [Self; 12] = [
        Self::OpenAccount,
        Self::NoteShortage,
        Self::Liquidate,
        Self::Crank,
        Self::CrankStock,
        Self::SettleCapped,
        Self::ExecuteWithdrawal,
        Self::ServeClaims,
        Self::RecogniseLoss,
        Self::RepayLosses,
        Self::RetireFar,
        Self::SettleAbandoned,
    ];

    /// As logs and metrics name it.
    pub fn name(self) -> &'static str {
        match self {
            Self::OpenAccount => "open_account",
            Self::NoteShortage => "note_shortage",
            Self::Liquidate => "liquidate",
            Self::Crank => "crank",
            Self::CrankStock => "crank_stock",
            Self::SettleCapped => "settle_capped",
            Self::ExecuteWithdrawal => "execute_withdrawal",
            Self::ServeClaims => "serve_claims",
            Self::RecogniseLoss => "recognise_loss",
            Self::RepayLosses => "repay_losses",
            Self::RetireFar => "retire_far",
            Self::SettleAbandoned => "settle_abandoned",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Why a job is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The account does not exist yet.
    Missing,
    /// The market was not cranked for a while.
    Heartbeat,
    /// The price moved.
    Moved,
    /// The newest price is the sample of a five-minute mark.
    Sample,
    /// The newest price proves that the feed was out.
    Outage,
    /// A state of docs/mechanism.md section 8 began or ended.
    State,
    /// The account's equity is below its maintenance margin.
    BelowMaintenance,
    /// The option is certain to be at its cap.
    Capped,
    /// The option is far out of the money.
    Far,
    /// There was no price for seven days.
    Abandoned,
    /// Its time has come.
    Due,
    /// A withdrawal that lacks capacity keeps its place only if somebody asks for it once a day.
    KeepPlace,
    /// The vault's tokens and its ledgers say something else than what is on record.
    Ledgers,
}

impl Reason {
    /// As logs name it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Heartbeat => "heartbeat",
            Self::Moved => "moved",
            Self::Sample => "sample",
            Self::Outage => "outage",
            Self::State => "state",
            Self::BelowMaintenance => "below_maintenance",
            Self::Capped => "capped",
            Self::Far => "far",
            Self::Abandoned => "abandoned",
            Self::Due => "due",
            Self::KeepPlace => "keep_place",
            Self::Ledgers => "ledgers",
        }
    }
}

/// What tells one job from another: while one is under way, no other of the same key is begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Key {
    /// What kind of work.
    pub kind: Kind,
    /// On which account, market, stock, ticket or vault.
    pub target: Pubkey,
    /// Of a position: market number, side and tick.
    pub position: Option<(u8, u8, i16)>,
}

/// Something that is due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    /// Which job.
    pub key: Key,
    /// Why.
    pub reason: Reason,
    /// Since when by the chain's clock, as far as the chain tells; otherwise when it was read.
    pub since: i64,
    /// The vault that it is about.
    pub vault: Pubkey,
    /// The markets that it writes; the vault, if none.
    pub locks: Vec<Pubkey>,
    /// The transaction, but for its compute limit and its fee.
    pub instructions: Vec<Instruction>,
}

impl Job {
    /// Whether it was planned from a margin account.
    pub fn reads_accounts(&self) -> bool {
        use Kind::{Liquidate, RetireFar, SettleAbandoned, SettleCapped};
        matches!(self.key.kind, Liquidate | SettleCapped | RetireFar | SettleAbandoned)
    }
}

impl Key {
    /// A job on a whole account.
    pub fn of(kind: Kind, target: Pubkey) -> Self {
        Self { kind, target, position: None }
    }

    /// A job on a position of an account.
    pub fn of_position(kind: Kind, account: Pubkey, market: u8, series: Series) -> Self {
        Self { kind, target: account, position: Some((market, series.side as u8, series.tick)) }
    }
}
