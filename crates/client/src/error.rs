//! What a failed transaction means, and what to do about it.

use anchor_lang::error::ErrorCode;
use perpetua::PerpetuaError;
use solana_transaction_error::TransactionError;

/// The first number of the program's own errors.
pub const FIRST_CODE: u32 = 6000;

/// A failure in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// Its number, if a program gave one.
    pub code: Option<u32>,
    /// Its name in code and logs.
    pub name: String,
    /// What was refused.
    pub message: String,
    /// What the caller can do.
    pub remedy: &'static str,
}

macro_rules! remedies {
    ($($name:ident => $remedy:literal,)*) => {
        /// Every error of the program in the order of their numbers, which start at [`FIRST_CODE`].
        pub const ALL: &[PerpetuaError] = &[$(PerpetuaError::$name,)*];

        /// What the caller can do about an error.
        pub fn remedy(error: PerpetuaError) -> &'static str {
            match error { $(PerpetuaError::$name => $remedy,)* }
        }
    };
}

remedies! {
    MathOverflow => "Use a smaller amount or size.",
    ParameterOutOfRange => "Choose parameters within the bounds of docs/mechanism.md, section 9.",
    PriceNotPositive => "Wait for the oracle to publish a valid price.",
    PriceOutOfRange => "Wait for the oracle to publish a price between 0.01 and 2^24 US dollars.",
    PriceStale => "Post a newer price update, then put crank_funding in front in the same transaction.",
    PriceFromFuture => "Send the transaction a few seconds later.",
    PriceUncertain => "Wait until the oracle's confidence interval is narrower.",
    PriceFarFromAverage => "Wait until spot and its moving average agree again; closing stays possible.",
    VarianceStale => "Crank the index at the next five-minute marks; closing pays the intrinsic value meanwhile.",
    VarianceTooYoung => "Wait until the index has been cranked for 24 hours.",
    OpeningPaused => "Wait until the guardian or the administrator resumes; closing stays possible.",
    RecoveringFromOutage => "Try again half an hour after the feed came back.",
    VaultShort => "Wait until the vault is whole again; closing into collateral stays possible.",
    MarketNotAccrued => "Put crank_funding of this market in front in the same transaction.",
    MarketMissing => "Pass every market that the account has positions in.",
    TickTooFar => "Choose a strike within 28 ticks of the money.",
    PriceTouchesCap => "Choose a strike whose cap is further from the price.",
    OptionTooCheap => "Choose a strike nearer to the money.",
    SlotOccupied => "Choose a neighbouring strike; the slot returns once its positions are closed or retired.",
    SizeTooSmall => "Trade at least the market's minimum size, and close a small rest with it.",
    SizeTooLarge => "Trade no more than the position holds, and less than 2^40 millionths.",
    CostAboveLimit => "Quote again and accept a higher cost, or trade less.",
    ProceedsBelowLimit => "Quote again and accept lower proceeds, or trade less.",
    UtilisationTooHigh => "Open less, or wait until the main pool has more free capacity.",
    SeriesLimitReached => "Open less, or choose another strike.",
    SideLimitReached => "Open less, or choose the other side.",
    NotCapped => "Settle once the price is past the cap for certain; closing at the bid is possible now.",
    NotFar => "Retire once the strike is more than 40 ticks out of the money.",
    NoFreePosition => "Close a position first, or open another sub-account.",
    PositionNotFound => "Check market, side and tick against the account's positions.",
    InsufficientCollateral => "Deposit more collateral.",
    BelowInitialMargin => "Deposit more collateral, withdraw less or open less.",
    AccountHealthy => "There is nothing to liquidate.",
    AccountNotEmpty => "Close all positions and withdraw all collateral first.",
    MarkStale => "Put crank_funding and mark_market of every market in front in the same transaction.",
    MarkAtBounds => "Let the ticket's owner execute it, or wait for a price.",
    AmountZero => "Give an amount that is worth something.",
    SharesBelowMinimum => "Quote again and accept fewer shares.",
    SharePriceTooLow => "Deposits stay closed until the pool recovers.",
    TicketNotReady => "Execute it once its ready time has come.",
    TicketOutOfOrder => "Execute the ticket at the front of the queue first.",
    TicketNotQueued => "It left the queue: claim its tokens, or cancel it to take back its shares.",
    TicketStillOpen => "Execute or cancel the ticket and claim its tokens first.",
    NothingToCollect => "There is nothing to do.",
    WrongOracleOwner => "Pass a price account of the Pyth receiver program.",
    MalformedPrice => "Pass a price account that holds a PriceUpdateV2.",
    WrongFeed => "Pass a price account of the index's feed.",
    PriceNotVerified => "Post the update with full verification.",
    MalformedMint => "Pass the vault's stock mint.",
    MintExtensionNotAllowed => "This token cannot have a vault.",
    MintDefaultsToFrozen => "This token cannot have a vault while new accounts start frozen.",
    MintHasTransferHook => "This token cannot be used while a transfer hook is set.",
    MintHasTransferFee => "This token cannot be used while it takes transfer fees.",
    MintAutoApprovesConfidential => "This token cannot be used while it approves confidential accounts by itself.",
    MintChanged => "Wait until the administrator has looked at the change and acknowledged it.",
    MintPaused => "Wait until the issuer resumes the token; closing into collateral stays possible.",
    Unauthorized => "Sign with the account that may do this.",
    WrongAccount => "Derive the accounts again from their addresses' seeds.",
    TooManyMarkets => "A vault holds four markets.",
    MarketsIncomplete => "Pass every market of the vault.",
    SameAccount => "Be paid into another margin account.",
    LedgerMismatch => "This is a defect of the program: report it; nothing was changed.",
    TokensFrozen => "Wait until the issuer unfreezes the vault's tokens; closing into collateral stays possible.",
    NotAbandoned => "Crank with a newer price and close normally; settling at the last price starts after seven days.",
    StockMissing => "Pass the vault's stock account to the crank of a dollar market.",
    StockNotCranked => "Put crank_stock in front, in the same transaction.",
    StockPriceStale => "Post a newer price of the stock and put crank_stock in front.",
    StockFarFromAverage => "Wait until the stock's price settles; its owner may close a position at the worse value.",
    StockMarketClosed => "Wait until the stock exchange opens; its owner may close a position at a discount.",
    MultiplierChanging => "Wait until half an hour after the multiplier changed.",
    CalendarInvalid => "Give New York dates to come within two years, no weekends, each closed or with an earlier close.",
    CalendarFull => "Wait until entered days are ten days past.",
    MultiplierInvalid => "Give the bits of a positive IEEE-754 double between 2^-20 and 2^20.",
    ClaimsOpen => "Serve the claims first; insurance income and a quarter of its assets a day go to them.",
    NotShort => "Nothing is missing from the vault.",
    LossNotDue => "A loss is recognised 48 hours after note_shortage.",
    TooManyLosses => "The vault stays stopped until tokens come back.",
    NothingToRepay => "Send tokens back to the vault first.",
    ReserveOutgrown => "Close the position, or open with another margin account.",
    PayoutUncovered => "Let the owner close the position, or wait until the insurance pool can pay.",
    ParameterNeverChanges => "List another market or vault; what positions were opened under stays.",
    NothingToChange => "Give another value.",
    ChangeMustWait => "Propose the change with propose_change.",
    ChangeNotReady => "Apply it 48 hours after it was proposed.",
    ChangeExpired => "Cancel it and propose it again.",
    MarketNotOpen => "Wait until 48 hours after the market's listing.",
    ChangeOutdated => "Cancel it and propose it again.",
}

