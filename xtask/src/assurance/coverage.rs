//! Which lines of the program the tests run: those on the compiled program by the instructions that the virtual machine
//! executed, native ones by the compiler's counters.

use std::{
    collections::HashSet,
    fs,
    io::Write,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use super::{
    lines::{Lines, counted, read_lcov, report},
    places::Code,
};
use crate::{
    build,
    shell::{Shell, describe, run},
};

/// LLVM's tools, which tools/sbf needs, too. Profiles are read by the version that wrote them.
const LLVM: &str = "/usr/lib/llvm-22/bin";
/// Tests that say nothing here: one compares the compute of another build, one runs another program, one runs what the others
/// do thousands of times, cut off.
const LEFT_OUT: [&str; 3] = ["compute_units", "sbf_conformance", "faults"];

/// What the tests of the program run, all that say something or only those named, and what native tests do.
pub fn measure(shell: &Shell, only: Vec<String>) -> Result<Value> {
    let all = test_names(shell)?;
    let telling = || all.iter().filter(|name| !LEFT_OUT.contains(&name.as_str())).cloned().collect();
    let tests = if only.is_empty() { telling() } else { only };
    let (program, object) = build::program_with_lines(shell)?;
    let elf = elf_lines(shell, &tests, &program, &object)?;
    let native = native_lines(shell)?;
    let mut report = report(&elf, &native);
    let output = shell.git(&["rev-parse", "--short=12", "HEAD"])?;
    report["commit"] = json!(output.trim());
    report["left_out"] = all.into_iter().filter(|name| !tests.contains(name)).collect();
    Ok(report)
}

/// An empty folder for what a run writes.
fn fresh_folder(shell: &Shell, name: &str) -> Result<PathBuf> {
    let folder = shell.target().join("assurance").join(name);
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    fs::create_dir_all(&folder)?;
    Ok(folder)
}

fn elf_lines(shell: &Shell, tests: &[String], program: &Path, object: &Path) -> Result<Lines> {
    let folder = fresh_folder(shell, "places")?;
    let mut command = shell.cargo(&["test", "--locked", "--package", "perpetua-tests", "--features", "coverage"]);
    command.args(tests.iter().flat_map(|name| ["--test", name]));
    run(command.env("PERPETUA_COVERAGE", &folder).env("PERPETUA_ELF", program))?;

    let mut ran = HashSet::new();
    for entry in fs::read_dir(&folder)? {
        let bytes = fs::read(entry?.path())?;
        ran.extend(bytes.as_chunks().0.iter().map(|place| u64::from_le_bytes(*place)));
    }
    ensure!(!ran.is_empty(), "the tests wrote no place that ran into {}", folder.display());
    let code = Code::read(object)?;
    let addresses = code.addresses_in(program)?;
    let one_space = with_sections_apart(shell, object, &code)?;
    let mut lines = Lines::default();
    let frames = source_lines(&shell.root, &one_space, &addresses)?;
    ensure!(frames.len() == addresses.len(), "lines of {} of {} instructions", frames.len(), addresses.len());
    for (place, frames) in (0..).zip(frames) {
        for line in frames {
            lines.note(line, ran.contains(&place));
        }
    }
    Ok(lines)
}

fn test_names(shell: &Shell) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(shell.root.join("tests/tests"))? {
        let path = entry?.path();
        names.push(path.file_stem().and_then(|name| name.to_str()).context("a test's name")?.to_owned());
    }
    names.sort();
    Ok(names)
}

/// A copy of an object file in which no two sections of code share addresses.
fn with_sections_apart(shell: &Shell, object: &Path, code: &Code) -> Result<PathBuf> {
    let copy = shell.target().join("assurance/perpetua.o");
    let mut command = Command::new(Path::new(LLVM).join("llvm-objcopy"));
    for (section, base) in &code.sections {
        command.arg(format!("--change-section-address={section}={base}"));
    }
    run(command.arg(object).arg(&copy))?;
    Ok(copy)
}

