//! Builds one program.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::{cargo, packages::Install, toolchain::Toolchain};

/// What to build, and how.
#[derive(Clone, Debug)]
pub struct Build {
    /// The program's `Cargo.toml`.
    pub manifest: PathBuf,
    /// The package in that manifest's workspace.
    pub package: String,
    /// Where the ELF goes. None is `deploy` in the workspace's target folder.
    pub out: Option<PathBuf>,
    /// Features of the package.
    pub features: Vec<String>,
    /// Whether the package's default features are on.
    pub default_features: bool,
    /// More arguments for cargo.
    pub arguments: Vec<String>,
    /// Whether missing Debian packages may be installed.
    pub install: Install,
    /// Whether to keep which source line each instruction comes from, in the object file ([`object_file`]) that the
    /// program is linked from.
    pub lines: bool,
}

/// A program of a workspace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    /// The package's name.
    pub package: String,
    /// The library's name, which names the ELF.
    pub library: String,
}

struct Workspace {
    target: PathBuf,
    packages: Vec<Value>,
}

impl Workspace {
    fn of(manifest: &Path) -> Result<Self> {
        // Not with the caller's environment removed: the target folder may come from it.
        let output = std::process::Command::new(cargo::CARGO)
            .env("RUSTC", cargo::RUSTC)
            .args(["metadata", "--no-deps", "--format-version=1", "--manifest-path"])
            .arg(manifest)
            .output()
            .context("running cargo metadata")?;
        ensure!(
            output.status.success(),
            "reading {}:\n{}",
            manifest.display(),
            String::from_utf8_lossy(&output.stderr)
        );
        let metadata: Value = serde_json::from_slice(&output.stdout).context("cargo metadata's answer")?;
        let target = text(&metadata, "target_directory")?.into();
        let packages = array(&metadata, "packages")?.to_vec();
        Ok(Self { target, packages })
    }
}

fn text<'a>(value: &'a Value, key: &str) -> Result<&'a str> {
    value.get(key).and_then(Value::as_str).with_context(|| format!("cargo metadata has no {key}"))
}

fn array<'a>(value: &'a Value, key: &str) -> Result<&'a [Value]> {
    value.get(key).and_then(Value::as_array).map(Vec::as_slice).with_context(|| format!("cargo metadata has no {key}"))
}

/// The program of a package, which is its `cdylib`.
fn program(package: &Value) -> Result<Option<Program>> {
    for target in array(package, "targets")? {
        if array(target, "crate_types")?.iter().any(|kind| kind == "cdylib") {
            let package = text(package, "name")?.to_owned();
            let library = text(target, "name")?.replace('-', "_");
            return Ok(Some(Program { package, library }));
        }
    }
    Ok(None)
}

/// The programs that a manifest means: its own package's, or all of its workspace if it has no package.
pub fn programs(manifest: &Path) -> Result<Vec<Program>> {
    let workspace = Workspace::of(manifest)?;
    let manifest = manifest.canonicalize()?;
    let own = |package: &&Value| package.get("manifest_path").and_then(Value::as_str).map(Path::new) == Some(&manifest);
    let packages: Vec<&Value> = match workspace.packages.iter().find(own) {
        Some(package) => vec![package],
        None => workspace.packages.iter().collect(),
    };
    let programs = packages.into_iter().map(program).collect::<Result<Vec<_>>>()?;
    Ok(programs.into_iter().flatten().collect())
}

/// Lines of the workspace's own packages; what is inlined of others counts at the line that calls it.
const LINES_OF_OWN_CODE: [&str; 2] =
    ["profile.release.debug='line-tables-only'", "profile.release.package.'*'.debug=false"];

/// Where cargo compiles to. With lines apart: the files' names would be the same.
fn work_folder(workspace: &Workspace, lines: bool) -> PathBuf {
    workspace.target.join(if lines { "sbf-lines" } else { "sbf" })
}

/// The object file that a build with [`Build::lines`] linked the program from.
pub fn object_file(build: &Build) -> Result<PathBuf> {
    let workspace = Workspace::of(&build.manifest)?;
    let library = build.package.replace('-', "_");
    let object = format!("sbf-solana/release/deps/lib{library}.lowered.o");
    Ok(work_folder(&workspace, true).join(object))
}

/// Builds a program and returns the path of its ELF.
pub fn build_program(build: &Build) -> Result<PathBuf> {
    let toolchain = Toolchain::prepare(build.install)?;
    let workspace = Workspace::of(&build.manifest)?;
    let package = workspace.packages.iter().find(|package| package["name"] == build.package.as_str());
    let package = package.with_context(|| format!("no package {} in the workspace", build.package))?;
    let Some(Program { library, .. }) = program(package)? else {
        anyhow::bail!("{} is not a program: its library is not a cdylib", build.package);
    };

    let work = work_folder(&workspace, build.lines);
    start_over_with_another_toolchain(&work, &toolchain.key)?;
    let mut command = cargo::cargo_for_sbf(&toolchain.target);
    toolchain.configure(&mut command);
    command
        .args(["-Z", "build-std=std,panic_abort", "-Z", "build-std-features="])
        .arg("--manifest-path")
        .arg(&build.manifest)
        .arg("--target-dir")
        .arg(&work)
        // Only this package, so that features of other members do not reach the program.
        .args(["--lib", "--package", &build.package])
        .args(&build.arguments);
    if !build.features.is_empty() {
        command.args(["--features", &build.features.join(",")]);
    }
    if !build.default_features {
        command.arg("--no-default-features");
    }
    // As in the std that is shipped, whose own sums are proven: an overflow of `+` in a program is the program's to check.
    for package in ["core", "alloc", "std"] {
        command.arg("--config").arg(format!("profile.release.package.{package}.overflow-checks=false"));
    }
    if build.lines {
        command.args(["--config", LINES_OF_OWN_CODE[0], "--config", LINES_OF_OWN_CODE[1]]).env("SBF_LINES", "1");
    }
    cargo::run(&mut command, "building the program")?;

    let built = work.join("sbf-solana/release").join(format!("lib{library}.so"));
    let bytes = fs::read(&built).with_context(|| format!("reading {}", built.display()))?;
    ensure!(!bytes.is_empty(), "{} has no entry point: was it built with the feature no-entrypoint?", build.package);
    let out = build.out.clone().unwrap_or_else(|| workspace.target.join("deploy"));
    fs::create_dir_all(&out).with_context(|| format!("creating {}", out.display()))?;
    let elf = out.join(format!("{library}.so"));
    // An unchanged file keeps its time, so that nothing that depends on it is done again.
    if fs::read(&elf).ok().as_ref() != Some(&bytes) {
        fs::write(&elf, bytes).with_context(|| format!("writing {}", elf.display()))?;
    }
    Ok(elf)
}

/// cargo does not see that the linker, the pass or the runtime changed.
fn start_over_with_another_toolchain(work: &Path, key: &str) -> Result<()> {
    let note = work.join("toolchain");
    if fs::read_to_string(&note).is_ok_and(|last| last == key) {
        return Ok(());
    }
    if fs::exists(work)? {
        fs::remove_dir_all(work).with_context(|| format!("removing {}", work.display()))?;
    }
    fs::create_dir_all(work).with_context(|| format!("creating {}", work.display()))?;
    fs::write(&note, key).with_context(|| format!("writing {}", note.display()))
}
