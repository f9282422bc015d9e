//! Creating accounts at their derived addresses. Anchor's `init` writes the same steps out in each instruction, and needs
//! a newer system program where somebody has sent lamports to the address before.

use std::cell::RefMut;

use anchor_lang::{ZeroCopy, prelude::*};

use super::common::DISCRIMINATOR;
use crate::calls::{Access, call};

/// Numbers of the system program's instructions.
const CREATE: u32 = 0;
const ASSIGN: u32 = 1;
const TRANSFER: u32 = 2;
const ALLOCATE: u32 = 8;

/// Creates an account of this program at the address of `seeds`, which end with the bump, and lends its state: all zero.
///
/// Errors: the system program's, if the account exists or `payer` has too few lamports.
pub(crate) fn create<'a, 'info, T: ZeroCopy>(
    payer: &AccountInfo<'info>,
    account: &'a AccountInfo<'info>,
    seeds: &[&[u8]],
) -> Result<RefMut<'a, T>> {
    create_marked(payer, account, size_of::<T>(), T::DISCRIMINATOR, seeds)?;
    let state = RefMut::filter_map(account.try_borrow_mut_data()?, |data| {
        bytemuck::try_from_bytes_mut(data.get_mut(DISCRIMINATOR..)?).ok()
    });
    state.map_err(|_| ErrorCode::AccountDidNotDeserialize.into())
}

fn create_marked<'info>(
    payer: &AccountInfo<'info>,
    account: &AccountInfo<'info>,
    size: usize,
    kind: &[u8],
    seeds: &[&[u8]],
) -> Result<()> {
    create_for(&crate::ID, payer, account, DISCRIMINATOR + size, seeds)?;
    for (place, byte) in account.try_borrow_mut_data()?.iter_mut().zip(kind) {
        *place = *byte;
    }
    Ok(())
}

/// Creates an account of `size` zero bytes for a program.
///
/// Errors: the system program's, if the account exists or `payer` has too few lamports.
pub(crate) fn create_for<'info>(
    program: &Pubkey,
    payer: &AccountInfo<'info>,
    account: &AccountInfo<'info>,
    size: usize,
    seeds: &[&[u8]],
) -> Result<()> {
    let (lamports, sent) = (Rent::get()?.minimum_balance(size), account.lamports());
    let size = u64::try_from(size).map_err(|_| ProgramError::InvalidArgument)?.to_le_bytes();
    let (both, alone) = ([payer, account], [account]);
    if sent == 0 {
        return system(CREATE, &[&lamports.to_le_bytes(), &size, program.as_ref()], &both, seeds);
    }
    // Somebody sent lamports to the address, which the instruction above refuses.
    let missing = lamports.saturating_sub(sent);
    if missing > 0 {
        system(TRANSFER, &[&missing.to_le_bytes()], &both, seeds)?;
    }
    system(ALLOCATE, &[&size], &alone, seeds)?;
    system(ASSIGN, &[program.as_ref()], &alone, seeds)
}

fn system<'info>(number: u32, arguments: &[&[u8]], accounts: &[&AccountInfo<'info>], seeds: &[&[u8]]) -> Result<()> {
    let mut data = number.to_le_bytes().to_vec();
    arguments.iter().for_each(|argument| data.extend_from_slice(argument));
    let accounts: Vec<_> = accounts.iter().map(|account| (*account, Access::WriteSigned)).collect();
    call(&System::id(), data, &accounts, seeds)
}
