//! The keeper: cranks markets, liquidates, settles and executes what is due, unattended.
//!
//! Each round reads the chain ([`snapshot`]), asks the model what is due ([`plan`]), and sends it ([`dispatch`]). Nothing
//! is remembered that the chain does not say again after a restart, and whatever two keepers do at once the chain carries
//! out once.

pub mod config;
pub mod dispatch;
pub mod endpoints;
pub mod fees;
pub mod job;
pub mod keeper;
pub mod metrics;
pub mod plan;
pub mod server;
pub mod snapshot;
