//! Quotes and transactions from a snapshot of a vault with a quanto and a dollar market.

use perpetua::{Pool, Side};
use perpetua_client::{
    address,
    amount::UiScale,
    book::{Book, LadderSide, per_day},
    budget,
    error::{ALL, explain_code},
    instruction::Series,
    model::{
        CloseQuote, MarketConfig, ModelError, Moment, Multiplier, OpenQuote, PoolKind, Shares, Size, Tokens,
        Volatility,
        pricing::{Real, Rounding, Signed, Usd},
    },
    price::PriceAccounts,
    snapshot::{RawAccount, Snapshot},
};
use perpetua_tests::{
    World,
    price::{FEEDS, SHARE_FEED},
    stock::set_multiplier,
    token::ONE,
    world::{call, put},
};
use serde_json::{Value, json};
use solana_instruction::Instruction;
use solana_pubkey::Pubkey;

use crate::{base64, check, instruction_json, series};

/// 0.01 BTC.
const SIZE: u64 = 10_000;

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
    json!({ "refused": format!("{error:?}") })
}

fn text(number: impl ToString) -> Value {
    Value::String(number.to_string())
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

fn ladder_json(book: &Book, market: u8) -> Value {
    let rows = book.ladder(market).unwrap();
    let rows = rows.iter().map(|row| {
        json!({
            "tick": row.tick,
            "strike": text(row.strike.bits()),
            "call": side_json(&row.call),
            "put": side_json(&row.put),
        })
    });
    json!({ "name": "ladder", "market": market, "rows": rows.collect::<Vec<_>>() })
}

fn account_json(fixture: &Fixture) -> Value {
    let account = fixture.world.read(&fixture.account);
    let health = fixture.book.health(&account).unwrap();
    let positions = fixture.book.positions(&account).unwrap();
    let positions = positions.iter().map(|position| {
        json!({
            "market": position.market,
            "side": format!("{:?}", position.series.side),
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
        "collateral": text(health.collateral.0),
        "owed": text(health.owed.0),
        "unaccrued": text(health.unaccrued.0),
        "maintenance": text(health.maintenance.0),
        "initial": text(health.initial().0),
        "equity": text(health.equity()),
        "liquidatable": health.is_liquidatable(),
        "positions": positions.collect::<Vec<_>>(),
    })
}

fn pool_json(book: &Book, kind: PoolKind, name: &str) -> Value {
    let status = book.pool(kind).unwrap();
    let value = status.value.map_or_else(
        refused,
        |value| json!({ "low": text(value.low.0), "high": text(value.high.0), "atBounds": value.at_bounds }),
    );
    json!({
        "name": "pool",
        "pool": name,
        "standing": {
            "assets": text(status.assets.0),
            "shares": text(status.shares.0),
            "queued": text(status.queued.0),
            "value": value,
            "exitCapacity": text(status.exit_capacity.0),
            "incomePerDay": text(status.income_per_day.0),
            "fundingYieldBps": status.funding_yield_bps().map(text),
        },
        "sharesForOneToken": text(book.shares_for(kind, Tokens(ONE)).unwrap().0),
        "worthOfTenShares": text(book.worth_of(kind, Shares(1_000_000_000)).unwrap().0),
    })
}

fn trade_json(book: &Book, market: u8, series: Series, size: u64) -> Value {
    json!({
        "name": "trade",
        "market": market,
        "side": format!("{:?}", series.side),
        "tick": series.tick,
        "size": text(size),
        "open": book.quote_open(market, series, Size(size)).map_or_else(refused, open_json),
        "close": book.quote_close(market, series, Size(size)).map_or_else(refused, close_json),
    })
}

fn transaction_json(what: &str, instructions: &[Instruction]) -> Value {
    let built: Vec<Value> = instructions.iter().map(instruction_json).collect();
    json!({
        "name": "transaction",
        "what": what,
        "instructions": built,
        "computeUnits": budget::limit(instructions),
    })
}

fn transactions(fixture: &Fixture) -> Vec<Value> {
    let Fixture { book, owner, wallet, .. } = fixture;
    let account = fixture.snapshot.read(&fixture.account).unwrap();
    let (series, size, limit) = (series(Side::Put, -2), Size(12_345), Tokens(678_901));
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
fn a_vault_is_quoted_and_traded_in_typescript_as_in_rust() {
    let fixture = Fixture::new();
    let book = &fixture.book;
    let mut records = vec![fixture.source(), account_json(&fixture)];
    records.extend([0, 1].map(|market| ladder_json(book, market)));
    records.extend(
        [(PoolKind::Main, "Main"), (PoolKind::Insurance, "Insurance")].map(|(kind, name)| pool_json(book, kind, name)),
    );
    for market in [0, 1, 2] {
        records.push(trade_json(book, market, series(Side::Call, 0), SIZE));
        records.push(trade_json(book, market, series(Side::Put, -3), 3 * SIZE + 7));
        records.push(trade_json(book, market, series(Side::Put, 29), SIZE));
        records.push(trade_json(book, market, series(Side::Call, 4), 1 << 41));
    }
    records.extend(transactions(&fixture));
    check("quotes.json", &records);
}

/// One option by the pricing crate itself.
fn option_json(side: Side, [spot, strike]: [u64; 2], volatility_bps: u16, days: u32) -> Value {
    let config = MarketConfig {
        period: days * 86_400,
        cap_bps: [5_000; 2],
        carry_bps: 400,
        rent_bps: 150,
        ..MarketConfig::default()
    };
    let volatility = Volatility::from_bps(volatility_bps);
    let curve = config.curve(side.into(), volatility.real()).unwrap();
    let (spot, strike) = (Usd::from_integer(spot), Usd::from_integer(strike));
    let option = curve.value(spot, strike);
    // TV / T + carry * financed + rent * cap * K, as docs/mechanism.md section 2 has it.
    let carry = if side == Side::Call { option.financed.mul(ratio(400)) } else { Real::ZERO };
    let rent = Real::from(strike).mul(ratio(150)).mul(ratio(5_000));
    let rate = option.time_value.div(config.period_years()).unwrap().add(carry).add(rent);
    json!({
        "name": "option",
        "side": format!("{side:?}"),
        "spot": text(spot.bits()),
        "strike": text(strike.bits()),
        "volatility": text(volatility.0),
        "period": config.period,
        "value": text(option.value(Rounding::Down).bits()),
        "timeValue": text(option.time_value.to_usd(Rounding::Down).bits()),
        "delta": fixed(curve.delta(spot, strike)),
        "gamma": fixed(curve.gamma(spot, strike)),
        "vega": fixed(curve.vega(spot, strike)),
        "fundingPerDayAbout": text(rate.div(Real::from_u64(365)).unwrap().to_usd(Rounding::Up).bits()),
    })
}

fn ratio(bps: u64) -> Real {
    Real::from_ratio(bps, 10_000).unwrap()
}

/// With 64 fraction bits, towards zero.
fn fixed(number: Signed) -> Value {
    let bits = number.magnitude.to_fixed_wide(64, Rounding::Down).unwrap();
    Value::String(if number.negative && bits > 0 { format!("-{bits}") } else { bits.to_string() })
}

#[test]
fn options_amounts_and_errors_are_in_typescript_what_they_are_in_rust() {
    let mut records = Vec::new();
    for side in [Side::Call, Side::Put] {
        for prices in [[60_000, 60_000], [60_000, 72_000], [60_000, 48_000], [95_000, 60_000], [25_000, 60_000]] {
            records.extend(
                [(3_000, 7), (9_000, 30)].map(|(volatility, days)| option_json(side, prices, volatility, days)),
            );
        }
    }
    for multiplier in [1.0_f64, 1.003_9, 3.0, 1.0 / 3.0] {
        let scale = UiScale { decimals: 8, multiplier: Multiplier::from_bits(multiplier.to_bits()).unwrap() };
        for raw in [0, 1, 150_000_001, u64::MAX] {
            let [down, up] = [Rounding::Down, Rounding::Up].map(|side| scale.shown(Tokens(raw), side));
            let back = |rounding| {
                scale
                    .raw(down, rounding)
                    .map_or_else(|error| json!({ "refused": error.to_string() }), |raw| text(raw.0))
            };
            records.push(json!({
                "name": "amount",
                "multiplier": text(multiplier.to_bits()),
                "raw": text(raw),
                "down": down.to_string(),
                "up": up.to_string(),
                "rawOfDown": back(Rounding::Down),
                "rawOfDownUp": back(Rounding::Up),
            }));
        }
    }
    let codes = ALL.iter().map(|error| u32::from(*error)).chain([2_003, 1, 7_777]);
    records.extend(codes.map(|code| {
        let explained = explain_code(code);
        json!({
            "name": "error",
            "code": code,
            "title": explained.name,
            "message": explained.message,
            "remedy": explained.remedy,
        })
    }));
    check("values.json", &records);
}
