//! The keeper against the compiled program behind JSON-RPC over HTTP: what is lost, delayed, doubled and killed on the way.

mod binary;
mod cluster;
mod failures;
mod together;
