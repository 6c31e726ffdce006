//! Layout of the pixels on a device: features `[B, H, W, C]`, and packed pixels of two words.

use cubecl::prelude::*;

/// Index of the alpha channel in features of four channels.
pub(crate) const ALPHA: u32 = 3;

/// Loads the bits of channel `c` of a pixel.
#[cube]
pub(crate) fn channel_of(features: &Array<u32>, channels: u32, pixel: u32, c: u32) -> u32 {
    features[(pixel * channels + c) as usize]
}

/// Stores the two words of a pixel of 16-bit floats, red and green before blue and alpha.
#[cube]
pub(crate) fn set_halves_of(out: &mut Array<u32>, slot: u32, first: u32, second: u32) {
    out[(2 * slot) as usize] = first;
    out[(2 * slot + 1) as usize] = second;
}
