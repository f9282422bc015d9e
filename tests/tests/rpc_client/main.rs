//! The Rust client over JSON-RPC: what it reads, sends, quotes and remembers of the compiled program.

mod history;
mod reads;
mod sends;
mod trades;

use perpetua_client::{
    address,
    instruction::{self, VaultKeys},
    price::PriceAccounts,
    rpc::{Client, Keyed, SendOptions},
    token::associated,
};
use perpetua_tests::{
    World,
    price::{self, FEEDS, SHARE_FEED},
    rpc::Server,
    token::{self, ONE},
};
use solana_keypair::Keypair;
use solana_pubkey::Pubkey;
use solana_signer::Signer;

/// Collateral of the trader.
const COLLATERAL: u64 = 1_000 * ONE;

/// An exchange with a quanto and a dollar market behind JSON-RPC, and a trader who signs.
struct Network {
    world: World,
    server: Server,
    client: Client,
    trader: Keypair,
}

impl Network {
    /// A trader with tokens in his wallet and no margin account.
    fn new() -> Self {
        let mut world = World::with_dollar_market(1);
        let trader = Keypair::new();
        let VaultKeys { stock_mint, token_program, .. } = world.vault;
        world.chain.fund(&trader.pubkey());
        token::issue(&mut world.chain, &trader.pubkey(), &stock_mint, &token_program, 2 * COLLATERAL);
        let server = Server::start(world.chain.clone());
        let client = Client::new(&server.url).unwrap();
        let network = Self { world, server, client, trader };
        network.post();
        network
    }

    /// The same with collateral in a margin account.
    fn with_account() -> Self {
        let network = Self::new();
        let (owner, vault, account) = (network.owner(), &network.world.vault, network.account());
        let open = instruction::open_account(&owner, &owner, vault, 0);
        let deposit = instruction::deposit(&owner, vault, &account, &network.wallet(), COLLATERAL);
        network.client.send(&[open, deposit], &owner, &[&network.trader], &SendOptions::default()).unwrap();
        network
    }

    fn owner(&self) -> Pubkey {
        self.trader.pubkey()
    }

    /// The trader's stock tokens.
    fn wallet(&self) -> Pubkey {
        associated(&self.owner(), &self.world.vault.stock_mint, &self.world.vault.token_program)
    }

    /// Where the trader's margin account is.
    fn account(&self) -> Pubkey {
        self.world.vault.margin_account(&self.owner(), 0)
    }

    fn margin_account(&self) -> Keyed<perpetua_client::perpetua::state::MarginAccount> {
        self.client.margin_account(&self.account()).unwrap()
    }

    /// Posts prices of the first index and of the share, published now.
    fn post(&self) {
        let mut chain = self.server.chain();
        let index = price::fresh(&chain, FEEDS[0], price::usd(self.world.spot[0]));
        price::post(&mut chain, &self.world.prices[0], &index);
        let share = price::fresh(&chain, SHARE_FEED, self.world.share.unwrap());
        price::post(&mut chain, &self.world.stock_prices[0], &share);
    }

    /// Where the tests' prices are.
    fn prices(&self) -> PriceAccounts {
        let World { prices, stock_prices, .. } = &self.world;
        PriceAccounts::default().with(FEEDS[0], prices[0]).with(SHARE_FEED, stock_prices[0])
    }

    fn vault(&self) -> Pubkey {
        address::vault(&self.world.vault.stock_mint)
    }
}
