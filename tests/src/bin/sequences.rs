//! Long runs of random sequences, to the model alone and to the compiled program beside it.

use std::{
    fs,
    path::PathBuf,
    process::ExitCode,
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::Instant,
};

use anyhow::{Context, Result};
use clap::Parser;
use perpetua_tests::sequences::{Elf, Explored, explore, play, report::Counts, shrink};
use serde_json::{Value, json};

/// Steps between two lines of progress.
const PROGRESS: u64 = 500_000;

#[derive(Parser)]
#[command(name = "cargo xtask fuzz", about = "Plays random sequences to the model and to the compiled program")]
struct Arguments {
    /// Steps of the model alone
    #[arg(long, default_value_t = 1_000_000)]
    model_steps: u64,
    /// Steps of the program and the model side by side
    #[arg(long, default_value_t = 20_000)]
    elf_steps: u64,
    /// The first seed; each sequence takes the next one
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Steps of a sequence
    #[arg(long, default_value_t = 1_000)]
    length: u64,
    /// Sequences played at once
    #[arg(long, default_value_t = 2)]
    threads: u64,
    /// Writes the numbers to this file
    #[arg(long)]
    write: Option<PathBuf>,
    /// Writes sequences that fail, cut short, into this folder
    #[arg(long, default_value = "tests/data/sequences")]
    failures: PathBuf,
    /// Prints the numbers as JSON
    #[arg(long)]
    json: bool,
}

fn main() -> Result<ExitCode> {
    let arguments = Arguments::parse();
    let model = run(&arguments, "model", arguments.model_steps, None)?;
    let genesis = (arguments.elf_steps > 0).then(Elf::new);
    let elf = run(&arguments, "program", arguments.elf_steps, genesis.as_ref())?;
    let failures = model.failures + elf.failures;
    let report = json!({ "seed": arguments.seed, "model": model.written(), "program": elf.written() });
    let text = format!("{}\n", serde_json::to_string_pretty(&report)?);
    if let Some(path) = &arguments.write {
        fs::write(path, &text).with_context(|| path.display().to_string())?;
    }
    if arguments.json {
        print!("{text}");
    } else {
        model.print("the model");
        elf.print("the program");
    }
    Ok(if failures == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// What many sequences came to.
#[derive(Default)]
struct Total {
    sequences: u64,
    steps: u64,
    failures: u64,
    counts: Counts,
}

fn run(arguments: &Arguments, name: &str, steps: u64, genesis: Option<&Elf>) -> Result<Total> {
    let (next, total) = (AtomicU64::new(0), Mutex::new(Total::default()));
    let (sequences, start) = (steps.div_ceil(arguments.length), Instant::now());
    let length = usize::try_from(arguments.length)?;
    let work = || -> Result<()> {
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= sequences {
                return Ok(());
            }
            let explored = explore(arguments.seed + number, length, genesis.cloned());
            if explored.failure.is_some() {
                keep(arguments, name, arguments.seed + number, &explored, genesis)?;
            }
            let mut total = total.lock().expect("no other thread panicked");
            let before = total.steps / PROGRESS;
            total.sequences += 1;
            total.steps += explored.actions.len() as u64;
            total.failures += u64::from(explored.failure.is_some());
            total.counts.add(&explored.counts);
            if total.steps / PROGRESS > before {
                let seconds = start.elapsed().as_secs();
                eprintln!("{name}: {} steps, {} failures, {seconds} s", total.steps, total.failures);
            }
        }
    };
    thread::scope(|scope| {
        let threads: Vec<_> = (0..arguments.threads).map(|_| scope.spawn(work)).collect();
        threads.into_iter().try_for_each(|thread| thread.join().expect("a sequence's panic is caught"))
    })?;
    Ok(total.into_inner().expect("no thread panicked"))
}

/// Cuts a sequence that fails short and keeps it to be played again.
fn keep(arguments: &Arguments, name: &str, seed: u64, explored: &Explored, genesis: Option<&Elf>) -> Result<()> {
    let Some(failure) = &explored.failure else { return Ok(()) };
    eprintln!("{name}, seed {seed}, step {}: {}", failure.step, failure.what);
    let kind = failure.kind();
    let alike = |actions: &[_]| play(actions, genesis.cloned()).is_err_and(|found| found.kind() == kind);
    let actions = shrink(&explored.actions, alike);
    let path = arguments.failures.join(format!("{name}-{seed}.json"));
    let kept = json!({ "failed": failure.what, "actions": actions });
    fs::create_dir_all(&arguments.failures)?;
    fs::write(&path, format!("{}\n", serde_json::to_string_pretty(&kept)?))?;
    eprintln!("{}: {} of {} steps fail alike", path.display(), actions.len(), explored.actions.len());
    Ok(())
}

impl Total {
    fn written(&self) -> Value {
        let Self { sequences, steps, failures, .. } = self;
        let counts = self.counts.by_name();
        json!({ "sequences": sequences, "steps": steps, "failures": failures, "actions": counts })
    }

    fn print(&self, name: &str) {
        println!("{name}: {} steps in {} sequences, {} failures", self.steps, self.sequences, self.failures);
        for (action, counts) in self.counts.by_name() {
            println!("  {action:26} {:>10} accepted {:>10} refused", counts.accepted, counts.refused);
        }
    }
}
