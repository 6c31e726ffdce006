//! The loss: for every variant, one weighted sum of squared differences.
//!
//! Every variant is a mean over patches of the mean squared difference inside a patch. This mean
//! equals `sum(weight * (prediction - target)^2)` for a `target` and a `weight` that depend only on
//! the images and masks. The host computes `target` and `weight`. [`Target::loss`] evaluates the
//! sum on the device of the prediction.

use burn::tensor::backend::Backend;
use burn::tensor::{Tensor, TensorData};

use crate::config::{Config, LossKind};
use crate::error::Error;
use crate::model::{Mask, check_batch, patch_rows, patch_statistics, standardisation};

/// Added to the variance of a patch before squared differences are divided by it: the square of a
/// deviation of 0.1, which is 25 of 255 grey levels.
///
/// With MAE's 1e-6, a patch of one colour would have 10,000 times the weight of a patch with this
/// deviation, and would decide the loss alone. With this value the weights of all patches lie
/// within a factor of 27, and those of patches with deviations between 0 and 0.2 within a factor of
/// 5.
const VARIANCE_FLOOR: f64 = 0.01;

/// Target values and weights for B predicted images.
#[derive(Clone, Debug, PartialEq)]
pub struct Target {
    /// Target values `[B, H, W, 3]`.
    values: Vec<f32>,
    /// Weights `[B, H, W, 3]`.
    weights: Vec<f32>,
    shape: [usize; 4],
}

impl Target {
    /// Computes the target for `masks.len()` images. `pixels` has the shape `[B, H, W, 3]` and
    /// values in `[0, 1]`.
    ///
    /// # Errors
    ///
    /// All errors of [`Batch::check`](crate::model::Batch::check). [`Error::Argument`] if `kind`
    /// averages over masked patches and an image has no masked patch.
    pub fn new(
        config: &Config,
        kind: LossKind,
        pixels: &[f32],
        masks: &[Mask],
    ) -> Result<Self, Error> {
        check_batch(config, pixels, masks)?;
        let size = config.image_size;
        let image_len = config.image_len();
        let mut values = pixels.to_vec();
        let mut weights = vec![0.0; pixels.len()];
        let all: Vec<usize> = (0..config.patches()).collect();
        for (b, mask) in masks.iter().enumerate() {
            let counted = if kind == LossKind::All {
                &all
            } else {
                &mask.masked
            };
            if counted.is_empty() {
                return Err(Error::Argument {
                    argument: "masks",
                    expected: "at least one masked patch in every image, or --loss all".to_owned(),
                    got: format!("none in image {b}"),
                });
            }
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

    /// Computes the loss of `prediction`, `[B, H, W, 3]`, as a tensor with one element.
    ///
    /// # Errors
    ///
    /// [`Error::Argument`] if the shape of `prediction` differs from the shape of the images.
    pub fn loss<B: Backend>(&self, prediction: Tensor<B, 4>) -> Result<Tensor<B, 1>, Error> {
        if prediction.dims() != self.shape {
            return Err(Error::Argument {
                argument: "shape of the prediction",
                expected: format!("{:?}", self.shape),
                got: format!("{:?}", prediction.dims()),
            });
        }
        let device = prediction.device();
        let tensor = |values: &[f32]| {
            Tensor::<B, 4>::from_data(TensorData::new(values.to_vec(), self.shape), &device)
        };
        let difference = prediction - tensor(&self.values);
        Ok((difference.clone() * difference * tensor(&self.weights)).sum())
    }
}

/// Writes the target and the weights of one patch of one image. `weight` is the weight of a squared
/// difference without normalisation.
fn fill_patch(
    config: &Config,
    kind: LossKind,
    patch: usize,
    weight: f64,
    values: &mut [f32],
    weights: &mut [f32],
) {
    let (mean, deviation) = standardisation(config, values, patch);
    let weight = match kind {
        LossKind::All | LossKind::Masked | LossKind::MaskedNormTarget => weight,
        // ((p - m) / s - (t - m) / s)^2 = (p - t)^2 / s^2
        LossKind::MaskedNormBoth => {
            weight / (patch_statistics(config, values, patch).1 + VARIANCE_FLOOR)
        }
    };
    for run in patch_rows(config, patch) {
        weights[run.clone()].fill(weight as f32);
        if config.norm_pix || kind == LossKind::MaskedNormTarget {
            for value in &mut values[run] {
                *value = ((f64::from(*value) - mean) / deviation) as f32;
            }
        }
    }
}
