//! Small masks for the tests.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::data::PixelMask;

/// Draws a mask from rows of `#` and `.`.
pub(super) fn drawn(rows: &[&str]) -> PixelMask {
    let width = rows.first().map_or(0, |row| row.len());
    PixelMask::from_fn(width, rows.len(), |x, y| rows[y].as_bytes()[x] == b'#')
}

/// Draws a mask whose pixels are independent.
pub(super) fn random(seed: u64, width: usize, height: usize, density: f64) -> PixelMask {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    PixelMask::from_fn(width, height, |_, _| rng.random_bool(density))
}
