//! Prices of capped everlasting options in integer arithmetic.
//!
//! No floats, no allocation, no Solana: the same code runs in the program, in the keeper and in the browser.
//! [`Curve`] prices one option; [`Ladder`] prices every strike of a market with a handful of exponentials.
#![no_std]

mod exp;
mod greeks;
mod ladder;
mod option;
mod progression;
mod rates;
mod real;
mod spot;
mod tables;
mod usd;
pub mod wide;
mod wing;
mod worth;

pub use exp::{exp, exp_negative, exp2_negative, ln};
pub use ladder::{Grid, Ladder, SpotOnGrid};
pub use option::{Contract, Curve, OptionValue, Side};
pub use rates::{RATE_BITS, RateWeights};
pub use real::{Real, Rounding, Signed};
pub use spot::CurveAtSpot;
pub use usd::Usd;
pub use worth::{Interest, Worth};
