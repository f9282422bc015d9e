//! A Solana network on this machine, with JSON-RPC and websockets, for `localnet/`.
//!
//! Blocks are made when a client asks for one with `surfnet_timeTravel`, so that whoever plays prices also decides what
//! time it is. The network ends on Ctrl-C, on SIGTERM and when its standard input closes, as it does when the program
//! that started it ends in whatever way.

use std::{
    net::{Ipv4Addr, TcpListener},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, anyhow, bail, ensure};
use clap::Parser;
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded, unbounded};
use serde_json::json;
use solana_clock::Clock;
use surfpool_core::{
    runloops::start_local_surfnet_runloop,
    surfnet::{
        locker::SurfnetSvmLocker,
        svm::{SurfnetSvm, SurfnetSvmConfig},
    },
};
use surfpool_types::{BlockProductionMode, RpcConfig, SimnetCommand, SimnetConfig, SimnetEvent, SurfpoolConfig};
use tokio::{io::AsyncReadExt, signal::unix};

const HOST: Ipv4Addr = Ipv4Addr::LOCALHOST;
/// How long the servers may take to close.
const PATIENCE: Duration = Duration::from_secs(5);
/// Servers that say when they closed: JSON-RPC and websockets.
const SERVERS: usize = 2;

/// Starts a Solana network on this machine and prints its addresses as one line of JSON.
#[derive(Parser)]
#[command(name = "perpetua-surfnet", version)]
struct Arguments {
    /// Port of JSON-RPC; 0 takes a free one
    #[arg(long, default_value_t = 0)]
    rpc_port: u16,
    /// Port of the websockets; 0 takes a free one
    #[arg(long, default_value_t = 0)]
    ws_port: u16,
    /// Milliseconds of the chain's time that one block takes
    #[arg(long, default_value_t = 400)]
    block_ms: u64,
    /// What time it is when the network starts, Unix seconds [default: now]
    #[arg(long)]
    time: Option<i64>,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let runtime = tokio::runtime::Runtime::new()?;
    let mut network = Network::start(&arguments)?;
    println!("{}", json!({ "rpc": network.rpc, "websocket": network.websocket }));
    runtime.block_on(network.until_told_to_stop())?;
    // Reading from standard input cannot be called off.
    runtime.shutdown_background();
    network.stop()
}

/// A running network.
struct Network {
    rpc: String,
    websocket: String,
    commands: Sender<SimnetCommand>,
    events: Receiver<SimnetEvent>,
}

impl Network {
    fn start(arguments: &Arguments) -> Result<Self> {
        ensure!(arguments.block_ms > 0, "a block takes time; give --block-ms 1 or more");
        let (rpc_port, ws_port) = (port(arguments.rpc_port)?, port(arguments.ws_port)?);
        let simnet = SimnetConfig {
            offline_mode: true,
            remote_rpc_url: None,
            slot_time: arguments.block_ms,
            block_production_mode: BlockProductionMode::Manual,
            // It would record every account before and after every instruction.
            instruction_profiling_enabled: false,
            ..Default::default()
        };
        let svm = SurfnetSvmConfig {
            surfnet_id: simnet.surfnet_id.clone(),
            slot_time: simnet.slot_time,
            instruction_profiling_enabled: false,
            max_profiles: simnet.max_profiles,
            log_bytes_limit: simnet.log_bytes_limit,
            ..Default::default()
        };
        let (svm, events, geyser_events) = SurfnetSvm::new(svm).map_err(|error| anyhow!("no network: {error}"))?;
        let config = SurfpoolConfig {
            simnets: vec![simnet],
            rpc: RpcConfig { bind_host: HOST.to_string(), bind_port: rpc_port, ws_port, ..Default::default() },
            ..Default::default()
        };
        let (commands, received) = unbounded();
        let sender = commands.clone();
        thread::Builder::new().name("surfnet".into()).spawn(move || {
            let runtime = tokio::runtime::Runtime::new().expect("an asynchronous runtime");
            let run = start_local_surfnet_runloop(SurfnetSvmLocker::new(svm), config, sender, received, geyser_events);
            if let Err(error) = runtime.block_on(run) {
                eprintln!("error: the network ended: {error}");
                std::process::exit(1);
            }
        })?;
        wait_until_ready(&events)?;
        let network = Self {
            rpc: format!("http://{HOST}:{rpc_port}"),
            websocket: format!("ws://{HOST}:{ws_port}"),
            commands,
            events,
        };
        if let Some(time) = arguments.time {
            network.set_time(time)?;
        }
        Ok(network)
    }

    /// Sets the clock to any time, also an earlier one, which the network's own time travel refuses.
    fn set_time(&self, unix_timestamp: i64) -> Result<()> {
        let clock = Clock { unix_timestamp, epoch_start_timestamp: unix_timestamp, slot: 1, ..Clock::default() };
        let (confirm, confirmed) = bounded(1);
        self.command(SimnetCommand::UpdateInternalClockWithConfirmation(None, clock, confirm))?;
        confirmed.recv_timeout(PATIENCE).context("the clock was not set in time")?;
        Ok(())
    }

    fn command(&self, command: SimnetCommand) -> Result<()> {
        self.commands.send(command).map_err(|_| anyhow!("the network has ended"))
    }

    async fn until_told_to_stop(&self) -> Result<()> {
        let mut terminate = unix::signal(unix::SignalKind::terminate())?;
        let mut interrupt = unix::signal(unix::SignalKind::interrupt())?;
        let mut input = tokio::io::stdin();
        let mut ignored = [0; 64];
        let mut sweep = tokio::time::interval(Duration::from_millis(100));
        loop {
            tokio::select! {
                _ = terminate.recv() => return Ok(()),
                _ = interrupt.recv() => return Ok(()),
                read = input.read(&mut ignored) => if read? == 0 { return Ok(()) },
                // Nobody else reads what the network tells; it would fill the memory.
                _ = sweep.tick() => self.events.try_iter().for_each(drop),
            }
        }
    }

    fn stop(&mut self) -> Result<()> {
        self.command(SimnetCommand::Terminate(None))?;
        let deadline = Instant::now() + PATIENCE;
        let mut closed = 0;
        while closed < SERVERS {
            match self.events.recv_deadline(deadline) {
                Ok(SimnetEvent::Shutdown) => closed += 1,
                Ok(_) => {}
                Err(RecvTimeoutError::Disconnected) => return Ok(()),
                Err(RecvTimeoutError::Timeout) => bail!("{closed} of {SERVERS} servers closed in time"),
            }
        }
        Ok(())
    }
}

fn wait_until_ready(events: &Receiver<SimnetEvent>) -> Result<()> {
    loop {
        match events.recv().context("the network ended before it was ready")? {
            SimnetEvent::CoreStarted(_) => return Ok(()),
            SimnetEvent::Aborted(error) => bail!("the network does not start: {error}"),
            _ => {}
        }
    }
}

/// The port, or a free one for zero.
fn port(wanted: u16) -> Result<u16> {
    let listener = TcpListener::bind((HOST, wanted))
        .with_context(|| format!("port {wanted} is not free; choose another, or 0 for any"))?;
    Ok(listener.local_addr()?.port())
}
