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

/// Added to the variance of a patch before its values are divided by its square root, as in MAE.
const VARIANCE_EPSILON: f64 = 1e-6;
/// Means of the red, green and blue values of `ImageNet`, in `[0, 1]`.
pub(super) const IMAGENET_MEAN: [f32; 3] = [0.485, 0.456, 0.406];
/// Standard deviations of the red, green and blue values of `ImageNet`.
pub(super) const IMAGENET_DEVIATION: [f32; 3] = [0.229, 0.224, 0.225];

/// The encoder's input: n visible patches of each of B images.
#[derive(Clone, Debug)]
pub struct Visible<B: Backend> {
    /// Pixels standardised with the mean and the standard deviation of `ImageNet`, `[B n, 3 P^2]`.
    pub patches: Tensor<B, 2>,
    /// Row of each patch in the position table, `[B n]`. Patch p has row 1 + p, because row 0 is
    /// the row of the CLS token.
    pub rows: Tensor<B, 1, Int>,
    /// For the CLS token and every patch of the images, `[B (1 + N)]`: its row among the encoder's
    /// tokens `[B (1 + n), D]`, or the row after the last one for a hidden patch.
    pub places: Tensor<B, 1, Int>,
    /// One number per image, which depends only on its mask.
    pub seeds: Vec<u64>,
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
        let places = places(config, masks, visible);
        let tokens = places.len();
        Ok(Self {
            patches: Tensor::from_data(
                TensorData::new(patches, [count, config.patch_len()]),
                device,
            ),
            rows: Tensor::from_data(TensorData::new(rows, [count]), device),
            places: Tensor::from_data(TensorData::new(places, [tokens]), device),
            seeds: masks.iter().map(seed).collect(),
            images: masks.len(),
        })
    }
}

/// Computes [`Visible::places`].
fn places(config: &Config, masks: &[Mask], visible: usize) -> Vec<i64> {
    let hidden = (masks.len() * (1 + visible)) as i64;
    let mut places = Vec::with_capacity(masks.len() * (1 + config.patches()));
    for (image, mask) in masks.iter().enumerate() {
        let cls = image * (1 + visible);
        let first = places.len() + 1;
        places.push(cls as i64);
        places.resize(first + config.patches(), hidden);
        for (i, &patch) in mask.visible.iter().enumerate() {
            places[first + patch] = (cls + 1 + i) as i64;
        }
    }
    places
}

/// Mixes the numbers of the visible patches to one number (64-bit FNV-1a).
fn seed(mask: &Mask) -> u64 {
    let numbers = mask.visible.iter().map(|&patch| patch as u64);
    numbers.fold(0xcbf2_9ce4_8422_2325, |hash, number| {
        (hash ^ number).wrapping_mul(0x0100_0000_01b3)
    })
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

/// Returns the mean of a patch and the deviation by which a standardised target is divided.
pub(crate) fn standardisation(config: &Config, image: &[f32], patch: usize) -> (f64, f64) {
    let (mean, variance) = patch_statistics(config, image, patch);
    (mean, (variance + VARIANCE_EPSILON).sqrt())
}

/// Computes the mean and the unbiased variance of the `3 P^2` values of one patch of an image
/// `[H, W, 3]`.
pub(crate) fn patch_statistics(config: &Config, image: &[f32], patch: usize) -> (f64, f64) {
    let numbers = || {
        patch_rows(config, patch)
            .flat_map(|run| &image[run])
            .map(|&v| f64::from(v))
    };
    let count = config.patch_len() as f64;
    let mean = numbers().sum::<f64>() / count;
    let squares = numbers().map(|v| (v - mean) * (v - mean)).sum::<f64>();
    (mean, squares / (count - 1.0))
}

fn normalised(pixel: &[f32]) -> impl Iterator<Item = f32> + use<'_> {
    let statistics = IMAGENET_MEAN.into_iter().zip(IMAGENET_DEVIATION);
    pixel
        .iter()
        .zip(statistics)
        .map(|(v, (mean, deviation))| (v - mean) / deviation)
}
