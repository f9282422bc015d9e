//! What changes nothing and returns data.

mod view_health;
mod view_quote;

pub use view_health::*;
pub use view_quote::*;
