//! A small exchange: indices, vaults with markets at the starting parameters, seeded pools, traders.

use perpetua::{Pool, Side, state};
use perpetua_client::{
    account::{Stored, read_copy},
    address,
    instruction::{self, MarketKeys, Series, VaultKeys},
    price::PriceAccount,
};
use solana_instruction::Instruction;
use solana_pubkey::Pubkey;

use crate::{
    Chain, Done, Failure, actor,
    parameters::{guards, market_parameters, vault_parameters},
    price::{self, FEEDS, usd},
    stock::SHARE,
    token::{self, ONE},
};

/// What the main pool of every vault starts with, raw units.
pub const MAIN_POOL: u64 = 20_000 * ONE;
/// What the insurance pool of every vault starts with, raw units.
pub const INSURANCE_POOL: u64 = 2_000 * ONE;
/// Prices of the four indices in whole US dollars.
pub const PRICES: [i64; 4] = [100_000, 4_000, 400, 200];
/// The annualised variance that indices are listed with: 60% of volatility, Q16.48.
pub const DECLARED_VARIANCE: u64 = (36 << 48) / 100;

/// What a test hands over: whether a transaction went through.
pub type Outcome = Result<Done, Failure>;

/// A trader with one margin account.
#[derive(Clone, Copy, Debug)]
pub struct Trader {
    /// The owner.
    pub owner: Pubkey,
    /// The vault.
    pub vault: VaultKeys,
    /// The margin account.
    pub account: Pubkey,
    /// The owner's stock tokens.
    pub tokens: Pubkey,
}

/// A liquidity provider of one vault.
#[derive(Clone, Copy, Debug)]
pub struct Provider {
    /// The owner.
    pub owner: Pubkey,
    /// The vault.
    pub vault: VaultKeys,
    /// The owner's stock tokens.
    pub tokens: Pubkey,
    /// The owner's shares of the main and the insurance pool.
    pub shares: [Pubkey; 2],
}

/// An exchange on a chain of its own.
#[derive(Clone)]
pub struct World {
    /// The chain.
    pub chain: Chain,
    /// Lists things; the program's upgrade authority.
    pub admin: Pubkey,
    /// May pause.
    pub guardian: Pubkey,
    /// Owns what fees are paid to.
    pub fee_recipient: Pubkey,
    /// A vault of a copy of the TSLAx mint.
    pub vault: VaultKeys,
    /// Its markets, in the order of their numbers.
    pub markets: Vec<MarketKeys>,
    /// Pyth price accounts by index.
    pub prices: [Pubkey; 4],
    /// Prices that [`World::crank`] posts, whole US dollars.
    pub spot: [i64; 4],
    /// Pyth price accounts of a share and of its token.
    pub stock_prices: [Pubkey; 2],
    /// The price of a share that its feed publishes, if it does, in 10^-8 US dollars.
    pub share: Option<i64>,
    /// The price of a token that its feed publishes, if it does, in 10^-8 US dollars.
    pub token: Option<i64>,
}

/// A call at `tick`.
pub fn call(tick: i16) -> Series {
    Series { side: Side::Call, tick }
}

/// A put at `tick`.
pub fn put(tick: i16) -> Series {
    Series { side: Side::Put, tick }
}

impl World {
    /// A chain with the program and nothing else set up.
    pub fn bare() -> Self {
        let admin = actor("admin");
        let mut chain = Chain::new(&admin);
        chain.fund(&admin);
        let mint = actor("TSLAx mint");
        token::create_xstock(&mut chain, &mint);
        Self {
            chain,
            admin,
            guardian: actor("guardian"),
            fee_recipient: actor("fee recipient"),
            vault: VaultKeys::new(mint, token::TOKEN_2022),
            markets: Vec::new(),
            prices: ["BTC price", "ETH price", "third price", "fourth price"].map(actor),
            spot: PRICES,
            stock_prices: ["share price", "token price"].map(actor),
            share: Some(usd(SHARE)),
            token: None,
        }
    }

    /// The exchange, four indices, and the TSLAx vault with seeded pools and a BTC market.
    pub fn new() -> Self {
        Self::with_markets(1)
    }

