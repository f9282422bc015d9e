//! A real network on this machine, whose time is stepped.

use std::{env, path::PathBuf, sync::Arc, time::Duration};

use anchor_lang::prelude::Pubkey;
use perpetua_client::{
    address,
    price::{PriceAccount, pushed},
};
use perpetua_localnet::{Files, Localnet, Options, Pace};
use perpetua_tests::{price::FEEDS, stock::IN_SESSION, token::ONE};
use solana_keypair::Keypair;
use tempfile::TempDir;
use tokio::{runtime::Runtime, task::JoinHandle};

use crate::net::{LOCALNET, Net, Network};

/// Time on the wall between two blocks.
const BLOCK: Duration = Duration::from_millis(50);
/// Between two samples of volatility, seconds.
const MARK: i64 = 300;
/// Lamports of everybody, and of an account that is overwritten.
const LAMPORTS: u64 = 1_000_000_000_000;

/// A running network.
pub struct Local {
    runtime: Runtime,
    localnet: Arc<Localnet>,
    blocks: JoinHandle<()>,
    _wallets: TempDir,
}

impl Local {
    /// Starts the network that `PERPETUA_SURFNET` names, with everything set up.
    pub fn start() -> Net<Self> {
        let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..");
        let surfnet = env::var_os("PERPETUA_SURFNET").expect("PERPETUA_SURFNET names the network's executable");
        let wallets = tempfile::tempdir().unwrap();
        let files = Files {
            program: root.join("target/deploy/perpetua.so"),
            surfnet: surfnet.into(),
            config: LOCALNET.into(),
            wallets: wallets.path().to_owned(),
        };
        let options = Options { pace: Pace::Steps, time: Some(IN_SESSION), ..Options::default() };
        let runtime = Runtime::new().unwrap();
        let localnet = Arc::new(runtime.block_on(Localnet::start(&files, options)).unwrap());
        let making = Arc::clone(&localnet);
        let blocks = runtime.spawn(async move {
            loop {
                tokio::time::sleep(BLOCK).await;
                // A block needs some time to pass.
                making.player().await.pass(1).await.unwrap();
            }
        });
        let local = Self { runtime, localnet, blocks, _wallets: wallets };
        local.pass(1);
        Net::on(local)
    }
}

impl Drop for Local {
    fn drop(&mut self) {
        self.blocks.abort();
    }
}

impl Network for Local {
    fn url(&self) -> &str {
        self.localnet.rpc()
    }

    fn admin(&self) -> &Keypair {
        self.localnet.wallets().admin()
    }

    fn fund(&self, address: &Pubkey, tokens: u64) {
        self.runtime.block_on(self.localnet.fund(address, LAMPORTS, tokens * ONE)).unwrap();
    }

    /// To a moment at which volatility is sampled.
    fn pass(&self, seconds: i64) {
        self.runtime.block_on(async {
            let now = self.localnet.now().await;
            // Up to the next one.
            let to_mark = (now + seconds + MARK - 1).div_euclid(MARK) * MARK - now;
            self.localnet.advance(to_mark.try_into().unwrap()).await.unwrap();
        });
    }

    fn move_bitcoin(&self, percent: i64) {
        let said = PriceAccount::decode(&self.data(&pushed(&FEEDS[0], 0))).unwrap();
        // 10^-8 US dollars to whole ones.
        let moved = said.price * (100 + percent) / 100 / 100_000_000;
        self.runtime.block_on(self.localnet.set_price("BTC/USD", Some(&moved.to_string()))).unwrap();
    }

    fn data(&self, address: &Pubkey) -> Vec<u8> {
        let client = perpetua_client::rpc::AsyncClient::new(self.localnet.rpc());
        let mut found = self.runtime.block_on(client.multiple(&[*address])).unwrap();
        found.accounts.remove(address).unwrap().data
    }

    fn overwrite(&self, address: &Pubkey, data: Vec<u8>) {
        let control = self.localnet.control();
        self.runtime.block_on(control.set_account(address, &address::PROGRAM, LAMPORTS, &data)).unwrap();
    }
}
