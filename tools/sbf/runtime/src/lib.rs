//! What lowered programs call: wide integer arithmetic in 64-bit operations, memory functions, and the calls that
//! std expects of its platform.
//!
//! It is compiled apart from the program, with a `core` of its own, so nothing here may panic: no indexing, no
//! checked arithmetic operators.
#![no_std]

#[cfg(test)]
extern crate std;

mod division;
#[cfg(target_os = "solana")]
mod memory;
mod multiplication;
#[cfg(target_os = "solana")]
mod platform;

pub use division::{__sbf_sdiv128, __sbf_srem128, __sbf_udiv128, __sbf_urem128};
pub use multiplication::{__sbf_mul128, __sbf_mul256, __sbf_smulo128, __sbf_umulo128};

/// A 128-bit number as two registers: the machine has none wider.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Wide {
    low: u64,
    high: u64,
}

impl Wide {
    const fn new(low: u64, high: u64) -> Self {
        Self { low, high }
    }

    /// The number is negative when read as two's complement.
    #[inline(always)]
    const fn is_negative(self) -> bool {
        self.high >> 63 != 0
    }

    /// Two's complement; the most negative number stays what it is.
    #[inline(always)]
    const fn negated(self) -> Self {
        let (low, carry) = (!self.low).overflowing_add(1);
        Self::new(low, (!self.high).wrapping_add(carry as u64))
    }

    /// The absolute value, as an unsigned number: the most negative one is its own magnitude, 2^127.
    #[inline(always)]
    const fn magnitude(self) -> Self {
        if self.is_negative() { self.negated() } else { self }
    }

    /// # Safety
    /// `out` is valid for writing two words.
    #[inline(always)]
    unsafe fn write(self, out: *mut u64) {
        // SAFETY: the caller's promise.
        unsafe {
            *out = self.low;
            *out.add(1) = self.high;
        }
    }
}

#[cfg(test)]
mod tests;