macro_rules! framework {
    ($($name:ident)*) => {
        const FRAMEWORK: &[ErrorCode] = &[$(ErrorCode::$name,)*];
    };
}

// Those of Anchor's errors that accounts given to this program can raise.
framework! {
    InstructionFallbackNotFound InstructionDidNotDeserialize ConstraintMut ConstraintHasOne ConstraintSigner
    ConstraintOwner ConstraintSeeds ConstraintAddress ConstraintTokenMint ConstraintTokenOwner
    ConstraintTokenTokenProgram ConstraintMintTokenProgram ConstraintDuplicateMutableAccount
    AccountDiscriminatorNotFound AccountDiscriminatorMismatch AccountDidNotDeserialize AccountNotEnoughKeys
    AccountNotMutable AccountOwnedByWrongProgram InvalidProgramId AccountNotSigner AccountNotSystemOwned
    AccountNotInitialized
}

const CHECK_ACCOUNTS: &str = "Build the instruction with this library, from accounts that belong together.";

/// What a program's error number means.
pub fn explain_code(code: u32) -> Explanation {
    if let Some(error) = from_code(code) {
        return Explanation { code: Some(code), name: error.name(), message: error.to_string(), remedy: remedy(error) };
    }
    if let Some(error) = FRAMEWORK.iter().find(|error| u32::from(**error) == code) {
        return Explanation {
            code: Some(code),
            name: error.name(),
            message: error.to_string(),
            remedy: CHECK_ACCOUNTS,
        };
    }
    Explanation {
        code: Some(code),
        name: format!("Custom{code}"),
        message: "A program that was called failed; for a token program 1 means insufficient funds".to_owned(),
        remedy: "Look at the transaction's log.",
    }
}

/// What a transaction's error means.
pub fn explain(error: &TransactionError) -> Explanation {
    use anchor_lang::solana_program::instruction::error::InstructionError;
    if let TransactionError::InstructionError(_, InstructionError::Custom(code)) = error {
        return explain_code(*code);
    }
    Explanation {
        code: None,
        name: format!("{error:?}"),
        message: error.to_string(),
        remedy: "Look at the transaction's log.",
    }
}

/// The program's error with this number.
pub fn from_code(code: u32) -> Option<PerpetuaError> {
    let place = usize::try_from(code.checked_sub(FIRST_CODE)?).ok()?;
    ALL.get(place).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_holds_every_error_at_the_place_that_its_number_says() {
        for (place, error) in ALL.iter().enumerate() {
            assert_eq!(u32::from(*error), FIRST_CODE + u32::try_from(place).unwrap(), "{error:?}");
        }
    }

    #[test]
    fn a_number_of_the_program_is_explained_by_its_name() {
        let explanation = explain_code(6004);
        assert_eq!(explanation.name, "PriceStale");
        assert!(explanation.remedy.contains("crank_funding"));
    }

    #[test]
    fn a_number_that_nobody_knows_is_still_explained() {
        assert_eq!(explain_code(77).name, "Custom77");
    }
}
