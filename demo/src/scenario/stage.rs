//! The stage: the chain with everybody's accounts on it, and the one way in which anybody acts there.

use std::collections::BTreeMap;

use anyhow::{Context, Result, anyhow};
use perpetua_client::{
    account::read_copy,
    address,
    instruction::{self, MarketKeys, VaultKeys},
    model::{self, Moment, Tokens, pricing::Usd},
    perpetua::{MarketParameters, Pool, state},
    price::PriceAccount,
    quote::{Cranked, Trade},
};
use perpetua_tests::{Done, Failure, World, actor, parameters, price, token};
use solana_instruction::Instruction;
use solana_pubkey::Pubkey;

use super::{cast, entries::usd};
use crate::{
    audit::Audit,
    history::{EXPONENT, Quote},
    log::Log,
    record::{Actor, Group, Setting},
};

/// The price of a TSLA share when the market was listed, US cents: see `data/PROVENANCE.md`.
pub const STOCK_PRICE_CENTS: u64 = 56_685;
/// Strike of tick 0 in US dollars.
const REFERENCE_STRIKE: u64 = 10_000;
/// Tokens that everybody's wallet starts with.
pub const WALLET: u64 = 10_000 * token::ONE;
/// Seconds after a price's publication at which everybody acts.
const REACTION: i64 = 2;
/// Slots of the chain in an hour.
const SLOTS_PER_HOUR: u64 = 9_000;

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
    /// The market.
    pub market: MarketKeys,
    /// What was verified on the way.
    pub audit: Audit,
    /// Which pool a withdrawal is from.
    pub ticket_pools: BTreeMap<Pubkey, Pool>,
}

impl Stage {
    /// Sets up the exchange with one vault and one market, and hands out tokens.
    ///
    /// Errors: where the program refuses.
    pub fn new(first: &Quote) -> Result<Self> {
        let mut world = World::bare();
        world.chain.set_clock(first.time + REACTION, SLOTS_PER_HOUR);
        let (admin, feed) = (world.admin, price::FEEDS[0]);
        let keys = world.vault;
        let market = keys.market(address::index(&feed));
        let mut stage = Self {
            world,
            actors: cast::actors(),
            people: Vec::new(),
            log: Log::default(),
            market,
            audit: Audit::default(),
            ticket_pools: BTreeMap::new(),
        };
        stage.post(first);
        let guards = parameters::guards();
        let (guardian, fees) = (stage.world.guardian, stage.world.fee_recipient);
        let set_up = [
            ("initialize_exchange", instruction::initialize_exchange(&admin, &guardian, &fees)),
            ("create_index", instruction::create_index(&admin, feed, guards, None)),
            ("create_vault", instruction::create_vault(&admin, &keys, parameters::vault_parameters())),
            ("create_market", instruction::create_market(&admin, &keys, &market, terms()?)),
        ];
        for named in set_up {
            let name = named.0;
            stage.send(vec![named]).map_err(|failure| anyhow!("{name}: {}: {:#?}", failure.name(), failure.logs))?;
        }
        stage.world.markets = vec![market];
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

    /// Moves the clock to an hour and posts its price as Pyth's receiver would.
    pub fn turn_to(&mut self, quote: &Quote) {
        let slot = self.world.chain.slot() + SLOTS_PER_HOUR;
        self.world.chain.set_clock(quote.time + REACTION, slot);
        self.post(quote);
    }

    fn post(&mut self, quote: &Quote) {
        let update = self.price_account(quote);
        self.world.post(0, &update);
    }

    /// The price account of an hour.
    pub fn price_account(&self, quote: &Quote) -> PriceAccount {
        PriceAccount {
            feed_id: price::FEEDS[0],
            price: quote.price,
            confidence: quote.confidence,
            exponent: EXPONENT,
            publish_time: quote.time,
            previous_publish_time: quote.time - 1,
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
        let outcome = self.send(named);
        if let Err(failure) = &outcome {
            let time = self.world.chain.now();
            let name = self.actors.get(who).map_or("", |actor| &actor.name);
            self.log.refused(time, name, wanted, failure);
        }
        outcome
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

    /// The crank, which goes in front of what needs funding accrued in its slot.
    pub fn crank(&self) -> Named {
        ("crank_funding", self.world.crank_instruction(&self.market))
    }

    /// The mark, which goes in front of what moves pool shares.
    pub fn mark(&self) -> Named {
        ("mark_market", instruction::mark_market(&self.market))
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
            stock_price_cents: STOCK_PRICE_CENTS,
            units_per_usd: token::ONE * 100 / STOCK_PRICE_CENTS,
        }
    }
}

/// The accounts that quotes are made from, as they are now.
pub struct Snapshot {
    exchange: state::Exchange,
    /// The vault.
    pub vault: Box<state::Vault>,
    index: state::Index,
    /// The market.
    pub market: Box<state::Market>,
    balance: Tokens,
}

impl Stage {
    /// Reads them.
    pub fn snapshot(&self) -> Snapshot {
        let keys = self.keys();
        Snapshot {
            exchange: self.world.read(&address::exchange()),
            vault: Box::new(self.world.read(&keys.vault)),
            index: self.world.read(&self.market.index),
            market: Box::new(self.world.read(&self.market.market)),
            balance: Tokens(token::balance(&self.world.chain, &keys.tokens())),
        }
    }
}

impl Snapshot {
    /// The client's view of them.
    pub fn trade(&self) -> Trade<'_> {
        let Self { exchange, vault, index, market, balance } = self;
        Trade { exchange, vault, balance: *balance, index, market, stock: None }
    }

    /// The market as it stands, cranked in this slot.
    ///
    /// Errors: without a price that is fresh enough.
    pub fn cranked(&self, moment: Moment) -> model::Result<Cranked> {
        self.trade().crank(None, moment)
    }

    /// The index.
    pub fn index(&self) -> &model::Index {
        &self.index.state
    }
}

/// The starting parameters, with `X` from the stock's price and strikes around bitcoin's.
fn terms() -> Result<MarketParameters> {
    let one_dollar = (u128::from(token::ONE) * 100) << model::UNITS_PER_USD_FRACTION_BITS;
    let units = u64::try_from(one_dollar / u128::from(STOCK_PRICE_CENTS))?;
    Ok(MarketParameters {
        units_per_usd: units,
        reference_strike: Usd::from_integer(REFERENCE_STRIKE).bits(),
        ..parameters::market_parameters(10_000)
    })
}
