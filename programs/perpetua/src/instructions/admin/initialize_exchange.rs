//! Sets the program up, once.

use anchor_lang::prelude::*;

use crate::{
    PerpetuaError, constants::VERSION, instructions::common::DISCRIMINATOR, program::Perpetua, state::Exchange,
};

/// Accounts of `initialize_exchange`.
#[derive(Accounts)]
pub struct InitializeExchange<'info> {
    /// The program's upgrade authority, who becomes the administrator. Nobody else can set the program up first.
    #[account(mut)]
    pub admin: Signer<'info>,
    /// Receives the configuration.
    #[account(init, payer = admin, space = DISCRIMINATOR + size_of::<Exchange>(), seeds = [Exchange::SEED], bump)]
    pub exchange: AccountLoader<'info, Exchange>,
    /// This program.
    #[account(constraint = this_program.programdata_address()? == Some(program_data.key()) @ PerpetuaError::WrongAccount)]
    pub this_program: Program<'info, Perpetua>,
    /// The upgradeable loader's account that names the upgrade authority.
    #[account(constraint = program_data.upgrade_authority_address == Some(admin.key()) @ PerpetuaError::Unauthorized)]
    pub program_data: Account<'info, ProgramData>,
    /// Creates accounts.
    pub system_program: Program<'info, System>,
}

pub(crate) fn initialize_exchange(
    ctx: Context<InitializeExchange>,
    guardian: Pubkey,
    fee_recipient: Pubkey,
) -> Result<()> {
    let mut exchange = ctx.accounts.exchange.load_init()?;
    exchange.admin = ctx.accounts.admin.key();
    exchange.guardian = guardian;
    exchange.fee_recipient = fee_recipient;
    exchange.version = VERSION;
    exchange.bump = ctx.bumps.exchange;
    Ok(())
}
