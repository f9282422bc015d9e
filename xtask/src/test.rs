//! Checks everything, one step after the other, and stops at the first failure.

use std::{
    fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Instant,
};

use anyhow::{Context, Result, ensure};

use crate::{
    assurance, bench, build,
    generated::Generated,
    idl, js,
    shell::{Shell, describe, run as run_command},
};

type Step = fn(&mut Checks) -> Result<()>;

const STEPS: &[(&str, Step)] = &[
    ("formatting", formatting),
    ("lints", lints),
    ("the program", program),
    ("the toolchain's conformance program", conformance_program),
    ("tests", tests),
    ("tests of the toolchain's runtime", runtime_tests),
    ("the demo", demonstration),
    ("the IDL", interface),
    ("the TypeScript client", typescript),
    ("compute units", compute_units),
    ("the numbers of the assurance", assurance_numbers),
];

/// Also checks the `cargo-build-sbf` that anchor calls.
pub const DROP_IN: &str = "sbf-build/command";

/// What the demo replays.
const SCENARIOS: [&str; 3] = ["crash", "weekend", "halving"];

struct Checks<'a> {
    shell: &'a Shell,
    bless: bool,
    passed: u32,
    failed: u32,
}

/// Runs all steps. The last line counts the tests, as their runner reports them, and the other steps.
pub fn run(shell: &Shell, bless: bool) -> Result<()> {
    let mut checks = Checks { shell, bless, passed: 0, failed: 0 };
    let result = run_steps(&mut checks);
    if result.is_err() && checks.failed == 0 {
        checks.failed = 1;
    }
    if let Err(error) = &result {
        eprintln!("\nfailed: {error:#}");
    }
    println!("{} passed, {} failed", checks.passed, checks.failed);
    if result.is_err() {
        std::process::exit(1);
    }
    Ok(())
}

fn run_steps(checks: &mut Checks) -> Result<()> {
    for (number, (name, step)) in STEPS.iter().enumerate() {
        eprintln!("\n[{}/{}] {name}", number + 1, STEPS.len());
        let start = Instant::now();
        step(checks)?;
        eprintln!("[{}/{}] {name}: {:.0} s", number + 1, STEPS.len(), start.elapsed().as_secs_f64());
    }
    Ok(())
}

impl Checks<'_> {
    /// Runs a command that is one check.
    fn command(&mut self, command: &mut Command, remedy: &str) -> Result<()> {
        run_command(command).with_context(|| remedy.to_owned())?;
        self.passed += 1;
        Ok(())
    }

    /// Runs `cargo test` and adds up the results that it prints.
    fn cargo_test(&mut self, arguments: &[&str]) -> Result<()> {
        let mut command = self.shell.cargo(&["test", "--locked"]);
        if self.bless {
            // The compute test then writes the committed table instead of comparing with it.
            command.env("BLESS", "1");
        }
        let mut child = command.args(arguments).stdout(Stdio::piped()).spawn()?;
        let output = child.stdout.take().context("the tests' output")?;
        let mut passed = 0;
        for line in BufReader::new(output).lines() {
            let line = line?;
            println!("{line}");
            if let Some(counts) = Counts::read(&line) {
                passed += counts.passed;
                self.failed += counts.failed;
            }
        }
        self.passed += passed;
        ensure!(child.wait()?.success(), "`{}` failed; the tests' own output stands above", describe(&command));
        ensure!(passed > 0, "`{}` ran no test", describe(&command));
        Ok(())
    }

    /// Compares a generated file with the committed one, or replaces that.
    fn generated(&mut self, file: &Generated) -> Result<()> {
        if self.bless {
            file.write(self.shell)?;
        } else {
            file.check(self.shell)?;
        }
        self.passed += 1;
        Ok(())
    }
}

fn formatting(checks: &mut Checks) -> Result<()> {
    for manifest in workspaces(&checks.shell.root)? {
        let mut command = checks.shell.cargo(&["fmt", "--all", "--check", "--manifest-path"]);
        checks.command(command.arg(manifest), "run `cargo fmt --all` in the folder of that manifest")?;
    }
    Ok(())
}

fn lints(checks: &mut Checks) -> Result<()> {
    let mut command = checks.shell.cargo(&["clippy", "--locked", "--workspace", "--all-targets"]);
    command.args(["--features", DROP_IN, "--", "-D", "warnings"]);
    checks.command(&mut command, "mend what clippy says above")
}

fn program(checks: &mut Checks) -> Result<()> {
    build::program(checks.shell)?;
    checks.passed += 1;
    Ok(())
}

