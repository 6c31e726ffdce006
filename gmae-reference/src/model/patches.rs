//! Cuts images into patches, on the host.
//!
//! Patch `y G + x` of the `G x G` grid holds its pixels row by row, with three colour values per
//! pixel.

use std::ops::Range;

use burn::tensor::backend::Backend;
use burn::tensor::{Int, Tensor, TensorData};

use super::batch::check_batch;
use super::masking::Mask;
use crate::config::Config;
use crate::error::{Error, check_len};

/// Means of the red, green and blue values of `ImageNet`, in `[0, 1]`.
const IMAGENET_MEAN: [f32; 3] = [0.485, 0.456, 0.406];
/// Standard deviations of the red, green and blue values of `ImageNet`.
const IMAGENET_DEVIATION: [f32; 3] = [0.229, 0.224, 0.225];

/// The encoder's input: n visible patches of each of B images.
#[derive(Clone, Debug)]
pub struct Visible<B: Backend> {
    /// Pixels standardised with the mean and the standard deviation of `ImageNet`, `[B n, 3 P^2]`.
    pub patches: Tensor<B, 2>,
    /// Row of each patch in the position table, `[B n]`. Patch p has row 1 + p, because row 0 is
    /// the row of the CLS token.
    pub rows: Tensor<B, 1, Int>,
    /// The number of images, B.
    pub images: usize,
}

impl<B: Backend> Visible<B> {
    /// Cuts `masks.len()` images into patches and keeps the visible ones. `pixels` has the shape
    /// `[B, H, W, 3]` and values in `[0, 1]`.
    ///
    /// # Errors
    ///
    /// All errors of [`Batch::check`](super::Batch::check). [`Error::Length`] if the masks have
    /// different numbers of visible patches.
    pub fn new(
        config: &Config,
        pixels: &[f32],
        masks: &[Mask],
        device: &B::Device,
    ) -> Result<Self, Error> {
        check_batch(config, pixels, masks)?;
        let visible = masks.first().map_or(0, |mask| mask.visible.len());
        let mut patches = Vec::with_capacity(masks.len() * visible * config.patch_len());
        let mut rows = Vec::with_capacity(masks.len() * visible);
        for (image, mask) in pixels.chunks(config.image_len()).zip(masks) {
            check_len("visible patches of a mask", visible, mask.visible.len())?;
            for &patch in &mask.visible {
                rows.push(1 + patch as i64);
                for run in patch_rows(config, patch) {
                    patches.extend(image[run].chunks(3).flat_map(normalised));
                }
            }
        }
        let count = rows.len();
        Ok(Self {
            patches: Tensor::from_data(
                TensorData::new(patches, [count, config.patch_len()]),
                device,
            ),
            rows: Tensor::from_data(TensorData::new(rows, [count]), device),
            images: masks.len(),
        })
    }
}

/// Returns the index ranges of one patch inside an image `[H, W, 3]`: P ranges of `3 P` values.
pub(crate) fn patch_rows(
    config: &Config,
    patch: usize,
) -> impl Iterator<Item = Range<usize>> + use<> {
    let (size, side, grid) = (config.image_size, config.patch_size, config.grid());
    let (left, top) = (patch % grid * side, patch / grid * side);
    (top..top + side).map(move |y| {
        let start = (y * size + left) * 3;
        start..start + side * 3
    })
}

fn normalised(pixel: &[f32]) -> impl Iterator<Item = f32> + use<'_> {
    let statistics = IMAGENET_MEAN.into_iter().zip(IMAGENET_DEVIATION);
    pixel
        .iter()
        .zip(statistics)
        .map(|(v, (mean, deviation))| (v - mean) / deviation)
}
