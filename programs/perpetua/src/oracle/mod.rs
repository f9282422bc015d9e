//! Where prices come from. The one place that knows the oracle's account layout; the index's guards are the model's.

mod pyth;

pub use pyth::read_price;
