//! Images with their masks.

use super::masking::Mask;
use crate::config::Config;
use crate::error::{Error, check_len};

/// Images of one step with their masks.
#[derive(Clone, Debug, PartialEq)]
pub struct Batch {
    /// Pixels `[B, H, W, 3]` in `[0, 1]`.
    pub pixels: Vec<f32>,
    /// One mask per image.
    pub masks: Vec<Mask>,
}

impl Batch {
    /// Checks that pixels and masks are of the same images: at least one, of the configured size,
    /// each with a mask that splits its patches.
    ///
    /// # Errors
    ///
    /// [`Error::Length`] if there is no image or `pixels` has another length, [`Error::Argument`]
    /// if a mask does not name every patch once.
    pub fn check(&self, config: &Config) -> Result<(), Error> {
        check_batch(config, &self.pixels, &self.masks)
    }

    /// Pixels and masks in pieces of `config.micro_batch` images.
    ///
    /// # Errors
    ///
    /// As [`Batch::check`].
    pub fn pieces(
        &self,
        config: &Config,
    ) -> Result<impl Iterator<Item = (&[f32], &[Mask])>, Error> {
        self.check(config)?;
        let images = config.micro_batch.max(1);
        let pixels = self.pixels.chunks(images * config.image_len());
        Ok(pixels.zip(self.masks.chunks(images)))
    }

    /// Pixels and mask of each image.
    pub(crate) fn images(
        &self,
        config: &Config,
    ) -> Result<impl Iterator<Item = (&[f32], &Mask)>, Error> {
        self.check(config)?;
        Ok(self.pixels.chunks(config.image_len()).zip(&self.masks))
    }
}

/// [`Batch::check`] of borrowed parts.
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
