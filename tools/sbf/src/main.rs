//! `cargo build-sbf` where Solana's own is not installed: the same flags, the same files.

use std::{env, path::PathBuf, process::ExitCode};

use anyhow::{Context, Result, ensure};
use clap::Parser;
use sbf_build::{Build, Install, VERSION_PREFIX, build_program, programs, write_keypair_if_missing};

/// Builds Solana programs from Debian's and crates.io's packages alone.
#[derive(Parser)]
#[command(name = "cargo-build-sbf", disable_version_flag = true)]
struct Arguments {
    /// The Cargo.toml of the program or of its workspace
    #[arg(long, default_value = "Cargo.toml")]
    manifest_path: PathBuf,
    /// Where the programs go (default: target/deploy)
    #[arg(long, alias = "bpf-out-dir")]
    sbf_out_dir: Option<PathBuf>,
    /// Features of the program
    #[arg(long, value_delimiter = ',', num_args = 1..)]
    features: Vec<String>,
    /// Without the program's default features
    #[arg(long)]
    no_default_features: bool,
    /// Only these packages
    #[arg(short, long)]
    package: Vec<String>,
    /// Accepted and ignored: programs are always built for sBPF v0
    #[arg(long)]
    arch: Option<String>,
    /// Accepted and ignored: the tools are Debian's
    #[arg(long)]
    tools_version: Option<String>,
    /// Install missing Debian packages
    #[arg(long)]
    install: bool,
    /// Print the version
    #[arg(short = 'V', long)]
    version: bool,
    /// Arguments for cargo
    #[arg(last = true)]
    cargo_arguments: Vec<String>,
}

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<()> {
    // cargo calls a subcommand with the subcommand's name as the first argument.
    let mut words: Vec<_> = env::args_os().collect();
    if words.get(1).is_some_and(|word| word == "build-sbf") {
        words.remove(1);
    }
    let arguments = Arguments::parse_from(words);
    if arguments.version {
        println!("{VERSION_PREFIX} {}", env!("CARGO_PKG_VERSION"));
        return Ok(());
    }
    note_ignored(&arguments);

    let manifest =
        arguments.manifest_path.canonicalize().with_context(|| format!("no {}", arguments.manifest_path.display()))?;
    let mut found = programs(&manifest)?;
    found.retain(|program| arguments.package.is_empty() || arguments.package.contains(&program.package));
    ensure!(!found.is_empty(), "no program found: its [lib] needs crate-type = [\"cdylib\", \"lib\"]");
    for program in found {
        let elf = build_program(&Build {
            manifest: manifest.clone(),
            package: program.package,
            out: arguments.sbf_out_dir.clone(),
            features: arguments.features.clone(),
            default_features: !arguments.no_default_features,
            arguments: arguments.cargo_arguments.clone(),
            install: Install::from_environment(arguments.install),
            lines: false,
        })?;
        write_keypair_if_missing(&elf.with_file_name(format!("{}-keypair.json", program.library)))?;
        eprintln!("sbf: {}", elf.display());
    }
    Ok(())
}

fn note_ignored(arguments: &Arguments) {
    if let Some(arch) = arguments.arch.as_deref().filter(|arch| *arch != "v0") {
        eprintln!("sbf: note: --arch {arch} is ignored; programs are built for sBPF v0");
    }
    if let Some(version) = &arguments.tools_version {
        eprintln!("sbf: note: --tools-version {version} is ignored; the tools are Debian's");
    }
}
