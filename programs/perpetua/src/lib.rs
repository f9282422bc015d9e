//! Coin-margined perpetual options on tokenized stocks.
//!
//! This file only dispatches; an instruction's accounts, checks and steps are in its own file under `instructions`.
#![allow(unexpected_cfgs)] // Anchor's macros ask for features of older Solana crates

use anchor_lang::prelude::*;

mod calls;
pub mod constants;
pub mod error;
pub mod events;
mod instructions;
pub mod oracle;
pub mod state;
pub mod token;

pub use error::PerpetuaError;
pub use instructions::*;

declare_id!("PeoK3okAck2xUpQri7S2DqfWdJFKFx5WSKm97NpY76y");

#[cfg(all(feature = "entrypoint", target_os = "solana"))]
anchor_lang::solana_program::entrypoint!(enter);

/// Where the program starts: an event, which is a call of the program to itself, need not pass every instruction's name.
#[cfg(all(feature = "entrypoint", target_os = "solana"))]
fn enter<'a>(
    program_id: &'a Pubkey,
    accounts: &'a [AccountInfo<'a>],
    data: &'a [u8],
) -> anchor_lang::solana_program::entrypoint::ProgramResult {
    match data.strip_prefix(anchor_lang::event::EVENT_IX_TAG_LE) {
        Some(event) => Ok(__private::__events::__event_dispatch(program_id, accounts, event)?),
        None => entry(program_id, accounts, data),
    }
}

/// The program.
#[program]
pub mod perpetua {
    use super::*;

    // What is called most comes first: finding an instruction costs compute for each that stands before it.

    /// Looks at a stock token's multiplier and takes in price updates of the stock, as far as there are new ones. Anyone may
    /// call it; a dollar market's crank needs it in its slot. Updates from outside the exchange's sessions are ignored.
    ///
    /// Errors: `WrongAccount`, `MalformedMint`, `WrongOracleOwner`, `MalformedPrice`, `PriceNotVerified`, `WrongFeed`,
    /// `PriceNotPositive`, `PriceOutOfRange`, `PriceFromFuture`, `PriceStale`, `PriceUncertain`.
    pub fn crank_stock(ctx: Context<CrankStock>) -> Result<()> {
        instructions::crank_stock(ctx)
    }

    /// Takes in a price update, if there is a new one, and accrues the market's funding up to now. Anyone may call it;
    /// trades need it in their slot. An update older than the last one is ignored. A dollar market needs its stock, cranked
    /// in the same slot.
    ///
    /// Errors: `StockMissing`, `StockNotCranked`, `WrongAccount`, `WrongOracleOwner`, `MalformedPrice`, `PriceNotVerified`, `WrongFeed`, `PriceNotPositive`,
    /// `PriceOutOfRange`, `PriceFromFuture`, `PriceStale`, `PriceUncertain`.
    pub fn crank_funding(ctx: Context<CrankFunding>) -> Result<()> {
        instructions::crank_funding(ctx)
    }

    /// Buys `size` millionths of an index unit of the option at `tick`, or adds them to the position held, for at most
    /// `max_cost` raw units of premium and fee. The account's owner signs. Needs every other market that the account has
    /// positions in, and `crank_funding` of the market in the same slot.
    ///
    /// Errors: `Unauthorized`, `WrongAccount`, `MarketNotAccrued`, `PriceStale`, `PriceFarFromAverage`, `VarianceStale`,
    /// `VarianceTooYoung`, `OpeningPaused`, `VaultShort`, `SizeTooSmall`, `SizeTooLarge`, `TickTooFar`, `PriceTouchesCap`,
    /// `OptionTooCheap`, `SlotOccupied`, `CostAboveLimit`, `NoFreePosition`, `InsufficientCollateral`,
    /// `UtilisationTooHigh`, `SeriesLimitReached`, `SideLimitReached`, `MarketMissing`, `BelowInitialMargin`,
    /// `MintPaused`, `MintChanged` and those of a mint that is not allowed any more.
    pub fn open_position(ctx: Context<OpenPosition>, side: Side, tick: i16, size: u64, max_cost: u64) -> Result<()> {
        instructions::open_position(ctx, side, tick, size, max_cost)
    }

