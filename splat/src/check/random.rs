//! Numbers without symmetry, the same on every machine and in every version.

/// Returns a number in (-1, 1) for each index: the fractional parts of the multiples of an
/// irrational number. Neighbours differ, and no sum of a few of them is zero.
pub fn weight(i: usize) -> f64 {
    ((i as f64 + 1.0) * 0.754_877_666_246_693).fract() * 2.0 - 1.0
}

/// The `SplitMix64` generator. The field is its state, initially the seed.
pub(super) struct Random(pub(super) u64);

impl Random {
    /// Returns a number in `[low, high)`.
    pub(super) fn between(&mut self, low: f64, high: f64) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^= z >> 31;
        low + (high - low) * (z >> 11) as f64 / (1u64 << 53) as f64
    }
}
