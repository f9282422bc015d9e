//! The linker, the lowering pass and the runtime, each built once and kept in the user's cache.

use std::{
    env,
    fs::{self, File},
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result};

use crate::{
    cargo,
    packages::{self, Install},
    sources::{self, Part},
};

const LLVM: &str = "/usr/lib/llvm-22";

/// A complete toolchain.
pub(crate) struct Toolchain {
    pub target: PathBuf,
    linker: PathBuf,
    legalize: PathBuf,
    runtime: PathBuf,
    /// Changes whenever a program has to be built anew.
    pub key: String,
}

impl Toolchain {
    /// Builds what the cache does not have yet.
    pub fn prepare(install: Install) -> Result<Self> {
        packages::require(install)?;
        let cache = Cache::open()?;
        let target = cache.part("target", sources::TARGET, |_, sources, _| Ok(sources.join("sbf-solana.json")))?;
        let linker = cache.part("linker", sources::LINKER, build_linker)?;
        let legalize = cache.part("legalize", sources::LEGALIZE, build_legalize)?;
        let runtime = cache
            .part("runtime", sources::RUNTIME, |label, sources, out| build_runtime(label, sources, out, &target))?;
        let parts = [sources::TARGET, sources::LINKER, sources::LEGALIZE, sources::RUNTIME];
        let key = sources::key(&parts, &cache.compiler);
        Ok(Self { target, linker, legalize, runtime, key })
    }

    /// Tells cargo and the linker where the parts are.
    pub fn configure(&self, command: &mut Command) {
        command
            .env("CARGO_TARGET_SBF_SOLANA_LINKER", &self.linker)
            .env("SBF_LEGALIZE", &self.legalize)
            .env("SBF_RUNTIME", &self.runtime)
            .env("SBF_LLVM_BIN", Path::new(LLVM).join("bin"));
    }
}

struct Cache {
    folder: PathBuf,
    compiler: String,
    // Held while parts are built, so that two builds at once do not disturb each other.
    _lock: File,
}

impl Cache {
    fn open() -> Result<Self> {
        let base = env::var_os("XDG_CACHE_HOME")
            .map(PathBuf::from)
            .or_else(|| env::home_dir().map(|home| home.join(".cache")))
            .context("neither XDG_CACHE_HOME nor HOME is set")?;
        let folder = base.join("perpetua-sbf");
        fs::create_dir_all(&folder).with_context(|| format!("creating {}", folder.display()))?;
        let lock = File::create(folder.join("lock"))?;
        lock.lock()?;
        let compiler = Command::new(cargo::RUSTC).arg("-vV").output()?;
        let compiler = String::from_utf8(compiler.stdout)?;
        Ok(Self { folder, compiler, _lock: lock })
    }

    /// The file that `build` makes of a part's sources, from the cache if it is there. `build` receives the part's
    /// name, its unpacked sources and a folder for intermediate files, which goes away.
    fn part(
        &self,
        name: &str,
        part: Part,
        build: impl FnOnce(&str, &Path, &Path) -> Result<PathBuf>,
    ) -> Result<PathBuf> {
        let folder = self.folder.join(format!("{name}-{}", sources::key(&[part], &self.compiler)));
        let note = folder.join("built");
        if let Ok(file) = fs::read_to_string(&note) {
            return Ok(folder.join(file));
        }
        // What an interrupted build left behind.
        if fs::exists(&folder)? {
            fs::remove_dir_all(&folder)?;
        }
        let work = folder.join("work");
        let unpacked = folder.join("source");
        sources::unpack(part, &unpacked)?;
        fs::create_dir_all(&work)?;
        let built = build(name, &unpacked, &work)?;
        let file_name = built.file_name().context("a part's file has a name")?;
        let kept = folder.join(file_name);
        fs::copy(&built, &kept).with_context(|| format!("copying {}", built.display()))?;
        fs::remove_dir_all(&work)?;
        fs::write(&note, file_name.as_encoded_bytes())?;
        Ok(kept)
    }
}

fn build_linker(name: &str, sources: &Path, work: &Path) -> Result<PathBuf> {
    eprintln!("sbf: building the {name} (some minutes, once)");
    let path = env::var("PATH").unwrap_or_default();
    let mut command = cargo::cargo();
    command
        .args(["build", "--release", "--locked", "--manifest-path"])
        .arg(sources.join("Cargo.toml"))
        .arg("--target-dir")
        .arg(work)
        .env("LLVM_PREFIX", LLVM)
        .env("PATH", format!("{LLVM}/bin:{path}"));
    cargo::run(&mut command, "building the linker")?;
    Ok(work.join("release/sbf-link"))
}

fn build_legalize(name: &str, sources: &Path, work: &Path) -> Result<PathBuf> {
    eprintln!("sbf: building the pass `{name}` (half a minute, once)");
    let output = work.join("legalize.so");
    let mut command = Command::new("g++");
    command.args(["-std=c++17", "-O1", "-fPIC", "-shared", "-fno-rtti", "-Wall", "-Wextra", "-Werror"]);
    // LLVM's headers have warnings of their own.
    command.arg("-isystem").arg(Path::new(LLVM).join("include"));
    let files = sources::LEGALIZE.iter().map(|(file, _)| *file).filter(|file| file.ends_with(".cpp"));
    command.args(files.map(|file| sources.join(file))).arg("-o").arg(&output);
    cargo::run(&mut command, "building the pass")?;
    Ok(output)
}

fn build_runtime(name: &str, sources: &Path, work: &Path, target: &Path) -> Result<PathBuf> {
    eprintln!("sbf: building the {name} (half a minute, once)");
    let mut command = cargo::cargo_for_sbf(target);
    command
        .args(["--locked", "-Z", "build-std=core", "--manifest-path"])
        .arg(sources.join("Cargo.toml"))
        .arg("--target-dir")
        .arg(work);
    cargo::run(&mut command, "building the runtime")?;
    Ok(work.join("sbf-solana/release/libsbf_runtime.rlib"))
}
