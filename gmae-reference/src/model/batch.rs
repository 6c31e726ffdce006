//! Images with their masks.

use super::masking::Mask;
use crate::config::Config;

/// Images of one step with their masks.
#[derive(Clone, Debug, PartialEq)]
pub struct Batch {
    /// Pixels `[B, H, W, 3]` in `[0, 1]`.
    pub pixels: Vec<f32>,
    /// One mask per image.
    pub masks: Vec<Mask>,
}

impl Batch {
    /// Pixels and masks in pieces of `config.micro_batch` images.
    pub fn pieces(&self, config: &Config) -> impl Iterator<Item = (&[f32], &[Mask])> {
        let image_len = config.image_size * config.image_size * 3;
        let pixels = self.pixels.chunks(config.micro_batch * image_len);
        pixels.zip(self.masks.chunks(config.micro_batch))
    }
}
