//! The harness for tests of the compiled program: a chain in memory on which the very program file runs, with the real
//! token programs, real mint bytes and Pyth accounts as Pyth writes them.
//!
//! Signatures are not checked by the virtual machine here, so an actor is just an address; which accounts signed is part
//! of each instruction, and that is what the program sees.

pub mod attacker;
pub mod chain;
pub mod compute;
#[cfg(feature = "coverage")]
mod coverage;
pub mod ledger;
pub mod parameters;
pub mod price;
pub mod reference;
pub mod rpc;
pub mod scenes;
pub mod sequences;
pub mod stock;
pub mod token;
pub mod world;

pub use chain::{Chain, Done, Failure};
pub use perpetua_client as client;
pub use perpetua_model as model;
pub use world::{Trader, World};

use solana_pubkey::Pubkey;

/// An address that stands for `name`, the same in every run.
pub fn actor(name: &str) -> Pubkey {
    let mut bytes = [b'.'; 32];
    let length = name.len().min(32);
    bytes[..length].copy_from_slice(&name.as_bytes()[..length]);
    Pubkey::new_from_array(bytes)
}

/// The names of the program's instructions, from the list of its handlers.
pub fn instruction_names() -> Vec<String> {
    let dispatch = include_str!("../../programs/perpetua/src/lib.rs");
    let handlers = dispatch.split("pub fn ").skip(1).filter_map(|rest| rest.split(['(', '<']).next());
    handlers.map(str::to_owned).collect()
}
