//! Pool shares: SPL tokens that only a vault mints.

use anchor_lang::prelude::*;
use anchor_spl::token::Token;
use perpetua_model::{PoolKind, Shares};

use crate::{
    state::{Vault, WithdrawalTicket},
    token::program,
};

impl Vault {
    /// The mint of a pool's shares.
    pub fn share_mint(&self, kind: PoolKind) -> Pubkey {
        let [main, insurance] = self.share_mints;
        match kind {
            PoolKind::Main => main,
            PoolKind::Insurance => insurance,
        }
    }
}

impl WithdrawalTicket {
    /// The pool that its owner leaves.
    pub fn kind(&self) -> PoolKind {
        if self.pool == PoolKind::Main as u8 { PoolKind::Main } else { PoolKind::Insurance }
    }
}

/// Mints shares to `destination`. The caller must not hold a borrow of the vault.
///
/// Errors: the token program's.
pub(super) fn mint_shares<'info>(
    token_program: &Program<'info, Token>,
    vault: &AccountLoader<'info, Vault>,
    mint: &AccountInfo<'info>,
    destination: &AccountInfo<'info>,
    shares: Shares,
) -> Result<()> {
    let (stock_mint, bump) = {
        let vault = vault.load()?;
        (vault.stock_mint, [vault.bump])
    };
    let seeds: [&[u8]; 3] = [Vault::SEED, stock_mint.as_ref(), &bump];
    program::mint_to(token_program.as_ref().key, [mint, destination, vault.as_ref()], shares.0, &seeds)
}

/// Burns shares of `source`, which `owner` signs for.
///
/// Errors: the token program's.
pub(super) fn burn_shares<'info>(
    token_program: &Program<'info, Token>,
    owner: &AccountInfo<'info>,
    mint: &AccountInfo<'info>,
    source: &AccountInfo<'info>,
    shares: Shares,
) -> Result<()> {
    program::burn(token_program.as_ref().key, [source, mint, owner], shares.0)
}
