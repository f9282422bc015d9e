//! What the owner of a margin account does.

mod close_account;
mod close_position;
mod deposit;
mod open_account;
mod open_position;
mod withdraw;

pub use close_account::*;
pub use close_position::*;
pub use deposit::*;
pub use open_account::*;
pub use open_position::*;
pub use withdraw::*;
