//! Images to patches and back, on the host.
//!
//! Patch `y G + x` of the `G x G` grid holds its pixels row by row, three colours each.

use std::ops::Range;

use burn::tensor::backend::Backend;
use burn::tensor::{Int, Tensor, TensorData};

use super::batch::check_batch;
use super::masking::Mask;
use crate::config::Config;
use crate::error::{Error, check_len};

/// Mean of `ImageNet`'s red, green and blue, in `[0, 1]`.
const IMAGENET_MEAN: [f32; 3] = [0.485, 0.456, 0.406];
/// Their standard deviations.
const IMAGENET_DEVIATION: [f32; 3] = [0.229, 0.224, 0.225];

/// The encoder's input: the visible patches of B images, n of each.
#[derive(Clone, Debug)]
pub struct Visible<B: Backend> {
    /// Pixels with `ImageNet`'s mean and deviation taken out, `[B n, 3 P^2]`.
    pub patches: Tensor<B, 2>,
    /// Row of each patch in a position table, `[B n]`.
    pub rows: Tensor<B, 1, Int>,
    /// The number of images, B.
    pub images: usize,
}

impl<B: Backend> Visible<B> {
    /// Cuts `masks.len()` images, `[B, H, W, 3]` in `[0, 1]`, and keeps what each mask shows.
    ///
    /// # Errors
    ///
    /// As [`Batch::check`](super::Batch::check), and [`Error::Length`] if masks show different
    /// numbers of patches.
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

/// The pixels of one patch inside an image `[H, W, 3]`: P runs of `3 P` numbers.
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
