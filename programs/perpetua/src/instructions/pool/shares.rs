//! Pool shares: SPL tokens that only a vault mints.

use anchor_lang::prelude::*;
use anchor_spl::token::{Burn, MintTo, Token, burn, mint_to};
use perpetua_model::{PoolKind, Shares};

use crate::state::{Vault, WithdrawalTicket};

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
    program: &Program<'info, Token>,
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
    let accounts = MintTo { mint: mint.clone(), to: destination.clone(), authority: vault.to_account_info() };
    mint_to(CpiContext::new(program.key(), accounts).with_signer(&[&seeds]), shares.0)
}

/// Burns shares of `source`, which `owner` signs for.
///
/// Errors: the token program's.
pub(super) fn burn_shares<'info>(
    program: &Program<'info, Token>,
    owner: &AccountInfo<'info>,
    mint: &AccountInfo<'info>,
    source: &AccountInfo<'info>,
    shares: Shares,
) -> Result<()> {
    let accounts = Burn { mint: mint.clone(), from: source.clone(), authority: owner.clone() };
    burn(CpiContext::new(program.key(), accounts), shares.0)
}