/// For each address, the lines that its instruction comes from: where it stands, and where that was inlined.
fn source_lines(root: &Path, object: &Path, addresses: &[usize]) -> Result<Vec<HashSet<(String, u64)>>> {
    let mut command = Command::new(Path::new(LLVM).join("llvm-symbolizer"));
    command.args(["--output-style=JSON", "--inlines", "--functions=none", "--obj"]).arg(object);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().with_context(|| describe(&command))?;
    let mut input = child.stdin.take().context("the symbolizer reads")?;
    let asked: String = addresses.iter().map(|address| format!("{address:#x}\n")).collect();
    // It answers while it reads.
    let writer = std::thread::spawn(move || input.write_all(asked.as_bytes()));
    let output = child.wait_with_output()?;
    writer.join().ok().context("the symbolizer's input")??;
    ensure!(output.status.success(), "`{}` failed", describe(&command));
    String::from_utf8(output.stdout)?.lines().map(|answer| frames(root, answer)).collect()
}

fn frames(root: &Path, answer: &str) -> Result<HashSet<(String, u64)>> {
    let answer: Value = serde_json::from_str(answer)?;
    let frames = answer["Symbol"].as_array().context("an answer of the symbolizer")?.iter();
    Ok(frames
        .filter_map(|frame| {
            let line = frame["Line"].as_u64().filter(|line| *line > 0)?;
            Some((counted(root, frame["FileName"].as_str()?)?, line))
        })
        .collect())
}

fn native_lines(shell: &Shell) -> Result<Lines> {
    let folder = fresh_folder(shell, "native")?;
    // Only the workspace's own crates are instrumented.
    let wrapper = shell.target().join("assurance/instrument");
    fs::write(&wrapper, "#!/bin/sh\nexec \"$@\" -C instrument-coverage\n")?;
    fs::set_permissions(&wrapper, fs::Permissions::from_mode(0o755))?;
    let packages = ["perpetua-model", "perpetua-pricing", "perpetua"].map(|package| ["--package", package]);
    let tests = || {
        let mut command = shell.cargo(&["test", "--locked", "--lib", "--tests"]);
        command.args(packages.concat()).env("RUSTC_WORKSPACE_WRAPPER", &wrapper);
        command.env("LLVM_PROFILE_FILE", folder.join("%m_%p.profraw"));
        command
    };
    run(&mut tests())?;
    let profile = folder.join("tests.profdata");
    let mut merge = Command::new(Path::new(LLVM).join("llvm-profdata"));
    let raw = fs::read_dir(&folder)?.collect::<std::io::Result<Vec<_>>>()?;
    let raw = raw.iter().map(fs::DirEntry::path).filter(|path| path.extension().is_some_and(|end| end == "profraw"));
    run(merge.args(["merge", "--sparse", "-o"]).arg(&profile).args(raw))?;

    let mut export = Command::new(Path::new(LLVM).join("llvm-cov"));
    export.args(["export", "--format=lcov", "--instr-profile"]).arg(&profile);
    for executable in executables(&mut tests())? {
        export.arg("--object").arg(executable);
    }
    let output = export.stderr(Stdio::inherit()).output().with_context(|| describe(&export))?;
    ensure!(output.status.success(), "llvm-cov failed");
    read_lcov(&shell.root, &String::from_utf8(output.stdout)?)
}

/// The files of the tests that a command runs.
fn executables(tests: &mut Command) -> Result<Vec<String>> {
    let output = tests.args(["--no-run", "--message-format=json"]).stderr(Stdio::inherit()).output()?;
    ensure!(output.status.success(), "the tests could not be built");
    let messages = String::from_utf8(output.stdout)?;
    let messages = messages.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    Ok(messages.filter_map(|message| message["executable"].as_str().map(str::to_owned)).collect())
}
