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
    let mut pasted = image.clone();
    for run in mask
        .masked
        .iter()
        .flat_map(|&patch| patch_rows(config, patch))
    {
        pasted.pixels[run.clone()].copy_from_slice(&render.pixels[run]);
    }
    pasted
}
