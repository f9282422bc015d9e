//! The toolchain's sources, carried inside the command so that it also works away from this repository.

use std::{
    fs,
    hash::{DefaultHasher, Hash, Hasher},
    path::Path,
};

use anyhow::{Context, Result};

/// A part of the toolchain: its files by their path.
pub(crate) type Part = &'static [(&'static str, &'static str)];

macro_rules! part {
    ($folder:literal: $($file:literal)*) => {
        &[$(($file, include_str!(concat!("../", $folder, "/", $file)))),*]
    };
}

pub(crate) const TARGET: Part = part!(".": "sbf-solana.json");
pub(crate) const LINKER: Part = part!("linker": "Cargo.toml" "Cargo.lock" "src/main.rs" "src/addresses.rs");
pub(crate) const LEGALIZE: Part = part!("legalize":
    "legalize.h" "plugin.cpp" "integers.cpp" "floats.cpp" "memory.cpp" "calls.cpp" "statics.cpp" "stores.cpp");
pub(crate) const RUNTIME: Part = part!("runtime":
    "Cargo.toml" "Cargo.lock" "src/lib.rs" "src/division.rs" "src/memory.rs" "src/multiplication.rs"
    "src/platform.rs" "src/tests.rs");

/// A name for what is built from these parts with this compiler.
pub(crate) fn key(parts: &[Part], compiler: &str) -> String {
    // Only a cache depends on it: another hash in another release of Rust costs a rebuild.
    let mut hasher = DefaultHasher::new();
    (parts, compiler).hash(&mut hasher);
    format!("{:016x}", hasher.finish())
}

/// Writes a part's files below `folder`.
pub(crate) fn unpack(part: Part, folder: &Path) -> Result<()> {
    for (name, text) in part {
        let path = folder.join(name);
        let parent = path.parent().context("a file's folder")?;
        fs::create_dir_all(parent).with_context(|| format!("creating {}", parent.display()))?;
        fs::write(&path, text).with_context(|| format!("writing {}", path.display()))?;
    }
    Ok(())
}
