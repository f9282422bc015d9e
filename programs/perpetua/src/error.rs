//! Every reason for which an instruction fails. Numbers start at 6000, are never reused and never change.

use anchor_lang::prelude::*;
use perpetua_model::ModelError;

/// Why an instruction was refused; nothing changed.
#[error_code]
#[derive(PartialEq, Eq)]
pub enum PerpetuaError {
    #[msg("A number left the range that the arithmetic is exact in")]
    MathOverflow,
    #[msg("A parameter is outside the hard bounds")]
    ParameterOutOfRange,
    #[msg("The oracle's price is zero or negative")]
    PriceNotPositive,
    #[msg("The oracle's price or exponent is outside what the market supports")]
    PriceOutOfRange,
    #[msg("The index has no price that is fresh enough; post a newer price update and crank")]
    PriceStale,
    #[msg("The price update claims to be published in the future")]
    PriceFromFuture,
    #[msg("The price update's confidence interval is too wide")]
    PriceUncertain,
    #[msg("The spot price is too far from its moving average")]
    PriceFarFromAverage,
    #[msg("The index has no recent volatility sample")]
    VarianceStale,
    #[msg("The index has not observed volatility for long enough to open positions")]
    VarianceTooYoung,
    #[msg("Opening is paused")]
    OpeningPaused,
    #[msg("This waits until prices have come normally for half an hour")]
    RecoveringFromOutage,
    #[msg("The vault holds fewer tokens than its ledgers say")]
    VaultShort,
    #[msg("Crank the market's funding in the same slot first")]
    MarketNotAccrued,
    #[msg("An account of a market that the margin account has positions in is missing")]
    MarketMissing,
    #[msg("The strike is too far from the money")]
    TickTooFar,
    #[msg("The price range reaches the option's cap")]
    PriceTouchesCap,
    #[msg("The option is worth too little compared with its cap")]
    OptionTooCheap,
    #[msg("The ladder slot holds another strike with open interest")]
    SlotOccupied,
    #[msg("The size is below the market's minimum")]
    SizeTooSmall,
    #[msg("The size is above what is open or supported")]
    SizeTooLarge,
    #[msg("The cost is above the limit given")]
    CostAboveLimit,
    #[msg("The proceeds are below the limit given")]
    ProceedsBelowLimit,
    #[msg("The main pool cannot reserve this payout within its maximum utilisation")]
    UtilisationTooHigh,
    #[msg("The series' reserve would exceed its share of the main pool")]
    SeriesLimitReached,
    #[msg("The market side's reserve would exceed its share of the main pool")]
    SideLimitReached,
    #[msg("The index is not certain to be at or past the option's cap")]
    NotCapped,
    #[msg("The option is not far enough from the money to be retired")]
    NotFar,
    #[msg("The margin account holds as many positions as fit")]
    NoFreePosition,
    #[msg("The margin account has no such position")]
    PositionNotFound,
    #[msg("The margin account's collateral does not cover this")]
    InsufficientCollateral,
    #[msg("The margin account would be below its initial margin")]
    BelowInitialMargin,
    #[msg("The margin account is not below its maintenance margin")]
    AccountHealthy,
    #[msg("The margin account still holds collateral or positions")]
    AccountNotEmpty,
    #[msg("A market of the vault is not marked within the last 25 slots")]
    MarkStale,
    #[msg("The pool's value is uncertain: only the owner may accept the lower end")]
    MarkAtBounds,
    #[msg("The amount is zero")]
    AmountZero,
    #[msg("Fewer shares would be minted than the minimum given")]
    SharesBelowMinimum,
    #[msg("The pool's share price is too low to take deposits")]
    SharePriceTooLow,
    #[msg("The withdrawal has not waited long enough")]
    TicketNotReady,
    #[msg("An earlier withdrawal comes first")]
    TicketOutOfOrder,
    #[msg("The withdrawal is not queued any more")]
    TicketNotQueued,
    #[msg("The withdrawal still waits or holds tokens or shares")]
    TicketStillOpen,
    #[msg("There is nothing to collect")]
    NothingToCollect,

    #[msg("The price account is not owned by the Pyth receiver program")]
    WrongOracleOwner,
    #[msg("The price account does not hold a Pyth price update")]
    MalformedPrice,
    #[msg("The price update is of another feed")]
    WrongFeed,
    #[msg("The price update is not fully verified")]
    PriceNotVerified,
    #[msg("The mint account cannot be read")]
    MalformedMint,
    #[msg("The mint has an extension that vaults do not accept")]
    MintExtensionNotAllowed,
    #[msg("New accounts of the mint start frozen")]
    MintDefaultsToFrozen,
    #[msg("The mint calls a program on every transfer")]
    MintHasTransferHook,
    #[msg("The mint takes a fee on transfers")]
    MintHasTransferFee,
    #[msg("The mint approves confidential accounts by itself")]
    MintAutoApprovesConfidential,
    #[msg("The mint changed its extensions or authorities since it was listed")]
    MintChanged,
    #[msg("The mint is paused by its issuer")]
    MintPaused,
    #[msg("The signer may not do this")]
    Unauthorized,
    #[msg("An account does not belong with the others")]
    WrongAccount,
    #[msg("The vault holds as many markets as fit")]
    TooManyMarkets,
    #[msg("All markets of the vault must be given, each once")]
    MarketsIncomplete,
    #[msg("The keeper cannot be paid into the account that is liquidated")]
    SameAccount,
    #[msg("The sum of the ledgers changed by something else than the tokens moved")]
    LedgerMismatch,

