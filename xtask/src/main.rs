//! The commands that the README names.

mod assurance;
mod bench;
mod build;
mod demo;
mod fuzz;
mod generated;
mod idl;
mod js;
mod localnet;
mod network;
#[cfg(test)]
mod promises;
mod shell;
mod sources;
mod test;
mod wasm;

use std::{path::PathBuf, process::ExitCode};

use anyhow::{Context, Result};
use clap::{Parser, Subcommand};

use crate::shell::Shell;

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Builds, tests and shows Perpetua")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
    /// Install missing Debian packages (as root, or with passwordless sudo)
    #[arg(long, global = true)]
    install: bool,
}

#[derive(Subcommand)]
enum Command {
    /// Build the program to target/deploy/perpetua.so
    Build {
        /// The toolchain's conformance program as well, which its tests need
        #[arg(long)]
        conformance: bool,
    },
    /// Check everything: formatting, lints, the program, all tests, generated files
    Test {
        /// Update the generated files instead of checking them
        #[arg(long)]
        bless: bool,
    },
    /// Build the program and show what Perpetua does, on an embedded Solana VM
    Demo {
        /// Arguments of the demo, such as `--scenario weekend` or `--json`
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Build the program and start a local Solana network with everything set up and real prices playing
    Localnet {
        /// Arguments such as `--speed 60`, `--week 2` or `--rpc-port 0`
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Prove on a local network, over RPC, what keepers do in two months with what can go wrong
    Network {
        /// Arguments of the soak, such as `--days 5`, `--accounts 50` or `--seed 7`
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Build the program and play random sequences to it and to the model
    Fuzz {
        /// Arguments such as `--model-steps 10000000 --elf-steps 100000 --seed 1 --json`
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Write the program's IDL to idl/perpetua.json
    Idl {
        /// Only say whether it is up to date
        #[arg(long)]
        check: bool,
    },
    /// Write docs/assurance.md from docs/data, after measuring what it says
    Assurance {
        /// Measure instead which lines the tests run (half an hour)
        #[arg(long, conflicts_with = "document")]
        coverage: bool,
        /// Only by these tests of the program
        #[arg(long, requires = "coverage", value_name = "NAME")]
        test: Vec<String>,
        /// Measure nothing: only write the document anew
        #[arg(long)]
        document: bool,
    },
    /// Build the program, measure what every instruction costs, and print the changes since the committed table
    BenchCu {
        /// Commit to what was measured: write compute_units.json and COMPUTE.md
        #[arg(long)]
        bless: bool,
    },
    /// Build and check the TypeScript client, or take it on a trader's journey
    Js {
        /// Write src/generated anew instead of comparing it with what the IDL gives
        #[arg(long)]
        bless: bool,
        /// Instead of the checks, trade on a network, with `--url URL --keypair FILE --stock-mint ADDRESS [--provider FILE]`
        #[arg(long, num_args = 0.., allow_hyphen_values = true, value_name = "ARGUMENTS", conflicts_with = "bless")]
        journey: Option<Vec<String>>,
    },
    #[command(hide = true)]
    PrintIdl,
    /// Install a `cargo build-sbf` that needs no Solana CLI, for `anchor build`
    InstallBuildSbf,
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
    let arguments = Arguments::parse();
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let root = root.parent().context("xtask is in the repository's root")?;
    let shell = Shell::new(root, arguments.install);
    match arguments.command {
        Command::Build { conformance } => {
            build::program(&shell)?;
            if conformance {
                build::conformance(&shell)?;
            }
            Ok(())
        }
        Command::Test { bless } => test::run(&shell, bless),
        Command::Demo { arguments } => demo::run(&shell, &arguments),
        Command::Localnet { arguments } => localnet::run(&shell, &arguments),
        Command::Network { arguments } => network::run(&shell, &arguments),
        Command::Fuzz { arguments } => fuzz::run(&shell, &arguments),
        Command::Idl { check: true } => idl::generate(&shell)?.check(&shell),
        Command::Idl { check: false } => idl::generate(&shell)?.write(&shell),
        Command::Assurance { document: true, .. } => assurance::document(&shell)?.write(&shell),
        Command::Assurance { coverage: true, test, .. } => assurance::coverage(&shell, test),
        Command::Assurance { .. } => assurance::run(&shell),
        Command::BenchCu { bless } => bench::bench(&shell, bless),
        Command::Js { journey: Some(arguments), .. } => js::journey(&shell, &arguments),
        Command::Js { bless, .. } => js::check(&shell, js::Generated::when(bless)),
        Command::PrintIdl => idl::print(&shell),
        Command::InstallBuildSbf => build::install_build_sbf(&shell),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn demo_arguments(words: &[&str]) -> Vec<String> {
        let parsed = Arguments::try_parse_from([&["xtask"], words].concat()).unwrap();
        match parsed.command {
            Command::Demo { arguments } => arguments,
            _ => panic!("not the demo"),
        }
    }

    #[test]
    fn the_demos_arguments_reach_it_with_and_without_a_dash_before_them() {
        let wanted = ["--scenario", "weekend", "--json"];
        assert_eq!(demo_arguments(&["demo", "--", "--scenario", "weekend", "--json"]), wanted);
        assert_eq!(demo_arguments(&["demo", "--scenario", "weekend", "--json"]), wanted);
        assert!(demo_arguments(&["demo"]).is_empty());
    }
}
