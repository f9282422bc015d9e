//! What a run leaves behind: the data that `--json` prints and that the report draws. Tokens are raw units.

pub mod halving;
pub mod weekend;

use serde::Serialize;

/// Everything that a scenario shows.
#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
pub enum Told {
    /// The crash of March 2020.
    Crash(Record),
    /// Weeks with a market that settles in dollars.
    Weekend(weekend::Weekend),
    /// A night in which the stock halves.
    Halving(halving::Halving),
}

impl Told {
    /// What was verified.
    pub fn checks(&self) -> impl Iterator<Item = &Check> {
        let records = match self {
            Self::Crash(record) => vec![record],
            Self::Weekend(weekend) => weekend.chapters.iter().map(|chapter| &chapter.record).collect(),
            Self::Halving(halving) => vec![&halving.record],
        };
        records.into_iter().flat_map(|record| &record.checks)
    }
}

/// Everything that a run shows.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Record {
    /// What was replayed, and at what terms.
    pub setting: Setting,
    /// The state of the world after each hour.
    pub hours: Vec<Hour>,
    /// Who took part.
    pub actors: Vec<Actor>,
    /// What happened to positions and pools, in order.
    pub happenings: Vec<Happening>,
    /// What the program refused, by error.
    pub refusals: Vec<Refusal>,
    /// Compute units by instruction.
    pub compute: Vec<Compute>,
    /// Where the tokens went.
    pub flows: Vec<Line>,
    /// The vault's ledgers when everybody had left.
    pub ledgers: Vec<Line>,
    /// What was verified.
    pub checks: Vec<Check>,
    /// Transactions that succeeded.
    pub transactions: usize,
}

/// What was replayed, and at what terms.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Setting {
    /// The stock token.
    pub token: String,
    /// Its decimals.
    pub decimals: u8,
    /// The stock's price at which `X` was fixed, US cents.
    pub stock_price_cents: u64,
    /// Raw units of the token per US dollar, rounded down.
    pub units_per_usd: u64,
}

/// The state of the world after an hour.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Hour {
    /// Unix seconds.
    pub time: i64,
    /// The index, US dollars.
    pub price: f64,
    /// Middle volatility of calls and puts, 1 is 100%.
    pub volatility: [f64; 2],
    /// What a main pool share is worth, in tokens; 1 at the start.
    pub share_price: f64,
    /// What an insurance pool share is worth, in tokens; 1 at the start.
    pub insurance_share_price: f64,
    /// Reserves over main pool assets.
    pub utilisation: f64,
    /// Premiums paid so far.
    pub premium: u64,
    /// Payouts so far: what closing, the cap, retirement and liquidation paid.
    pub payout: u64,
    /// Funding collected so far.
    pub funding: u64,
    /// Trading fees so far.
    pub fees: u64,
    /// What each trader would have, everything he took out included, less what he paid in; by number of the actor.
    pub results: Vec<(usize, i64)>,
}

/// Which table an actor is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Group {
    /// Buys options.
    Trader,
    /// Sells them, with others.
    Provider,
    /// Cranks, settles and liquidates.
    Keeper,
    /// The project that seeds the pools.
    Project,
    /// Whoever the protocol's fees are paid to.
    Protocol,
    /// What belongs to no share: the last leaver's exit fee and rounding.
    Nobody,
}

/// Somebody in the run and how he came out of it.
#[derive(Clone, Debug, Serialize)]
pub struct Actor {
    /// Name.
    pub name: String,
    /// Which table he is in.
    pub group: Group,
    /// What he does, in a sentence.
    pub rule: String,
    /// Tokens he paid in.
    pub paid_in: u64,
    /// Tokens he took out.
    pub taken_out: u64,
}

impl Actor {
    /// Profit, or loss below zero, in raw units.
    pub fn result(&self) -> i128 {
        i128::from(self.taken_out) - i128::from(self.paid_in)
    }
}

/// What kind of thing happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Kind {
    /// A position was opened or added to.
    Open,
    /// A position was closed in whole or in part.
    Close,
    /// An account was liquidated.
    Liquidation,
    /// A position was paid its cap.
    Capped,
    /// A far position was retired.
    Retired,
    /// Tokens joined a pool.
    Join,
    /// A withdrawal from a pool was asked for.
    Request,
    /// It was paid.
    Leave,
    /// It was cancelled.
    Cancel,
}

/// Something that happened to a position or a pool.
#[derive(Clone, Debug, Serialize)]
pub struct Happening {
    /// Unix seconds.
    pub time: i64,
    /// Number of the actor whose position or pool share it is.
    pub actor: usize,
    /// What it was.
    pub kind: Kind,
    /// What of.
    pub of: Subject,
    /// The index then, US dollars.
    pub price: f64,
    /// What was paid or received, raw units.
    pub tokens: u64,
}

/// What something happened to.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub enum Subject {
    /// A position.
    Option {
        /// Number of the market.
        market: usize,
        /// A call, or else a put.
        call: bool,
        /// Place of the strike on the grid.
        tick: i16,
        /// The strike, US dollars.
        strike: f64,
        /// By how much the position changed, millionths of an index unit.
        size: u64,
        /// What is left of it, millionths of an index unit.
        left: u64,
    },
    /// A share of a pool, by the pool's name.
    Pool(String),
}

/// An error that the program answered with.
#[derive(Clone, Debug, Serialize)]
pub struct Refusal {
    /// Its name.
    pub error: String,
    /// What it says.
    pub message: String,
    /// How often.
    pub count: usize,
    /// When first, Unix seconds.
    pub first: i64,
    /// When last, Unix seconds.
    pub last: i64,
    /// Who wanted what: the actor's name and the instruction, each once.
    pub wanted: Vec<String>,
}

/// Compute units of an instruction.
#[derive(Clone, Debug, Serialize)]
pub struct Compute {
    /// The instruction.
    pub instruction: String,
    /// How often it succeeded.
    pub calls: usize,
    /// Fewest.
    pub lowest: u64,
    /// In the middle.
    pub median: u64,
    /// Most.
    pub highest: u64,
}

/// An amount with a name.
#[derive(Clone, Debug, Serialize)]
pub struct Line {
    /// What it is.
    pub name: String,
    /// How much, raw units.
    pub tokens: u64,
    /// What it means, in a sentence.
    pub note: String,
}

/// Something that must hold.
#[derive(Clone, Debug, Serialize)]
pub struct Check {
    /// What must hold, in a sentence.
    pub promise: String,
    /// Whether it does.
    pub holds: bool,
    /// The numbers compared.
    pub detail: String,
}