    #[msg("The issuer froze the vault's tokens")]
    TokensFrozen,
    #[msg("The index and the stock had a price within the last seven days")]
    NotAbandoned,
    #[msg("A dollar market needs its vault's stock")]
    StockMissing,
    #[msg("Crank the vault's stock in the same slot first")]
    StockNotCranked,
    #[msg("The stock's price is due and missing; post a newer price update and crank the stock")]
    StockPriceStale,
    #[msg("The stock's price is too far from its moving average")]
    StockFarFromAverage,
    #[msg("The stock exchange is closed or the stock is halted")]
    StockMarketClosed,
    #[msg("The stock token's multiplier changes or changed within half an hour")]
    MultiplierChanging,
    #[msg("The calendar takes weekdays of the next two years, each closed or with an earlier close")]
    CalendarInvalid,
    #[msg("The calendar holds as many short days as fit")]
    CalendarFull,
    #[msg("The mint's multiplier is not a positive number of a sane size")]
    MultiplierInvalid,
    #[msg("The insurance pool owes claims, which are served before anybody joins or leaves it")]
    ClaimsOpen,
    #[msg("The vault holds what its ledgers say")]
    NotShort,
    #[msg("The vault has not been short for 48 hours yet")]
    LossNotDue,
    #[msg("Too many losses have reached margin")]
    TooManyLosses,
    #[msg("There is no loss to repay or no token to repay it with")]
    NothingToRepay,
    #[msg("The stock fell so far that the position's reserve no longer covers its cap: close it before adding")]
    ReserveOutgrown,
    #[msg("Not all of this can be paid now: only the owner may take a part of it")]
    PayoutUncovered,
    #[msg("A parameter that never changes would be changed")]
    ParameterNeverChanges,
    #[msg("The change would change nothing")]
    NothingToChange,
    #[msg("The change does more than tighten limits: propose it, and apply it two days later")]
    ChangeMustWait,
    #[msg("The change was proposed less than two days ago")]
    ChangeNotReady,
    #[msg("The change was not applied within a week")]
    ChangeExpired,
    #[msg("The market is not open yet: who provides liquidity may leave first")]
    MarketNotOpen,
    #[msg("The configuration changed since the change was proposed")]
    ChangeOutdated,
}

macro_rules! from_model {
    ($($name:ident,)*) => {
        impl From<ModelError> for PerpetuaError {
            fn from(error: ModelError) -> Self {
                match error { $(ModelError::$name => Self::$name,)* }
            }
        }
    };
}

from_model! {
    MathOverflow,
    ParameterOutOfRange,
    PriceNotPositive,
    PriceOutOfRange,
    PriceStale,
    PriceFromFuture,
    PriceUncertain,
    PriceFarFromAverage,
    VarianceStale,
    VarianceTooYoung,
    OpeningPaused,
    RecoveringFromOutage,
    VaultShort,
    MarketNotAccrued,
    MarketMissing,
    TickTooFar,
    PriceTouchesCap,
    OptionTooCheap,
    SlotOccupied,
    SizeTooSmall,
    SizeTooLarge,
    CostAboveLimit,
    ProceedsBelowLimit,
    UtilisationTooHigh,
    SeriesLimitReached,
    SideLimitReached,
    NotCapped,
    NotFar,
    NoFreePosition,
    PositionNotFound,
    InsufficientCollateral,
    BelowInitialMargin,
    AccountHealthy,
    AccountNotEmpty,
    MarkStale,
    MarkAtBounds,
    AmountZero,
    SharesBelowMinimum,
    SharePriceTooLow,
    TicketNotReady,
    TicketOutOfOrder,
    TicketNotQueued,
    TicketStillOpen,
    NothingToCollect,
    MintPaused,
    MintChanged,
    TokensFrozen,
    NotAbandoned,
    StockMissing,
    StockNotCranked,
    StockPriceStale,
    StockFarFromAverage,
    StockMarketClosed,
    MultiplierChanging,
    CalendarInvalid,
    CalendarFull,
    MultiplierInvalid,
    ClaimsOpen,
    NotShort,
    LossNotDue,
    TooManyLosses,
    NothingToRepay,
    ReserveOutgrown,
    PayoutUncovered,
    ParameterNeverChanges,
    NothingToChange,
    ChangeMustWait,
    ChangeNotReady,
    ChangeExpired,
    MarketNotOpen,
}

/// Turns the model's refusals into the program's.
pub trait OrProgramError<T> {
    /// The value, or the numbered error.
    fn or_program_error(self) -> Result<T>;
}

impl<T> OrProgramError<T> for perpetua_model::Result<T> {
    fn or_program_error(self) -> Result<T> {
        self.map_err(|error| PerpetuaError::from(error).into())
    }
}
