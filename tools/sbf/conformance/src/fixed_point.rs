use fixed::types::{I64F64, I80F48, U64F64};

use crate::{Operands, Results};

pub(crate) fn run(Operands { a, b, .. }: Operands, results: &mut Results) {
    let (x, y) = (I64F64::from_bits(a >> 8), I64F64::from_bits(b >> 8));
    results.push(x.checked_mul(y).map_or(7, I64F64::to_bits));
    results.push(x.checked_div(y).map_or(7, I64F64::to_bits));
    results.push(x.checked_sqrt().map_or(7, I64F64::to_bits));
    let (x, y) = (I80F48::from_bits(a >> 20), I80F48::from_bits(b >> 30));
    results.push(x.checked_mul(y).map_or(7, I80F48::to_bits));
    results.push(x.checked_div(y).map_or(7, I80F48::to_bits));
    results.push(x.saturating_mul(y).to_bits());
    let (x, y) = (U64F64::from_bits(a as u128), U64F64::from_bits(b as u128));
    results.push_unsigned(x.checked_mul(y).map_or(7, U64F64::to_bits));
    results.push_unsigned(x.checked_div(y).map_or(7, U64F64::to_bits));
    results.push(x.checked_int_log2().map_or(7, i128::from));
}
