//! Joining and leaving the pools.

mod cancel_withdrawal;
mod claim_withdrawal;
mod close_ticket;
mod execute_withdrawal;
mod join_pool;
mod request_withdrawal;
mod shares;

pub use cancel_withdrawal::*;
pub use claim_withdrawal::*;
pub use close_ticket::*;
pub use execute_withdrawal::*;
pub use join_pool::*;
pub use request_withdrawal::*;
