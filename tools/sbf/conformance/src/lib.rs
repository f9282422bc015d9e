//! Operations whose results on the virtual machine have to be, byte for byte, the native ones.
//!
//! Compiled natively this is a library that says what is right; compiled for the virtual machine it is a program that
//! computes the same from its instruction data. Each operation returns all its results as bytes.

mod calls;
mod fixed_point;
mod floats;
mod integers;
mod pricing;
#[cfg(target_os = "solana")]
mod program;
mod statics;
mod text;

/// Two numbers and a shift, from which every operation makes its operands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Operands {
    /// The first number.
    pub a: i128,
    /// The second number.
    pub b: i128,
    /// A shift below 128.
    pub shift: u32,
}

/// A group of operations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// Integers of 128 bits and less.
    Integers,
    /// Fixed-point numbers, whose products need 256 bits.
    FixedPoint,
    /// Floating-point numbers.
    Floats,
    /// Formatting.
    Text,
    /// Functions with many and wide arguments and results.
    Calls,
    /// A mutable static beside a full heap.
    Statics,
    /// The ratio of two prices.
    Ratio,
    /// Its logarithm.
    Logarithm,
    /// `e` to the power of minus the ratio.
    Exponential,
}

impl Operation {
    /// All groups; a group's place here names it in instruction data.
    pub const ALL: [Self; 9] = [
        Self::Integers,
        Self::FixedPoint,
        Self::Floats,
        Self::Text,
        Self::Calls,
        Self::Statics,
        Self::Ratio,
        Self::Logarithm,
        Self::Exponential,
    ];

    /// The results as bytes, at most the 1,024 that a program can return.
    pub fn results(self, operands: Operands) -> Vec<u8> {
        let mut results = Results::default();
        match self {
            Self::Integers => integers::run(operands, &mut results),
            Self::FixedPoint => fixed_point::run(operands, &mut results),
            Self::Floats => floats::run(operands, &mut results),
            Self::Text => text::run(operands, &mut results),
            Self::Calls => calls::run(operands, &mut results),
            Self::Statics => statics::run(operands, &mut results),
            Self::Ratio | Self::Logarithm | Self::Exponential => pricing::run(self, operands, &mut results),
        }
        results.0
    }

    /// The instruction data that makes the program compute this.
    pub fn instruction_data(self, operands: Operands) -> Vec<u8> {
        let place = Self::ALL.iter().position(|operation| *operation == self);
        let mut data = vec![place.map_or(u8::MAX, |place| place as u8)];
        data.extend(operands.a.to_le_bytes());
        data.extend(operands.b.to_le_bytes());
        data.extend(operands.shift.to_le_bytes());
        data
    }
}

/// Collects results.
#[derive(Default)]
struct Results(Vec<u8>);

impl Results {
    fn push(&mut self, value: i128) {
        self.0.extend(value.to_le_bytes());
    }

    fn push_unsigned(&mut self, value: u128) {
        self.0.extend(value.to_le_bytes());
    }
}