    /// The same with the first `count` indices' markets.
    pub fn with_markets(count: usize) -> Self {
        Self::with_variance(count, DECLARED_VARIANCE)
    }

    /// The same with indices that are listed with another variance, Q16.48.
    pub fn with_variance(count: usize, variance: u64) -> Self {
        let mut world = Self::listed(count, variance);
        world.seed_pools(world.vault, &world.markets.clone());
        world
    }

    /// The same with empty pools.
    pub(crate) fn listed(count: usize, variance: u64) -> Self {
        let mut world = Self::bare();
        world.initialize().expect("the upgrade authority can initialize");
        for feed in FEEDS {
            let create = instruction::create_index(&world.admin, feed, guards(), Some(variance));
            world.chain.send(&[create]).expect("the administrator can list an index");
        }
        world.create_vault(world.vault).expect("the mint passes the policy");
        for number in 0..count {
            let market = world.create_market(world.vault, number).expect("the administrator can list a market");
            world.markets.push(market);
        }
        world
    }

    /// Sets up the exchange.
    pub fn initialize(&mut self) -> Outcome {
        self.chain.send(&[instruction::initialize_exchange(&self.admin, &self.guardian, &self.fee_recipient)])
    }

    /// Lists an index with the declared variance that most tests use.
    pub fn create_index(&mut self, feed: [u8; 32]) -> Outcome {
        self.chain.send(&[instruction::create_index(&self.admin, feed, guards(), Some(DECLARED_VARIANCE))])
    }

    /// Lists a vault.
    pub fn create_vault(&mut self, vault: VaultKeys) -> Outcome {
        self.chain.send(&[instruction::create_vault(&self.admin, &vault, vault_parameters())])
    }

    /// Lists a vault's market on an index.
    pub fn create_market(&mut self, vault: VaultKeys, index: usize) -> Result<MarketKeys, Failure> {
        let keys = vault.market(address::index(&FEEDS[index]));
        // The index must know a price: its variance sets where the market's volatility starts.
        let parameters = market_parameters(PRICES[index]);
        self.chain.send(&[instruction::create_market(&self.admin, &vault, &keys, parameters)])?;
        Ok(keys)
    }

    /// Makes a market that was listed on a vault with LPs as old as it must be to open.
    pub fn let_open(&mut self, market: &MarketKeys) {
        let place =
            8 + std::mem::offset_of!(state::Market, state) + std::mem::offset_of!(perpetua_model::Market, opens_at);
        self.chain.edit(&market.market, |data| data[place..place + 8].fill(0));
    }

    /// A second vault, of a plain SPL token, with a market on each of the first two indices and seeded pools.
    pub fn add_spl_vault(&mut self) -> (VaultKeys, Vec<MarketKeys>) {
        let mint = actor("SPL mint");
        token::create_spl(&mut self.chain, &mint);
        let vault = VaultKeys::new(mint, token::SPL_TOKEN);
        self.create_vault(vault).expect("a plain SPL token passes the policy");
        let markets: Vec<_> = (0..2).map(|index| self.create_market(vault, index).expect("room for it")).collect();
        self.seed_pools(vault, &markets);
        (vault, markets)
    }

    pub(crate) fn seed_pools(&mut self, vault: VaultKeys, markets: &[MarketKeys]) {
        let provider = self.provider("first provider", vault, MAIN_POOL + INSURANCE_POOL);
        for (pool, amount) in [(Pool::Main, MAIN_POOL), (Pool::Insurance, INSURANCE_POOL)] {
            self.mark(markets).expect("markets can be marked");
            self.chain.send(&[self.join(&provider, markets, pool, amount, 0)]).expect("the pool can be joined");
        }
    }

    /// A liquidity provider with stock tokens.
    pub fn provider(&mut self, name: &str, vault: VaultKeys, tokens: u64) -> Provider {
        let owner = actor(name);
        if self.chain.account(&owner).lamports == 0 {
            self.chain.fund(&owner);
        }
        let tokens = token::issue(&mut self.chain, &owner, &vault.stock_mint, &vault.token_program, tokens);
        let shares = [Pool::Main, Pool::Insurance]
            .map(|pool| token::open(&mut self.chain, &owner, &vault.share_mint(pool.into()), &token::SPL_TOKEN));
        Provider { owner, vault, tokens, shares }
    }

