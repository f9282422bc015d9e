//! What a program outside the chain needs to use Perpetua: addresses, instructions, account readers, quotes by the very
//! code that the program runs, and what its errors and events mean. It does no input or output, but for the module `rpc`
//! behind the feature of that name.

pub mod account;
pub mod address;
pub mod amount;
pub mod book;
pub mod budget;
pub mod error;
pub mod event;
pub mod instruction;
pub mod price;
pub mod quote;
#[cfg(feature = "rpc")]
pub mod rpc;
pub mod snapshot;
pub mod token;

pub use perpetua;
pub use perpetua_model as model;

/// The examples of `docs/integrating.md`, so that they are compiled and run.
#[cfg(all(doctest, feature = "rpc"))]
#[doc = include_str!("../../../docs/integrating.md")]
struct Integrating;
