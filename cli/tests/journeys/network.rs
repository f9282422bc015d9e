//! A real network on this machine, whose time is stepped.

use std::{env, path::PathBuf, sync::Arc, time::Duration};

use anchor_lang::prelude::Pubkey;
use perpetua_client::{
    address,
    price::{PriceAccount, PriceAccounts, pushed},
    rpc::{AsyncClient, SendOptions},
};
use perpetua_localnet::{Files, Localnet, Options, Pace};
use perpetua_tests::{price::FEEDS, stock::IN_SESSION, token::ONE};
use solana_commitment_config::CommitmentConfig;
use solana_keypair::Keypair;
use solana_signer::Signer;
use tempfile::TempDir;
use tokio::{runtime::Runtime, task::JoinHandle};

use crate::net::{LOCALNET, MINTS, Net, Network};

/// Time on the wall that a block takes.
const BLOCK: Duration = Duration::from_millis(100);
/// Time of the chain that a block takes, milliseconds: with less the network would fill a slot twice.
const BLOCK_MILLISECONDS: i64 = 400;
/// Between two looks whether a crank was carried out.
const LOOK: Duration = Duration::from_millis(20);
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
                making.player().await.pass(BLOCK_MILLISECONDS).await.unwrap();
            }
        });
        let local = Self { runtime, localnet, blocks, _wallets: wallets };
        local.pass(1);
        Net::on(local)
    }
}

impl Local {
    /// Cranks a market on each index, as a keeper does at each mark.
    async fn sample(&self, mark: i64) {
        let client = AsyncClient::with_commitment(self.url(), CommitmentConfig::processed());
        let vault = address::vault(&MINTS[0].parse().unwrap());
        let book = client.book(&vault, &PriceAccounts::default()).await.unwrap();
        let (admin, cranks) = (self.admin(), book.cranks(&[0, 1]).unwrap());
        let prepared = client.prepare(&cranks, &admin.pubkey(), &SendOptions::default()).await.unwrap();
        let signed = prepared.sign(&[admin]).unwrap();
        client.submit(&signed, true).await.unwrap();
        for market in &book.markets[..2] {
            let mut accrued = 0;
            while accrued < mark {
                tokio::time::sleep(LOOK).await;
                accrued = client.market(&market.keys.market).await.unwrap().account.state.accrued_publish_time;
            }
        }
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

    /// To a moment at which volatility is sampled, and samples it.
    fn pass(&self, seconds: i64) {
        self.runtime.block_on(async {
            // No block is made meanwhile: the next price would be no sample.
            let mut player = self.localnet.player().await;
            let now = player.now();
            let mark = (now + seconds + MARK - 1).div_euclid(MARK) * MARK;
            player.pass((mark - now) * 1_000).await.unwrap();
            self.sample(mark).await;
        });
    }

    fn move_bitcoin(&self, percent: i64) {
        let said = PriceAccount::decode(&self.data(&pushed(&FEEDS[0], 0))).unwrap();
        // 10^-8 US dollars to whole ones.
        let moved = said.price * (100 + percent) / 100 / 100_000_000;
        self.runtime.block_on(self.localnet.set_price("BTC/USD", Some(&moved.to_string()))).unwrap();
    }

    fn data(&self, address: &Pubkey) -> Vec<u8> {
        let client = AsyncClient::new(self.localnet.rpc());
        let mut found = self.runtime.block_on(client.multiple(&[*address])).unwrap();
        found.accounts.remove(address).unwrap().data
    }

    fn overwrite(&self, address: &Pubkey, data: Vec<u8>) {
        let control = self.localnet.control();
        self.runtime.block_on(control.set_account(address, &address::PROGRAM, LAMPORTS, &data)).unwrap();
    }
}
