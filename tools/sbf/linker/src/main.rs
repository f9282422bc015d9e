//! Stands in for rustc's linker: joins a program's bitcode, lowers it, and writes an sBPF v0 ELF.
//!
//! rustc passes the inputs on the command line; the driver passes the rest of the toolchain in the environment:
//! `SBF_RUNTIME` (the runtime's rlib), `SBF_LEGALIZE` (the LLVM pass), `SBF_LLVM_BIN` (the folder of LLVM's tools) and, if
//! the object file shall say which line each instruction comes from, `SBF_LINES`.

mod addresses;

use std::{
    env,
    ffi::CString,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail, ensure};
use bpf_linker::{Cpu, Linker, LinkerInput, LinkerOptions, OptLevel, OutputType};
use sbpf_linker::{OptimizationConfig, ProgramOptions, SbpfArch, SbpfLinkerError, byteparser::parse_bytecode};

/// Where the virtual machine starts a program.
const ENTRYPOINT: &str = "entrypoint";
/// Bytes of stack for one call in sBPF v0. A larger frame fails the build rather than the transaction.
const STACK_FRAME: i32 = 4096;
/// sBPF v0 is close to the second version of Linux's instruction set.
const CPU: &str = "v2";
const CPU_FEATURES: &str = "+allows-misaligned-mem-access";

/// What the lowering may call by name, so that joining must keep it. The pass drops what stays unused.
const RUNTIME: &[&str] = &[
    "__sbf_mul128",
    "__sbf_mul256",
    "__sbf_udiv128",
    "__sbf_urem128",
    "__sbf_sdiv128",
    "__sbf_srem128",
    "__sbf_umulo128",
    "__sbf_smulo128",
    "memcpy",
    "memmove",
    "memset",
    "memcmp",
    "bcmp",
];

/// The arguments of rustc that matter here.
struct Arguments {
    output: PathBuf,
    inputs: Vec<PathBuf>,
    exports: Vec<String>,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse(env::args().skip(1))?;
    // Some dependencies also ask for a shared object of their own; only a program has an entry point.
    if !arguments.exports.iter().any(|symbol| symbol == ENTRYPOINT) {
        return write(&arguments.output, b"");
    }
    let [joined, lowered, object] =
        ["joined.bc", "lowered.bc", "lowered.o"].map(|extension| arguments.output.with_extension(extension));
    join(&arguments, &joined)?;
    lower(&joined, &lowered)?;
    assemble(&lowered, &object)?;
    refuse_unknown_calls(&object)?;
    write(&arguments.output, &link(&object)?)
}

impl Arguments {
    fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Self> {
        let (mut output, mut inputs, mut exports) = (None, Vec::new(), Vec::new());
        while let Some(argument) = arguments.next() {
            let mut value = || arguments.next().with_context(|| format!("{argument} takes a value"));
            match argument.as_str() {
                "-o" => output = Some(PathBuf::from(value()?)),
                "--export-symbols" => {
                    let list = fs::read_to_string(value()?).context("the list of exported symbols")?;
                    exports = list.lines().map(str::to_owned).collect();
                }
                "-L" | "--cpu" | "--cpu-features" => drop(value()?),
                flag if flag.starts_with('-') => {}
                input => inputs.push(PathBuf::from(input)),
            }
        }
        inputs.push(from_environment("SBF_RUNTIME")?);
        let output = output.context("-o is missing")?;
        Ok(Self { output, inputs, exports })
    }
}

fn from_environment(name: &str) -> Result<PathBuf> {
    env::var_os(name).map(PathBuf::from).with_context(|| format!("{name} is not set"))
}

fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    fs::write(path, bytes).with_context(|| format!("writing {}", path.display()))
}

/// Joins and optimizes the bitcode of all inputs into one module.
fn join(arguments: &Arguments, output: &Path) -> Result<()> {
    let linker = Linker::new(LinkerOptions {
        target: None,
        cpu: Cpu::V2,
        cpu_features: CString::new(CPU_FEATURES)?,
        optimize: OptLevel::Aggressive,
        unroll_loops: false,
        ignore_inline_never: false,
        llvm_args: vec![CString::new(format!("--bpf-stack-size={STACK_FRAME}"))?],
        disable_expand_memcpy_in_order: true,
        disable_memory_builtins: false,
        // What keeps debug information is called by the format that Linux wants it in.
        btf: env::var_os("SBF_LINES").is_some(),
        allow_bpf_trap: false,
    });
    let inputs = arguments.inputs.iter().map(|path| LinkerInput::new_from_file(path));
    let soft_floats = soft_float_functions();
    let exports = arguments.exports.iter().map(String::as_str);
    let exports = exports.chain(RUNTIME.iter().copied()).chain(soft_floats.iter().map(String::as_str));
    linker.link_to_file(inputs, output, OutputType::Bitcode, exports).context("joining the bitcode")
}

