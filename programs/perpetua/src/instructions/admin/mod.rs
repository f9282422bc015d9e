//! Listing, pausing and collecting fees.

mod acknowledge_mint;
mod change;
mod change_stock;
mod collect_fees;
mod create_index;
mod create_market;
mod create_stock;
mod create_vault;
mod hand_over;
mod initialize_exchange;
mod parameters;
mod set_opening_paused;

pub use acknowledge_mint::*;
pub use change::*;
pub use change_stock::*;
pub use collect_fees::*;
pub use create_index::*;
pub use create_market::*;
pub use create_stock::*;
pub use create_vault::*;
pub use hand_over::*;
pub use initialize_exchange::*;
pub use parameters::*;
pub use set_opening_paused::*;
