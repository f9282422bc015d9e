//! Accepts what an issuer changed.

use anchor_lang::prelude::*;

use crate::{
    PerpetuaError,
    events::{MintAcknowledged, emit},
    instructions::common::names,
    state::{Exchange, Vault},
    token::policy,
};

/// Accounts of `acknowledge_mint`.
#[event_cpi]
#[derive(Accounts)]
pub struct AcknowledgeMint<'info> {
    /// The administrator.
    pub admin: Signer<'info>,
    /// Names the administrator.
    #[account(constraint = names!(exchange: Exchange => admin) @ PerpetuaError::Unauthorized)]
    pub exchange: AccountLoader<'info, Exchange>,
    /// Receives the new snapshot.
    #[account(mut, constraint = names!(vault: Vault => exchange, stock_mint) @ PerpetuaError::WrongAccount)]
    pub vault: AccountLoader<'info, Vault>,
    /// The stock token.
    /// CHECK: the vault names it, and the policy reads it.
    pub stock_mint: UncheckedAccount<'info>,
}

pub(crate) fn acknowledge_mint(ctx: Context<AcknowledgeMint>) -> Result<()> {
    let mint = policy::check(&ctx.accounts.stock_mint)?;
    ctx.accounts.vault.load_mut()?.mint_snapshot = mint.snapshot;
    emit(&ctx.accounts.event_authority, &MintAcknowledged { vault: ctx.accounts.vault.key(), snapshot: mint.snapshot })
}
