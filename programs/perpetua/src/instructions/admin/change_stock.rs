//! What the administrator may say of a stock after it was listed: when its exchange is closed, and that a large change of
//! its token's multiplier is right.

use anchor_lang::prelude::*;
use perpetua_model::Multiplier;

use super::ShortDay;
use crate::{
    PerpetuaError,
    error::OrProgramError,
    events::{MultiplierAcknowledged, SessionShortened, emit},
    instructions::common::{moment, names},
    state::{Exchange, Stock, Vault},
};

/// Accounts of `shorten_sessions` and `acknowledge_multiplier`.
#[event_cpi]
#[derive(Accounts)]
pub struct ChangeStock<'info> {
    /// The administrator.
    pub admin: Signer<'info>,
    /// Names the administrator.
    #[account(constraint = names!(exchange: Exchange => admin) @ PerpetuaError::Unauthorized)]
    pub exchange: AccountLoader<'info, Exchange>,
    /// The stock's vault.
    #[account(constraint = names!(vault: Vault => exchange) @ PerpetuaError::WrongAccount)]
    pub vault: AccountLoader<'info, Vault>,
    /// The stock.
    #[account(mut, constraint = names!(stock: Stock => vault) @ PerpetuaError::WrongAccount)]
    pub stock: AccountLoader<'info, Stock>,
}

pub(crate) fn shorten_sessions(ctx: Context<ChangeStock>, days: Vec<ShortDay>) -> Result<()> {
    let now = moment()?.now;
    let mut stock = ctx.accounts.stock.load_mut()?;
    for day in days {
        stock.state.calendar.add(day.into(), now).or_program_error()?;
        emit(&ctx.accounts.event_authority, &SessionShortened { stock: ctx.accounts.stock.key(), day })?;
    }
    Ok(())
}

pub(crate) fn acknowledge_multiplier(ctx: Context<ChangeStock>, multiplier: u64) -> Result<()> {
    let multiplier = Multiplier::from_bits(multiplier).or_program_error()?;
    ctx.accounts.stock.load_mut()?.state.acknowledge(multiplier);
    let event = MultiplierAcknowledged { stock: ctx.accounts.stock.key(), multiplier: multiplier.0 };
    emit(&ctx.accounts.event_authority, &event)
}
