use perpetua_pricing::{Real, Signed, exp_negative, ln};

use crate::{Operands, Operation, Results};

/// A price ratio, its logarithm, or `e` to the power of minus the ratio.
pub(crate) fn run(operation: Operation, Operands { a, b, .. }: Operands, results: &mut Results) {
    let price = |number: i128| u64::try_from(number & i128::from(u64::MAX)).unwrap_or(1).max(1);
    let ratio = Real::from_ratio(price(a), price(b)).unwrap_or(Real::ONE);
    let Signed { negative, magnitude } = match operation {
        Operation::Logarithm => ln(ratio),
        Operation::Exponential => Signed { negative: false, magnitude: exp_negative(ratio) },
        _ => Signed { negative: false, magnitude: ratio },
    };
    results.push(i128::from(magnitude.mantissa()));
    results.push(i128::from(magnitude.exponent()));
    results.push(i128::from(negative));
}
