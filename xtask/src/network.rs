//! Proves on a local network, over RPC, that keepers do what they should for months, and that the network itself ends
//! when it is told to.

use std::{
    io::{BufRead, BufReader},
    net::TcpStream,
    os::unix::process::CommandExt,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::{build, shell::Shell};

/// How long the network may take to end after Ctrl-C.
const PATIENCE: Duration = Duration::from_secs(10);

pub fn run(shell: &Shell, arguments: &[String]) -> Result<()> {
    let program = build::program(shell)?;
    let surfnet = build::surfnet(shell)?;
    let selection = ["--package", "perpetua-localnet", "--package", "perpetua-keeper", "--package", "perpetua-soak"];
    let built = |name| build::executable(shell, name, &selection);
    let (localnet, keeper, soak) = (built("perpetua-localnet")?, built("perpetua-keeper")?, built("perpetua-soak")?);
    let folder = shell.target().join("network");
    let files = |command: &mut Command| {
        command.arg("--wallets").arg(folder.join("wallets"));
        command.arg("--program").arg(&program).arg("--surfnet").arg(&surfnet);
        command.arg("--config").arg(shell.root.join("migrations/localnet.toml"));
        command.current_dir(&shell.root).stdin(Stdio::null());
    };

    eprintln!("Ctrl-C ends the local network");
    let mut command = Command::new(localnet);
    files(&mut command);
    ends_on_interrupt(&mut command)?;

    eprintln!("months of keeping");
    let mut command = Command::new(soak);
    files(&mut command);
    command.arg("--keeper").arg(keeper).arg("--folder").arg(folder.join("soak")).args(arguments);
    ensure!(command.status()?.success(), "the soak failed; the logs of its keepers are in {}", folder.display());
    Ok(())
}

/// Starts the network in a group of its own, as a terminal does, interrupts the group, and looks whether it ended well
/// and nothing of it answers any more.
fn ends_on_interrupt(command: &mut Command) -> Result<()> {
    command.args(["--rpc-port", "0", "--ws-port", "0", "--json"]).stdout(Stdio::piped()).process_group(0);
    let mut child = command.spawn().context("the local network")?;
    let outcome = interrupted(&mut child);
    // Only where the proof failed is anything left to end.
    drop(child.kill());
    outcome
}

fn interrupted(child: &mut Child) -> Result<()> {
    let output = child.stdout.take().context("the network's output")?;
    let greeting = BufReader::new(output).lines().next().context("the network did not start")??;
    let greeting: Value = serde_json::from_str(&greeting)?;
    let rpc = greeting["rpc"].as_str().and_then(|url| url.strip_prefix("http://")).context("an address")?.to_owned();
    ensure!(TcpStream::connect(&rpc).is_ok(), "nothing answers at {rpc}");
    let group = format!("-{}", child.id());
    let (sent, began) = (Command::new("kill").args(["-INT", "--", &group]).status()?, Instant::now());
    ensure!(sent.success(), "the network could not be interrupted");
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        ensure!(began.elapsed() < PATIENCE, "the network goes on {} seconds after Ctrl-C", PATIENCE.as_secs());
        thread::sleep(Duration::from_millis(50));
    };
    ensure!(status.success(), "the network ended with {status}");
    ensure!(TcpStream::connect(&rpc).is_err(), "a process of the network is left at {rpc}");
    eprintln!("it ended {} ms after Ctrl-C", began.elapsed().as_millis());
    Ok(())
}
