//! What can happen to an exchange: one action for each instruction that changes anything, and what the world does by
//! itself. An action is plain values, so a sequence of them can be written down, cut short and played again.

use serde::{Deserialize, Serialize};

/// People, by their number. All of them have token accounts in both vaults; each may try anything.
pub const ACTORS: u8 = 9;
/// Deploys the program and lists things.
pub const ADMIN: u8 = 6;
/// May pause and tighten at first.
pub const GUARDIAN: u8 = 7;
/// Owns what fees are paid to at first.
pub const TREASURY: u8 = 8;
/// Margin accounts that each owner may have in a vault.
pub const SUBS: u8 = 2;
/// The vault of a copy of an xStock mint, with a stock, and that of a plain SPL token.
pub const VAULTS: u8 = 2;
/// Indices that may be listed.
pub const INDICES: u8 = 3;
/// The feeds of the indices, then of the share and of its token.
pub const FEEDS: u8 = INDICES + 2;
/// The feed of the share.
pub const SHARE: u8 = INDICES;
/// The feed of the token.
pub const TOKEN: u8 = INDICES + 1;
/// Price accounts that hold updates of each feed, so that an older update can be used beside a newer one.
pub const POSTED: u8 = 2;

/// A margin account of a vault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Holder {
    /// Its owner.
    pub owner: u8,
    /// Which of the owner's accounts.
    pub sub: u8,
}

/// An option of a market.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Series {
    /// Number of the market within the vault.
    pub market: u8,
    /// Whether it is a put.
    pub put: bool,
    /// Its strike's place on the grid.
    pub tick: i16,
}

/// A withdrawal from a pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TicketKey {
    /// Whether it is of the insurance pool.
    pub insurance: bool,
    /// Its number in the queue.
    pub number: u64,
}

/// Whose configuration changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// The exchange's.
    Exchange,
    /// An index's.
    Index(u8),
    /// A vault's.
    Vault(u8),
    /// That of a vault's market.
    Market(u8, u8),
    /// That of a vault's stock.
    Stock(u8),
}

/// An update that a feed publishes, as Pyth gives it: integers to be multiplied by `10^exponent`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Published {
    /// Spot.
    pub price: i64,
    /// Half-width of the confidence interval.
    pub confidence: u64,
    /// Moving average of spot.
    pub average: i64,
    /// Power of ten.
    pub exponent: i32,
    /// Seconds since it was published; negative from the future.
    pub age: i64,
    /// Seconds between the update before it and it.
    pub gap: i64,
}

