//! Parts of batches as pictures, and pictures that show a mask: the masked patches are grey or
//! replaced by a render.

use crate::config::Config;
use crate::data::Image;
use crate::error::Error;
use crate::model::{Batch, Mask, patch_rows};

/// Red, green and blue of a masked patch.
const GREY: f32 = 0.5;

/// Returns the first `count` images of `batch` with their masks, or all if there are fewer.
///
/// # Errors
///
/// All errors of [`Batch::check`].
pub(super) fn first(config: &Config, batch: &Batch, count: usize) -> Result<Batch, Error> {
    batch.check(config)?;
    let count = count.min(batch.masks.len());
    Ok(Batch {
        pixels: batch.pixels[..count * config.image_len()].to_vec(),
        masks: batch.masks[..count].to_vec(),
    })
}

/// Cuts pixels `[B, H, W, 3]` into B images.
pub(super) fn images(config: &Config, pixels: &[f32]) -> Vec<Image> {
    let size = config.image_size;
    let image = |pixels: &[f32]| Image {
        width: size,
        height: size,
        pixels: pixels.to_vec(),
    };
    pixels.chunks(config.image_len()).map(image).collect()
}

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
