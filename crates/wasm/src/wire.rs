//! Requests and answers, in Borsh. `clients/js/src/quote/wire.ts` says the same in TypeScript; the tests of `clients/js`
//! compare what comes of both.

use anchor_lang::{AnchorDeserialize, AnchorSerialize, prelude::Pubkey};
use perpetua::{Pool, Side};

/// What is asked.
#[derive(AnchorSerialize, AnchorDeserialize, Clone, Debug, PartialEq, Eq)]
pub enum Request {
    /// What an option is worth; [`OptionPrice`].
    Price(OptionTerms),
    /// A raw amount as a wallet shows it; a string.
    Show { raw: u64, decimals: u8, multiplier: u64, up: bool },
    /// The raw amount of what somebody wrote; a `u64`.
    Parse { text: String, decimals: u8, multiplier: u64, up: bool },
    /// What a program's error number means; [`Refusal`].
    Explain { code: u32 },
    /// Which accounts a vault's book is read from, as far as those given tell; a list of addresses.
    Wanted(Source),
    /// The stock token; [`Mint`].
    Mint(Source),
    /// What opening costs, once the market was cranked; [`Open`].
    QuoteOpen { source: Source, market: u8, side: Side, tick: i16, size: u64 },
    /// What closing pays, once the market was cranked; [`Close`].
    QuoteClose { source: Source, market: u8, side: Side, tick: i16, size: u64 },
    /// Every strike that positions may be opened at; a list of [`Row`].
    Ladder { source: Source, market: u8 },
    /// How a margin account stands, once its markets were cranked; [`Standing`].
    Account { source: Source, account: Pubkey },
    /// How a pool stands, once the vault's markets were cranked and marked; [`PoolStanding`].
    Pool { source: Source, pool: Pool },
    /// The shares that raw tokens buy; a `u64`.
    SharesFor { source: Source, pool: Pool, amount: u64 },
    /// What shares are worth after the exit fee, raw tokens; a `u64`.
    WorthOf { source: Source, pool: Pool, shares: u64 },
    /// Buys an option, after the cranks that this needs; [`Transaction`].
    Open { source: Source, account: Pubkey, market: u8, side: Side, tick: i16, size: u64, max_cost: u64 },
    /// Sells an option back, after its crank; [`Transaction`].
    Close { source: Source, account: Pubkey, market: u8, side: Side, tick: i16, size: u64, min_proceeds: u64 },
    /// Takes collateral out, after the cranks that this needs; [`Transaction`].
    Withdraw { source: Source, account: Pubkey, destination: Pubkey, amount: u64 },
    /// Joins a pool, after the cranks and marks that this needs; [`Transaction`].
    Join {
        source: Source,
        pool: Pool,
        owner: Pubkey,
        from: Pubkey,
        shares_destination: Pubkey,
        amount: u64,
        min_shares: u64,
    },
    /// Asks to leave a pool; [`Transaction`].
    Leave { source: Source, pool: Pool, owner: Pubkey, shares_source: Pubkey, shares: u64 },
}

/// A vault and the accounts around it, read from the network at one slot.
#[derive(AnchorSerialize, AnchorDeserialize, Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// The vault's address.
    pub vault: Pubkey,
    /// The shard of Pyth's pushed price accounts.
    pub shard: u16,
    /// Accounts that stand for them, by feed.
    pub prices: Vec<([u8; 32], Pubkey)>,
    /// The slot of the chain that all accounts were read at.
    pub slot: u64,
    /// Those that exist.
    pub accounts: Vec<Account>,
}

/// An account as the network has it.
#[derive(AnchorSerialize, AnchorDeserialize, Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Where it is.
    pub address: Pubkey,
    /// The program that owns it.
    pub owner: Pubkey,
    /// Its lamports.
    pub lamports: u64,
    /// Its bytes.
    pub data: Vec<u8>,
}

/// An option and the price of its index.
#[derive(AnchorSerialize, AnchorDeserialize, Clone, Copy, Debug, PartialEq, Eq)]
pub struct OptionTerms {
    /// Call or put.
    pub side: Side,
    /// Price of the index, US dollars Q64.64.
    pub spot: u128,
    /// Strike, US dollars Q64.64.
    pub strike: u128,
    /// Volatility, annualised, Q16.48.
    pub volatility: u64,
    /// Funding period in seconds.
    pub period: u32,
    /// Payout cap in bps of the strike.
    pub cap_bps: u16,
    /// The index's financing rate, in bps a year.
    pub carry_bps: u16,
    /// What reserving the payout costs, in bps a year.
    pub rent_bps: u16,
}

/// What an option is worth, per index unit.
#[derive(AnchorSerialize, AnchorDeserialize, Clone, Copy, Debug, PartialEq, Eq)]
pub struct OptionPrice {
    /// US dollars Q64.64, rounded down.
    pub value: u128,
    /// The part of it that is not intrinsic, US dollars Q64.64, rounded down.
    pub time_value: u128,
    /// Change of the value per dollar of the index, Q64.64.
    pub delta: i128,
    /// Change of delta per dollar of the index, Q64.64.
    pub gamma: i128,
    /// Change of the value in dollars per 1.00 of volatility, Q64.64.
    pub vega: i128,
    /// What holding it costs, US dollars a day Q64.64, rounded up.
    pub funding_per_day: u128,
}

/// A stock token.
#[derive(AnchorSerialize, AnchorDeserialize, Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mint {
    /// Its mint.
    pub address: Pubkey,
    /// The token program that owns the mint.
    pub token_program: Pubkey,
    /// Its decimals.
    pub decimals: u8,
    /// What raw amounts are multiplied by when they are shown: the bits of an IEEE-754 double.
    pub multiplier: u64,
    /// Whether the issuer has paused it.
    pub paused: bool,
}

