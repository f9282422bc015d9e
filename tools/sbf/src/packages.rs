//! The Debian packages that hold the compilers.

use std::{
    env, fs,
    path::Path,
    process::{Command, Stdio},
};

use anyhow::{Context, Result, bail, ensure};

/// The compiler that the toolchain is checked with. Another may need other lowerings.
const RUSTC: &str = "1.96.";
/// The LLVM that this compiler writes bitcode for, and that reads it here.
const LLVM: &str = "22.";

/// A Debian package and what it is for.
pub type Package = (&'static str, &'static str);

/// The compiler.
const COMPILER: &[Package] = &[
    ("rustc-web", "compiles Rust"),
    ("cargo-web", "drives it"),
    ("rust-web-src", "has std's source, which is compiled for the virtual machine"),
];

/// What makes an ELF for the virtual machine of what it compiled.
const LOWERING: &[Package] = &[
    ("llvm-22-dev", "lowers the bitcode and writes the object file"),
    ("libpolly-22-dev", "is linked by LLVM"),
    ("g++", "compiles the lowering pass"),
];

/// Whether missing packages may be installed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Install {
    /// Yes, as root or with passwordless sudo.
    Allowed,
    /// Say what is missing.
    No,
}

impl Install {
    /// Allowed where `CI` is `true`, or when asked for.
    pub fn from_environment(asked: bool) -> Self {
        if asked || env::var("CI").is_ok_and(|value| value == "true") { Self::Allowed } else { Self::No }
    }
}

/// Makes sure that the compilers are installed, in the versions that the toolchain is checked with.
pub(crate) fn require(install: Install) -> Result<()> {
    let otherwise = "building the program needs Solana's own `cargo build-sbf`, or a Debian system";
    require_packages(&[COMPILER, LOWERING].concat(), install, otherwise)?;
    check_versions()
}

/// Makes sure that the compiler is installed, in the version that the toolchain is checked with.
pub(crate) fn require_compiler(install: Install) -> Result<()> {
    require_packages(COMPILER, install, "compiling std needs a Debian system")?;
    check_versions()
}

/// Makes sure that packages are installed. `otherwise` says what is needed where there is no Debian; " with the packages
/// .." completes it.
///
/// Errors: says what is missing, what it is for and what installs it.
pub fn require_packages(packages: &[Package], install: Install, otherwise: &str) -> Result<()> {
    let missing = missing(packages);
    if missing.is_empty() {
        return Ok(());
    }
    ensure!(Path::new("/usr/bin/apt-get").exists(), "{otherwise} with the packages {}", names(&missing).join(" "));
    match (install, privileges()) {
        (Install::Allowed, Some(prefix)) => apt_install(prefix, &names(&missing)),
        _ => bail!("{}", instructions(&missing)),
    }
}

fn missing(packages: &[Package]) -> Vec<Package> {
    let installed = |package: &str| {
        Command::new("dpkg-query")
            .args(["--show", "--showformat=${db:Status-Status}", package])
            .stderr(Stdio::null())
            .output()
            .is_ok_and(|output| output.stdout == b"installed")
    };
    packages.iter().copied().filter(|(package, _)| !installed(package)).collect()
}

fn names(packages: &[Package]) -> Vec<&'static str> {
    packages.iter().map(|(package, _)| *package).collect()
}

fn instructions(missing: &[Package]) -> String {
    let reasons: String = missing.iter().map(|(package, reason)| format!("  {package}: {reason}\n")).collect();
    let names = names(missing).join(" ");
    format!(
        "these Debian packages are missing:\n{reasons}Install them:\n  \
         sudo apt-get update && sudo apt-get install --no-install-recommends {names}\n\
         or run the same command again with --install."
    )
}

/// What has to stand before a command to run it as root, if that needs no password.
fn privileges() -> Option<&'static [&'static str]> {
    let succeeds = |program: &str, arguments: &[&str]| {
        Command::new(program)
            .args(arguments)
            .stderr(Stdio::null())
            .output()
            .ok()
            .filter(|output| output.status.success())
    };
    if succeeds("id", &["-u"])?.stdout.trim_ascii() == b"0" {
        return Some(&[]);
    }
    succeeds("sudo", &["-n", "true"]).map(|_| ["sudo", "-n"].as_slice())
}

fn apt_install(prefix: &[&str], packages: &[&str]) -> Result<()> {
    eprintln!("sbf: installing the Debian packages {}", packages.join(" "));
    let run = |arguments: &[&str]| -> Result<()> {
        let words: Vec<&str> = [prefix, &["env", "DEBIAN_FRONTEND=noninteractive", "apt-get"], arguments].concat();
        let (program, arguments) = words.split_first().context("an empty command")?;
        // apt-get reports on standard output, which belongs to the caller.
        let output = Command::new(program).args(arguments).stdin(Stdio::null()).output()?;
        ensure!(
            output.status.success(),
            "`{}` failed:\n{}{}",
            words.join(" "),
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
        Ok(())
    };
    run(&["update", "-qq"])?;
    run(&[&["install", "-y", "-qq", "--no-install-recommends"], packages].concat())
}

fn check_versions() -> Result<()> {
    let output = Command::new(crate::cargo::RUSTC)
        .arg("-vV")
        .output()
        .with_context(|| format!("running {}", crate::cargo::RUSTC))?;
    let version = String::from_utf8_lossy(&output.stdout).into_owned();
    let field = |name: &str| version.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
    let (rustc, llvm) = (field("release:").unwrap_or("?"), field("LLVM version:").unwrap_or("?"));
    ensure!(
        rustc.starts_with(RUSTC) && llvm.starts_with(LLVM),
        "Debian's {} is version {rustc} with LLVM {llvm}, but this toolchain is checked with {RUSTC}x and LLVM {LLVM}x. \
         Install `rustc-web`, `cargo-web` and `rust-web-src` in that version, or Solana's own `cargo build-sbf`.",
        crate::cargo::RUSTC
    );
    let library = Path::new(crate::cargo::STD_SOURCE);
    ensure!(
        fs::exists(library)?,
        "std's source is not at {}; is `rust-web-src` the version of `rustc-web`?",
        library.display()
    );
    Ok(())
}
