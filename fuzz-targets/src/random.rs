//! Random inputs that are more often valid than random bytes.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Numbers that are often at the edge of a domain.
const PALETTE: [f32; 16] = [
    0.0,
    -0.0,
    1.0,
    -1.0,
    0.5,
    2.0,
    1e-3,
    1e3,
    1e-30,
    1e30,
    f32::NAN,
    f32::INFINITY,
    f32::NEG_INFINITY,
    f32::MAX,
    f32::MIN_POSITIVE,
    1e-40,
];

/// Returns an input: runs of random bytes, of moderate numbers and of numbers from the palette, in
/// `f32` and in `f64`.
pub fn random_input(seed: u64) -> Vec<u8> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let len = 1 << rng.random_range(5..13);
    let mut bytes = Vec::with_capacity(len + 64);
    while bytes.len() < len {
        let kind = rng.random_range(0..6);
        for _ in 0..rng.random_range(1..24) {
            let moderate = rng.random_range(-2.0f32..2.0);
            let edge = PALETTE[rng.random_range(0..PALETTE.len())];
            match kind {
                0 => bytes.extend(rng.random::<[u8; 4]>()),
                1 => bytes.push(rng.random_range(0..8)),
                2 | 3 => bytes.extend(moderate.to_le_bytes()),
                4 => bytes.extend(f64::from(moderate.abs() * 8.0).to_le_bytes()),
                _ => bytes.extend(edge.to_le_bytes()),
            }
        }
    }
    bytes
}