/// Why something was refused, in words.
#[derive(AnchorSerialize, AnchorDeserialize, Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Its number, where the program has one.
    pub code: Option<u32>,
    /// Its name in code and logs.
    pub name: String,
    /// What was refused.
    pub message: String,
    /// What the caller can do.
    pub remedy: String,
}

/// What opening costs; the fields of [`perpetua_model::OpenQuote`].
#[derive(AnchorSerialize, AnchorDeserialize, Clone, Copy, Debug, PartialEq, Eq)]
pub struct Open {
    /// US dollars Q64.64.
    pub strike: u128,
    /// Per index unit, US dollars Q64.64.
    pub value: u128,
    /// Raw tokens.
    pub premium: u64,
    /// Raw tokens.
    pub fee: u64,
    /// Raw tokens.
    pub reserve: u64,
}

/// What closing pays; the fields of [`perpetua_model::CloseQuote`].
#[derive(AnchorSerialize, AnchorDeserialize, Clone, Copy, Debug, PartialEq, Eq)]
pub struct Close {
    /// Per index unit, US dollars Q64.64.
    pub value: u128,
    /// Raw tokens.
    pub payout: u64,
    /// Raw tokens.
    pub fee: u64,
}

/// A strike; an `Err` has the number of the program's error.
#[derive(AnchorSerialize, AnchorDeserialize, Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Its place on the grid.
    pub tick: i16,
    /// US dollars Q64.64.
    pub strike: u128,
    /// Its call.
    pub call: RowSide,
    /// Its put.
    pub put: RowSide,
}

/// An option of a strike, quoted for the smallest size.
#[derive(AnchorSerialize, AnchorDeserialize, Clone, Debug, PartialEq, Eq)]
pub struct RowSide {
    /// What buying it costs.
    pub ask: Result<Open, u32>,
    /// What selling it pays.
    pub bid: Result<Close, u32>,
    /// What holding it costs, US dollars per index unit and day Q64.64, rounded up.
    pub funding_per_day: Result<u128, u32>,
    /// Sum of all positions, millionths of an index unit.
    pub open_interest: u64,
}

/// How a margin account stands, in raw tokens.
#[derive(AnchorSerialize, AnchorDeserialize, Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Collateral before owed funding.
    pub collateral: u64,
    /// Funding owed, rounded up.
    pub owed: u64,
    /// The most that can have come due unseen, rounded up.
    pub unaccrued: u64,
    /// Maintenance margin, rounded up.
    pub maintenance: u64,
    /// Initial margin.
    pub initial: u64,
    /// Collateral less owed funding.
    pub equity: i128,
    /// Whether anyone may liquidate it.
    pub liquidatable: bool,
    /// Its positions.
    pub positions: Vec<Position>,
}

/// A position; its amounts are raw tokens.
#[derive(AnchorSerialize, AnchorDeserialize, Clone, Debug, PartialEq, Eq)]
pub struct Position {
    /// Number of its market.
    pub market: u8,
    /// Call or put.
    pub side: Side,
    /// Place of its strike on the grid.
    pub tick: i16,
    /// US dollars Q64.64.
    pub strike: u128,
    /// Millionths of an index unit.
    pub size: u64,
    /// What selling all of it pays.
    pub close: Result<Close, u32>,
    /// Funding that it owes, rounded up.
    pub owed: u64,
    /// What it pays for a day, rounded up.
    pub funding_per_day: u64,
}

/// How a pool stands, in raw tokens.
#[derive(AnchorSerialize, AnchorDeserialize, Clone, Debug, PartialEq, Eq)]
pub struct PoolStanding {
    /// Tokens in its ledger.
    pub assets: u64,
    /// Shares outstanding, those waiting to leave included.
    pub shares: u64,
    /// Shares waiting to leave.
    pub queued: u64,
    /// What it is worth.
    pub value: Result<PoolValue, u32>,
    /// Tokens that may leave it now.
    pub exit_capacity: u64,
    /// Its part of what holders pay for a day.
    pub income_per_day: u64,
    /// A year's income in bps of its assets, if it has any.
    pub funding_yield_bps: Option<u64>,
}

/// What a pool is worth, in raw tokens.
#[derive(AnchorSerialize, AnchorDeserialize, Clone, Copy, Debug, PartialEq, Eq)]
pub struct PoolValue {
    /// Shares are burned at this.
    pub low: u64,
    /// Shares are minted at this.
    pub high: u64,
    /// Whether a market counts with its bounds, for lack of a price.
    pub at_bounds: bool,
}

/// Instructions that belong into one transaction, in this order.
#[derive(AnchorSerialize, AnchorDeserialize, Clone, Debug, PartialEq, Eq)]
pub struct Transaction {
    /// The instructions.
    pub instructions: Vec<Instruction>,
    /// Compute units that they take at most.
    pub compute_units: u32,
}

/// An instruction.
#[derive(AnchorSerialize, AnchorDeserialize, Clone, Debug, PartialEq, Eq)]
pub struct Instruction {
    /// The program.
    pub program: Pubkey,
    /// Its accounts.
    pub accounts: Vec<AccountMeta>,
    /// Its data.
    pub data: Vec<u8>,
}

/// An account of an instruction.
#[derive(AnchorSerialize, AnchorDeserialize, Clone, Copy, Debug, PartialEq, Eq)]
pub struct AccountMeta {
    /// Where it is.
    pub address: Pubkey,
    /// Whether it signs.
    pub signer: bool,
    /// Whether it may change.
    pub writable: bool,
}
