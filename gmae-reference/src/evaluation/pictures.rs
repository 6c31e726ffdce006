//! Pictures of masks: the visible patches alone, and with a render in place of the others.

use crate::config::Config;
use crate::data::Image;
use crate::model::{Mask, patch_rows};

/// The shade of a masked patch.
const GREY: f32 = 0.5;

/// `image` with its masked patches greyed out.
pub(crate) fn masked(config: &Config, image: &Image, mask: &Mask) -> Image {
    let grey = Image::filled(image.width, image.height, [GREY; 3]);
    pasted(config, image, &grey, mask)
}

/// `image` where it was visible, `render` where it was masked; both of the configured size.
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
