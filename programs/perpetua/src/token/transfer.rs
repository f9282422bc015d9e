//! Moving stock tokens into and out of a vault.

use anchor_lang::prelude::*;
use perpetua_model::Tokens;

use super::{is_of_tokens, program::transfer};
use crate::{error::PerpetuaError, state::Vault};

/// Where a token account holds its owner, in both token programs.
const OWNER: usize = 32;
/// Where a token account holds its balance, in both token programs.
const AMOUNT: usize = 64;
/// Where it says whether it is frozen.
const STATE: usize = 108;
/// What stands there if it is.
const FROZEN: u8 = 2;

/// What a token account holds, raw units.
///
/// Errors: [`PerpetuaError::WrongAccount`] for an account of another program or too short for a token account.
pub fn balance(tokens: &AccountInfo) -> Result<Tokens> {
    Ok(Tokens(u64::from_le_bytes(field(tokens, AMOUNT)?)))
}

/// Who owns a token account.
///
/// Errors: [`PerpetuaError::WrongAccount`] for an account of another program or too short for a token account.
pub fn owner(tokens: &AccountInfo) -> Result<Pubkey> {
    field(tokens, OWNER).map(Pubkey::new_from_array)
}

fn field<const BYTES: usize>(tokens: &AccountInfo, at: usize) -> Result<[u8; BYTES]> {
    require!(is_of_tokens(tokens), PerpetuaError::WrongAccount);
    let data = tokens.try_borrow_data()?;
    Ok(*data.get(at..).and_then(<[u8]>::first_chunk).ok_or(PerpetuaError::WrongAccount)?)
}

/// Whether the issuer froze a token account, so that nothing can leave it.
///
/// Errors: [`PerpetuaError::WrongAccount`] for an account too short for a token account.
pub fn is_frozen(tokens: &AccountInfo) -> Result<bool> {
    let data = tokens.try_borrow_data()?;
    Ok(*data.get(STATE).ok_or(PerpetuaError::WrongAccount)? == FROZEN)
}

/// A vault's token account and what moving its tokens takes.
pub struct VaultTokens<'a, 'info> {
    /// The vault's token account.
    pub tokens: &'a AccountInfo<'info>,
    /// The stock token.
    pub mint: &'a AccountInfo<'info>,
    /// The token program that owns both.
    pub program: &'a Pubkey,
    /// Decimals of the stock token.
    pub decimals: u8,
}

impl<'info> VaultTokens<'_, 'info> {
    /// Moves `amount` raw units from `source`, which `owner` signs for, and returns what the vault's balance grew by.
    ///
    /// Errors: the token program's; [`PerpetuaError::MathOverflow`] if the balance fell.
    pub fn transfer_in(&self, source: &AccountInfo<'info>, owner: &AccountInfo<'info>, amount: u64) -> Result<Tokens> {
        let before = balance(self.tokens)?;
        transfer(self.program, [source, self.mint, self.tokens, owner], (Tokens(amount), self.decimals), &[])?;
        balance(self.tokens)?.minus(before).map_err(|error| PerpetuaError::from(error).into())
    }

    /// Pays `amount` raw units to `destination`. The caller must not hold a borrow of the vault.
    ///
    /// Errors: the token program's.
    pub fn transfer_out(
        &self,
        vault: &AccountLoader<'info, Vault>,
        destination: &AccountInfo<'info>,
        amount: Tokens,
    ) -> Result<()> {
        let (mint, bump) = {
            let vault = vault.load()?;
            (vault.stock_mint, [vault.bump])
        };
        let seeds: [&[u8]; 3] = [Vault::SEED, mint.as_ref(), &bump];
        let accounts = [self.tokens, self.mint, destination, vault.as_ref()];
        transfer(self.program, accounts, (amount, self.decimals), &seeds)
    }
}

#[cfg(test)]
mod tests;
