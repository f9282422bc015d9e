//! From a request to its answer, by `perpetua-client`.

use anchor_lang::{AnchorDeserialize, AnchorSerialize, prelude::Pubkey, solana_program};
use perpetua::{PerpetuaError, Pool, state::MarginAccount};
use perpetua_client::{
    amount::{AmountError, UiScale},
    book::{Book, LadderSide, PositionStatus, per_day},
    budget,
    error::{Explanation, explain_code},
    instruction::Series,
    price::PriceAccounts,
    snapshot::{AccountError, Keyed, RawAccount, Snapshot},
};
use perpetua_model::{CloseQuote, ModelError, Multiplier, OpenQuote, Shares, Size, Tokens, pricing::Rounding};

use crate::{
    pricing::price,
    wire::{
        AccountMeta, Close, Instruction, Mint, Open, PoolStanding, PoolValue, Position, Refusal, Request, Row, RowSide,
        Source, Standing, Transaction,
    },
};

/// Answers a request: a zero and what it asks for, or a one and the [`Refusal`].
pub fn answer(request: &[u8]) -> Vec<u8> {
    let answered = match Request::try_from_slice(request) {
        Ok(request) => respond(request),
        Err(error) => Err(refusal("UnknownRequest", &error.to_string(), "Use code and module of one version.")),
    };
    match answered {
        Ok(answer) => [&[0], answer.as_slice()].concat(),
        Err(refusal) => [&[1], bytes(&refusal).unwrap_or_default().as_slice()].concat(),
    }
}

type Answer<T> = Result<T, Refusal>;

fn respond(request: Request) -> Answer<Vec<u8>> {
    match request {
        Request::Price(terms) => bytes(&price(&terms).map_err(refused)?),
        Request::Show { raw, decimals, multiplier, up } => {
            bytes(&scale(decimals, multiplier)?.shown(Tokens(raw), side_of(up)).to_string())
        }
        Request::Parse { text, decimals, multiplier, up } => {
            bytes(&scale(decimals, multiplier)?.parse(&text, side_of(up)).map_err(not_amount)?.0)
        }
        Request::Explain { code } => bytes(&in_words(explain_code(code))),
        Request::Wanted(source) => {
            let (vault, snapshot, prices) = taken(source);
            bytes(&Book::wanted(&vault, &snapshot, &prices).into_iter().collect::<Vec<_>>())
        }
        Request::Mint(source) => bytes(&mint(&book(source)?.0)),
        Request::QuoteOpen { source, market, side, tick, size } => {
            let quote = book(source)?.0.quote_open(market, Series { side, tick }, Size(size));
            bytes(&open(quote.map_err(refused)?))
        }
        Request::QuoteClose { source, market, side, tick, size } => {
            let quote = book(source)?.0.quote_close(market, Series { side, tick }, Size(size));
            bytes(&close(quote.map_err(refused)?))
        }
        Request::Ladder { source, market } => bytes(&ladder(&book(source)?.0, market).map_err(refused)?),
        Request::Account { source, account } => {
            let (book, snapshot) = book(source)?;
            let account = snapshot.read::<MarginAccount>(&account).map_err(unread)?.account;
            bytes(&standing(&book, &account).map_err(refused)?)
        }
        Request::Pool { source, pool } => bytes(&pool_standing(&book(source)?.0, pool).map_err(refused)?),
        Request::SharesFor { source, pool, amount } => {
            bytes(&book(source)?.0.shares_for(pool.into(), Tokens(amount)).map_err(refused)?.0)
        }
        Request::WorthOf { source, pool, shares } => {
            bytes(&book(source)?.0.worth_of(pool.into(), Shares(shares)).map_err(refused)?.0)
        }
        trade => bytes(&transaction(trade)?),
    }
}

/// The transaction that a request asks for.
fn transaction(request: Request) -> Answer<Transaction> {
    let instructions = match request {
        Request::Open { source, account, market, side, tick, size, max_cost } => {
            let (book, account) = with_account(source, &account)?;
            book.open(&account, market, Series { side, tick }, Size(size), Tokens(max_cost))
        }
        Request::Close { source, account, market, side, tick, size, min_proceeds } => {
            let (book, account) = with_account(source, &account)?;
            book.close(&account, market, Series { side, tick }, Size(size), Tokens(min_proceeds))
        }
        Request::Withdraw { source, account, destination, amount } => {
            let (book, account) = with_account(source, &account)?;
            book.withdraw(&account, &destination, Tokens(amount))
        }
        Request::Join { source, pool, owner, from, shares_destination, amount, min_shares } => {
            let (amount, least) = (Tokens(amount), Shares(min_shares));
            book(source)?.0.join(&owner, pool, &from, &shares_destination, amount, least)
        }
        Request::Leave { source, pool, owner, shares_source, shares } => {
            Ok(vec![book(source)?.0.request(&owner, pool, &shares_source, Shares(shares))])
        }
        _ => return Err(refusal("UnknownRequest", "this builds no transaction", "Ask for a transaction.")),
    };
    let instructions = instructions.map_err(refused)?;
    let compute_units = budget::limit(&instructions);
    Ok(Transaction { instructions: instructions.into_iter().map(instruction).collect(), compute_units })
}

fn taken(source: Source) -> (Pubkey, Snapshot, PriceAccounts) {
    let Source { vault, shard, prices, slot, accounts } = source;
    let accounts = accounts.into_iter().map(|account| {
        let crate::wire::Account { address, owner, lamports, data } = account;
        (address, RawAccount { owner, lamports, data })
    });
    let snapshot = Snapshot { slot, accounts: accounts.collect() };
    (vault, snapshot, PriceAccounts { shard, others: prices.into_iter().collect() })
}

