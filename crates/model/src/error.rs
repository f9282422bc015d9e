//! Why the model refuses. The program has one numbered error for each.

/// The model's result.
pub type Result<T> = core::result::Result<T, ModelError>;

macro_rules! errors {
    ($($(#[$doc:meta])* $name:ident = $message:literal,)*) => {
        /// Why an action was refused. Nothing that an action changed before it failed may be kept.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum ModelError {
            $(#[doc = $message] $name,)*
        }

        impl core::fmt::Display for ModelError {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.write_str(match self { $(Self::$name => $message,)* })
            }
        }

        impl core::error::Error for ModelError {}
    };
}

errors! {
    MathOverflow = "A number left the range that the arithmetic is exact in",
    ParameterOutOfRange = "A parameter is outside the hard bounds",

    PriceNotPositive = "The oracle's price is zero or negative",
    PriceOutOfRange = "The oracle's price or exponent is outside what the market supports",
    PriceStale = "The index has no price that is fresh enough; post a newer price update and crank",
    PriceFromFuture = "The price update claims to be published in the future",
    PriceUncertain = "The price update's confidence interval is too wide",
    PriceFarFromAverage = "The spot price is too far from its moving average",
    VarianceStale = "The index has no recent volatility sample",
    VarianceTooYoung = "The index has not observed volatility for long enough to open positions",

    OpeningPaused = "Opening is paused",
    RecoveringFromOutage = "This waits until prices have come normally for half an hour",
    VaultShort = "The vault holds fewer tokens than its ledgers say",

    MarketNotAccrued = "Crank the market's funding in the same slot first",
    MarketMissing = "An account of a market that the margin account has positions in is missing",
    TickTooFar = "The strike is too far from the money",
    PriceTouchesCap = "The price range reaches the option's cap",
    OptionTooCheap = "The option is worth too little compared with its cap",
    SlotOccupied = "The ladder slot holds another strike with open interest",
    SizeTooSmall = "The size is below the market's minimum",
    SizeTooLarge = "The size is above what is open or supported",
    CostAboveLimit = "The cost is above the limit given",
    ProceedsBelowLimit = "The proceeds are below the limit given",
    UtilisationTooHigh = "The main pool cannot reserve this payout within its maximum utilisation",
    SeriesLimitReached = "The series' reserve would exceed its share of the main pool",
    SideLimitReached = "The market side's reserve would exceed its share of the main pool",
    NotCapped = "The index is not certain to be at or past the option's cap",
    NotFar = "The option is not far enough from the money to be retired",

    NoFreePosition = "The margin account holds as many positions as fit",
    PositionNotFound = "The margin account has no such position",
    InsufficientCollateral = "The margin account's collateral does not cover this",
    BelowInitialMargin = "The margin account would be below its initial margin",
    AccountHealthy = "The margin account is not below its maintenance margin",
    AccountNotEmpty = "The margin account still holds collateral or positions",

    MarkStale = "A market of the vault is not marked within the last 25 slots",
    MarkAtBounds = "The pool's value is uncertain: only the owner may accept the lower end",
    AmountZero = "The amount is zero",
    SharesBelowMinimum = "Fewer shares would be minted than the minimum given",
    SharePriceTooLow = "The pool's share price is too low to take deposits",
    TicketNotReady = "The withdrawal has not waited long enough",
    TicketOutOfOrder = "An earlier withdrawal comes first",
    TicketNotQueued = "The withdrawal is not queued any more",
    TicketStillOpen = "The withdrawal still waits or holds tokens or shares",
    NothingToCollect = "There is nothing to collect",

    MintPaused = "The mint is paused by its issuer",
    MintChanged = "The mint changed its extensions or authorities since it was listed",
    TokensFrozen = "The issuer froze the vault's tokens",
    NotAbandoned = "The index and the stock had a price within the last seven days",

    StockMissing = "A dollar market needs its vault's stock",
    StockNotCranked = "Crank the vault's stock in the same slot first",
    StockPriceStale = "The stock's price is due and missing; post a newer price update and crank the stock",
    StockFarFromAverage = "The stock's price is too far from its moving average",
    StockMarketClosed = "The stock exchange is closed or the stock is halted",
    MultiplierChanging = "The stock token's multiplier changes or changed within half an hour",

    CalendarInvalid = "The calendar takes weekdays of the next two years, each closed or with an earlier close",
    CalendarFull = "The calendar holds as many short days as fit",
    MultiplierInvalid = "The mint's multiplier is not a positive number of a sane size",

    ClaimsOpen = "The insurance pool owes claims, which are served before anybody joins or leaves it",
    NotShort = "The vault holds what its ledgers say",
    LossNotDue = "The vault has not been short for 48 hours yet",
    TooManyLosses = "Too many losses have reached margin",
    NothingToRepay = "There is no loss to repay or no token to repay it with",
    ReserveOutgrown = "The stock fell so far that the position's reserve no longer covers its cap: close it before adding",
    PayoutUncovered = "Not all of this can be paid now: only the owner may take a part of it",

    ParameterNeverChanges = "A parameter that never changes would be changed",
    NothingToChange = "The change would change nothing",
    ChangeMustWait = "The change does more than tighten limits: propose it, and apply it two days later",
    ChangeNotReady = "The change was proposed less than two days ago",
    ChangeExpired = "The change was not applied within a week",
    MarketNotOpen = "The market is not open yet: who provides liquidity may leave first",
}
