//! Reads the events that the program logs by calling itself.

use anchor_lang::{AnchorDeserialize, Discriminator, event::EVENT_IX_TAG_LE};
use perpetua::events;

macro_rules! events {
    ($($name:ident),* $(,)?) => {
        /// Something that happened.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Event {
            $(#[doc = concat!("[`events::", stringify!($name), "`].")] $name(events::$name),)*
        }

        impl Event {
            /// Its name, as in the IDL.
            pub fn name(&self) -> &'static str {
                match self {
                    $(Self::$name(_) => stringify!($name),)*
                }
            }
        }

        /// The event in the data of an inner instruction by which the program called itself; nothing if it is none.
        pub fn decode(data: &[u8]) -> Option<Event> {
            let body = data.strip_prefix(EVENT_IX_TAG_LE)?;
            $(if let Some(fields) = body.strip_prefix(events::$name::DISCRIMINATOR) {
                return events::$name::try_from_slice(fields).ok().map(Event::$name);
            })*
            None
        }
    };
}

events! {
    AccountOpened,
    AccountClosed,
    Deposited,
    Withdrawn,
    PositionOpened,
    PositionClosed,
    FundingCranked,
    FundingSettled,
    AccountLiquidated,
    MarketMarked,
    IndexCreated,
    VaultCreated,
    MarketCreated,
    OpeningPausedSet,
    MintAcknowledged,
    FeesCollected,
    PoolJoined,
    WithdrawalRequested,
    WithdrawalCancelled,
    WithdrawalExecuted,
    WithdrawalClaimed,
    StockCreated,
    StockCranked,
    SessionShortened,
    MultiplierAcknowledged,
    ShortageNoted,
    LossRecognised,
    LossesRepaid,
    ClaimsServed,
    AccountSynced,
    ChangeProposed,
    ChangeApplied,
    ChangeCancelled,
    Tightened,
    AdminNamed,
    AdminAccepted,
}