    /// The provider who seeded the pools of the TSLAx vault.
    pub fn first_provider(&mut self) -> Provider {
        self.provider("first provider", self.vault, 0)
    }

    /// A trader of the TSLAx vault with `collateral` deposited and as many tokens left.
    pub fn trader(&mut self, name: &str, collateral: u64) -> Trader {
        self.trader_in(self.vault, name, collateral)
    }

    /// The same in any vault.
    pub fn trader_in(&mut self, vault: VaultKeys, name: &str, collateral: u64) -> Trader {
        let owner = actor(name);
        if self.chain.account(&owner).lamports == 0 {
            self.chain.fund(&owner);
        }
        let tokens = token::issue(&mut self.chain, &owner, &vault.stock_mint, &vault.token_program, 2 * collateral);
        let account = vault.margin_account(&owner, 0);
        let trader = Trader { owner, vault, account, tokens };
        self.chain
            .send(&[instruction::open_account(&owner, &owner, &vault, 0)])
            .expect("anyone can open a margin account");
        if collateral > 0 {
            self.deposit(&trader, collateral).expect("tokens can be deposited");
        }
        trader
    }

    /// A certain price at the present spot, published now. The one before it was published when the last one was posted,
    /// and at most a minute ago, so that the feed was never out.
    pub fn price(&self, index: usize) -> PriceAccount {
        let posted = PriceAccount::decode(&self.chain.account(&self.prices[index]).data);
        let last = posted.map_or(0, |price| price.publish_time);
        let previous_publish_time = last.max(self.chain.now() - 60);
        PriceAccount { previous_publish_time, ..price::fresh(&self.chain, FEEDS[index], usd(self.spot[index])) }
    }

    /// Posts a price as it is given.
    pub fn post(&mut self, index: usize, price: &PriceAccount) {
        price::post(&mut self.chain, &self.prices[index], price);
    }

    /// The crank of a market with the price posted last.
    pub fn crank_instruction(&self, market: &MarketKeys) -> Instruction {
        instruction::crank_funding(market, Some(&self.prices[self.index_of(market)]))
    }

    /// Which index a market is on.
    pub fn index_of(&self, market: &MarketKeys) -> usize {
        let found = FEEDS.iter().position(|feed| address::index(feed) == market.index);
        found.expect("markets of tests are on the tests' indices")
    }

    /// Posts fresh prices at the present spot and cranks a market, and before it the stock if it needs one.
    pub fn crank(&mut self, market: &MarketKeys) -> Outcome {
        let index = self.index_of(market);
        self.post(index, &self.price(index));
        let crank = self.crank_instruction(market);
        if market.stock.is_none() {
            return self.chain.send(&[crank]);
        }
        self.post_stock();
        self.chain.send(&[self.crank_stock_instruction(), crank])
    }

    /// Cranks the first market.
    pub fn crank_first(&mut self) -> Outcome {
        self.crank(&self.markets[0].clone())
    }

    /// Lets time pass, cranking all markets every `step` seconds. A multiple of 300 samples the variance each time.
    pub fn run(&mut self, seconds: i64, step: i64) {
        let end = self.chain.now() + seconds;
        while self.chain.now() < end {
            self.chain.wait((end - self.chain.now()).min(step));
            for market in self.markets.clone() {
                self.crank(&market).expect("a fresh price cranks");
            }
        }
    }

    /// Posts prices and cranks and marks markets, all in this slot.
    pub fn mark(&mut self, markets: &[MarketKeys]) -> Result<(), Failure> {
        for market in markets {
            self.crank(market)?;
            self.chain.send(&[instruction::mark_market(market)])?;
        }
        Ok(())
    }

    /// Deposits collateral.
    pub fn deposit(&mut self, trader: &Trader, amount: u64) -> Outcome {
        let Trader { owner, vault, account, tokens } = trader;
        self.chain.send(&[instruction::deposit(owner, vault, account, tokens, amount)])
    }

