//! Setting up and changing clusters with the command, over HTTP, on the compiled program.

mod set_up;
mod stocks;
mod support;
mod updates;
