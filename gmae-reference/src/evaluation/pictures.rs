//! Pictures that show a mask: the masked patches are grey or replaced by a render.

use crate::config::Config;
use crate::data::Image;
use crate::model::{Mask, patch_rows};

/// Red, green and blue of a masked patch.
const GREY: f32 = 0.5;

/// Returns `image` with its masked patches in grey.
pub(crate) fn masked(config: &Config, image: &Image, mask: &Mask) -> Image {
    let grey = Image::filled(image.width, image.height, [GREY; 3]);
    pasted(config, image, &grey, mask)
}

/// Returns `image` with its masked patches replaced by the patches of `render`. Both images must
/// have the configured size.
pub(crate) fn pasted(config: &Config, image: &Image, render: &Image, mask: &Mask) -> Image {
    Image {
        pixels: paste(config, &image.pixels, &render.pixels, mask),
        ..*image
    }
}

/// Returns the pixels of `image` with its masked patches replaced by those of `render`. Both have
/// the shape `[H, W, 3]` and the configured size.
pub(crate) fn paste(config: &Config, image: &[f32], render: &[f32], mask: &Mask) -> Vec<f32> {
    let mut pasted = image.to_vec();
    for run in mask
        .masked
        .iter()
        .flat_map(|&patch| patch_rows(config, patch))
    {
        pasted[run.clone()].copy_from_slice(&render[run]);
    }
    pasted
}
