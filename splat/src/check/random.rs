//! Numbers without symmetry, the same on every machine and in every version.

/// Returns a number in (-1, 1) for each index: the fractional parts of the multiples of an
/// irrational number. Neighbours differ, and no sum of a few of them is zero.
pub fn weight(i: usize) -> f64 {
    ((i as f64 + 1.0) * 0.754_877_666_246_693).fract() * 2.0 - 1.0
}

/// A generator of uniform numbers (`SplitMix64`). The numbers of a seed never change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Random(u64);

impl Random {
    /// Creates the generator of a seed.
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Returns a number in `[low, high)`.
    pub fn between(&mut self, low: f64, high: f64) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^= z >> 31;
        low + (high - low) * (z >> 11) as f64 / (1u64 << 53) as f64
    }

    /// Returns `count` numbers in `[low, high)`.
    pub fn several(&mut self, count: usize, low: f64, high: f64) -> Vec<f64> {
        (0..count).map(|_| self.between(low, high)).collect()
    }
}
