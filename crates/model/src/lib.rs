//! The economics of Perpetua: plain values in, reports out. It knows nothing of Solana.
//!
//! The state structs are what the program's accounts hold, byte for byte, so the program, the keeper, the tools and the
//! tests all run this code on the same layout. An action that fails may have changed the state it was given: the program
//! relies on the chain to undo it, other callers act on a copy.
#![cfg_attr(not(feature = "idl-build"), no_std)]

mod account;
mod calendar;
mod claims;
mod conditions;
mod error;
mod feed;
mod funding;
mod governance;
mod impairment;
mod index;
mod insurance;
mod layout;
mod liquidation;
mod margin;
mod mark;
mod market;
mod multiplier;
mod pool;
mod quantities;
mod quote;
mod stock;
mod terms;
mod trade;
mod vault;
mod volatility;

pub use account::*;
pub use calendar::*;
pub use claims::*;
pub use conditions::*;
pub use error::*;
pub use feed::*;
pub use funding::*;
pub use governance::*;
pub use impairment::*;
pub use index::*;
pub use insurance::*;
pub use liquidation::*;
pub use margin::*;
pub use mark::*;
pub use market::*;
pub use multiplier::*;
pub use perpetua_pricing as pricing;
pub use pool::*;
pub use quantities::*;
pub use quote::*;
pub use stock::*;
pub use terms::*;
pub use trade::*;
pub use vault::*;