macro_rules! actions {
    ($($(#[$doc:meta])* $name:ident = $text:literal { $($field:ident: $type:ty),* $(,)? })*) => {
        /// One step of a sequence. Those named as an instruction send it. `by` signs; people, vaults, markets and indices
        /// are numbers; amounts are raw units, sizes millionths of an index unit, times seconds; bit `i` of `given` says
        /// whether market `i` is among the accounts.
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        #[serde(tag = "do", rename_all = "snake_case")]
        pub enum Action {
            $($(#[$doc])* $name { $($field: $type),* },)*
        }

        /// The places of names in [`Action::NAMES`].
        #[allow(clippy::enum_variant_names)] // they are the actions'
        enum Number { $($name),* }

        impl Action {
            /// The names of all actions.
            pub const NAMES: &'static [&'static str] = &[$($text),*];

            /// Its name: the instruction's, where it sends one.
            pub fn name(&self) -> &'static str {
                match self { $(Self::$name { .. } => $text),* }
            }

            /// Its name's place in [`Self::NAMES`].
            pub fn number(&self) -> usize {
                match self { $(Self::$name { .. } => Number::$name as usize),* }
            }
        }
    };
}

actions! {
    /// Sets up the exchange.
    InitializeExchange = "initialize_exchange" { by: u8 }
    /// Lists an index, with a declared variance or without.
    CreateIndex = "create_index" { by: u8, index: u8, declared: bool }
    /// Lists a vault.
    CreateVault = "create_vault" { by: u8, vault: u8 }
    /// Names the feeds of a vault's stock.
    CreateStock = "create_stock" { by: u8, vault: u8, token_feed: bool }
    /// Lists a market.
    CreateMarket = "create_market" { by: u8, vault: u8, index: u8, dollar: bool }
    /// Enters a day on which the stock exchange closes early or does not open.
    ShortenSessions = "shorten_sessions" { by: u8, vault: u8, day: u16, close_minute: u16 }
    /// Accepts a multiplier: the bits of a double.
    AcknowledgeMultiplier = "acknowledge_multiplier" { by: u8, vault: u8, multiplier: u64 }
    /// Pauses or resumes opening.
    SetOpeningPaused = "set_opening_paused" { by: u8, paused: bool }
    /// Proposes that a parameter, counted by `knob`, becomes `value`.
    ProposeChange = "propose_change" { by: u8, target: Target, knob: u8, value: u32 }
    /// Applies a proposed change.
    ApplyChange = "apply_change" { target: Target }
    /// Takes a proposed change back.
    CancelChange = "cancel_change" { by: u8, target: Target }
    /// Tightens a parameter at once.
    Tighten = "tighten" { by: u8, target: Target, knob: u8, value: u32 }
    /// Names who becomes administrator.
    NameAdmin = "name_admin" { by: u8, next: u8 }
    /// Becomes administrator.
    AcceptAdmin = "accept_admin" { by: u8 }
    /// Accepts what the issuer changed.
    AcknowledgeMint = "acknowledge_mint" { by: u8, vault: u8 }
    /// Pays protocol fees to somebody's token account.
    CollectFees = "collect_fees" { vault: u8, to: u8 }
    /// Opens a margin account.
    OpenAccount = "open_account" { vault: u8, holder: Holder }
    /// Closes a margin account.
    CloseAccount = "close_account" { by: u8, vault: u8, holder: Holder }
    /// Deposits collateral.
    Deposit = "deposit" { by: u8, vault: u8, holder: Holder, amount: u64 }
    /// Withdraws collateral.
    Withdraw = "withdraw" { by: u8, vault: u8, holder: Holder, amount: u64, given: u8 }
    /// Buys an option.
    OpenPosition = "open_position" { by: u8, vault: u8, holder: Holder, series: Series, size: u64, max_cost: u64, given: u8 }
    /// Sells an option back.
    ClosePosition = "close_position" { by: u8, vault: u8, holder: Holder, series: Series, size: u64, min_proceeds: u64 }
    /// Takes in prices of the stock, from price accounts by their number.
    CrankStock = "crank_stock" { vault: u8, share: Option<u8>, token: Option<u8> }
    /// Takes in a price of a market's index and accrues funding.
    CrankFunding = "crank_funding" { vault: u8, market: u8, update: Option<u8>, with_stock: bool }
    /// Marks a market.
    MarkMarket = "mark_market" { vault: u8, market: u8 }
    /// Liquidates an account, paying `keeper`.
    Liquidate = "liquidate" { by: u8, vault: u8, holder: Holder, keeper: Holder, given: u8 }
    /// Settles a position at its cap.
    SettleCapped = "settle_capped" { vault: u8, holder: Holder, series: Series }
    /// Settles a position far from the money.
    RetireFar = "retire_far" { vault: u8, holder: Holder, series: Series }
    /// Settles a position of a dead index or stock.
    SettleAbandoned = "settle_abandoned" { vault: u8, holder: Holder, series: Series }
    /// Collects what an account owes.
    SettleFunding = "settle_funding" { vault: u8, holder: Holder, given: u8 }
    /// Notes that tokens are missing.
    NoteShortage = "note_shortage" { vault: u8 }
    /// Recognises the loss of tokens.
    RecogniseLoss = "recognise_loss" { vault: u8 }
    /// Repays losses from tokens that came back.
    RepayLosses = "repay_losses" { vault: u8 }
    /// Serves claims.
    ServeClaims = "serve_claims" { vault: u8 }
    /// Brings an account up to date.
    SyncAccount = "sync_account" { vault: u8, holder: Holder }
    /// Joins a pool.
    JoinPool = "join_pool" { by: u8, vault: u8, insurance: bool, amount: u64, min_shares: u64, given: u8 }
    /// Asks to leave a pool.
    RequestWithdrawal = "request_withdrawal" { by: u8, vault: u8, insurance: bool, shares: u64 }
    /// Executes a withdrawal.
    ExecuteWithdrawal = "execute_withdrawal" { by: u8, vault: u8, ticket: TicketKey, given: u8 }
    /// Takes shares back.
    CancelWithdrawal = "cancel_withdrawal" { by: u8, vault: u8, ticket: TicketKey }
    /// Takes the tokens of an executed withdrawal.
    ClaimWithdrawal = "claim_withdrawal" { by: u8, vault: u8, ticket: TicketKey }
    /// Closes a finished withdrawal.
    CloseTicket = "close_ticket" { vault: u8, ticket: TicketKey }

    /// Time passes; zero slots leave the slot as it is.
    Wait = "wait" { seconds: u32, slots: u32 }
    /// A feed publishes, and somebody posts it in one of its price accounts.
    Post = "post" { feed: u8, at: u8, update: Published }
    /// Somebody sends tokens to the vault that no instruction counts.
    Donate = "donate" { by: u8, vault: u8, amount: u64 }
    /// The issuer sets the UI multiplier and the one that follows `starts` seconds from now: the bits of doubles.
    SetMultiplier = "set_multiplier" { vault: u8, current: u64, next: u64, starts: i64 }
    /// The issuer pauses the token, or resumes it.
    PauseMint = "pause_mint" { vault: u8, paused: bool }
    /// The issuer freezes the vault's tokens, or thaws them.
    FreezeTokens = "freeze_tokens" { vault: u8, frozen: bool }
    /// The issuer names another mint authority and sets a transfer hook, or none.
    ChangeMint = "change_mint" { vault: u8, authority: u8, hook: bool }
    /// The issuer takes tokens from the vault.
    Seize = "seize" { vault: u8, amount: u64 }
    /// The issuer gives back what he took.
    GiveBack = "give_back" { vault: u8, amount: u64 }
    /// An LP sends shares to somebody.
    SendShares = "send_shares" { by: u8, to: u8, vault: u8, insurance: bool, amount: u64 }
}
