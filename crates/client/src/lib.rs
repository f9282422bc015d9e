//! What a program outside the chain needs to use Perpetua: addresses, instructions, account readers, quotes by the very
//! code that the program runs, and what its errors and events mean. It does no input or output.

pub mod account;
pub mod address;
pub mod error;
pub mod event;
pub mod instruction;
pub mod price;
pub mod quote;

pub use perpetua;
pub use perpetua_model as model;