    /// Sells `size` millionths of an index unit of the option at `tick` back, for at least `min_proceeds` raw units after
    /// the fee and before the funding that the position owes. The account's owner signs. Needs `crank_funding` of the
    /// market in the same slot, unless there was no price for seven days.
    ///
    /// Errors: `Unauthorized`, `WrongAccount`, `MarketNotAccrued`, `PriceStale`, `PositionNotFound`, `SizeTooSmall`,
    /// `SizeTooLarge`, `ProceedsBelowLimit`, `InsufficientCollateral`.
    pub fn close_position(
        ctx: Context<ClosePosition>,
        side: Side,
        tick: i16,
        size: u64,
        min_proceeds: u64,
    ) -> Result<()> {
        instructions::close_position(ctx, side, tick, size, min_proceeds)
    }

    /// Closes of an account below its maintenance margin what restores its initial margin. Anyone with a margin account in
    /// the vault may call it, who receives half of the penalty there. Needs every market that the account has positions
    /// in, each followed by its index and cranked in the same slot.
    ///
    /// Errors: `WrongAccount`, `Unauthorized`, `SameAccount`, `MarketMissing`, `MarketNotAccrued`, `PriceStale`,
    /// `AccountHealthy`, `PriceFarFromAverage`, `RecoveringFromOutage`.
    pub fn liquidate(ctx: Context<Liquidate>) -> Result<()> {
        instructions::liquidate(ctx)
    }

    /// Values a market's open interest, for pool shares to be minted and burned at. Anyone may call it. Needs
    /// `crank_funding` of the market in the same slot, unless there was no price for ten minutes.
    ///
    /// Errors: `WrongAccount`, `MarketNotAccrued`, `PriceStale`, `PriceFarFromAverage`, `VarianceStale`.
    pub fn mark_market(ctx: Context<MarkMarket>) -> Result<()> {
        instructions::mark_market(ctx)
    }

    /// Moves up to `amount` raw units of the stock token into a pool and mints shares for what arrived, at the pool's higher
    /// value. The owner of the tokens signs. Needs every market of the vault, each marked within 25 slots.
    ///
    /// Errors: `WrongAccount`, `MarketsIncomplete`, `MarkStale`, `AmountZero`, `SharesBelowMinimum`, `SharePriceTooLow`,
    /// `OpeningPaused`, `VaultShort`, `MintPaused`, `MintChanged`, and the token program's.
    pub fn join_pool(ctx: Context<JoinPool>, pool: Pool, amount: u64, min_shares: u64) -> Result<()> {
        instructions::join_pool(ctx, pool, amount, min_shares)
    }

    /// Turns the withdrawal at the front of a pool's queue into tokens to claim, at the pool's lower value and as far as
    /// its capacity goes; one that waited a day too long is returned instead. Anyone may call it, but only the owner while
    /// a market has no price. Needs every market of the vault, each marked within 25 slots.
    ///
    /// Errors: `WrongAccount`, `TicketNotQueued`, `TicketOutOfOrder`, `TicketNotReady`, `MarketsIncomplete`, `MarkStale`,
    /// `MarkAtBounds`, `VaultShort`.
    pub fn execute_withdrawal(ctx: Context<ExecuteWithdrawal>) -> Result<()> {
        instructions::execute_withdrawal(ctx)
    }

    /// Moves `amount` raw units of the stock token into the vault and credits the account with what arrived. The account's
    /// owner signs.
    ///
    /// Errors: `Unauthorized`, `WrongAccount`, `AmountZero`, `MintPaused`, `MintChanged` and the other reasons why a mint is
    /// refused, `VaultShort`, and the token program's.
    pub fn deposit(ctx: Context<Deposit>, amount: u64) -> Result<()> {
        instructions::deposit(ctx, amount)
    }

    /// Pays `amount` raw units of collateral to any token account, if the margin account stays above its initial margin.
    /// The account's owner signs. Needs every market that the account has positions in.
    ///
    /// Errors: `Unauthorized`, `WrongAccount`, `AmountZero`, `InsufficientCollateral`, `BelowInitialMargin`,
    /// `MarketMissing`, `PriceFarFromAverage`, `VaultShort`, `MintPaused`, `MintChanged` and the other reasons why a mint is
    /// refused, and the token program's.
    pub fn withdraw(ctx: Context<Withdraw>, amount: u64) -> Result<()> {
        instructions::withdraw(ctx, amount)
    }

