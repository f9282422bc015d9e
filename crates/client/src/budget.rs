//! Compute limits for transactions, from what the compiled program was measured to take.

use std::{collections::BTreeMap, sync::LazyLock};

use anchor_lang::{Discriminator, solana_program::instruction::Instruction, system_program};
use anchor_spl::{associated_token, token, token_2022};
use perpetua::instruction as kinds;

use crate::address;

/// The committed measurements of `cargo bench-cu`.
const MEASURED: &str = include_str!("../../../compute_units.json");

/// Most units that a transaction can ask for.
pub const MOST: u32 = 1_400_000;

/// What a transaction costs beyond its instructions for the two that set limit and fee.
const BASE: u32 = 300;
/// Room above the worst that was measured: a tenth, for vaults and markets that are unlike the measured ones, and this.
const ROOM: u32 = 3_000;
/// Ten further attempts at an address, each at 1,500 units, for an account that is created: one address in a thousand
/// takes more.
const CREATION: u32 = 15_000;
/// What an instruction of an unknown program may take: Solana's own default.
const UNKNOWN: u32 = 200_000;
/// Creation of an associated token account of a mint with an xStock's extensions, with room as above.
const ASSOCIATED: u32 = 50_000;
/// An instruction of a token program.
const TOKEN: u32 = 10_000;
/// An instruction of a native program.
const NATIVE: u32 = 150;

macro_rules! names {
    ($($kind:ident => $name:literal,)*) => {
        /// Every instruction's discriminator and name.
        const NAMES: &[(&[u8], &str)] = &[$((kinds::$kind::DISCRIMINATOR, $name),)*];
    };
}

names! {
    AcceptAdmin => "accept_admin",
    AcknowledgeMint => "acknowledge_mint",
    AcknowledgeMultiplier => "acknowledge_multiplier",
    ApplyChange => "apply_change",
    CancelChange => "cancel_change",
    CancelWithdrawal => "cancel_withdrawal",
    ClaimWithdrawal => "claim_withdrawal",
    CloseAccount => "close_account",
    ClosePosition => "close_position",
    CloseTicket => "close_ticket",
    CollectFees => "collect_fees",
    CrankFunding => "crank_funding",
    CrankStock => "crank_stock",
    CreateIndex => "create_index",
    CreateMarket => "create_market",
    CreateStock => "create_stock",
    CreateVault => "create_vault",
    Deposit => "deposit",
    ExecuteWithdrawal => "execute_withdrawal",
    InitializeExchange => "initialize_exchange",
    JoinPool => "join_pool",
    Liquidate => "liquidate",
    MarkMarket => "mark_market",
    NameAdmin => "name_admin",
    NoteShortage => "note_shortage",
    OpenAccount => "open_account",
    OpenPosition => "open_position",
    ProposeChange => "propose_change",
    RecogniseLoss => "recognise_loss",
    RepayLosses => "repay_losses",
    RequestWithdrawal => "request_withdrawal",
    RetireFar => "retire_far",
    ServeClaims => "serve_claims",
    SetOpeningPaused => "set_opening_paused",
    SettleAbandoned => "settle_abandoned",
    SettleCapped => "settle_capped",
    SettleFunding => "settle_funding",
    ShortenSessions => "shorten_sessions",
    SyncAccount => "sync_account",
    Tighten => "tighten",
    ViewHealth => "view_health",
    ViewQuote => "view_quote",
    Withdraw => "withdraw",
}

/// Those that create accounts at addresses which they search for.
const CREATING: &[&str] = &[
    "create_index",
    "create_market",
    "create_stock",
    "create_vault",
    "initialize_exchange",
    "open_account",
    "propose_change",
    "request_withdrawal",
];

/// Measured worst case of each instruction, in compute units.
static WORST: LazyLock<BTreeMap<String, u32>> = LazyLock::new(|| {
    let table: serde_json::Value = serde_json::from_str(MEASURED).unwrap_or_default();
    let rows = table["instructions"].as_object().into_iter().flatten();
    rows.filter_map(|(name, row)| Some((name.clone(), u32::try_from(row["worst"].as_u64()?).ok()?))).collect()
});

/// Compute units that an instruction of the program takes at most, by its name as in the IDL; nothing for an unknown name.
///
/// ```
/// assert!(perpetua_client::budget::of_name("liquidate").unwrap() > 50_000);
/// assert_eq!(perpetua_client::budget::of_name("mint_money"), None);
/// ```
pub fn of_name(name: &str) -> Option<u32> {
    let worst = WORST.get(name)?;
    let creation = if CREATING.contains(&name) { CREATION } else { 0 };
    Some(worst + worst / 10 + ROOM + creation)
}

/// Compute units that an instruction takes at most. An instruction of a program that is not known here counts as
/// Solana's default, 200,000.
pub fn of(instruction: &Instruction) -> u32 {
    match instruction.program_id {
        address::PROGRAM => {
            let name = NAMES.iter().find(|(discriminator, _)| instruction.data.starts_with(discriminator));
            let once = name.and_then(|(_, name)| of_name(name)).unwrap_or(UNKNOWN);
            once.saturating_mul(times(&instruction.data))
        }
        associated_token::ID => ASSOCIATED,
        token::ID | token_2022::ID => TOKEN,
        system_program::ID => NATIVE,
        _ => UNKNOWN,
    }
}

/// How often the instruction does what was measured: that which shortens sessions does so for each of its days.
fn times(data: &[u8]) -> u32 {
    let days = data.strip_prefix(kinds::ShortenSessions::DISCRIMINATOR).and_then(|rest| rest.first_chunk());
    days.map_or(1, |count| u32::from_le_bytes(*count).max(1))
}

/// The compute limit for a transaction of these instructions.
pub fn limit<'a>(instructions: impl IntoIterator<Item = &'a Instruction>) -> u32 {
    let sum = instructions.into_iter().fold(BASE, |sum, instruction| sum.saturating_add(of(instruction)));
    sum.min(MOST)
}

#[cfg(test)]
mod tests {
    use anchor_lang::prelude::Pubkey;

    use super::*;

    #[test]
    fn each_day_of_a_calendar_has_its_own_units() {
        let keys = crate::instruction::VaultKeys::new(Pubkey::default(), token::ID);
        let days = |count| vec![perpetua::ShortDay { day: 1, close_minute: 0 }; count];
        let of_days = |count| of(&crate::instruction::shorten_sessions(&Pubkey::default(), &keys, days(count)));
        assert_eq!(of_days(1), of_name("shorten_sessions").unwrap());
        assert_eq!(of_days(15), 15 * of_days(1));
        assert!(of_days(32) < MOST);
    }

    #[test]
    fn every_measured_instruction_has_a_limit_a_tenth_above_its_worst_case() {
        assert_eq!(WORST.len(), NAMES.len());
        for (_, name) in NAMES {
            let limit = of_name(name).unwrap();
            assert!(limit >= WORST[*name] + WORST[*name] / 10, "{name}");
        }
    }
}
