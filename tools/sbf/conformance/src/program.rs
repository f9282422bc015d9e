//! The program: instruction data in, results out.

use solana_account_info::AccountInfo;
use solana_program_entrypoint::{ProgramResult, entrypoint};
use solana_program_error::ProgramError;
use solana_pubkey::Pubkey;

use crate::{Operands, Operation};

entrypoint!(process);

fn process(_program: &Pubkey, _accounts: &[AccountInfo], data: &[u8]) -> ProgramResult {
    let (operation, operands) = parse(data).ok_or(ProgramError::InvalidInstructionData)?;
    solana_cpi::set_return_data(&operation.results(operands));
    Ok(())
}

fn parse(data: &[u8]) -> Option<(Operation, Operands)> {
    let (operation, data) = data.split_first()?;
    let (a, data) = data.split_first_chunk()?;
    let (b, data) = data.split_first_chunk()?;
    let (shift, _) = data.split_first_chunk()?;
    let operands =
        Operands { a: i128::from_le_bytes(*a), b: i128::from_le_bytes(*b), shift: u32::from_le_bytes(*shift) };
    Some((*Operation::ALL.get(usize::from(*operation))?, operands))
}
