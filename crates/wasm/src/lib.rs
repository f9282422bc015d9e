//! What `clients/js` asks `perpetua-client`, as bytes: a request in, an answer out, both in Borsh. No formula and no layout
//! is spelled here or there again.
//!
//! `wire` lists requests and answers; `clients/js/src/quote/wire.ts` reads and writes them. `cargo xtask js` compiles this
//! to WebAssembly, where `memory` has the three functions that the module exports.

mod answer;
mod memory;
mod pricing;
pub mod wire;

pub use answer::answer;
