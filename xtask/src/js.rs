//! The TypeScript client: generates it from the IDL, compiles its quotes to WebAssembly, and checks it.

use std::{
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context, Result, bail, ensure};

use crate::{
    build,
    shell::{Shell, describe, run},
    test::DROP_IN,
    wasm,
};

/// The oldest Node.js that @solana/kit runs on.
const NODE: (u32, u32) = (20, 18);

/// The package's folder.
fn folder(shell: &Shell) -> PathBuf {
    shell.root.join("clients/js")
}

/// What is done with the code that is generated and committed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Generated {
    /// Fails where the committed code is not what the IDL gives.
    Checked,
    /// Writes it anew.
    Written,
}

impl Generated {
    /// Written to bless it, otherwise checked.
    pub fn when(bless: bool) -> Self {
        if bless { Self::Written } else { Self::Checked }
    }
}

/// Builds the program, and the client with all of its checks.
pub fn check(shell: &Shell, generated: Generated) -> Result<()> {
    build::program(shell)?;
    run_checks(shell, generated).map(drop)
}

/// Builds the client and runs all of its checks, with the program that was built. Returns how many passed.
pub fn run_checks(shell: &Shell, generated: Generated) -> Result<u32> {
    prepare(shell)?;
    match generated {
        Generated::Checked => check_generated(shell)?,
        Generated::Written => run(npm(shell).args(["run", "--silent", "generate"]))?,
    }
    run(npm(shell).args(["run", "--silent", "lint"]))?;
    let tests = tests(shell)?;
    // A test is named so that the tests' dependencies, which are built, serve.
    let selection = ["--workspace", "--features", DROP_IN, "--test", "js_client"];
    let server = build::executable(shell, "rpc_server", &selection)?;
    take_journey(shell, &["--server".into(), server.into()])?;
    let others = ["the generated code", "formatting and types", "the journey"];
    Ok(tests + u32::try_from(others.len())?)
}

/// A trader's journey by this client on a network.
pub fn journey(shell: &Shell, arguments: &[String]) -> Result<()> {
    prepare(shell)?;
    run(npm(shell).args(["run", "--silent", "build"]))?;
    take_journey(shell, &arguments.iter().map(Into::into).collect::<Vec<_>>())
}

/// Not by npm, which would run it in its own folder: files among the arguments are the caller's.
fn take_journey(shell: &Shell, arguments: &[OsString]) -> Result<()> {
    run(Command::new("node").arg(folder(shell).join("dist/tests/journey.js")).args(arguments))
}

/// Installs the packages of the lock file, if others are installed, and builds the module.
fn prepare(shell: &Shell) -> Result<()> {
    require_node(shell)?;
    let folder = folder(shell);
    let (lock, installed) = (folder.join("package-lock.json"), folder.join("node_modules/.installed-lock.json"));
    let wanted = fs::read(&lock).with_context(|| format!("reading {}", lock.display()))?;
    if fs::read(&installed).ok().as_ref() != Some(&wanted) {
        run(npm(shell).args(["ci", "--no-audit", "--no-fund", "--loglevel=error"]))
            .context("npm fetches packages from its registry the first time; see whether that can be reached")?;
        fs::write(&installed, &wanted)?;
    }
    let module = wasm::build(shell)?;
    fs::create_dir_all(folder.join("wasm"))?;
    fs::write(folder.join("wasm/perpetua.wasm"), &module)?;
    eprintln!("built clients/js/wasm/perpetua.wasm ({} bytes)", module.len());
    Ok(())
}

fn npm(shell: &Shell) -> Command {
    let mut command = Command::new("npm");
    command.current_dir(folder(shell));
    command
}

