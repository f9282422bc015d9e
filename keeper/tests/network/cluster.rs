//! A network with an exchange on it, and ways to it that can be cut.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use perpetua_keeper::{
    config::Config,
    job::Kind,
    keeper::Keeper,
    metrics::{Metrics, Outcome},
};
use perpetua_tests::{
    Trader, World,
    price::FEEDS,
    rpc::Server,
    token::ONE,
    world::{call, put},
};
use solana_keypair::Keypair;
use solana_signer::Signer;
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    sync::watch,
};

/// Seconds of the chain in a step.
pub const STEP: i64 = 300;

/// The network and what is on it.
pub struct Cluster {
    /// The network.
    pub server: Server,
    /// What is on it, as it was when it was looked at last.
    pub world: World,
}

impl Cluster {
    /// An exchange whose traders hold little more margin than they must.
    pub fn new(traders: usize) -> (Self, Vec<Trader>) {
        let mut world = World::new();
        let stretched = (0..traders).map(|number| {
            let trader = world.trader(&format!("trader {number}"), 200 * ONE);
            let tick = i16::try_from(number).unwrap();
            world.open(&trader, call(tick), 200_000).unwrap();
            world.open(&trader, put(4 - tick), 200_000).unwrap();
            world.withdraw_most(&trader);
            trader
        });
        let stretched = stretched.collect();
        let server = Server::start(world.chain.clone());
        (Self { server, world }, stretched)
    }

    /// Does something on the network that needs no signature.
    pub fn on_chain<T>(&mut self, act: impl FnOnce(&mut World) -> T) -> T {
        let Self { server, world } = self;
        server.unsigned(|chain| {
            world.chain = chain.clone();
            let result = act(world);
            *chain = world.chain.clone();
            result
        })
    }

    /// Lets time pass and publishes prices.
    pub fn pass(&mut self, seconds: i64) {
        self.on_chain(|world| {
            world.chain.wait(seconds);
            let price = world.price(0);
            world.post(0, &price);
        });
    }

    /// A key with SOL.
    pub fn key(&mut self) -> Keypair {
        let keypair = Keypair::new();
        self.on_chain(|world| world.chain.fund(&keypair.pubkey()));
        keypair
    }

    /// The keeper's file for these addresses.
    pub fn file(&self, urls: &[String]) -> String {
        let feeds: Vec<String> = FEEDS
            .iter()
            .zip(self.world.prices)
            .map(|(feed, price)| {
                let digits: String = feed.iter().map(|byte| format!("{byte:02x}")).collect();
                format!("{digits} = \"{price}\"")
            })
            .collect();
        format!(
            "keypair = \"keeper.json\"\n[rpc]\nurls = {urls:?}\ntimeout = \"1s\"\nprobe = \"1h\"\n\
             [schedule]\npoll = \"100ms\"\naccounts = \"0s\"\n[prices.accounts]\n{}\n",
            feeds.join("\n")
        )
    }

    /// A keeper with these ways to the network.
    pub fn keeper(&mut self, key: &Keypair, urls: &[String]) -> (Keeper, Arc<Metrics>) {
        let config = Config::parse(&self.file(urls)).unwrap();
        let metrics = Arc::new(Metrics::new().unwrap());
        (Keeper::new(config, key.insecure_clone(), Arc::clone(&metrics)).unwrap(), metrics)
    }

    /// A keeper with a way to the network that has opened its account.
    pub async fn ready(&mut self, key: &Keypair) -> (Keeper, Arc<Metrics>) {
        let urls = [self.server.url.clone()];
        let (mut keeper, metrics) = self.keeper(key, &urls);
        round(&mut keeper).await;
        (keeper, metrics)
    }

    /// Whether any of the traders is below its maintenance margin once all markets were cranked.
    pub fn below(&mut self, traders: &[Trader]) -> usize {
        self.on_chain(|world| {
            let mut world = world.clone();
            world.crank_first().unwrap();
            let market = world.market(0);
            let mut markets: perpetua_client::model::MarketRefs<'_> = [None; 4];
            markets[0] = Some(&market);
            let health = |trader| perpetua_client::model::health(&world.margin(trader), &markets, world.chain.now());
            traders.iter().filter(|trader| health(trader).unwrap().is_liquidatable()).count()
        })
    }

    /// Lets time pass, with somebody else's cranks, until a trader is below its maintenance margin.
    pub fn until_below(&mut self, traders: &[Trader]) {
        for _ in 0..2_000 {
            if self.below(traders) > 0 {
                return;
            }
            self.on_chain(|world| world.run(12 * STEP, STEP));
        }
        panic!("funding never brought anybody below");
    }
}

/// A round whose jobs are waited for.
pub async fn round(keeper: &mut Keeper) -> Vec<Outcome> {
    keeper.once().await.unwrap()
}

/// How many jobs of a kind ended in each way.
pub fn ended(metrics: &Metrics, kind: Kind) -> Vec<(Outcome, u64)> {
    let counts = Outcome::ALL.map(|outcome| (outcome, metrics.jobs(kind, outcome)));
    counts.into_iter().filter(|(_, count)| *count > 0).collect()
}

/// A way to the network that can be cut.
pub struct Relay {
    /// Where it begins.
    pub url: String,
    open: watch::Sender<bool>,
}

impl Relay {
    /// A way to a server.
    pub async fn to(url: &str) -> Self {
        let target: SocketAddr = url.trim_start_matches("http://").parse().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (open, opened) = watch::channel(true);
        tokio::spawn(async move {
            while let Ok((mut incoming, _)) = listener.accept().await {
                let mut opened = opened.clone();
                tokio::spawn(async move {
                    if !*opened.borrow_and_update() {
                        return;
                    }
                    let mut outgoing = TcpStream::connect(target).await.unwrap();
                    tokio::select! {
                        _ = copy_bidirectional(&mut incoming, &mut outgoing) => (),
                        _ = opened.changed() => (),
                    }
                });
            }
        });
        Self { url, open }
    }

    /// Cuts it, or mends it.
    pub async fn set(&self, open: bool) {
        self.open.send_replace(open);
        // Connections that exist end on other threads.
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
