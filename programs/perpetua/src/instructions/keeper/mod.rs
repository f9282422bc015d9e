//! What anyone may do to keep markets and accounts up to date.

mod crank_funding;
mod crank_stock;
mod liquidate;
mod losses;
mod mark_market;
mod settle_funding;
mod settle_position;

pub use crank_funding::*;
pub use crank_stock::*;
pub use liquidate::*;
pub use losses::*;
pub use mark_market::*;
pub use settle_funding::*;
pub use settle_position::*;
