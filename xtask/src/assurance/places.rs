//! Where the instructions of the linked program stood in the object file that it was linked from, which alone knows their
//! lines. The linker keeps every function in one piece and in order, and drops those that nobody calls.

use std::{fs, path::Path};

use anyhow::{Context, Result, ensure};
use object::{Object, ObjectSection, ObjectSymbol, SectionKind, SymbolKind};

/// Bytes of an instruction; one that loads 64 bits takes two.
const INSTRUCTION: usize = 8;
const CALL: u8 = 0x85;
/// A call through a register, which the linker writes in another of its fields.
const CALL_REGISTER: u8 = 0x8d;
const LOAD_64: u8 = 0x18;

/// The code of an object file: its sections one behind the other.
pub struct Code {
    bytes: Vec<u8>,
    /// Where functions begin, in order, and the end.
    starts: Vec<usize>,
    /// The sections' names and where they begin.
    pub sections: Vec<(String, usize)>,
}

impl Code {
    /// Reads a file's sections of code.
    pub fn read(path: &Path) -> Result<Self> {
        let file = fs::read(path).with_context(|| format!("reading {}", path.display()))?;
        let file = object::File::parse(file.as_slice())?;
        let mut code = Self { bytes: Vec::new(), starts: Vec::new(), sections: Vec::new() };
        for section in file.sections().filter(|section| section.kind() == SectionKind::Text) {
            let base = code.bytes.len();
            let functions = file.symbols().filter(|symbol| symbol.kind() == SymbolKind::Text);
            for symbol in functions.filter(|symbol| symbol.section_index() == Some(section.index())) {
                code.starts.push(base + usize::try_from(symbol.address())?);
            }
            code.sections.push((section.name()?.to_owned(), base));
            code.bytes.extend_from_slice(section.data()?);
        }
        code.starts.push(code.bytes.len());
        code.starts.sort_unstable();
        code.starts.dedup();
        Ok(code)
    }

    /// For each instruction slot of the program, the address in this code.
    pub fn addresses_in(&self, program: &Path) -> Result<Vec<usize>> {
        let linked = Self::read(program)?.bytes;
        let mut addresses = Vec::new();
        for bounds in self.starts.windows(2) {
            let &[start, end] = bounds else { continue };
            let function = self.bytes.get(start..end).context("a function lies within its section")?;
            let place = addresses.len() * INSTRUCTION;
            if linked.get(place..place + function.len()).is_some_and(|there| same(function, there)) {
                addresses.extend((start..end).step_by(INSTRUCTION));
            }
        }
        ensure!(
            addresses.len() * INSTRUCTION == linked.len(),
            "{} of {} bytes of the program were found in its object file",
            addresses.len() * INSTRUCTION,
            linked.len()
        );
        Ok(addresses)
    }
}

/// Whether two pieces of code are one, but for the addresses that the linker fills in.
fn same(one: &[u8], other: &[u8]) -> bool {
    let mut second_half = false;
    one.chunks(INSTRUCTION).zip(other.chunks(INSTRUCTION)).all(|(one, other)| {
        if std::mem::take(&mut second_half) {
            return true;
        }
        second_half = one.first() == Some(&LOAD_64);
        let compared = match one.first() {
            Some(&CALL | &CALL_REGISTER) => 1,
            Some(&LOAD_64) => 4,
            _ => INSTRUCTION,
        };
        one.get(..compared) == other.get(..compared)
    })
}
