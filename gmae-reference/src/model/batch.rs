//! Images with their masks.

use super::masking::Mask;
use crate::config::Config;
use crate::error::{Error, check_len};

/// The images of one training step with their masks.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Batch {
    /// Pixel values `[B, H, W, 3]` in `[0, 1]`.
    pub pixels: Vec<f32>,
    /// One mask per image.
    pub masks: Vec<Mask>,
}

impl Batch {
    /// Checks that `pixels` and `masks` describe the same images.
    ///
    /// A valid batch has at least one image. Every image has the configured size and a mask that
    /// splits its patches.
    ///
    /// # Errors
    ///
    /// [`Error::Length`] if there is no mask or if the length of `pixels` does not match the number
    /// of masks. [`Error::Argument`] if a mask does not list every patch exactly once.
    pub fn check(&self, config: &Config) -> Result<(), Error> {
        check_batch(config, &self.pixels, &self.masks)
    }

    /// Splits the batch into pieces of [`Config::images_per_piece`] images. The last piece can be
    /// smaller.
    ///
    /// # Errors
    ///
    /// All errors of [`Batch::check`].
    pub fn pieces(&self, config: &Config) -> Result<impl Iterator<Item = Self>, Error> {
        self.check(config)?;
        let images = config.images_per_piece();
        let pixels = self.pixels.chunks(images * config.image_len());
        Ok(pixels
            .zip(self.masks.chunks(images))
            .map(|(pixels, masks)| Self {
                pixels: pixels.to_vec(),
                masks: masks.to_vec(),
            }))
    }

    /// Iterates over the pixels and the mask of each image.
    pub(crate) fn images(
        &self,
        config: &Config,
    ) -> Result<impl Iterator<Item = (&[f32], &Mask)>, Error> {
        self.check(config)?;
        Ok(self.pixels.chunks(config.image_len()).zip(&self.masks))
    }
}

/// Implements [`Batch::check`] for borrowed pixels and masks.
pub(crate) fn check_batch(config: &Config, pixels: &[f32], masks: &[Mask]) -> Result<(), Error> {
    let images = masks.len();
    check_len("images in a batch (at least 1)", images.max(1), images)?;
    check_len(
        "pixels of a batch",
        images * config.image_len(),
        pixels.len(),
    )?;
    masks
        .iter()
        .try_for_each(|mask| mask.check(config.patches()))
}
