//! Which mints a vault accepts: an allow-list of Token-2022 extensions, and a digest that tells when the issuer changed
//! an extension or an authority.
//!
//! Extensions are read by hand, since the token program's own library fails on a mint with any extension that is newer
//! than itself without saying which, and reading each extension anew costs many times the compute.

use anchor_lang::prelude::*;
use perpetua_model::{Condition, Conditions, ScaledUi};
use solana_sha256_hasher::hashv;

use super::is_of_tokens;
use crate::{
    error::{OrProgramError, PerpetuaError},
    instructions::common::same_bytes,
};

/// Bytes of a mint without extensions.
const MINT_LENGTH: usize = 82;
/// Bytes that the token program keeps for a multisignature account and never gives to a mint.
const MULTISIG_LENGTH: usize = 355;
/// Where a mint with extensions says what it is; its extensions follow.
const ACCOUNT_TYPE: usize = 165;
/// What stands there for a mint.
const TYPE_MINT: u8 = 1;
/// Bytes of an extension's type and of its length.
const HEADER: usize = 4;
/// Most extensions that the allow-list admits in one mint.
const MAX_EXTENSIONS: usize = 9;

/// What a vault needs to know of its mint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MintFacts {
    /// Decimals of the token.
    pub decimals: u8,
    /// Whether the issuer has paused all transfers.
    pub paused: bool,
    /// Digest of the extensions in their order and of every authority: neither supply nor pause, neither the multiplier
    /// nor the metadata's text is in it.
    pub snapshot: [u8; 32],
}

/// Checks a mint against the policy.
///
/// Errors: [`PerpetuaError::MalformedMint`], [`PerpetuaError::MintExtensionNotAllowed`],
/// [`PerpetuaError::MintDefaultsToFrozen`], [`PerpetuaError::MintHasTransferHook`],
/// [`PerpetuaError::MintHasTransferFee`], [`PerpetuaError::MintAutoApprovesConfidential`].
pub fn check(mint: &AccountInfo) -> Result<MintFacts> {
    require!(is_of_tokens(mint), PerpetuaError::MalformedMint);
    read(&mint.try_borrow_data()?)
}

/// Checks that the mint still is what was listed or acknowledged last, and not paused.
///
/// Errors: those of [`check`]; [`PerpetuaError::MintChanged`], [`PerpetuaError::MintPaused`].
pub fn require_unchanged(mint: &AccountInfo, snapshot: &[u8; 32]) -> Result<()> {
    let facts = check(mint)?;
    require!(same_bytes(&facts.snapshot, snapshot), PerpetuaError::MintChanged);
    require!(!facts.paused, PerpetuaError::MintPaused);
    Ok(())
}

/// What the issuer did to the mint since it was listed or acknowledged last, as states of the world.
///
/// Errors: those of [`check`].
pub fn conditions(mint: &AccountInfo, snapshot: &[u8; 32]) -> Result<Conditions> {
    let facts = check(mint)?;
    let changed = !same_bytes(&facts.snapshot, snapshot);
    Ok(Conditions::NORMAL.with(Condition::MintPaused, facts.paused).with(Condition::MintChanged, changed))
}

/// The multiplier that the mint says, now and to come: one where it has none. Extensions are not judged here, since a mint
/// that changed must not stop a market from being cranked.
///
/// Errors: [`PerpetuaError::MalformedMint`].
pub fn scaled_ui(mint: &AccountInfo) -> Result<ScaledUi> {
    require!(is_of_tokens(mint), PerpetuaError::MalformedMint);
    let data = mint.try_borrow_data()?;
    let mut rest = extensions(&data)?;
    while let Some((kind, entry)) = next_entry(&mut rest)? {
        if kind == Extension::ScaledUiAmount as u16 {
            return ScaledUi::parse(entry.get(HEADER..).unwrap_or_default()).or_program_error();
        }
    }
    Ok(ScaledUi::NONE)
}

/// The extensions that may be accepted, by their numbers in Token-2022.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u16)]
enum Extension {
    TransferFeeConfig = 1,
    ConfidentialTransferMint = 4,
    DefaultAccountState = 6,
    PermanentDelegate = 12,
    TransferHook = 14,
    MetadataPointer = 18,
    TokenMetadata = 19,
    ScaledUiAmount = 25,
    Pausable = 26,
}

impl Extension {
    const ALL: [Self; MAX_EXTENSIONS] = [
        Self::TransferFeeConfig,
        Self::ConfidentialTransferMint,
        Self::DefaultAccountState,
        Self::PermanentDelegate,
        Self::TransferHook,
        Self::MetadataPointer,
        Self::TokenMetadata,
        Self::ScaledUiAmount,
        Self::Pausable,
    ];

    fn of(kind: u16) -> Option<Self> {
        Self::ALL.into_iter().find(|extension| *extension as u16 == kind)
    }

    /// Bytes of its value; nothing for the one that holds text.
    fn length(self) -> Option<usize> {
        match self {
            Self::TransferFeeConfig => Some(108),
            Self::ConfidentialTransferMint => Some(65),
            Self::DefaultAccountState => Some(1),
            Self::PermanentDelegate => Some(32),
            Self::TransferHook | Self::MetadataPointer => Some(64),
            Self::TokenMetadata => None,
            Self::ScaledUiAmount => Some(56),
            Self::Pausable => Some(33),
        }
    }

