//! The operations of `ops`. Each vjp is the derivative of its operation. Each operation and each
//! gradient equals that of Burn's own operations. Threads change no bit.

mod burn_own;
mod derivatives;
mod threads;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Values in [-2, 2).
fn values(seed: u64, count: usize) -> Vec<f64> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    (0..count).map(|_| rng.random_range(-2.0..2.0)).collect()
}
