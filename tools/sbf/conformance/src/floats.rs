use crate::{Operands, Results};

pub(crate) fn run(operands: Operands, results: &mut Results) {
    doubles(operands, results);
    singles(operands, results);
}

fn doubles(Operands { a, b, .. }: Operands, results: &mut Results) {
    let (x, y) = (f64::from_bits(a as u64), f64::from_bits(b as u64));
    for value in [x + y, x - y, x * y, x / y, -x, x.abs(), a as f64, a as u128 as f64, a as i64 as f64, a as u64 as f64]
    {
        // Which NaN an operation returns is not defined.
        let value = if value.is_nan() { f64::NAN } else { value };
        results.0.extend(value.to_bits().to_le_bytes());
    }
    results.push(x as i128);
    results.push_unsigned(x as u128);
    results.push((x as i64).into());
    results.push_unsigned((x as u64).into());
    results.push((x as i32).into());
    results.push((x as i8).into());
    results.push_unsigned((x as u16).into());
    comparisons(x.partial_cmp(&y), [x < y, x <= y, x > y, x >= y, x == y, x != y, x.is_nan()], results);
}

fn singles(Operands { a, b, .. }: Operands, results: &mut Results) {
    let (x, y) = (f32::from_bits(a as u32), f32::from_bits(b as u32));
    for value in [x + y, x - y, x * y, x / y, -x, x.abs(), a as f32, a as i32 as f32, f64::from_bits(a as u64) as f32] {
        let value = if value.is_nan() { f32::NAN } else { value };
        results.0.extend(value.to_bits().to_le_bytes());
    }
    let widened = if x.is_nan() { 0.0 } else { f64::from(x) };
    results.0.extend(widened.to_bits().to_le_bytes());
    results.push((x as i64).into());
    results.push_unsigned((x as u8).into());
    comparisons(x.partial_cmp(&y), [x < y, x <= y, x > y, x >= y, x == y, x != y, x.is_nan()], results);
}

fn comparisons(order: Option<core::cmp::Ordering>, truths: [bool; 7], results: &mut Results) {
    results.push(order.map_or(7, |order| order as i128));
    results.0.extend(truths.map(u8::from));
}
