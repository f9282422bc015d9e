//! Sets the program up, once.

use anchor_lang::{prelude::*, solana_program::bpf_loader_upgradeable};

use crate::{PerpetuaError, constants::VERSION, instructions::create::create, program::Perpetua, state::Exchange};

/// Accounts of `initialize_exchange`.
#[derive(Accounts)]
pub struct InitializeExchange<'info> {
    /// The program's upgrade authority, who becomes the administrator. Nobody else can set the program up first.
    #[account(mut)]
    pub admin: Signer<'info>,
    /// Receives the configuration.
    /// CHECK: created here, at the address of its seeds.
    #[account(mut, seeds = [Exchange::SEED], bump)]
    pub exchange: UncheckedAccount<'info>,
    /// This program.
    pub this_program: Program<'info, Perpetua>,
    /// CHECK: the upgradeable loader's account that names the upgrade authority, by its address.
    #[account(
        owner = bpf_loader_upgradeable::ID @ PerpetuaError::WrongAccount,
        constraint = program_data.key() == program_data_address() @ PerpetuaError::WrongAccount,
        constraint = upgrade_authority(&program_data)? == Some(admin.key()) @ PerpetuaError::Unauthorized,
    )]
    pub program_data: UncheckedAccount<'info>,
    /// Creates accounts.
    pub system_program: Program<'info, System>,
}

/// Bytes that the loader keeps before the upgrade authority: the account's kind and the slot of the last upgrade.
const AUTHORITY: usize = 12;

fn program_data_address() -> Pubkey {
    Pubkey::find_program_address(&[crate::ID.as_ref()], &bpf_loader_upgradeable::ID).0
}

/// Who may upgrade the program. Read by hand: the loader's own reader brings a general decoder along, which is large.
fn upgrade_authority(program_data: &AccountInfo) -> Result<Option<Pubkey>> {
    let data = program_data.try_borrow_data()?;
    let option = data.get(AUTHORITY..).and_then(<[u8]>::first_chunk::<33>).ok_or(PerpetuaError::WrongAccount)?;
    Ok(match option {
        [1, authority @ ..] => Some(Pubkey::new_from_array(*authority)),
        _ => None,
    })
}

pub(crate) fn initialize_exchange(
    ctx: Context<InitializeExchange>,
    guardian: Pubkey,
    fee_recipient: Pubkey,
) -> Result<()> {
    let seeds: [&[u8]; 2] = [Exchange::SEED, &[ctx.bumps.exchange]];
    let mut exchange = create::<Exchange>(&ctx.accounts.admin, &ctx.accounts.exchange, &seeds)?;
    exchange.admin = ctx.accounts.admin.key();
    exchange.guardian = guardian;
    exchange.fee_recipient = fee_recipient;
    exchange.version = VERSION;
    exchange.bump = ctx.bumps.exchange;
    Ok(())
}
