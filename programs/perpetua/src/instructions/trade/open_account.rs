use anchor_lang::prelude::*;

use crate::{
    constants::VERSION,
    events::{AccountOpened, emit},
    instructions::create::create,
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
    /// CHECK: created here, at the address of its seeds.
    #[account(
        mut,
        seeds = [
            MarginAccount::SEED,
            vault.key().as_ref(),
            owner.key().as_ref(),
            &sub_account.to_le_bytes(),
        ],
        bump,
    )]
    pub account: UncheckedAccount<'info>,
    /// Creates the account.
    pub system_program: Program<'info, System>,
}

pub(crate) fn open_account(ctx: Context<OpenAccount>, sub_account: u16) -> Result<()> {
    let (vault, owner) = (ctx.accounts.vault.key(), ctx.accounts.owner.key());
    let seeds: [&[u8]; 5] =
        [MarginAccount::SEED, vault.as_ref(), owner.as_ref(), &sub_account.to_le_bytes(), &[ctx.bumps.account]];
    let mut account = create::<MarginAccount>(&ctx.accounts.payer, &ctx.accounts.account, &seeds)?;
    account.vault = vault;
    account.owner = owner;
    account.sub_account = sub_account;
    account.version = VERSION;
    account.bump = ctx.bumps.account;

    let event = AccountOpened { vault, account: ctx.accounts.account.key(), owner, sub_account };
    emit(&ctx.accounts.event_authority, &event)
}