/// The names of compiler-builtins' floating-point functions that `floats.cpp` calls.
fn soft_float_functions() -> Vec<String> {
    let mut names = vec!["__extendsfdf2".to_owned(), "__truncdfsf2".to_owned()];
    for float in ["sf", "df"] {
        names.extend(["add", "sub", "mul", "div"].map(|name| format!("__{name}{float}3")));
        names.extend(["eq", "lt", "le", "gt", "ge", "unord"].map(|name| format!("__{name}{float}2")));
        for integer in ["si", "di", "ti"] {
            names.extend(["float", "floatun"].map(|name| format!("__{name}{integer}{float}")));
            names.extend(["fix", "fixuns"].map(|name| format!("__{name}{float}{integer}")));
        }
    }
    names
}

fn llvm_tool(name: &str) -> Result<Command> {
    Ok(Command::new(from_environment("SBF_LLVM_BIN")?.join(name)))
}

fn run(command: &mut Command) -> Result<()> {
    let status = command.status().with_context(|| format!("{command:?}"))?;
    ensure!(status.success(), "{command:?} failed");
    Ok(())
}

/// Rewrites what the backend refuses, drops what is no longer used and keeps one of functions that are alike: Rust compiles
/// a generic one for each type, and of this program's account types most make the same code. Where lines are asked for,
/// functions stay apart, so that each instruction has its own line.
fn lower(joined: &Path, lowered: &Path) -> Result<()> {
    let merge = if env::var_os("SBF_LINES").is_some() { "" } else { ",mergefunc" };
    run(llvm_tool("opt")?
        .arg("-load-pass-plugin")
        .arg(from_environment("SBF_LEGALIZE")?)
        .arg(format!("-passes=sbf-legalize,globaldce{merge}"))
        .args([joined, Path::new("-o"), lowered]))
}

/// Makes an object of the lowered program. What alias analysis knows spares loads of what was just stored: 7 KB.
fn assemble(lowered: &Path, object: &Path) -> Result<()> {
    run(llvm_tool("llc")?
        .arg("--load-pass-plugin")
        .arg(from_environment("SBF_LEGALIZE")?)
        .args(["-O3", "-march=bpfel", "-filetype=obj", "--bpf-disable-trap-unreachable"])
        .arg("--combiner-global-alias-analysis")
        .arg(format!("-mcpu={CPU}"))
        .arg(format!("-mattr={CPU_FEATURES}"))
        .arg(format!("--bpf-stack-size={STACK_FRAME}"))
        .args([lowered, Path::new("-o"), object]))
}

/// What stays undefined becomes a system call, and a program that names an unknown one cannot be loaded.
fn refuse_unknown_calls(object: &Path) -> Result<()> {
    let mut nm = llvm_tool("llvm-nm")?;
    nm.args(["--undefined-only", "--just-symbol-name"]).arg(object);
    let output = nm.output().with_context(|| format!("{nm:?}"))?;
    ensure!(output.status.success(), "{nm:?} failed");
    let symbols = String::from_utf8(output.stdout)?;
    let unknown: Vec<_> = symbols
        .lines()
        // LLVM declares its trap even where nothing uses it.
        .filter(|symbol| !symbol.starts_with("sol_") && !["abort", "__bpf_trap"].contains(symbol))
        .collect();
    if !unknown.is_empty() {
        bail!("neither the program, the runtime nor the virtual machine defines: {}", unknown.join(", "));
    }
    Ok(())
}

fn link(object: &Path) -> Result<Vec<u8>> {
    let options = ProgramOptions::new(OptimizationConfig::enabled(), SbpfArch::V0, STACK_FRAME);
    let object = fs::read(object).with_context(|| format!("reading {}", object.display()))?;
    match parse_bytecode(&object, options) {
        Ok(layout) => addresses::emit(layout),
        Err(errors) => bail!("{}", SbpfLinkerError::format_errors(&errors)),
    }
}
