use crate::{Operands, Results};

pub(crate) fn run(operands: Operands, results: &mut Results) {
    wide(operands, results);
    words(operands, results);
}

fn wide(Operands { a, b, shift }: Operands, results: &mut Results) {
    let (ua, ub) = (a as u128, b as u128);
    results.push(a.wrapping_mul(b));
    results.push_unsigned(ua.checked_mul(ub).unwrap_or(7));
    results.push(a.checked_mul(b).unwrap_or(7));
    results.push(a.saturating_mul(b));
    results.push(a.saturating_add(b));
    results.push(a.checked_sub(b).unwrap_or(7));
    results.push(a.wrapping_neg());
    results.push(a.wrapping_abs());
    if b != 0 {
        results.push(a.wrapping_div(b));
        results.push(a.wrapping_rem(b));
        results.push(a.wrapping_rem_euclid(b));
        results.push_unsigned(ua / ub);
        results.push_unsigned(ua % ub);
    }
    results.push(a.wrapping_shl(shift));
    results.push(a.wrapping_shr(shift));
    results.push_unsigned(ua.wrapping_shr(shift));
    results.push_unsigned(ua.rotate_left(shift));
    results.push_unsigned(ua.rotate_right(shift));
    results.push_unsigned(ua.isqrt());
    for count in [a.leading_zeros(), ua.trailing_zeros(), a.count_ones()] {
        results.push(count.into());
    }
    results.push_unsigned(ua.swap_bytes());
    results.push(a.signum());
    results.push(a.cmp(&b) as i128);
    results.push(ua.cmp(&ub) as i128);
}

fn words(Operands { a, b, shift }: Operands, results: &mut Results) {
    let (x, y) = (a as i64, b as i64);
    let (ux, uy) = (x as u64, y as u64);
    if y != 0 {
        results.push(x.wrapping_div(y).into());
        results.push(x.wrapping_rem(y).into());
        results.push_unsigned((ux / uy).into());
        let z = if y as i32 == 0 { 1 } else { y as i32 };
        results.push((x as i32).wrapping_div(z).into());
        results.push((x as i32).wrapping_rem(z).into());
        let z = if y as i8 == 0 { 1 } else { y as i8 };
        results.push((x as i8).wrapping_div(z).into());
    }
    results.push(x.checked_mul(y).unwrap_or(7).into());
    results.push_unsigned(ux.checked_mul(uy).unwrap_or(7).into());
    results.push((x as i32).checked_mul(y as i32).unwrap_or(7).into());
    results.push((x as i16).checked_mul(y as i16).unwrap_or(7).into());
    results.push_unsigned(u128::from((ux as u8).checked_mul(uy as u8).unwrap_or(7)));
    results.push(x.wrapping_shr(shift).into());
    results.push(x.rotate_left(shift).into());
    results.push_unsigned(u128::from(ux) * u128::from(uy));
    results.push(i128::from(x) * i128::from(y));
}
