//! Calls of other programs. One function makes them all, from the few bytes that each instruction is: the libraries of the
//! programs called bring a writer for every instruction they know, and copy each account several times.

use anchor_lang::{
    prelude::*,
    solana_program::{instruction::Instruction, program::invoke_signed_unchecked},
};

/// What a called program may do with an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// Read it.
    Read,
    /// Write to it.
    Write,
    /// Rely on its signature.
    Sign,
    /// Write to it and rely on its signature.
    WriteSigned,
}

impl Access {
    fn writes(self) -> bool {
        matches!(self, Self::Write | Self::WriteSigned)
    }

    fn meta(self, key: &Pubkey) -> AccountMeta {
        AccountMeta {
            pubkey: *key,
            is_signer: matches!(self, Self::Sign | Self::WriteSigned),
            is_writable: self.writes(),
        }
    }
}

/// Calls a program; the address of `seeds`, which end with its bump, signs as well.
///
/// Errors: those of the program called; the runtime's for an account that is borrowed.
#[inline(never)] // one copy for all calls
pub(crate) fn call<'info>(
    program: &Pubkey,
    data: Vec<u8>,
    accounts: &[(&AccountInfo<'info>, Access)],
    seeds: &[&[u8]],
) -> Result<()> {
    // `invoke_signed` asks the same of each account, and searches for it among all.
    for (account, access) in accounts {
        require_free(account, *access)?;
    }
    let instruction = Instruction {
        program_id: *program,
        accounts: accounts.iter().map(|(account, access)| access.meta(account.key)).collect(),
        data,
    };
    let accounts: Vec<AccountInfo> = accounts.iter().map(|(account, _)| (*account).clone()).collect();
    let signers: &[&[&[u8]]] = if seeds.is_empty() { &[] } else { &[seeds] };
    Ok(invoke_signed_unchecked(&instruction, &accounts, signers)?)
}

/// Refuses an account of which something is borrowed that the program called might change.
fn require_free(account: &AccountInfo, access: Access) -> Result<()> {
    if access.writes() {
        account.try_borrow_mut_lamports()?;
        account.try_borrow_mut_data()?;
    } else {
        account.try_borrow_lamports()?;
        account.try_borrow_data()?;
    }
    Ok(())
}
