//! The multiplier's decoder against the processor's own doubles.

use perpetua_model::{Multiplier, ScaledUi, pricing::Rounding};

use crate::take;

/// The value of an extension, the time, and a limit in basis points. The multiplier is valid if the double is a number
/// from 2^-20 to 2^20, is then the very same number, and moves as far as doubles say.
pub fn multiplier(data: &[u8]) {
    let mut rest = data;
    let value: [u8; 56] = take(&mut rest);
    let (now, bps) = (i64::from_le_bytes(take(&mut rest)), u16::from_le_bytes(take(&mut rest)));
    assert!(ScaledUi::parse(data).is_ok() == (data.len() == 56), "the length decides");
    let mint = ScaledUi::parse(&value).expect("56 bytes are a multiplier");
    let bytes = [mint.current.to_le_bytes(), mint.next_from.to_le_bytes(), mint.next.to_le_bytes()].concat();
    assert_eq!(bytes, value[32..], "decodes to what it encodes");

    let started = now >= mint.next_from;
    let wanted = if started { mint.next } else { mint.current };
    let pending = mint.pending(now);
    assert_eq!(pending.is_some(), !started && mint.next != mint.current);
    let at = mint.at(now).ok();
    assert_eq!(at.is_some(), valid(wanted));
    if let Some(at) = at {
        exact(at, wanted);
    }
    if valid(mint.current) && valid(mint.next) {
        moves(Multiplier(mint.current), Multiplier(mint.next), bps);
    }
}

fn valid(bits: u64) -> bool {
    (2f64.powi(-20)..=2f64.powi(20)).contains(&f64::from_bits(bits))
}

fn exact(multiplier: Multiplier, bits: u64) {
    // 72 fraction bits hold every such double.
    let fixed = multiplier.real().to_fixed_wide(72, Rounding::Down).expect("at most 2^20");
    assert_eq!((fixed as f64) / 2f64.powi(72), f64::from_bits(bits));
}

fn moves(from: Multiplier, to: Multiplier, bps: u16) {
    let [before, after] = [from, to].map(|multiplier| f64::from_bits(multiplier.0));
    let (moved, limit) = ((after - before).abs() * 10_000.0, before * f64::from(bps));
    // Where rounding could turn the comparison, doubles say nothing.
    if (moved - limit).abs() > limit.max(moved) * 1e-12 {
        assert_eq!(to.moved_by_more_than(from, bps), moved > limit, "from {before} to {after} by {bps}");
    }
}
