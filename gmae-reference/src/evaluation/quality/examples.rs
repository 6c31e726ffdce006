//! Images and masks for the tests.

use crate::config::{Config, LossKind, Preset};
use crate::model::Mask;

/// Returns settings with images of `image_size` x `image_size` pixels and patches of `patch_size`.
pub(super) fn config(image_size: usize, patch_size: usize) -> Config {
    Config {
        image_size,
        patch_size,
        // A mask of any size is valid.
        mask_ratio: 0.0,
        loss: LossKind::All,
        ..Preset::Nano.config()
    }
}

/// Returns `count` pseudo-random numbers in `[0, 1)` with 24 bits each, from the linear
/// congruential generator `s -> 1664525 s + 1013904223 mod 2^32`. The numbers are the upper bits.
pub(super) fn random(seed: u32, count: usize) -> Vec<f32> {
    let mut state = seed;
    let mut number = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / (1 << 24) as f32
    };
    (0..count).map(|_| number()).collect()
}

/// Returns an image `[H, W, 3]` of random numbers, and a prediction that differs from it by a
/// quarter of the difference to another such image.
pub(super) fn pair(config: &Config) -> (Vec<f32>, Vec<f32>) {
    let image = random(1, config.image_len());
    let other = random(2, config.image_len());
    let mixed = image.iter().zip(&other).map(|(a, b)| 0.75 * a + 0.25 * b);
    let prediction = mixed.collect();
    (image, prediction)
}

/// Returns the mask whose visible patches satisfy `visible`.
pub(super) fn mask(config: &Config, visible: impl Fn(usize) -> bool) -> Mask {
    let (visible, masked) = (0..config.patches()).partition(|&patch| visible(patch));
    Mask { visible, masked }
}

/// Returns a closure that is true for the pixels `(x, y)` of masked patches.
pub(super) fn is_masked(config: &Config, mask: &Mask) -> impl Fn(usize, usize) -> bool {
    let (side, grid, masked) = (config.patch_size, config.grid(), mask.masked.clone());
    move |x, y| masked.contains(&(y / side * grid + x / side))
}
