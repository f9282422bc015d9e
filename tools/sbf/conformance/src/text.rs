use fixed::types::I64F64;

use crate::{Operands, Results};

pub(crate) fn run(Operands { a, b, shift }: Operands, results: &mut Results) {
    let (word, number) = (a as i64, I64F64::from_bits(a >> 8));
    let text = format!("{a:?} {b:+} {shift:#x} {word:>12} {:?} {number:.4} {:?}", Some("é\n"), &[word, b as i64]);
    results.0.extend(text.as_bytes());
    if let Ok(parsed) = text.split(' ').next().unwrap_or_default().parse() {
        results.push(parsed);
    }
}
