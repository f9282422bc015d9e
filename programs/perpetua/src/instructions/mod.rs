//! The instructions: one file each, read top to bottom.

mod admin;
mod arguments;
pub(crate) mod common;
mod create;
mod keeper;
mod pool;
mod trade;
mod view;

pub use admin::*;
pub use arguments::*;
pub use keeper::*;
pub use pool::*;
pub use trade::*;
pub use view::*;