fn conformance_program(checks: &mut Checks) -> Result<()> {
    build::conformance(checks.shell)?;
    checks.passed += 1;
    Ok(())
}

/// The demo fails if any of the promises that it checks does not hold.
fn demonstration(checks: &mut Checks) -> Result<()> {
    // With the tests, which are built: by itself it would have other features, and so other dependencies to build.
    let demo = build::executable(checks.shell, "perpetua-demo", &["--workspace", "--features", DROP_IN, "--tests"])?;
    for scenario in SCENARIOS {
        // What does not hold it says on standard error; the summary would bury that.
        let mut command = Command::new(&demo);
        command.args(["--scenario", scenario]).current_dir(&checks.shell.root).stdout(Stdio::null());
        let status = command.status().with_context(|| describe(&command))?;
        ensure!(status.success(), "run `cargo xtask demo -- --scenario {scenario}` to see which promise does not hold");
        checks.passed += 1;
    }
    Ok(())
}

fn tests(checks: &mut Checks) -> Result<()> {
    // What an earlier run measured must not be taken for what this one does.
    let measured = bench::measured(checks.shell);
    if measured.exists() {
        fs::remove_file(&measured)?;
    }
    checks.cargo_test(&["--workspace", "--features", DROP_IN])
}

fn runtime_tests(checks: &mut Checks) -> Result<()> {
    // Optimized, because it tries millions of cases.
    checks.cargo_test(&[
        "--release",
        "--manifest-path",
        "tools/sbf/runtime/Cargo.toml",
        "--target-dir",
        "target/sbf-runtime",
    ])
}

fn interface(checks: &mut Checks) -> Result<()> {
    let file = idl::generate(checks.shell)?;
    checks.generated(&file)
}

/// After the IDL and the tests, which write what it is generated from and compared with.
fn typescript(checks: &mut Checks) -> Result<()> {
    checks.passed += js::run_checks(checks.shell, js::Generated::when(checks.bless))?;
    Ok(())
}

fn compute_units(checks: &mut Checks) -> Result<()> {
    if sbf_build::official_command().is_some() {
        eprintln!("not compared: the committed numbers are of the program that tools/sbf builds");
        return Ok(());
    }
    let path = bench::measured(checks.shell);
    let content = fs::read_to_string(&path)
        .with_context(|| format!("no test wrote {}; the tests of the program should", path.display()))?;
    checks.generated(&Generated { path: "compute_units.json".to_owned(), content })?;
    checks.generated(&bench::document(checks.shell)?)
}

/// What tests measured, and the document that is made of it. The numbers are of the program that tools/sbf builds.
fn assurance_numbers(checks: &mut Checks) -> Result<()> {
    if sbf_build::official_command().is_none() {
        for file in assurance::measured_by_tests(checks.shell)? {
            checks.generated(&file)?;
        }
    }
    let document = assurance::document(checks.shell)?;
    checks.generated(&document)
}

/// The manifest of each cargo workspace in the repository.
fn workspaces(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let manifest = folder.join("Cargo.toml");
    if manifest.is_file() && fs::read_to_string(&manifest)?.lines().any(|line| line.trim() == "[workspace]") {
        found.push(manifest);
    }
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let skipped = name.starts_with('.') || ["target", "node_modules"].contains(&name.as_ref());
        if path.is_dir() && !skipped {
            found.extend(workspaces(&path)?);
        }
    }
    Ok(found)
}

/// What the runner's line about one test binary says.
#[derive(Debug, PartialEq, Eq)]
struct Counts {
    passed: u32,
    failed: u32,
}

impl Counts {
    /// Reads `test result: ok. 3 passed; 0 failed; ...`.
    fn read(line: &str) -> Option<Self> {
        let counts = line.strip_prefix("test result: ")?.split_once(". ")?.1;
        let count = |word: &str| counts.split("; ").find_map(|part| part.strip_suffix(word)?.trim().parse().ok());
        Some(Self { passed: count("passed")?, failed: count("failed")? })
    }
}

#[cfg(test)]
mod tests_of_counts {
    use super::*;

    #[test]
    fn the_runners_counts_are_read() {
        let line = "test result: FAILED. 12 passed; 3 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.05s";
        assert_eq!(Counts::read(line), Some(Counts { passed: 12, failed: 3 }));
    }

    #[test]
    fn other_lines_count_nothing() {
        assert_eq!(Counts::read("test the_result ... ok"), None);
    }
}
