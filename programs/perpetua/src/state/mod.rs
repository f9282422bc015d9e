//! What the program stores. The economics live in `perpetua_model`'s structs, embedded byte for byte; here are the keys
//! that tie accounts together.

mod exchange;
mod index;
mod margin_account;
mod market;
mod proposal;
mod stock;
mod ticket;
mod vault;

pub use exchange::*;
pub use index::*;
pub use margin_account::*;
pub use market::*;
pub use proposal::*;
pub use stock::*;
pub use ticket::*;
pub use vault::*;
