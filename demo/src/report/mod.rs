//! What people see: a summary on the terminal and a page with pictures.

mod canvas;
mod charts;
mod page;
mod tables;
mod terminal;

pub use canvas::date;
pub use page::{page, picture};
pub use terminal::summary;
