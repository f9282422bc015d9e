use anchor_lang::prelude::*;

use crate::{
    constants::VERSION,
    events::{AccountOpened, emit},
    instructions::common::DISCRIMINATOR,
    state::{MarginAccount, Vault},
};

/// Accounts of `open_account`.
#[event_cpi]
#[derive(Accounts)]
#[instruction(sub_account: u16)]
pub struct OpenAccount<'info> {
    /// Who will trade with the account.
    pub owner: Signer<'info>,
    /// Who pays the rent, which goes to the owner when the account is closed.
    #[account(mut)]
    pub payer: Signer<'info>,
    /// The vault whose token will be the collateral.
    pub vault: AccountLoader<'info, Vault>,
    /// The new account.
    #[account(
        init,
        payer = payer,
        space = DISCRIMINATOR + size_of::<MarginAccount>(),
        seeds = [MarginAccount::SEED, vault.key().as_ref(), owner.key().as_ref(), &sub_account.to_le_bytes()],
        bump,
    )]
    pub account: AccountLoader<'info, MarginAccount>,
    /// Creates the account.
    pub system_program: Program<'info, System>,
}

pub(crate) fn open_account(ctx: Context<OpenAccount>, sub_account: u16) -> Result<()> {
    let mut account = ctx.accounts.account.load_init()?;
    account.vault = ctx.accounts.vault.key();
    account.owner = ctx.accounts.owner.key();
    account.sub_account = sub_account;
    account.version = VERSION;
    account.bump = ctx.bumps.account;

    let event =
        AccountOpened { vault: account.vault, account: ctx.accounts.account.key(), owner: account.owner, sub_account };
    emit(&ctx.accounts.event_authority, &event)
}
