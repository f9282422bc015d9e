//! Addresses of constants. A program is always loaded at the same place, yet sBPF v0's relocations, 16 bytes for each use of a
//! constant, have the loader compute every address anew. What the loader would write is written here instead; calls of the
//! virtual machine keep their relocations, which it insists on.

use anyhow::{Context, Result};
use sbpf_assembler::{
    Program,
    dynsym::{RelDynMap, RelocationType},
    parser::ProgramLayout,
    section::Section as _,
};

/// Where the virtual machine puts the start of a program's file.
const LOADED_AT: u64 = 1 << 32;
/// Bytes before a dynamic program's code: the ELF header and three program headers.
const CODE_STARTS: u64 = 64 + 3 * 56;
/// Bytes of an instruction. One that holds an address takes two of them.
const INSTRUCTION: usize = 8;
/// The machine's only instruction that holds an address.
const LOAD_ADDRESS: u8 = 0x18;

/// The program with every address of a constant in place.
pub(crate) fn emit(mut layout: ProgramLayout) -> Result<Vec<u8>> {
    let relocations = layout.relocation_data.get_rel_dyns();
    let (addresses, calls): (Vec<_>, Vec<_>) =
        relocations.into_iter().partition(|(_, kind, _)| *kind == RelocationType::RSbf64Relative);
    let mut kept = RelDynMap::new();
    for (offset, kind, name) in calls {
        kept.add_rel_dyn(offset, kind, name);
    }
    layout.relocation_data = kept;
    let code = layout.code_section.size();
    let mut program = Program::from_parse_result(layout, None).emit_bytecode();
    for (offset, ..) in addresses {
        let place =
            program.get_mut(usize::try_from(CODE_STARTS + offset)?..).context("an address outside the program")?;
        let resolved = if offset < code { in_instruction(place) } else { in_constant(place) };
        resolved.with_context(|| format!("no address to resolve at {offset:#x}"))?;
    }
    Ok(program)
}

/// An instruction has the address's lower half in its first part and the upper half, until now nothing, in its second.
fn in_instruction(place: &mut [u8]) -> Option<()> {
    let (first, rest) = place.split_first_chunk_mut::<INSTRUCTION>()?;
    let second = rest.first_chunk_mut::<INSTRUCTION>()?;
    (first[0] == LOAD_ADDRESS && second[4..] == [0; 4]).then_some(())?;
    second[4..].copy_from_slice(&u32::try_from(LOADED_AT >> 32).ok()?.to_le_bytes());
    Some(())
}

/// A constant that points to another has the offset in its upper half, where the loader looks for it.
fn in_constant(place: &mut [u8]) -> Option<()> {
    let word = place.first_chunk_mut()?;
    let value = u64::from_le_bytes(*word);
    (value % LOADED_AT == 0).then_some(())?;
    *word = (LOADED_AT + (value >> 32)).to_le_bytes();
    Some(())
}
