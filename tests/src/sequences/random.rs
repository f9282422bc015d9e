//! Random numbers that are the same in every run.

/// Vigna's splitmix64.
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// From a seed.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Any number.
    pub fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    }

    /// A number below `bound`; zero below nothing.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.number() % bound.max(1)
    }

    /// A number from `low` to `high`.
    pub fn between(&mut self, low: i64, high: i64) -> i64 {
        low + self.below(high.abs_diff(low) + 1).cast_signed()
    }

    /// True `percent` of the time.
    pub fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    /// One of `choices`.
    pub fn pick<T: Clone>(&mut self, choices: &[T]) -> Option<T> {
        let place = usize::try_from(self.below(choices.len() as u64)).unwrap_or(0);
        choices.get(place).cloned()
    }

    /// A number below `bound` as one byte.
    pub fn small(&mut self, bound: u8) -> u8 {
        u8::try_from(self.below(bound.into())).unwrap_or(0)
    }

    /// A number of any magnitude from `low` to `high`.
    pub fn magnitude(&mut self, low: u64, high: u64) -> u64 {
        let (least, most) = (low.max(1).ilog2(), high.max(1).ilog2());
        let bits = least + u32::try_from(self.below(u64::from(most - least + 1))).unwrap_or(0);
        ((1 << bits) + self.below(1 << bits)).clamp(low, high)
    }

    /// An amount around `held`, which tends to be where a check is: all of it, one more, one less, a part, nothing, the
    /// largest number.
    pub fn around(&mut self, held: u64) -> u64 {
        match self.below(20) {
            0 => 0,
            1 => 1,
            2 => u64::MAX,
            3 => held.saturating_add(1),
            4 => held.saturating_sub(1),
            5..=8 => held,
            9..=12 => held / 2,
            _ => self.below(held.saturating_add(1)),
        }
    }
}