    /// Withdraws collateral, with all markets given.
    pub fn withdraw(&mut self, trader: &Trader, amount: u64) -> Outcome {
        let Trader { owner, vault, account, tokens } = trader;
        self.chain.send(&[instruction::withdraw(owner, vault, account, tokens, &self.markets, amount)])
    }

    /// Opens a position in the first market, without a limit on its cost, after cranking.
    pub fn open(&mut self, trader: &Trader, series: Series, size: u64) -> Outcome {
        self.open_in(trader, 0, series, size, u64::MAX)
    }

    /// Opens a position after cranking.
    pub fn open_in(&mut self, trader: &Trader, market: usize, series: Series, size: u64, max_cost: u64) -> Outcome {
        let keys = self.markets[market];
        self.crank(&keys)?;
        self.chain.send(&[self.open_instruction(trader, market, series, size, max_cost)])
    }

    /// Opens a position, with all other markets given.
    pub fn open_instruction(
        &self,
        trader: &Trader,
        market: usize,
        series: Series,
        size: u64,
        max_cost: u64,
    ) -> Instruction {
        let keys = self.markets[market];
        let others = self.markets.iter().filter(|other| **other != keys);
        instruction::open_position(&trader.owner, &trader.vault, &trader.account, &keys, others, series, size, max_cost)
    }

    /// Closes a position in the first market, without a limit on its proceeds, after cranking.
    pub fn close(&mut self, trader: &Trader, series: Series, size: u64) -> Outcome {
        self.close_in(trader, 0, series, size, 0)
    }

    /// Closes a position after cranking.
    pub fn close_in(&mut self, trader: &Trader, market: usize, series: Series, size: u64, least: u64) -> Outcome {
        let keys = self.markets[market];
        self.crank(&keys)?;
        let Trader { owner, vault, account, .. } = trader;
        self.chain.send(&[instruction::close_position(owner, vault, account, &keys, series, size, least)])
    }

    /// Joins a pool.
    pub fn join(&self, who: &Provider, markets: &[MarketKeys], pool: Pool, amount: u64, least: u64) -> Instruction {
        let shares = &who.shares[pool as usize];
        instruction::join_pool(&who.owner, &who.vault, pool, &who.tokens, shares, markets, amount, least)
    }

    /// Requests a withdrawal from a pool; returns the ticket.
    pub fn request(&mut self, who: &Provider, pool: Pool, shares: u64) -> Result<Pubkey, Failure> {
        let vault: state::Vault = self.read(&who.vault.vault);
        let number = vault.state.pool(pool.into()).next_ticket;
        let source = &who.shares[pool as usize];
        self.chain.send(&[instruction::request_withdrawal(
            &who.owner, &who.owner, &who.vault, pool, number, source, shares,
        )])?;
        Ok(who.vault.ticket(pool.into(), number))
    }

    /// An account of the program.
    pub fn read<T: Stored>(&self, address: &Pubkey) -> T {
        let account = self.chain.account(address);
        read_copy(&account.owner, &account.data).expect("the account exists and is of this kind")
    }

    /// The ledgers of the TSLAx vault.
    pub fn ledgers(&self) -> perpetua_model::Vault {
        self.read::<state::Vault>(&self.vault.vault).state
    }

    /// Takes as much collateral out as the initial margin allows, to a hundredth of a token.
    pub fn withdraw_most(&mut self, trader: &Trader) {
        let mut amount = self.margin(trader).collateral.0;
        while amount > ONE / 100 {
            if self.clone().withdraw(trader, amount).is_ok() {
                self.withdraw(trader, amount).expect("a clone could");
            } else {
                amount /= 2;
            }
        }
    }

    /// A trader's margin account.
    pub fn margin(&self, trader: &Trader) -> perpetua_model::MarginAccount {
        self.read::<state::MarginAccount>(&trader.account).state
    }

    /// A market of the TSLAx vault.
    pub fn market(&self, number: usize) -> Box<perpetua_model::Market> {
        Box::new(self.read::<state::Market>(&self.markets[number].market).state)
    }

    /// An index.
    pub fn index(&self, number: usize) -> perpetua_model::Index {
        self.read::<state::Index>(&address::index(&FEEDS[number])).state
    }
}

impl Default for World {
    fn default() -> Self {
        Self::new()
    }
}
