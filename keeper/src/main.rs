//! `perpetua-keeper`: see docs/operating.md.

use std::{path::PathBuf, process::ExitCode, sync::Arc};

use anyhow::{Context, Result, anyhow};
use clap::{Parser, ValueEnum};
use perpetua_keeper::{
    config::Config,
    keeper::Keeper,
    metrics::{Metrics, Outcome},
    server,
};
use solana_keypair::{Keypair, read_keypair_file};
use tokio::{
    signal::unix::{SignalKind, signal},
    sync::watch,
};
use tracing::info;
use tracing_subscriber::EnvFilter;

/// Cranks, liquidates and settles, unattended.
///
/// It needs no state of its own: it may be killed at any moment, and several may run at once.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// The file that says everything; keeper/keeper.toml explains each line.
    #[arg(long, default_value = "keeper.toml")]
    config: PathBuf,
    /// Says what is due and sends nothing.
    #[arg(long)]
    dry_run: bool,
    /// Does one round, waits for what became of it, and ends.
    #[arg(long)]
    once: bool,
    /// How to log; RUST_LOG chooses what.
    #[arg(long, value_enum, default_value = "json")]
    log: Format,
}

#[derive(Clone, Copy, ValueEnum)]
enum Format {
    /// One object a line, for programs.
    Json,
    /// For people.
    Text,
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(Arguments::parse()).await {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> Result<ExitCode> {
    start_log(arguments.log);
    let config = Config::read(&arguments.config)?;
    let keypair = read_key(&config)?;
    let metrics = Arc::new(Metrics::new()?);
    if let Some(listen) = &config.metrics {
        let address = server::serve(listen, Arc::clone(&metrics)).await?;
        info!(%address, "serving /metrics and /health");
    }
    let mut keeper = Keeper::new(config, keypair, metrics)?;
    match (arguments.dry_run, arguments.once) {
        (true, _) => tell_what_is_due(&mut keeper).await,
        (false, true) => Ok(exit_code(&keeper.once().await?)),
        (false, false) => {
            keeper.run(until_told_to_stop()?).await;
            Ok(ExitCode::SUCCESS)
        }
    }
}

async fn tell_what_is_due(keeper: &mut Keeper) -> Result<ExitCode> {
    let seen = keeper.round(true).await.context("the chain cannot be read")?;
    for job in &seen.jobs {
        let (kind, reason, instructions) = (job.key.kind, job.reason.name(), job.instructions.len());
        println!("{kind}\t{}\t{reason}\tsince {}\t{instructions} instructions", job.key.target, job.since);
    }
    println!("{} jobs are due; nothing was sent", seen.jobs.len());
    Ok(ExitCode::SUCCESS)
}

fn exit_code(outcomes: &[Outcome]) -> ExitCode {
    let well = |outcome: &Outcome| matches!(outcome, Outcome::Done | Outcome::AlreadyDone);
    if outcomes.iter().all(well) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn start_log(format: Format) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    match format {
        Format::Json => log.json().flatten_event(true).init(),
        Format::Text => log.init(),
    }
}

fn read_key(config: &Config) -> Result<Keypair> {
    let path = config.keypair.display();
    read_keypair_file(&config.keypair).map_err(|error| {
        anyhow!("cannot read a key from {path}: {error}; name a key file of solana-keygen with keypair = \"...\"")
    })
}

/// What a shell calls a process that Ctrl-C ended.
const INTERRUPTED: i32 = 130;

/// Ctrl-C or the end of a service. A second one ends the process at once.
fn until_told_to_stop() -> Result<watch::Receiver<bool>> {
    let (stop, stopped) = watch::channel(false);
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    tokio::spawn(async move {
        for times in 0..2 {
            tokio::select! { _ = interrupt.recv() => (), _ = terminate.recv() => () }
            if times == 1 {
                std::process::exit(INTERRUPTED);
            }
            stop.send_replace(true);
        }
    });
    Ok(stopped)
}
