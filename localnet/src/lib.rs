//! A Solana network on this machine with Perpetua set up on it and real prices playing: [`Localnet`].
//!
//! The program is the compiled one and RPC is the network's own. What only a local network can do is here too: let time
//! pass ([`Localnet::advance`]), say what a feed says ([`Localnet::set_price`]), give to a wallet ([`Localnet::fund`]).

pub mod mint;
pub mod network;
pub mod player;
pub mod prices;
pub mod set_up;
pub mod wallets;

use std::{path::PathBuf, sync::Arc};

use anyhow::{Context, Error, Result};
use solana_pubkey::Pubkey;
use tokio::{
    sync::{Mutex, MutexGuard},
    task::JoinHandle,
};

use crate::{
    network::{Control, Network},
    player::{Player, on_the_wall, play},
    wallets::Wallets,
};

/// What a network is made from.
#[derive(Clone, Debug, clap::Args)]
pub struct Files {
    /// The compiled program
    #[arg(long)]
    pub program: PathBuf,
    /// The network's executable, which tools/surfnet builds
    #[arg(long)]
    pub surfnet: PathBuf,
    /// What is to exist on the network, as migrations/localnet.toml says it
    #[arg(long)]
    pub config: PathBuf,
    /// Folder for the wallets' keys; those that are there are used again
    #[arg(long)]
    pub wallets: PathBuf,
}

/// How time passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// By itself, `speed` times as fast as on the wall.
    Wall {
        /// How many times as fast.
        speed: u32,
    },
    /// Only when it is told to. Nor is a block made without, so that what was sent waits for one.
    Steps,
}

/// How a network is started.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// How time passes once everything is set up.
    pub pace: Pace,
    /// How many weeks into the recorded prices to begin, 0 to 11.
    pub week: u32,
    /// What time it is at the start, Unix seconds; the wall's if not said.
    pub time: Option<i64>,
    /// Port of JSON-RPC; 0 takes a free one.
    pub rpc_port: u16,
    /// Port of the websockets; 0 takes a free one.
    pub ws_port: u16,
}

impl Default for Options {
    fn default() -> Self {
        Self { pace: Pace::Wall { speed: 1 }, week: 0, time: None, rpc_port: 0, ws_port: 0 }
    }
}

/// A running network with everything set up. It ends when it is dropped.
pub struct Localnet {
    network: Network,
    wallets: Wallets,
    player: Arc<Mutex<Player>>,
    playing: Option<Playing>,
}

/// Lets time pass until it is dropped.
struct Playing(JoinHandle<Result<()>>);

impl Drop for Playing {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Localnet {
    /// Starts a network and sets everything up, saying on standard error what it does.
    ///
    /// Errors: a file cannot be read, a port is taken, or the network refuses something.
    pub async fn start(files: &Files, options: Options) -> Result<Self> {
        let wallets = Wallets::load(&files.wallets)?;
        eprintln!("starting the network");
        let network = Network::start(&files.surfnet, options.rpc_port, options.ws_port, options.time).await?;
        let now = options.time.map_or_else(on_the_wall, |seconds| Ok(seconds * 1_000))?;
        let player = Arc::new(Mutex::new(Player::new(network.control(), now, options.week)?));
        let speed = if let Pace::Wall { speed } = options.pace { speed } else { 1 };
        let playing = Some(Playing(tokio::spawn(play(Arc::clone(&player), speed))));
        let mut started = Self { network, wallets, player, playing };
        set_up::set_up(&started.network, files, &started.wallets).await?;
        if options.pace == Pace::Steps {
            started.hold_time().await;
        }
        Ok(started)
    }

    /// Lets no time pass any more but by [`Self::advance`].
    async fn hold_time(&mut self) {
        // Not in the middle of a block.
        let _player = self.player.lock().await;
        self.playing = None;
    }

    /// Address of the JSON-RPC.
    pub fn rpc(&self) -> &str {
        &self.network.rpc
    }

    /// Address of the websockets.
    pub fn websocket(&self) -> &str {
        &self.network.websocket
    }

    /// The network's people.
    pub fn wallets(&self) -> &Wallets {
        &self.wallets
    }

    /// A connection that can tell the network what no transaction may.
    pub fn control(&self) -> Control {
        self.network.control()
    }

    /// Who lets time pass, for what [`Self::advance`] and [`Self::set_price`] do not do.
    pub async fn player(&self) -> MutexGuard<'_, Player> {
        self.player.lock().await
    }

    /// The chain's time, Unix seconds.
    pub async fn now(&self) -> i64 {
        self.player.lock().await.now()
    }

    /// Lets time pass at once, makes a block, and publishes what the feeds say then.
    ///
    /// Errors: the network does not answer.
    pub async fn advance(&self, seconds: u32) -> Result<()> {
        self.player.lock().await.pass(i64::from(seconds) * 1_000).await
    }

    /// Holds a feed ("BTC/USD", "ETH/USD", "TSLA/USD", "TSLAx/USD", "NVDA/USD") at a price in US dollars; without one it
    /// follows its records again. A feed of an exchange still says nothing while that is closed. A second passes.
    ///
    /// Errors: there is no such feed; the text is no price; the network does not answer.
    pub async fn set_price(&self, feed: &str, dollars: Option<&str>) -> Result<()> {
        self.player.lock().await.hold(feed, dollars).await
    }

    /// Sets what a wallet has to pay with, and issues `tokens` raw units of each stock token to it.
    ///
    /// Errors: the network refuses something, or makes no block, as with [`Pace::Steps`] while nobody lets time pass.
    pub async fn fund(&self, holder: &Pubkey, lamports: u64, tokens: u64) -> Result<()> {
        set_up::fund(&self.network, &self.wallets, holder, lamports, tokens).await
    }

    /// Waits until the network or the passing of time ends by itself, which they should not.
    pub async fn ended(&mut self) -> Error {
        let Some(playing) = &mut self.playing else { return self.network.ended().await };
        tokio::select! {
            ended = self.network.ended() => ended,
            played = &mut playing.0 => match played.context("the player of prices ended") {
                Ok(Err(error)) | Err(error) => error,
                Ok(Ok(())) => Error::msg("the player of prices ended by itself"),
            },
        }
    }

    /// Ends the network.
    ///
    /// Errors: it does not end in time or not well.
    pub async fn stop(mut self) -> Result<()> {
        self.hold_time().await;
        self.network.stop().await
    }
}
