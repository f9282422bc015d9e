//! Coin-margined perpetual options on tokenized stocks.
//!
//! This file only dispatches; an instruction's accounts, checks and steps are in its own file under `instructions`.
#![allow(unexpected_cfgs)] // Anchor's macros ask for features of older Solana crates

use anchor_lang::prelude::*;

pub mod constants;
pub mod error;
pub mod events;
pub mod instructions;
pub mod oracle;
pub mod state;
pub mod token;

pub use error::PerpetuaError;
pub use instructions::*;

declare_id!("PeoK3okAck2xUpQri7S2DqfWdJFKFx5WSKm97NpY76y");

/// The program.
#[program]
pub mod perpetua {
    use super::*;
}
