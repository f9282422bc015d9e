//! Mints with any extensions.

use anchor_lang::prelude::Pubkey;
use perpetua::token::policy;

use crate::with_account;

/// Token-2022.
const TOKEN_2022: Pubkey = Pubkey::from_str_const("TokenzQdBNbLqP5VEhdkAS6EPFLC1PHnBqCXEpPxuEb");

/// An extension's type and value.
type Entry<'a> = (u16, &'a [u8]);

/// The policy takes a mint if and only if a plain walk over its extensions finds none that is not allowed; it reports the
/// decimals and the pause that the walk sees; the digest follows the authorities and not the supply; and the multiplier
/// is the extension's.
pub fn mint(data: &[u8]) {
    let check = |data: &[u8]| with_account(&TOKEN_2022, data, policy::check).ok();
    let facts = check(data);
    let entries = walk(data);
    let acceptable = entries.as_deref().filter(|entries| data[45] == 1 && allowed(entries));
    assert_eq!(facts.is_some(), acceptable.is_some(), "policy and walk disagree");
    assert!(with_account(&perpetua::ID, data, policy::check).is_err(), "another program's account");
    multiplier(data, entries.as_deref());
    let (Some(facts), Some(entries)) = (facts, acceptable) else { return };
    let paused = entries.iter().any(|(kind, value)| *kind == 26 && value[32] != 0);
    assert_eq!((facts.decimals, facts.paused), (data[44], paused));
    let changed = |place: usize| {
        let mut data = data.to_vec();
        data[place] ^= 1;
        check(&data)
    };
    assert_eq!(changed(36), Some(facts), "the supply is not in the digest");
    for authority in [4, 50] {
        assert_ne!(changed(authority).map(|facts| facts.snapshot), Some(facts.snapshot), "authorities are");
    }
}

/// The extensions; nothing if the bytes are no mint's.
fn walk(data: &[u8]) -> Option<Vec<Entry<'_>>> {
    let mut entries = Vec::new();
    match data.len() {
        82 => return Some(entries),
        0..166 | 355 => return None,
        _ if data[165] != 1 => return None,
        _ => {}
    }
    let word = |at: usize| Some(u16::from_le_bytes([*data.get(at)?, *data.get(at + 1)?]));
    let mut at = 166;
    while let Some(kind) = word(at).filter(|kind| *kind != 0) {
        let length = usize::from(word(at + 2)?);
        entries.push((kind, data.get(at + 4..at + 4 + length)?));
        at += 4 + length;
    }
    Some(entries)
}

fn allowed(entries: &[Entry]) -> bool {
    let twice = entries.iter().enumerate().any(|(place, (kind, _))| entries[..place].iter().any(|(k, _)| k == kind));
    let zero = |bytes: &[u8]| bytes.iter().all(|byte| *byte == 0);
    let fine = |(kind, value): &Entry| match (*kind, value.len()) {
        // A transfer fee, of which the rates in force and to come are zero.
        (1, 108) => zero(&value[88..90]) && zero(&value[106..108]),
        // Confidential transfers that somebody approves.
        (4, 65) => value[32] == 0,
        // Accounts that start thawed.
        (6, 1) => value[0] == 1,
        // A hook that calls nothing.
        (14, 64) => zero(&value[32..]),
        // A permanent delegate, a pointer to metadata, metadata, a multiplier, a pause.
        (12, 32) | (18, 64) | (19, _) | (25, 56) | (26, 33) => true,
        _ => false,
    };
    !twice && entries.iter().all(fine)
}

/// The multiplier of the mint is that of the first such extension, or one.
fn multiplier(data: &[u8], entries: Option<&[Entry]>) {
    let read = with_account(&TOKEN_2022, data, policy::scaled_ui).ok();
    let Some(entries) = entries else { return };
    let word = |value: &[u8], at: usize| value[at..at + 8].try_into().map(u64::from_le_bytes).ok();
    match entries.iter().find(|(kind, _)| *kind == 25) {
        None => assert_eq!(read.map(|read| [read.current, read.next]), Some([1f64.to_bits(); 2])),
        Some((_, value)) if value.len() != 56 => assert_eq!(read, None),
        Some((_, value)) => {
            let read = read.expect("56 bytes are a multiplier");
            assert_eq!((Some(read.current), Some(read.next)), (word(value, 32), word(value, 48)));
            assert_eq!(read.next_from.to_le_bytes(), value[40..48]);
        }
    }
}
