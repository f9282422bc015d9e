//! How an event is written and recorded.

use std::io::{self, ErrorKind, Write};

use anchor_lang::{Event, event::EVENT_IX_TAG_LE, prelude::*};

use crate::calls::{Access, call};

/// Seed of the address that signs events, as Anchor's clients expect it.
const AUTHORITY_SEED: &[u8] = b"__event_authority";

/// Records an event as an inner instruction, which, unlike a log line, is never truncated.
pub(crate) fn emit<E: Event>(authority: &AccountInfo, event: &E) -> Result<()> {
    // No event's bytes are more than the event is in memory.
    const { assert!(EVENT_IX_TAG_LE.len() + E::DISCRIMINATOR.len() + size_of::<E>() <= MAX_BYTES) };
    let mut written = Written { bytes: [0; MAX_BYTES], length: 0 };
    written.write_all(EVENT_IX_TAG_LE)?;
    written.write_all(E::DISCRIMINATOR)?;
    event.serialize(&mut written)?;
    record(authority, &written)
}

/// Room for any event.
const MAX_BYTES: usize = 288;

/// An event as it is written. The compiler sees every length, so that each field becomes a store, where a vector would
/// look at each time whether it has to grow.
struct Written {
    bytes: [u8; MAX_BYTES],
    length: usize,
}

impl Write for Written {
    #[inline(always)]
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.write_all(bytes).map(|()| bytes.len())
    }

    #[inline(always)]
    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        let end = self.length.saturating_add(bytes.len());
        self.bytes.get_mut(self.length..end).ok_or(ErrorKind::WriteZero)?.copy_from_slice(bytes);
        self.length = end;
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[inline(never)] // one copy for all events
fn record(authority: &AccountInfo, event: &Written) -> Result<()> {
    let data = event.bytes.get(..event.length).unwrap_or_default().to_vec();
    let seeds: [&[u8]; 2] = [AUTHORITY_SEED, &[crate::EVENT_AUTHORITY_AND_BUMP.1]];
    call(&crate::ID, data, &[(authority, Access::Sign)], &seeds)
}
