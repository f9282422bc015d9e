//! What the calling convention has to carry: more arguments than registers, wide and composite values, and calls
//! through pointers.

use crate::{Operands, Results};

#[derive(Clone, Copy)]
struct Pair {
    wide: i128,
    word: u64,
}

type Mixer = fn(u64, u64, i128, u8, u64, Pair, i128) -> (u64, i128, Pair);

#[inline(never)]
fn mix_first(a: u64, b: u64, c: i128, d: u8, e: u64, pair: Pair, g: i128) -> (u64, i128, Pair) {
    let wide = c.wrapping_add(g).wrapping_add(pair.wide);
    let word = a.wrapping_mul(b) ^ e.rotate_left(u32::from(d) % 64);
    (word, wide, Pair { wide: wide.wrapping_neg(), word: pair.word.wrapping_add(word) })
}

#[inline(never)]
fn mix_second(a: u64, b: u64, c: i128, d: u8, e: u64, pair: Pair, g: i128) -> (u64, i128, Pair) {
    let (word, wide, rest) = mix_first(b, a, g, d.wrapping_add(1), e, pair, c);
    (word ^ 1, wide.wrapping_sub(1), Pair { word: rest.word.wrapping_sub(e), ..rest })
}

#[inline(never)]
fn checked(a: i128, b: i128) -> Option<i128> {
    a.checked_mul(b)?.checked_add(1)
}

pub(crate) fn run(Operands { a, b, shift }: Operands, results: &mut Results) {
    let mixers: [Mixer; 2] = [mix_first, mix_second];
    let mix = mixers[shift as usize % 2];
    let (word, wide, pair) = mix(a as u64, b as u64, a, shift as u8, 5, Pair { wide: b, word: 3 }, b);
    results.push_unsigned(word.into());
    results.push(wide);
    results.push(pair.wide);
    results.push_unsigned(pair.word.into());
    results.push(checked(a, b).unwrap_or(7));
    let mut words: Vec<i128> = (0..8).map(|i| a.rotate_left(i * 11) ^ b).collect();
    words.sort_by_key(|word| core::cmp::Reverse(*word));
    words.iter().for_each(|word| results.push(*word));
}