    /// Pays a position whose option is certain to be at its cap, in full and without a fee, to its owner. Anyone may call
    /// it. Needs `crank_funding` of the market in the same slot.
    ///
    /// Errors: `WrongAccount`, `MarketNotAccrued`, `PriceStale`, `VarianceStale`, `PositionNotFound`, `NotCapped`,
    /// `InsufficientCollateral`.
    pub fn settle_capped(ctx: Context<SettlePosition>, side: Side, tick: i16) -> Result<()> {
        instructions::settle_capped(ctx, side, tick)
    }

    /// Closes a position far out of the money at its funding value, without a fee, to its owner, so that its place on the
    /// ladder returns. Anyone may call it. Needs `crank_funding` of the market in the same slot.
    ///
    /// Errors: `WrongAccount`, `MarketNotAccrued`, `PriceStale`, `VarianceStale`, `PositionNotFound`, `NotFar`,
    /// `InsufficientCollateral`.
    pub fn retire_far(ctx: Context<SettlePosition>, side: Side, tick: i16) -> Result<()> {
        instructions::retire_far(ctx, side, tick)
    }

    /// Closes a position whose index had no price for seven days, at the last price and the middle volatility, without a fee,
    /// to its owner. Anyone may call it. Needs `crank_funding` of the market in the same slot.
    ///
    /// Errors: `WrongAccount`, `MarketNotAccrued`, `PositionNotFound`, `NotAbandoned`, `InsufficientCollateral`, and the
    /// states of a dollar market's stock.
    pub fn settle_abandoned(ctx: Context<SettlePosition>, side: Side, tick: i16) -> Result<()> {
        instructions::settle_abandoned(ctx, side, tick)
    }

    /// Collects what an account's positions owe, as far as its collateral goes. Anyone may call it. Needs every market that
    /// the account has positions in.
    ///
    /// Errors: `WrongAccount`, `MarketMissing`, `NothingToCollect`.
    pub fn settle_funding(ctx: Context<SettleFunding>) -> Result<()> {
        instructions::settle_funding(ctx)
    }

    /// Makes the program's upgrade authority, who signs, the administrator, and names the guardian and the owner of the
    /// token accounts that fees are paid to. Once.
    ///
    /// Errors: `Unauthorized`, `WrongAccount`; Anchor's if the exchange exists already.
    pub fn initialize_exchange(
        ctx: Context<InitializeExchange>,
        guardian: Pubkey,
        fee_recipient: Pubkey,
    ) -> Result<()> {
        instructions::initialize_exchange(ctx, guardian, fee_recipient)
    }

    /// Lists an underlying by its Pyth feed. With a declared variance (annualised, Q16.48) positions may open at once,
    /// without one after a day of samples. The administrator signs.
    ///
    /// Errors: `Unauthorized`, `ParameterOutOfRange`.
    pub fn create_index(
        ctx: Context<CreateIndex>,
        feed_id: [u8; 32],
        guards: GuardParameters,
        declared_variance: Option<u64>,
    ) -> Result<()> {
        instructions::create_index(ctx, feed_id, guards, declared_variance)
    }

    /// Lists a stock token with its vault, two empty pools and their share mints. The administrator signs.
    ///
    /// Errors: `Unauthorized`, `ParameterOutOfRange`, and the reasons for which a mint is refused: `MalformedMint`,
    /// `MintExtensionNotAllowed`, `MintDefaultsToFrozen`, `MintHasTransferHook`, `MintHasTransferFee`,
    /// `MintAutoApprovesConfidential`.
    pub fn create_vault(ctx: Context<CreateVault>, parameters: VaultParameters) -> Result<()> {
        instructions::create_vault(ctx, parameters)
    }

    /// Names the feeds, guards and settings by which a vault's stock is priced, for its dollar markets. The administrator
    /// signs.
    ///
    /// Errors: `Unauthorized`, `WrongAccount`, `ParameterOutOfRange`, `MalformedMint`, `MultiplierInvalid`.
    pub fn create_stock(ctx: Context<CreateStock>, parameters: StockParameters) -> Result<()> {
        instructions::create_stock(ctx, parameters)
    }

    /// Enters days to come on which the stock exchange is closed or closes early. An entry can only ever shorten a session.
    /// The administrator signs.
    ///
    /// Errors: `Unauthorized`, `WrongAccount`, `CalendarInvalid`, `CalendarFull`.
    pub fn shorten_sessions(ctx: Context<ChangeStock>, days: Vec<ShortDay>) -> Result<()> {
        instructions::shorten_sessions(ctx, days)
    }

