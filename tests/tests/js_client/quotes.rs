//! A vault with a quanto and a dollar market: its accounts as the network gives them, what the program itself then quotes,
//! and the transactions that Rust builds.

use anchor_lang::AnchorDeserialize;
use perpetua::{AccountHealth, Pool, Quote, state::MarginAccount};
use perpetua_client::{
    address,
    book::{Book, LadderRow, LadderSide, per_day},
    instruction::{self, Series},
    model::{CloseQuote, ModelError, OpenQuote, PoolKind, Shares, Size, Tokens},
    price::PriceAccounts,
    snapshot::{RawAccount, Snapshot},
};
use perpetua_tests::{
    World,
    price::{FEEDS, SHARE_FEED},
    stock::set_multiplier,
    token::{self, ONE},
    world::{call, put},
};
use serde_json::{Value, json};
use solana_instruction::Instruction;
use solana_pubkey::Pubkey;

use crate::{base64, check, instruction_json, text};

/// 0.01 BTC.
const SIZE: u64 = 10_000;
/// Shares of a pool whose worth is asked for.
const SHARES: u64 = 123_456_789_012_345;

/// A vault whose trader holds options of both of its markets.
struct Fixture {
    world: World,
    account: Pubkey,
    owner: Pubkey,
    wallet: Pubkey,
    snapshot: Snapshot,
    prices: PriceAccounts,
    book: Book,
}

impl Fixture {
    fn new() -> Self {
        let mut world = World::with_dollar_market(1);
        let trader = world.trader("trader", 500 * ONE);
        for market in [0, 1] {
            world.open_in(&trader, market, call(0), SIZE, u64::MAX).unwrap();
            world.open_in(&trader, market, put(-3), 2 * SIZE, u64::MAX).unwrap();
        }
        let mint = world.vault.stock_mint;
        set_multiplier(&mut world.chain, &mint, 1.003_9, 1.003_9, 0);
        world.spot[0] = 100_777;
        world.run(3_000, 300);
        world.chain.wait(5);
        world.post(0, &world.price(0));
        world.post_stock();
        let prices = PriceAccounts::default().with(FEEDS[0], world.prices[0]).with(SHARE_FEED, world.stock_prices[0]);
        let snapshot = snapshot(&world, &prices, &trader.account);
        let book = Book::read(&world.vault.vault, &snapshot, &prices).unwrap();
        Self { account: trader.account, owner: trader.owner, wallet: trader.tokens, world, snapshot, prices, book }
    }

    /// What the program returns for a view, once all markets were cranked.
    fn returned<T: AnchorDeserialize>(&self, view: Instruction) -> T {
        let mut world = self.world.clone();
        for market in world.markets.clone() {
            world.crank(&market).unwrap();
        }
        T::try_from_slice(&world.chain.send(&[view]).unwrap().returned).unwrap()
    }

    /// The shares that the program gives somebody for a token.
    fn shares_for_one_token(&self, pool: Pool) -> u64 {
        let mut world = self.world.clone();
        let markets = world.markets.clone();
        let newcomer = world.provider("newcomer", world.vault, ONE);
        world.mark(&markets).unwrap();
        let join = world.join(&newcomer, &markets, pool, ONE, 0);
        world.chain.send(&[join]).unwrap();
        token::balance(&world.chain, &newcomer.shares[pool as usize])
    }

    /// What the client in TypeScript is given.
    fn source(&self) -> Value {
        let accounts = self.snapshot.accounts.iter().map(|(address, account)| {
            json!({
                "address": address.to_string(),
                "owner": account.owner.to_string(),
                "lamports": account.lamports.to_string(),
                "data": base64(&account.data),
            })
        });
        let prices = self.prices.others.iter();
        let prices: Vec<Value> =
            prices.map(|(feed, account)| json!({ "feedId": base64(feed), "account": account.to_string() })).collect();
        json!({
            "name": "source",
            "vault": self.world.vault.vault.to_string(),
            "account": self.account.to_string(),
            "owner": self.owner.to_string(),
            "wallet": self.wallet.to_string(),
            "slot": self.snapshot.slot.to_string(),
            "prices": prices,
            "accounts": accounts.collect::<Vec<_>>(),
        })
    }
}

/// All that a book of the vault is read from, and a margin account.
fn snapshot(world: &World, prices: &PriceAccounts, account: &Pubkey) -> Snapshot {
    let mut snapshot = Snapshot { slot: world.chain.slot(), ..Snapshot::default() };
    loop {
        let known = snapshot.accounts.len();
        let wanted = Book::wanted(&world.vault.vault, &snapshot, prices);
        for address in wanted.into_iter().chain([*account]) {
            if let Some(found) = world.chain.svm.get_account(&address) {
                let account = RawAccount { owner: found.owner, lamports: found.lamports, data: found.data };
                snapshot.accounts.insert(address, account);
            }
        }
        if snapshot.accounts.len() == known {
            return snapshot;
        }
    }
}

fn refused(error: ModelError) -> Value {
    json!({ "refused": u32::from(perpetua::PerpetuaError::from(error)) })
}

fn open_json(quote: OpenQuote) -> Value {
    json!({
        "strike": text(quote.strike.get()),
        "value": text(quote.value.get()),
        "premium": text(quote.premium.0),
        "fee": text(quote.fee.0),
        "reserve": text(quote.reserve.0),
    })
}

fn close_json(quote: CloseQuote) -> Value {
    json!({ "value": text(quote.value.get()), "payout": text(quote.payout.0), "fee": text(quote.fee.0) })
}

