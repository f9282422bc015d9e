//! Coin-margined perpetual options on tokenized stocks.
//!
//! This file only dispatches; an instruction's accounts, checks and steps are in its own file under `instructions`.
#![allow(unexpected_cfgs)] // Anchor's macros ask for features of older Solana crates

use anchor_lang::prelude::*;

pub mod constants;
pub mod error;
pub mod state;

pub use error::PerpetuaError;

declare_id!("PeoK3okAck2xUpQri7S2DqfWdJFKFx5WSKm97NpY76y");

/// The program.
#[program]
pub mod perpetua {
    use super::*;
}