/// Generates once more beside the committed code and compares.
fn check_generated(shell: &Shell) -> Result<()> {
    let fresh = shell.target().join("js-generated");
    if fresh.exists() {
        fs::remove_dir_all(&fresh)?;
    }
    run(npm(shell).args(["run", "--silent", "generate", "--"]).arg(&fresh))?;
    let committed = folder(shell).join("src/generated");
    let (committed, fresh) = (files(&committed)?, files(&fresh.join("src/generated"))?);
    let differs = committed.iter().chain(&fresh).find(|file| !(committed.contains(file) && fresh.contains(file)));
    if let Some((path, _)) = differs {
        bail!(
            "clients/js/src/generated/{} is not what the IDL gives. If the change is meant, run `cargo xtask test --bless` \
             and commit the folder.",
            path.display()
        );
    }
    Ok(())
}

/// Every file below a folder by its path in it, and its content.
fn files(folder: &Path) -> Result<Vec<(PathBuf, Vec<u8>)>> {
    fn collect(root: &Path, folder: &Path, found: &mut Vec<(PathBuf, Vec<u8>)>) -> Result<()> {
        for entry in fs::read_dir(folder).with_context(|| format!("reading {}", folder.display()))? {
            let path = entry?.path();
            if path.is_dir() {
                collect(root, &path, found)?;
            } else {
                found.push((path.strip_prefix(root)?.to_owned(), fs::read(&path)?));
            }
        }
        Ok(())
    }
    let mut found = Vec::new();
    collect(folder, folder, &mut found)?;
    found.sort();
    Ok(found)
}

fn tests(shell: &Shell) -> Result<u32> {
    let mut command = npm(shell);
    let output = command.args(["run", "--silent", "test"]).stderr(Stdio::inherit()).output();
    let output = output.with_context(|| describe(&command))?;
    let text = String::from_utf8(output.stdout)?;
    eprint!("{text}");
    ensure!(output.status.success(), "`{}` failed in clients/js; its output stands above", describe(&command));
    let passed = passed(&text).filter(|passed| *passed > 0);
    passed.with_context(|| format!("`{}` ran no test", describe(&command)))
}

/// Reads the runner's count of tests that passed, such as `# pass 12` or `ℹ pass 12`.
fn passed(output: &str) -> Option<u32> {
    output.lines().find_map(|line| line.split_once(" pass ")?.1.trim().parse().ok())
}

/// Makes sure that Node.js and npm are there and new enough.
fn require_node(shell: &Shell) -> Result<()> {
    if version_of("node").is_none() || version_of("npm").is_none() {
        let packages = [("nodejs", "runs the TypeScript client"), ("npm", "installs what it depends on")];
        let otherwise = "the TypeScript client needs Node.js and npm (https://nodejs.org), or a Debian system";
        sbf_build::require_packages(&packages, shell.install, otherwise)?;
    }
    let found = version_of("node").unwrap_or_default();
    ensure!(
        parse_version(&found).is_some_and(|version| version >= NODE),
        "node is version \"{found}\", but @solana/kit needs {}.{} or newer: Debian 13 has it, for others see https://nodejs.org",
        NODE.0,
        NODE.1
    );
    Ok(())
}

fn version_of(program: &str) -> Option<String> {
    let output = Command::new(program).arg("--version").output().ok().filter(|output| output.status.success())?;
    String::from_utf8(output.stdout).ok().map(|text| text.trim().to_owned())
}

/// Major and minor number of `v20.18.1`.
fn parse_version(text: &str) -> Option<(u32, u32)> {
    let mut parts = text.strip_prefix('v')?.split('.');
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests_of_versions {
    use super::*;

    #[test]
    fn versions_of_node_are_compared_as_numbers() {
        let enough = |text| parse_version(text).is_some_and(|version| version >= NODE);
        assert!(enough("v20.18.0") && enough("v20.20.2") && enough("v100.1.0"));
        assert!(!enough("v20.9.0") && !enough("v18.20.4") && !enough("") && !enough("20.18.0"));
    }

    #[test]
    fn the_runners_count_is_read() {
        assert_eq!(passed("# tests 4\n# pass 3\n# fail 1\n"), Some(3));
        assert_eq!(passed("ℹ tests 4\nℹ pass 4\n"), Some(4));
        assert_eq!(passed("ok 1 - pass the salt\n"), None);
    }
}