fn side_json(side: &LadderSide) -> Value {
    json!({
        "ask": side.ask.map_or_else(refused, open_json),
        "bid": side.bid.map_or_else(refused, close_json),
        "fundingPerDay": side.funding.map_or_else(refused, |rate| text(per_day(rate).bits())),
        "openInterest": text(side.open_interest.0),
    })
}

fn row_json(market: u8, row: &LadderRow) -> Value {
    json!({
        "name": "row",
        "market": market,
        "row": {
            "tick": row.tick,
            "strike": text(row.strike.bits()),
            "call": side_json(&row.call),
            "put": side_json(&row.put),
        },
    })
}

/// The account's sums by the program, its positions by the book.
fn account_json(fixture: &Fixture) -> Value {
    let World { vault, markets, .. } = &fixture.world;
    let health: AccountHealth = fixture.returned(instruction::view_health(vault, &fixture.account, markets));
    let positions = fixture.book.positions(&fixture.world.read::<MarginAccount>(&fixture.account)).unwrap();
    let positions = positions.iter().map(|position| {
        json!({
            "market": position.market,
            "side": position.series.side as u8,
            "tick": position.series.tick,
            "strike": text(position.strike.bits()),
            "size": text(position.size.0),
            "close": position.close.map_or_else(refused, close_json),
            "owed": text(position.owed.0),
            "fundingPerDay": text(position.funding_per_day.0),
        })
    });
    json!({
        "name": "account",
        "collateral": text(health.collateral),
        "owed": text(health.owed),
        "unaccrued": text(health.unaccrued),
        "maintenance": text(health.maintenance),
        "initial": text(health.initial),
        "positions": positions.collect::<Vec<_>>(),
    })
}

/// The shares by the program, the rest by the book.
fn pool_json(fixture: &Fixture, pool: Pool) -> Value {
    let (book, kind) = (&fixture.book, PoolKind::from(pool));
    let status = book.pool(kind).unwrap();
    let value = status.value.map_or_else(
        refused,
        |value| json!({ "low": text(value.low.0), "high": text(value.high.0), "atBounds": value.at_bounds }),
    );
    json!({
        "name": "pool",
        "pool": pool as u8,
        "standing": {
            "assets": text(status.assets.0),
            "shares": text(status.shares.0),
            "queued": text(status.queued.0),
            "value": value,
            "exitCapacity": text(status.exit_capacity.0),
            "incomePerDay": text(status.income_per_day.0),
            "fundingYieldBps": status.funding_yield_bps().map(text),
        },
        "sharesForOneToken": text(fixture.shares_for_one_token(pool)),
        "shares": text(SHARES),
        "worthOfShares": text(book.worth_of(kind, Shares(SHARES)).unwrap().0),
    })
}

/// What the program quotes.
fn quote_json(fixture: &Fixture, market: u8, series: Series, size: u64) -> Value {
    let World { vault, markets, .. } = &fixture.world;
    let view = instruction::view_quote(vault, &markets[usize::from(market)], series, size);
    let Quote { open, close } = fixture.returned(view);
    json!({
        "name": "quote",
        "market": market,
        "side": series.side as u8,
        "tick": series.tick,
        "size": text(size),
        "open": open.map(|open| json!({
            "value": text(open.value),
            "premium": text(open.premium),
            "fee": text(open.fee),
            "reserve": text(open.reserve),
        })),
        "close": close.map(|close| json!({
            "value": text(close.value),
            "payout": text(close.payout),
            "fee": text(close.fee),
        })),
    })
}

fn transaction_json(what: &str, instructions: &[Instruction]) -> Value {
    let built: Vec<Value> = instructions.iter().map(instruction_json).collect();
    json!({ "name": "transaction", "what": what, "instructions": built })
}

fn transactions(fixture: &Fixture) -> Vec<Value> {
    let Fixture { book, owner, wallet, .. } = fixture;
    let account = fixture.snapshot.read(&fixture.account).unwrap();
    let (series, size, limit) = (put(-2), Size(12_345), Tokens(678_901));
    let shares = address::share_mint(&fixture.world.vault.vault, PoolKind::Insurance);
    vec![
        transaction_json("open", &book.open(&account, 1, series, size, limit).unwrap()),
        transaction_json("close", &book.close(&account, 0, series, size, limit).unwrap()),
        transaction_json("withdraw", &book.withdraw(&account, wallet, limit).unwrap()),
        transaction_json("join", &book.join(owner, Pool::Insurance, wallet, &shares, limit, Shares(4_321)).unwrap()),
        transaction_json("leave", &[book.request(owner, Pool::Insurance, wallet, Shares(98_765))]),
    ]
}

#[test]
fn a_vault_is_quoted_and_traded_in_typescript_as_by_the_program_and_in_rust() {
    let fixture = Fixture::new();
    let mut records = vec![fixture.source(), account_json(&fixture)];
    records.extend([Pool::Main, Pool::Insurance].map(|pool| pool_json(&fixture, pool)));
    for market in [0, 1] {
        for (series, size) in [(call(0), SIZE), (put(-3), 3 * SIZE + 7), (call(9), 1_234_567), (put(60), SIZE)] {
            records.push(quote_json(&fixture, market, series, size));
        }
        records.extend(fixture.book.ladder(market).unwrap().iter().map(|row| row_json(market, row)));
    }
    records.extend(transactions(&fixture));
    check("quotes.json", &records);
}
