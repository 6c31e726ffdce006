//! The loss: one weighted sum of squared differences, whatever the variant.
//!
//! Every variant of the mean over patches of the mean squared difference inside a patch is
//! `sum(weight * (prediction - target)^2)` for some `target` and `weight` that depend on the images and masks
//! alone. Both are worked out on the host; [`Target::loss`] is three tensor operations.

use burn::tensor::backend::Backend;
use burn::tensor::{Tensor, TensorData};

use crate::Error;
use crate::config::{Config, LossKind};
use crate::model::masking::Mask;
use crate::model::patches::{check_pixels, patch_rows};

/// Added to a patch's variance before dividing by it, or by its root.
const VARIANCE_EPSILON: f64 = 1e-6;

/// What B predicted images are compared with, and how much each number counts.
#[derive(Clone, Debug, PartialEq)]
pub struct Target {
    /// Target values `[B, H, W, 3]`.
    values: Vec<f32>,
    /// Weights `[B, H, W, 3]`.
    weights: Vec<f32>,
    shape: [usize; 4],
}

impl Target {
    /// The target for `masks.len()` images, `pixels` `[B, H, W, 3]` in `[0, 1]`.
    ///
    /// # Errors
    ///
    /// [`Error::Length`] if `pixels` is not that long or there is no image.
    pub fn new(
        config: &Config,
        kind: LossKind,
        pixels: &[f32],
        masks: &[Mask],
    ) -> Result<Self, Error> {
        check_pixels(config, pixels, masks.len())?;
        let size = config.image_size;
        let image_len = size * size * 3;
        let mut values = pixels.to_vec();
        let mut weights = vec![0.0; pixels.len()];
        let all: Vec<usize> = (0..config.patches()).collect();
        for (b, mask) in masks.iter().enumerate() {
            let counted = if kind == LossKind::All {
                &all
            } else {
                &mask.masked
            };
            let numbers = counted.len() * config.patch_len() * masks.len();
            let image = b * image_len..(b + 1) * image_len;
            let (values, weights) = (&mut values[image.clone()], &mut weights[image]);
            for &patch in counted {
                fill_patch(config, kind, patch, 1.0 / numbers as f64, values, weights);
            }
        }
        Ok(Self {
            values,
            weights,
            shape: [masks.len(), size, size, 3],
        })
    }

    /// The loss of `prediction`, `[B, H, W, 3]`, as a tensor of one number.
    pub fn loss<B: Backend>(&self, prediction: Tensor<B, 4>) -> Tensor<B, 1> {
        let device = prediction.device();
        let tensor = |values: &[f32]| {
            Tensor::<B, 4>::from_data(TensorData::new(values.to_vec(), self.shape), &device)
        };
        let difference = prediction - tensor(&self.values);
        (difference.clone() * difference * tensor(&self.weights)).sum()
    }
}

/// Writes target and weight of one patch of one image; `weight` is what an unnormalised difference counts.
fn fill_patch(
    config: &Config,
    kind: LossKind,
    patch: usize,
    weight: f64,
    values: &mut [f32],
    weights: &mut [f32],
) {
    let (mean, variance) = patch_statistics(config, values, patch);
    let inverse = 1.0 / (variance + VARIANCE_EPSILON);
    let weight = match kind {
        LossKind::All | LossKind::Masked | LossKind::MaskedNormTarget => weight,
        // ((p - m) / s - (t - m) / s)^2 = (p - t)^2 / s^2
        LossKind::MaskedNormBoth => weight * inverse,
    };
    for run in patch_rows(config, patch) {
        weights[run.clone()].fill(weight as f32);
        if kind == LossKind::MaskedNormTarget {
            for value in &mut values[run] {
                *value = ((f64::from(*value) - mean) * inverse.sqrt()) as f32;
            }
        }
    }
}

/// Mean and unbiased variance over the `3 P^2` numbers of one patch of an image `[H, W, 3]`.
fn patch_statistics(config: &Config, image: &[f32], patch: usize) -> (f64, f64) {
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

/// Mean squared error of `prediction` on the masked patches of one image, both `[H, W, 3]`; 0 if none is masked.
pub fn masked_mse(config: &Config, image: &[f32], prediction: &[f32], mask: &Mask) -> f64 {
    let runs = mask
        .masked
        .iter()
        .flat_map(|&patch| patch_rows(config, patch));
    let squares = runs.flat_map(|run| image[run.clone()].iter().zip(&prediction[run]));
    let sum: f64 = squares.map(|(a, b)| f64::from(a - b).powi(2)).sum();
    sum / (mask.masked.len() * config.patch_len()).max(1) as f64
}

/// What [`masked_mse`] charges for painting every masked patch in the mean colour of the visible ones.
pub fn mean_colour_mse(config: &Config, image: &[f32], mask: &Mask) -> f64 {
    let mut sum = [0.0_f64; 3];
    for run in mask
        .visible
        .iter()
        .flat_map(|&patch| patch_rows(config, patch))
    {
        for pixel in image[run].chunks(3) {
            sum.iter_mut()
                .zip(pixel)
                .for_each(|(s, &v)| *s += f64::from(v));
        }
    }
    let pixels = (mask.visible.len() * config.patch_size * config.patch_size).max(1);
    let colour = sum.map(|s| (s / pixels as f64) as f32);
    let painted = colour.repeat(config.image_size * config.image_size);
    masked_mse(config, image, &painted, mask)
}
