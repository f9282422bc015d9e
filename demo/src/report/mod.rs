//! What people see: a summary on the terminal and a page with pictures.

mod canvas;
mod charts;
mod halving;
mod page;
mod tables;
mod terminal;
mod weekend;

use anyhow::Result;

pub use canvas::date;

use crate::record::Told;

/// The whole page.
///
/// Errors: where drawing fails.
pub fn page(told: &Told) -> Result<String> {
    match told {
        Told::Crash(record) => page::page(record),
        Told::Weekend(told) => weekend::page(told),
        Told::Halving(told) => halving::page(told),
    }
}

/// The picture that tells most, as a file of its own.
///
/// Errors: where drawing fails.
pub fn picture(told: &Told) -> Result<String> {
    match told {
        Told::Crash(record) => page::picture(record),
        Told::Weekend(told) => weekend::picture(told),
        Told::Halving(told) => halving::picture(told),
    }
}

/// The run in words and tables.
pub fn summary(told: &Told) -> String {
    match told {
        Told::Crash(record) => terminal::summary(record),
        Told::Weekend(told) => weekend::summary(told),
        Told::Halving(told) => halving::summary(told),
    }
}
