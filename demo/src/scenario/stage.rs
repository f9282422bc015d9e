//! The stage: the chain with everybody's accounts on it, and the one way in which anybody acts there.

use std::collections::BTreeMap;

use anyhow::{Context, Result, anyhow};
use perpetua_client::{
    account::read_copy,
    address,
    instruction::{self, MarketKeys, VaultKeys},
    model::{self, Moment, Tokens},
    perpetua::{MarketParameters, Pool, Settlement, ShortDay, StockParameters, state},
    price::PriceAccount,
    quote::{Cranked, Trade, health},
};
use perpetua_tests::{Done, Failure, World, actor, parameters, price, token};
use solana_instruction::Instruction;
use solana_pubkey::Pubkey;

use super::{entries::usd, states::States};
use crate::{
    audit::{Audit, Subject},
    history::{EXPONENT, Quote},
    log::Log,
    record::{Actor, Group, Setting},
};

/// Tokens that everybody's wallet starts with.
pub const WALLET: u64 = 10_000 * token::ONE;
/// Seconds after a price's publication at which everybody acts.
const REACTION: i64 = 2;
/// Slots of the chain when a run begins.
const FIRST_SLOT: u64 = 9_000;

/// An instruction with its name.
pub type Named = (&'static str, Instruction);

/// Somebody's addresses.
#[derive(Clone, Copy, Debug)]
pub struct Person {
    /// The wallet.
    pub owner: Pubkey,
    /// His stock tokens.
    pub tokens: Pubkey,
    /// His margin account.
    pub account: Pubkey,
    /// His shares of the main and the insurance pool.
    pub shares: [Pubkey; 2],
}

/// What a run lists.
pub struct Listing {
    /// Everybody, in the order of the report.
    pub actors: Vec<Actor>,
    /// The annualised variance that the index starts with, Q16.48; without it, it is sampled for a day first.
    pub variance: Option<u64>,
    /// The stock's feeds and the days on which its exchange is closed, for dollar markets.
    pub stock: Option<(StockParameters, Vec<ShortDay>)>,
    /// The markets, in the order of their numbers.
    pub markets: Vec<MarketParameters>,
    /// The stock's price at which `X` of the quanto market was fixed, US cents.
    pub stock_price_cents: u64,
}

/// The chain and everybody on it.
pub struct Stage {
    /// The chain and the exchange.
    pub world: World,
    /// Everybody, in the order of the report.
    pub actors: Vec<Actor>,
    /// Their addresses, in the same order.
    pub people: Vec<Person>,
    /// What was noted.
    pub log: Log,
    /// What was verified on the way.
    pub audit: Audit,
    /// Which pool a withdrawal is from.
    pub ticket_pools: BTreeMap<Pubkey, Pool>,
    /// What is not normal now by the run's own account, where it keeps one: it says what must be refused, and why.
    pub states: Option<States>,
    stock_price_cents: u64,
}

impl Stage {
    /// Sets up the exchange with one vault and its markets, and hands out tokens.
    ///
    /// Errors: where the program refuses.
    pub fn new(first: &Quote, listing: Listing) -> Result<Self> {
        let mut world = World::bare();
        world.chain.set_clock(first.time + REACTION, FIRST_SLOT);
        let mut stage = Self {
            world,
            actors: listing.actors,
            people: Vec::new(),
            log: Log::default(),
            audit: Audit::default(),
            ticket_pools: BTreeMap::new(),
            states: None,
            stock_price_cents: listing.stock_price_cents,
        };
        stage.post(first);
        let (admin, feed) = (stage.world.admin, price::FEEDS[0]);
        let (guardian, fees) = (stage.world.guardian, stage.world.fee_recipient);
        let keys = stage.keys();
        let guards = parameters::guards();
        let mut set_up = vec![
            ("initialize_exchange", instruction::initialize_exchange(&admin, &guardian, &fees)),
            ("create_index", instruction::create_index(&admin, feed, guards, listing.variance)),
            ("create_vault", instruction::create_vault(&admin, &keys, parameters::vault_parameters())),
        ];
        if let Some((parameters, holidays)) = listing.stock {
            set_up.push(("create_stock", instruction::create_stock(&admin, &keys, parameters)));
            set_up.push(("shorten_sessions", instruction::shorten_sessions(&admin, &keys, holidays)));
        }
        for parameters in listing.markets {
            let index = address::index(&feed);
            let dollar = parameters.settlement == Settlement::Dollar;
            let market = if dollar { keys.dollar_market(index) } else { keys.market(index) };
            stage.world.markets.push(market);
            set_up.push(("create_market", instruction::create_market(&admin, &keys, &market, parameters)));
        }
        for named in set_up {
            let name = named.0;
            stage.send(vec![named]).map_err(|failure| anyhow!("{name}: {}: {:#?}", failure.name(), failure.logs))?;
        }
        stage.people = stage.actors.clone().iter().map(|actor| stage.equip(actor)).collect();
        Ok(stage)
    }

    fn equip(&mut self, who: &Actor) -> Person {
        let keys = self.world.vault;
        let owner = if who.group == Group::Protocol { self.world.fee_recipient } else { actor(&who.name) };
        self.world.chain.fund(&owner);
        let tokens = token::issue(&mut self.world.chain, &owner, &keys.stock_mint, &keys.token_program, WALLET);
        let shares = [Pool::Main, Pool::Insurance]
            .map(|pool| token::open(&mut self.world.chain, &owner, &keys.share_mint(pool.into()), &token::SPL_TOKEN));
        Person { owner, tokens, account: keys.margin_account(&owner, 0), shares }
    }

    /// Moves the clock to a price's time and posts it as Pyth's receiver would.
    pub fn turn_to(&mut self, quote: &Quote) {
        let seconds = quote.time + REACTION - self.world.chain.now();
        self.world.chain.wait(seconds);
        self.post(quote);
    }

    fn post(&mut self, quote: &Quote) {
        let update = self.price_account(price::FEEDS[0], quote);
        self.world.post(0, &update);
    }

    /// Posts a price of the stock.
    pub fn post_share(&mut self, quote: &Quote) {
        let update = self.price_account(price::SHARE_FEED, quote);
        let address = self.world.stock_prices[0];
        price::post(&mut self.world.chain, &address, &update);
    }

    /// The price account of a quote.
    fn price_account(&self, feed_id: [u8; 32], quote: &Quote) -> PriceAccount {
        PriceAccount {
            feed_id,
            price: quote.price,
            confidence: quote.confidence,
            exponent: EXPONENT,
            publish_time: quote.time,
            previous_publish_time: quote.previous,
            average: quote.average,
            average_confidence: quote.confidence,
            posted_slot: self.world.chain.slot(),
            ..PriceAccount::default()
        }
    }

    fn send(&mut self, named: Vec<Named>) -> Result<Done, Failure> {
        let (names, instructions): (Vec<_>, Vec<_>) = named.into_iter().unzip();
        let before = self.ledgers();
        let done = self.world.chain.send(&instructions)?;
        self.log.done(&names, &done);
        self.enter(&done, &before, &self.ledgers());
        Ok(done)
    }

    /// Sends what an actor wants, in one transaction. A refusal is noted and returned.
    pub fn act(&mut self, who: usize, named: Vec<Named>) -> Result<Done, Failure> {
        let wanted = named.last().map_or("", |(name, _)| *name);
        let concerned = self.concerned(who, &named);
        let outcome = self.send(named);
        if let Some(states) = &mut self.states {
            let refusal = outcome.as_ref().err().map(Failure::name);
            states.judge(&mut self.audit, wanted, &concerned, refusal);
        }
        if let Err(failure) = &outcome {
            let time = self.world.chain.now();
            let name = self.actors.get(who).map_or("", |actor| &actor.name);
            self.log.refused(time, name, wanted, failure);
        }
        outcome
    }

    /// Says whether whoever acts now is the one whose withdrawal it is.
    pub fn set_by_owner(&mut self, by_owner: bool) {
        if let Some(states) = &mut self.states {
            states.by_owner = by_owner;
        }
    }

    /// The numbers of the markets whose states decide on the last instruction.
    fn concerned(&self, who: usize, named: &[Named]) -> Vec<usize> {
        let Some((name, instruction)) = named.last().filter(|_| self.states.is_some()) else { return Vec::new() };
        let all = 0..self.world.markets.len();
        match *name {
            "withdraw" => {
                let used = self.margin(who).map_or([false; model::MARKETS], |account| account.state.markets_used());
                all.filter(|number| used.get(*number).copied().unwrap_or(false)).collect()
            }
            "join_pool" | "execute_withdrawal" => all.filter(|number| self.world.market(*number).active != 0).collect(),
            _ => {
                let number = |key: &Pubkey| self.world.markets.iter().position(|market| market.market == *key);
                instruction.accounts.iter().find_map(|account| number(&account.pubkey)).into_iter().collect()
            }
        }
    }

    /// The vault's ledgers; empty before it is listed.
    pub fn ledgers(&self) -> model::Vault {
        let account = self.world.chain.account(&self.keys().vault);
        read_copy::<state::Vault>(&account.owner, &account.data).map(|vault| vault.state).unwrap_or_default()
    }

    /// The last accepted price of the index, US dollars Q64.64.
    pub fn index_price(&self) -> u128 {
        self.world.index(0).feed.price.get()
    }

    /// The strike of a tick in US dollars, for people to read.
    pub fn strike(&self, tick: i16) -> f64 {
        let grid = self.world.market(0).config.grid();
        let strike = grid.ok().and_then(|grid| grid.strike(tick));
        strike.map_or(0.0, |strike| usd(strike.bits()))
    }

    /// The cranks that go in front of what needs a market's funding accrued in its slot.
    pub fn crank(&self, market: usize) -> Vec<Named> {
        let keys = &self.world.markets[market];
        let stock = keys.stock.map(|_| ("crank_stock", self.world.crank_stock_instruction()));
        stock.into_iter().chain([("crank_funding", self.world.crank_instruction(keys))]).collect()
    }

    /// The cranks and marks of all markets, which go in front of what moves pool shares.
    pub fn marks(&self) -> Vec<Named> {
        let mut named: Vec<Named> = Vec::new();
        for (number, market) in self.world.markets.iter().enumerate() {
            named.extend(self.crank(number));
            named.push(("mark_market", instruction::mark_market(market)));
        }
        named
    }

    /// The markets in which an account has positions.
    pub fn markets_of(&self, account: &state::MarginAccount) -> Vec<MarketKeys> {
        let used = account.state.markets_used().into_iter().zip(&self.world.markets);
        used.filter(|(used, _)| *used).map(|(_, market)| *market).collect()
    }

    /// Number of an actor by name.
    ///
    /// Errors: for a name that nobody has.
    pub fn number(&self, name: &str) -> Result<usize> {
        self.actors.iter().position(|actor| actor.name == name).with_context(|| format!("nobody is called {name}"))
    }

    /// The vault's addresses.
    pub fn keys(&self) -> VaultKeys {
        self.world.vault
    }

    /// The moment on the chain.
    pub fn moment(&self) -> Moment {
        Moment { now: self.world.chain.now(), slot: self.world.chain.slot() }
    }

    /// A margin account, if it is open.
    pub fn margin(&self, who: usize) -> Option<state::MarginAccount> {
        let address = self.people.get(who)?.account;
        let account = self.world.chain.account(&address);
        read_copy(&account.owner, &account.data).ok()
    }

    /// What the run was set to.
    pub fn setting(&self) -> Setting {
        Setting {
            token: "TSLAx".to_owned(),
            decimals: 8,
            stock_price_cents: self.stock_price_cents,
            units_per_usd: token::ONE * 100 / self.stock_price_cents,
        }
    }
}

/// The accounts that quotes are made from, as they are now.
pub struct Snapshot {
    exchange: state::Exchange,
    /// The vault.
    pub vault: Box<state::Vault>,
    index: state::Index,
    /// The markets by their numbers.
    pub markets: Vec<state::Market>,
    stock: Option<Box<state::Stock>>,
    balance: Tokens,
}

impl Stage {
    /// Reads them.
    pub fn snapshot(&self) -> Snapshot {
        let (keys, world) = (self.keys(), &self.world);
        let dollar = world.markets.iter().any(|market| market.stock.is_some());
        Snapshot {
            exchange: world.read(&address::exchange()),
            vault: Box::new(world.read(&keys.vault)),
            index: world.read(&address::index(&price::FEEDS[0])),
            markets: world.markets.iter().map(|market| world.read(&market.market)).collect(),
            stock: dollar.then(|| Box::new(world.read(&keys.stock()))),
            balance: Tokens(token::balance(&world.chain, &keys.tokens())),
        }
    }

    /// Verifies what can be read from the accounts.
    pub fn look(&mut self) {
        let numbered = || self.people.iter().enumerate();
        let margin: Vec<_> = numbered().map(|(who, person)| (who, person.account)).collect();
        let wallets: Vec<_> = numbered().map(|(who, person)| (who, person.tokens)).collect();
        let accounts = self.world.chain.snapshot();
        let vault = self.keys().vault;
        let subject = Subject { accounts: &accounts, vault, margin: &margin, wallets: &wallets, endowment: WALLET };
        self.audit.look(&subject, &self.log.book);
    }
}

impl Snapshot {
    /// The client's view of a market.
    pub fn trade(&self, market: usize) -> Trade<'_> {
        let Self { exchange, vault, index, markets, stock, balance } = self;
        let stock = stock.as_deref();
        Trade { exchange, vault, balance: *balance, index, market: &markets[market], stock }
    }

    /// A market as it stands, cranked in this slot.
    ///
    /// Errors: without prices that are fresh enough.
    pub fn cranked(&self, market: usize, moment: Moment) -> model::Result<Cranked> {
        self.trade(market).crank(None, moment)
    }

    /// The index.
    pub fn index(&self) -> &model::Index {
        &self.index.state
    }

    /// How an account stands.
    ///
    /// Errors: those of [`health`].
    pub fn health(&self, account: &state::MarginAccount, now: i64) -> model::Result<model::Health> {
        health(&self.vault, account, &self.markets, now)
    }
}

/// The terms of a quanto market whose `X` is what a dollar bought at a share's price in cents, with strikes around
/// `reference` US dollars.
///
/// Errors: for a price beyond all bounds.
pub fn quanto_terms(stock_price_cents: u64, reference: i64) -> Result<MarketParameters> {
    let one_dollar = (u128::from(token::ONE) * 100) << model::UNITS_PER_USD_FRACTION_BITS;
    let units_per_usd = u64::try_from(one_dollar / u128::from(stock_price_cents))?;
    Ok(MarketParameters { units_per_usd, ..parameters::market_parameters(reference) })
}
