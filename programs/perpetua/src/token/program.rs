//! The instructions of the token programs that are used here. Both have them under the same numbers.

use anchor_lang::{prelude::*, solana_program::program::get_return_data};
use perpetua_model::Tokens;

use crate::{
    PerpetuaError,
    calls::{Access, call},
};

const MINT_TO: u8 = 7;
const BURN: u8 = 8;
const TRANSFER_CHECKED: u8 = 12;
const INITIALIZE_ACCOUNT: u8 = 18;
const INITIALIZE_MINT: u8 = 20;
const ACCOUNT_SIZE: u8 = 21;

/// Bytes of a mint without extensions.
pub(crate) const MINT_LENGTH: usize = 82;

/// Moves tokens; the owner of `source` signs, or the address of `seeds` is its owner.
///
/// Errors: the token program's.
pub(super) fn transfer<'info>(
    program: &Pubkey,
    [source, mint, destination, owner]: [&AccountInfo<'info>; 4],
    (amount, decimals): (Tokens, u8),
    seeds: &[&[u8]],
) -> Result<()> {
    let data = [&[TRANSFER_CHECKED], amount.0.to_le_bytes().as_slice(), &[decimals]].concat();
    let accounts = [(source, Access::Write), (mint, Access::Read), (destination, Access::Write), (owner, Access::Sign)];
    call(program, data, &accounts, seeds)
}

/// Makes new tokens of a mint whose authority is the address of `seeds`.
///
/// Errors: the token program's.
pub(crate) fn mint_to<'info>(
    program: &Pubkey,
    [mint, destination, authority]: [&AccountInfo<'info>; 3],
    amount: u64,
    seeds: &[&[u8]],
) -> Result<()> {
    let data = [&[MINT_TO], amount.to_le_bytes().as_slice()].concat();
    call(program, data, &[(mint, Access::Write), (destination, Access::Write), (authority, Access::Sign)], seeds)
}

/// Burns tokens of `source`, whose owner signs.
///
/// Errors: the token program's.
pub(crate) fn burn<'info>(
    program: &Pubkey,
    [source, mint, owner]: [&AccountInfo<'info>; 3],
    amount: u64,
) -> Result<()> {
    let data = [&[BURN], amount.to_le_bytes().as_slice()].concat();
    call(program, data, &[(source, Access::Write), (mint, Access::Write), (owner, Access::Sign)], &[])
}

/// How many bytes a token account of a mint has.
///
/// Errors: the token program's; [`PerpetuaError::MalformedMint`] if it answers nothing.
pub(crate) fn account_size(program: &Pubkey, mint: &AccountInfo) -> Result<usize> {
    call(program, vec![ACCOUNT_SIZE], &[(mint, Access::Read)], &[])?;
    let answer = get_return_data().filter(|(from, _)| from == program);
    let size = answer.and_then(|(_, data)| data.try_into().ok()).map(u64::from_le_bytes);
    let size = size.and_then(|size| size.try_into().ok());
    size.ok_or_else(|| PerpetuaError::MalformedMint.into())
}

/// Makes an empty account of the token program a token account.
///
/// Errors: the token program's.
pub(crate) fn initialize_account<'info>(
    program: &Pubkey,
    [account, mint]: [&AccountInfo<'info>; 2],
    owner: &Pubkey,
) -> Result<()> {
    let data = [&[INITIALIZE_ACCOUNT], owner.as_ref()].concat();
    call(program, data, &[(account, Access::Write), (mint, Access::Read)], &[])
}

/// Makes an empty account of the token program a mint, which nobody can freeze.
///
/// Errors: the token program's.
pub(crate) fn initialize_mint(program: &Pubkey, mint: &AccountInfo, decimals: u8, authority: &Pubkey) -> Result<()> {
    let data = [&[INITIALIZE_MINT, decimals], authority.as_ref(), &[0]].concat();
    call(program, data, &[(mint, Access::Write)], &[])
}