fn book(source: Source) -> Answer<(Book, Snapshot)> {
    let (vault, snapshot, prices) = taken(source);
    let book = Book::read(&vault, &snapshot, &prices).map_err(unread)?;
    Ok((book, snapshot))
}

fn with_account(source: Source, account: &Pubkey) -> Answer<(Book, Keyed<MarginAccount>)> {
    let (book, snapshot) = book(source)?;
    let account = snapshot.read(account).map_err(unread)?;
    Ok((book, account))
}

fn scale(decimals: u8, multiplier: u64) -> Answer<UiScale> {
    let multiplier = Multiplier::from_bits(multiplier).map_err(refused)?;
    Ok(UiScale { decimals, multiplier })
}

fn side_of(up: bool) -> Rounding {
    if up { Rounding::Up } else { Rounding::Down }
}

fn mint(book: &Book) -> Mint {
    let mint = &book.mint;
    Mint {
        address: mint.address,
        token_program: mint.token_program,
        decimals: mint.decimals,
        multiplier: mint.multiplier.0,
        paused: mint.paused,
    }
}

fn ladder(book: &Book, market: u8) -> perpetua_model::Result<Vec<Row>> {
    let rows = book.ladder(market)?.into_iter();
    let row = |row: perpetua_client::book::LadderRow| Row {
        tick: row.tick,
        strike: row.strike.bits(),
        call: row_side(&row.call),
        put: row_side(&row.put),
    };
    Ok(rows.map(row).collect())
}

fn row_side(side: &LadderSide) -> RowSide {
    RowSide {
        ask: side.ask.map(open).map_err(code),
        bid: side.bid.map(close).map_err(code),
        funding_per_day: side.funding.map(|rate| per_day(rate).bits()).map_err(code),
        open_interest: side.open_interest.0,
    }
}

fn standing(book: &Book, account: &MarginAccount) -> perpetua_model::Result<Standing> {
    let health = book.health(account)?;
    Ok(Standing {
        collateral: health.collateral.0,
        owed: health.owed.0,
        unaccrued: health.unaccrued.0,
        maintenance: health.maintenance.0,
        initial: health.initial().0,
        equity: health.equity(),
        liquidatable: health.is_liquidatable(),
        positions: book.positions(account)?.iter().map(position).collect(),
    })
}

fn position(status: &PositionStatus) -> Position {
    let Series { side, tick } = status.series;
    Position {
        market: status.market,
        side,
        tick,
        strike: status.strike.bits(),
        size: status.size.0,
        close: status.close.map(close).map_err(code),
        owed: status.owed.0,
        funding_per_day: status.funding_per_day.0,
    }
}

fn pool_standing(book: &Book, pool: Pool) -> perpetua_model::Result<PoolStanding> {
    let status = book.pool(pool.into())?;
    let value = |value: perpetua_model::NetAssetValue| PoolValue {
        low: value.low.0,
        high: value.high.0,
        at_bounds: value.at_bounds,
    };
    Ok(PoolStanding {
        assets: status.assets.0,
        shares: status.shares.0,
        queued: status.queued.0,
        value: status.value.map(value).map_err(code),
        exit_capacity: status.exit_capacity.0,
        income_per_day: status.income_per_day.0,
        funding_yield_bps: status.funding_yield_bps(),
    })
}

fn open(quote: OpenQuote) -> Open {
    let OpenQuote { strike, value, premium, fee, reserve } = quote;
    Open { strike: strike.get(), value: value.get(), premium: premium.0, fee: fee.0, reserve: reserve.0 }
}

fn close(quote: CloseQuote) -> Close {
    Close { value: quote.value.get(), payout: quote.payout.0, fee: quote.fee.0 }
}

fn instruction(instruction: solana_program::instruction::Instruction) -> Instruction {
    let meta = |meta: &solana_program::instruction::AccountMeta| AccountMeta {
        address: meta.pubkey,
        signer: meta.is_signer,
        writable: meta.is_writable,
    };
    Instruction {
        program: instruction.program_id,
        accounts: instruction.accounts.iter().map(meta).collect(),
        data: instruction.data,
    }
}

/// The number of the program's error for what the model refuses.
fn code(error: ModelError) -> u32 {
    PerpetuaError::from(error).into()
}

fn refused(error: ModelError) -> Refusal {
    in_words(explain_code(code(error)))
}

fn in_words(explanation: Explanation) -> Refusal {
    let Explanation { code, name, message, remedy } = explanation;
    Refusal { code, name, message, remedy: remedy.to_owned() }
}

fn unread(error: AccountError) -> Refusal {
    let remedy = "Read the accounts again, all at once, from a cluster that the program is on.";
    refusal("AccountUnreadable", &error.to_string(), remedy)
}

fn not_amount(error: AmountError) -> Refusal {
    refusal("NotAnAmount", &error.to_string(), "Write a decimal number such as 12.5.")
}

fn refusal(name: &str, message: &str, remedy: &str) -> Refusal {
    Refusal { code: None, name: name.to_owned(), message: message.to_owned(), remedy: remedy.to_owned() }
}

fn bytes(answer: &impl AnchorSerialize) -> Answer<Vec<u8>> {
    let mut bytes = Vec::new();
    let written = answer.serialize(&mut bytes);
    written.map_err(|error| refusal("TooLarge", &error.to_string(), "Report this: it is a defect of the module."))?;
    Ok(bytes)
}
