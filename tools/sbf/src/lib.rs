//! Builds Solana programs from Debian's and crates.io's packages alone; `README.md` says how and why.
//!
//! [`build_program`] is what `cargo xtask build` and the `cargo-build-sbf` command of this crate run.

mod cargo;
#[cfg(feature = "command")]
mod keypair;
mod official;
mod packages;
mod program;
mod sources;
mod toolchain;

pub use cargo::cargo_for_bare_target;
#[cfg(feature = "command")]
pub use keypair::write_keypair_if_missing;
pub use official::official_command;
pub use packages::{Install, Package, require_packages};
pub use program::{Build, build_program, object_file, programs};

/// Begins what `cargo-build-sbf --version` prints, by which it is told from Solana's own.
pub const VERSION_PREFIX: &str = "cargo-build-sbf from Debian's packages";
