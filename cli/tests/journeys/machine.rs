//! The compiled program in a virtual machine behind JSON-RPC on this machine.

use std::sync::{
    MutexGuard,
    atomic::{AtomicI64, Ordering},
};

use anchor_lang::prelude::Pubkey;
use perpetua_client::price::{PriceAccount, pushed};
use perpetua_tests::{
    Chain,
    price::{self, FEEDS, SHARE_FEED, TOKEN_FEED, usd},
    rpc::Server,
    stock::IN_SESSION,
    token,
};
use solana_keypair::Keypair;
use solana_signer::Signer;

use crate::net::{LOCALNET, MINTS, Net, Network};

/// Bitcoin's price when it begins, US dollars.
const BITCOIN: i64 = 100_000;

/// A virtual machine.
pub struct Machine {
    server: Server,
    admin: Keypair,
    bitcoin: AtomicI64,
}

impl Machine {
    /// The program, both mints, and an administrator with SOL. Nothing is set up.
    pub fn empty() -> Net<Self> {
        let admin = Keypair::new();
        let mut chain = Chain::new(&admin.pubkey());
        chain.fund(&admin.pubkey());
        let mints = MINTS.map(|mint| mint.parse().unwrap());
        for mint in &mints {
            token::create_xstock(&mut chain, mint);
        }
        chain.edit(&mints[1], |data| {
            let at = data.windows(5).position(|bytes| bytes == b"TSLAx").unwrap();
            data[at..at + 5].copy_from_slice(b"NVDAx");
        });
        let wait = IN_SESSION - chain.now();
        let machine = Self { server: Server::start(chain), admin, bitcoin: BITCOIN.into() };
        machine.pass(wait);
        Net::on(machine)
    }

    /// The same set up as declared.
    pub fn set_up() -> Net<Self> {
        let net = Self::empty();
        net.ok("admin", &["admin", "apply", LOCALNET]);
        net
    }

    /// The chain, while nobody else uses it.
    pub fn chain(&self) -> MutexGuard<'_, Chain> {
        self.server.chain()
    }
}

impl Network for Machine {
    fn url(&self) -> &str {
        &self.server.url
    }

    fn admin(&self) -> &Keypair {
        &self.admin
    }

    fn fund(&self, address: &Pubkey, tokens: u64) {
        self.server.unsigned(|chain| {
            chain.fund(address);
            let mint = MINTS[0].parse().unwrap();
            token::issue(chain, address, &mint, &token::TOKEN_2022, tokens * token::ONE);
        });
    }

    fn pass(&self, seconds: i64) {
        let bitcoin = self.bitcoin.load(Ordering::Relaxed);
        let feeds = [(FEEDS[0], bitcoin), (FEEDS[1], 4_000), (SHARE_FEED, 400), (TOKEN_FEED, 400), (FEEDS[3], 150)];
        self.server.unsigned(|chain| {
            chain.wait(seconds);
            for (feed, dollars) in feeds {
                let address = pushed(&feed, 0);
                let before = PriceAccount::decode(&chain.account(&address).data).map_or(0, |last| last.publish_time);
                let fresh = price::fresh(chain, feed, usd(dollars));
                let previous_publish_time = before.max(chain.now() - 60).min(chain.now() - 1);
                price::post(chain, &address, &PriceAccount { previous_publish_time, ..fresh });
            }
        });
    }

    fn move_bitcoin(&self, percent: i64) {
        let moved = self.bitcoin.load(Ordering::Relaxed) * (100 + percent) / 100;
        self.bitcoin.store(moved, Ordering::Relaxed);
        self.pass(1);
    }

    fn data(&self, address: &Pubkey) -> Vec<u8> {
        self.chain().account(address).data
    }

    fn overwrite(&self, address: &Pubkey, data: Vec<u8>) {
        self.chain().edit(address, |held| *held = data);
    }
}