    /// How many bytes, from its type number on, only an issuer's change of authority alters.
    fn lasting(self) -> usize {
        match self {
            // The type alone: the length follows the text.
            Self::TokenMetadata => 2,
            // Who sets the fee and who withdraws it; then come amounts.
            Self::TransferFeeConfig => HEADER + 64,
            // The authority; then come the multiplier or the pause.
            Self::ScaledUiAmount | Self::Pausable => HEADER + 32,
            // Authority, approval and auditor.
            Self::ConfidentialTransferMint => HEADER + 65,
            // Authority, and what it points to.
            Self::TransferHook | Self::MetadataPointer => HEADER + 64,
            Self::DefaultAccountState => HEADER + 1,
            Self::PermanentDelegate => HEADER + 32,
        }
    }

    /// Refuses the settings under which holders could not move tokens freely and at no cost.
    fn validate(self, value: &[u8]) -> Result<()> {
        require!(self.length().is_none_or(|length| length == value.len()), PerpetuaError::MalformedMint);
        match self {
            Self::TransferFeeConfig => {
                // A fee takes effect two epochs after it was set: both the one in force and the one to come are zero.
                let zero = |at: usize| value.get(at..at + 2) == Some(&[0, 0]);
                require!(zero(88) && zero(106), PerpetuaError::MintHasTransferFee);
            }
            Self::ConfidentialTransferMint => {
                require!(value.get(32) == Some(&0), PerpetuaError::MintAutoApprovesConfidential);
            }
            Self::DefaultAccountState => require!(value == [1], PerpetuaError::MintDefaultsToFrozen),
            Self::TransferHook => {
                require!(value.get(32..64) == Some(&[0; 32]), PerpetuaError::MintHasTransferHook);
            }
            Self::PermanentDelegate
            | Self::MetadataPointer
            | Self::TokenMetadata
            | Self::ScaledUiAmount
            | Self::Pausable => {}
        }
        Ok(())
    }
}

/// Parts of a mint that only an issuer's change of extensions or authorities alters.
struct Lasting<'a> {
    parts: [&'a [u8]; MAX_EXTENSIONS + 2],
    count: usize,
}

impl<'a> Lasting<'a> {
    fn add(&mut self, part: Option<&'a [u8]>) -> Result<()> {
        let place = self.parts.get_mut(self.count).ok_or(PerpetuaError::MalformedMint)?;
        *place = part.ok_or(PerpetuaError::MalformedMint)?;
        self.count += 1;
        Ok(())
    }
}

fn read(data: &[u8]) -> Result<MintFacts> {
    let base: &[u8; MINT_LENGTH] = data.first_chunk().ok_or(PerpetuaError::MalformedMint)?;
    let [decimals, initialized] = [base[44], base[45]];
    require!(initialized == 1, PerpetuaError::MalformedMint);
    let mut lasting = Lasting { parts: [&[]; MAX_EXTENSIONS + 2], count: 0 };
    // The mint authority; then, behind the supply, decimals and the freeze authority.
    lasting.add(base.get(..36))?;
    lasting.add(base.get(44..))?;
    let mut paused = false;
    let mut seen = 0u32;
    let mut rest = extensions(data)?;
    while let Some((kind, entry)) = next_entry(&mut rest)? {
        let extension = Extension::of(kind).ok_or(PerpetuaError::MintExtensionNotAllowed)?;
        let bit = 1 << extension as u16;
        require!(seen & bit == 0, PerpetuaError::MalformedMint);
        seen |= bit;
        let value = entry.get(HEADER..).ok_or(PerpetuaError::MalformedMint)?;
        extension.validate(value)?;
        paused |= extension == Extension::Pausable && value.last() != Some(&0);
        lasting.add(entry.get(..extension.lasting()))?;
    }
    let snapshot = hashv(lasting.parts.get(..lasting.count).unwrap_or_default()).to_bytes();
    Ok(MintFacts { decimals, paused, snapshot })
}

/// The bytes that hold a mint's extensions.
fn extensions(data: &[u8]) -> Result<&[u8]> {
    if data.len() == MINT_LENGTH {
        return Ok(&[]);
    }
    let is_mint = data.len() != MULTISIG_LENGTH && data.get(ACCOUNT_TYPE) == Some(&TYPE_MINT);
    require!(is_mint, PerpetuaError::MalformedMint);
    data.get(ACCOUNT_TYPE + 1..).ok_or_else(|| PerpetuaError::MalformedMint.into())
}

/// The next extension's type, and the extension with its header and value, if there is one.
fn next_entry<'a>(rest: &mut &'a [u8]) -> Result<Option<(u16, &'a [u8])>> {
    let Some((kind, after)) = rest.split_first_chunk() else {
        // The token program, too, ignores a last byte that is too short for a type.
        return Ok(None);
    };
    let kind = u16::from_le_bytes(*kind);
    if kind == 0 {
        return Ok(None);
    }
    let length = after.first_chunk().ok_or(PerpetuaError::MalformedMint)?;
    let end = HEADER + usize::from(u16::from_le_bytes(*length));
    let (entry, next) = rest.split_at_checked(end).ok_or(PerpetuaError::MalformedMint)?;
    *rest = next;
    Ok(Some((kind, entry)))
}

#[cfg(test)]
mod tests;