    /// Accepts one multiplier of the stock token (the bits of an IEEE-754 double) whatever its size, now or in advance; a
    /// larger change than the stock's settings allow waits for it. The administrator signs.
    ///
    /// Errors: `Unauthorized`, `WrongAccount`, `MultiplierInvalid`.
    pub fn acknowledge_multiplier(ctx: Context<ChangeStock>, multiplier: u64) -> Result<()> {
        instructions::acknowledge_multiplier(ctx, multiplier)
    }

    /// Lists a vault's market on an index; at most four a vault. Its parameters never change. The administrator signs.
    ///
    /// Errors: `Unauthorized`, `WrongAccount`, `ParameterOutOfRange`, `TooManyMarkets`.
    pub fn create_market(ctx: Context<CreateMarket>, parameters: MarketParameters) -> Result<()> {
        instructions::create_market(ctx, parameters)
    }

    /// Stops or resumes the opening of positions and the joining of pools; nothing else is ever stopped. The guardian or
    /// the administrator signs to stop, the administrator to resume.
    ///
    /// Errors: `Unauthorized`.
    pub fn set_opening_paused(ctx: Context<SetOpeningPaused>, paused: bool) -> Result<()> {
        instructions::set_opening_paused(ctx, paused)
    }

    /// Proposes to replace the configuration of the account that is given, or of the exchange; it can be applied two days
    /// later. What positions were opened under never changes. The administrator signs.
    ///
    /// Errors: `Unauthorized`, `WrongAccount`, `ParameterOutOfRange`, `ParameterNeverChanges`, `NothingToChange`; Anchor's
    /// if a change of that account is proposed already.
    pub fn propose_change<'a>(ctx: Context<'a, ProposeChange<'a>>, new: NewParameters) -> Result<()> {
        instructions::propose_change(ctx, new)
    }

    /// Applies a change that was proposed at least two days ago and at most nine. Anyone may call it. A market needs
    /// `crank_funding` in the same slot.
    ///
    /// Errors: `WrongAccount`, `Unauthorized`, `ChangeNotReady`, `ChangeExpired`, `ChangeOutdated`, `MarketNotAccrued`.
    pub fn apply_change<'a>(ctx: Context<'a, ApplyChange<'a>>) -> Result<()> {
        instructions::apply_change(ctx)
    }

    /// Takes a proposed change back. The administrator or the guardian signs.
    ///
    /// Errors: `Unauthorized`.
    pub fn cancel_change(ctx: Context<CancelChange>) -> Result<()> {
        instructions::cancel_change(ctx)
    }

    /// Tightens limits and guards of the account that is given at once, which makes a change that was proposed for it
    /// void. The administrator or the guardian signs.
    ///
    /// Errors: `Unauthorized`, `WrongAccount`, `ParameterOutOfRange`, `ParameterNeverChanges`, `NothingToChange`,
    /// `ChangeMustWait`.
    pub fn tighten<'a>(ctx: Context<'a, Tighten<'a>>, new: NewParameters) -> Result<()> {
        instructions::tighten(ctx, new)
    }

    /// Names who becomes administrator once he accepts; the zero address for nobody. The administrator signs.
    ///
    /// Errors: `Unauthorized`.
    pub fn name_admin(ctx: Context<NameAdmin>, next_admin: Pubkey) -> Result<()> {
        instructions::name_admin(ctx, next_admin)
    }

    /// Makes who was named, and signs, the administrator.
    ///
    /// Errors: `Unauthorized`.
    pub fn accept_admin(ctx: Context<AcceptAdmin>) -> Result<()> {
        instructions::accept_admin(ctx)
    }

    /// Accepts that a mint's issuer changed extensions or authorities, if the mint still passes the policy. The
    /// administrator signs.
    ///
    /// Errors: `Unauthorized`, `WrongAccount`, and the reasons for which a mint is refused.
    pub fn acknowledge_mint(ctx: Context<AcknowledgeMint>) -> Result<()> {
        instructions::acknowledge_mint(ctx)
    }

    /// Pays a vault's protocol fees to a token account of the fee recipient. Anyone may call it.
    ///
    /// Errors: `WrongAccount`, `Unauthorized`, `NothingToCollect`, `VaultShort`, `MintPaused`, `MintChanged`, and the token
    /// program's.
    pub fn collect_fees(ctx: Context<CollectFees>) -> Result<()> {
        instructions::collect_fees(ctx)
    }

    /// Opens a margin account in a vault. Its owner signs; anyone may pay the rent.
    ///
    /// Errors: Anchor's if the account exists already.
    pub fn open_account(ctx: Context<OpenAccount>, sub_account: u16) -> Result<()> {
        instructions::open_account(ctx, sub_account)
    }

    /// Closes a margin account without collateral and positions; the rent goes to its owner, who signs.
    ///
    /// Errors: `Unauthorized`, `AccountNotEmpty`.
    pub fn close_account(ctx: Context<CloseAccount>) -> Result<()> {
        instructions::close_account(ctx)
    }

    /// Notes since when a vault holds fewer tokens than its ledgers say, or that it does not. Anyone may call it.
    ///
    /// Errors: `WrongAccount`.
    pub fn note_shortage(ctx: Context<CoverLosses>) -> Result<()> {
        instructions::note_shortage(ctx)
    }

    /// Takes what a vault has been short of for 48 hours from protocol fees, then the insurance pool, the main pool and all
    /// margin alike. Anyone may call it.
    ///
    /// Errors: `WrongAccount`, `NotShort`, `LossNotDue`, `TooManyLosses`.
    pub fn recognise_loss(ctx: Context<CoverLosses>) -> Result<()> {
        instructions::recognise_loss(ctx)
    }

    /// Repays recognised losses, the last first, from tokens that the vault holds beyond its ledgers. Anyone may call it.
    ///
    /// Errors: `WrongAccount`, `NothingToRepay`.
    pub fn repay_losses(ctx: Context<CoverLosses>) -> Result<()> {
        instructions::repay_losses(ctx)
    }

    /// Serves claims on the insurance pool from its assets, as far as the day's limit goes. Anyone may call it.
    ///
    /// Errors: `NothingToCollect`.
    pub fn serve_claims(ctx: Context<ServeClaims>) -> Result<()> {
        instructions::serve_claims(ctx)
    }

    /// Brings an account up to date with losses of tokens, their repayment and what its claim was served. Anyone may call
    /// it; whatever touches an account does it, too.
    ///
    /// Errors: `WrongAccount`.
    pub fn sync_account(ctx: Context<SyncAccount>) -> Result<()> {
        instructions::sync_account(ctx)
    }

    /// Burns shares of a pool and queues them to leave it. They go on bearing its gains and losses. Their owner signs.
    ///
    /// Errors: `WrongAccount`, `AmountZero`, and the token program's.
    pub fn request_withdrawal(ctx: Context<RequestWithdrawal>, pool: Pool, shares: u64) -> Result<()> {
        instructions::request_withdrawal(ctx, pool, shares)
    }

    /// Mints the shares that a withdrawal still holds, waiting or returned, back to its owner, who signs.
    ///
    /// Errors: `WrongAccount`, `Unauthorized`, `TicketNotQueued`.
    pub fn cancel_withdrawal(ctx: Context<CancelWithdrawal>) -> Result<()> {
        instructions::cancel_withdrawal(ctx)
    }

    /// Pays the tokens of an executed withdrawal to any token account. Its owner signs.
    ///
    /// Errors: `WrongAccount`, `Unauthorized`, `NothingToCollect`, `VaultShort`, `MintPaused`, `MintChanged`, and the token
    /// program's.
    pub fn claim_withdrawal(ctx: Context<ClaimWithdrawal>) -> Result<()> {
        instructions::claim_withdrawal(ctx)
    }

    /// Closes a withdrawal that left the queue and holds nothing; the rent goes to its owner. Anyone may call it.
    ///
    /// Errors: `WrongAccount`, `Unauthorized`, `TicketStillOpen`.
    pub fn close_ticket(ctx: Context<CloseTicket>) -> Result<()> {
        instructions::close_ticket(ctx)
    }

    /// Returns what opening and closing `size` millionths of an index unit of the option at `tick` would cost and pay.
    /// For simulation, behind `crank_funding` of the market.
    ///
    /// Errors: `WrongAccount`.
    pub fn view_quote(ctx: Context<ViewQuote>, side: Side, tick: i16, size: u64) -> Result<Quote> {
        instructions::view_quote(ctx, side, tick, size)
    }

    /// Returns how a margin account stands. Needs every market that the account has positions in.
    ///
    /// Errors: `WrongAccount`, `MarketMissing`.
    pub fn view_health(ctx: Context<ViewHealth>) -> Result<AccountHealth> {
        instructions::view_health(ctx)
    }
}
